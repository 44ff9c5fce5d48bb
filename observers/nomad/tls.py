"""The TLS files of a connection as they are now: certificates are renewed under a process that runs for months."""

from __future__ import annotations

from pathlib import Path

from desired.errors import UsageError
from observers.nomad.connection import Connection

# Inode, size and time of the last change of each file; None for one that is not there just now.
_Stamps = tuple[tuple[int, int, int] | None, ...]


class RenewedTls:
    """`context` is for new connections; those that are open go on with what they were made with.

    An authority that is no longer in its file stays trusted until a restart.
    """

    def __init__(self, connection: Connection) -> None:
        """UsageError if the files cannot be used now."""
        self._connection = connection
        self._files = [path for path in (connection.ca_cert, connection.client_cert, connection.client_key) if path]
        self._seen = self._stamps()
        self.context = connection.ssl_context()

    def refresh(self) -> None:
        """Before each request. Files that do not fit together yet are looked at again with the next one."""
        stamps = self._stamps()
        if stamps == self._seen:
            return
        try:
            # Tried apart: half of a renewal would spoil what works.
            self._connection.ssl_context()
        except UsageError:
            return
        ca_cert, cert, key = self._connection.ca_cert, self._connection.client_cert, self._connection.client_key
        if ca_cert is not None:
            self.context.load_verify_locations(ca_cert)
        if cert is not None:
            self.context.load_cert_chain(cert, key)
        self._seen = stamps

    def _stamps(self) -> _Stamps:
        return tuple(_stamp(path) for path in self._files)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
