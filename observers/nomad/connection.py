"""How to reach one Nomad: address, credentials and limits, for the calls and for the event stream alike.

Nothing here opens a connection. The token never appears in a repr, and `shown` is the only form of the address that
may be printed.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from desired.app import DEFAULT_NAMESPACE
from desired.errors import UsageError

# What requests and httpx are told to call when the real way is a unix socket; it is never resolved.
_SOCKET_URL = "http://nomad.socket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One Nomad agent. `address` is http://, https:// or unix://; a bare `host:port` means http.

    `token_file` wins over `token` and is read again when it changes. `max_connections` bounds the calls; each event
    stream takes one more (Nomad allows 100 for a client address, 80 of them streaming). A deadline covers a whole
    call, from the wait for a free connection to the last byte.
    """

    address: str = "http://127.0.0.1:4646"
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    namespace: str = DEFAULT_NAMESPACE
    region: str | None = None
    ca_cert: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    tls_skip_verify: bool = False
    max_connections: int = 16
    connect_timeout: timedelta = timedelta(seconds=5)
    read_deadline: timedelta = timedelta(seconds=30)
    write_deadline: timedelta = timedelta(seconds=10)

    def __post_init__(self) -> None:
        if "://" not in self.address:
            object.__setattr__(self, "address", f"http://{self.address}")
        parts = urlsplit(self.address)
        reachable = parts.path if parts.scheme == "unix" else parts.hostname
        if parts.scheme not in ("http", "https", "unix") or not reachable:
            raise UsageError(
                f"{self.shown!r} is not the address of a Nomad agent",
                hint="set NOMAD_ADDR to something like http://127.0.0.1:4646, https://nomad.example:4646 or "
                "unix:///secrets/api.sock",
            )
        if (self.client_cert is None) != (self.client_key is None):
            raise UsageError(
                "a client certificate needs its key, and the key its certificate",
                hint="set both NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY, or neither",
            )

    @property
    def socket_path(self) -> str | None:
        """The unix socket, None for TCP."""
        parts = urlsplit(self.address)
        return parts.path if parts.scheme == "unix" else None

    @property
    def base_url(self) -> str:
        """What request paths are put behind; without a slash at its end."""
        return _SOCKET_URL if self.socket_path else self.address.rstrip("/")

    @property
    def secure(self) -> bool:
        return urlsplit(self.address).scheme == "https"

    @property
    def shown(self) -> str:
        """The address as people may see it: without a user or a password."""
        parts = urlsplit(self.address)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def ssl_context(self) -> ssl.SSLContext:
        """Trusts `ca_cert` alone where it is given, else what the system trusts, and shows the client certificate."""
        try:
            context = ssl.create_default_context(cafile=self.ca_cert)
            if self.client_cert is not None:
                context.load_cert_chain(self.client_cert, self.client_key)
        except OSError as error:  # ssl.SSLError is one, too
            files = ", ".join(str(path) for path in (self.ca_cert, self.client_cert, self.client_key) if path)
            raise UsageError(
                f"the TLS files for Nomad cannot be used ({files}): {error}",
                hint="check NOMAD_CACERT, NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY: PEM files that this user can read",
            ) from error
        if self.tls_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
