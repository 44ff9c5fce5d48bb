"""The token as it is now: given once, or read from a file that may be renewed under us."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from desired.errors import Forbidden
from observers.nomad.connection import Connection

# Inode, size and time of the last change: a file that is replaced in one step keeps none of the three.
_Stamp = tuple[int, int, int]


@dataclass(slots=True, kw_only=True)
class TokenSource:
    """Gives the token for the next request. Used from several threads: a race reads the file twice, no more."""

    file: Path | None
    given: str | None = field(default=None, repr=False)
    _read: str | None = field(default=None, init=False, repr=False)
    _stamp: _Stamp | None = field(default=None, init=False)

    @classmethod
    def of(cls, connection: Connection) -> TokenSource:
        return cls(file=connection.token_file, given=connection.token)

    def current(self, *, reread: bool = False) -> str | None:
        """The token, None if there is none. `reread` ignores what the file's time says.

        Raises Forbidden if the file cannot be read and never could.
        """
        if self.file is None:
            return self.given
        try:
            status = self.file.stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            if reread or stamp != self._stamp:
                self._read = self.file.read_text(encoding="utf-8").strip() or self._read
                self._stamp = stamp
        except (OSError, UnicodeDecodeError) as error:
            # A file that is being replaced is gone for a moment; the token read before is still the best there is.
            if self._read is None:
                raise Forbidden(
                    f"the Nomad token cannot be read from {self.file}: {type(error).__name__}",
                    hint="check that the file exists and that this user can read it",
                ) from error
        return self._read

    def hide(self, text: str) -> str:
        """The text without any token that we know."""
        for secret in (self.given, self._read):
            if secret and len(secret) > 3:
                text = text.replace(secret, "<token>")
        return text
