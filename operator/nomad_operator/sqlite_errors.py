"""What SQLite and the file system say about a state file, in the operator's words."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desired.errors import StateUnavailable, StateUnusable

_MOVED = (
    "it is left as it is: restore it from a backup, or move it away to start anew "
    "(jobs that are as desired are taken over, the others ask first)"
)
_ACCESS = "let this user read and write the file and its folder, or set NOMAD_OPERATOR_STATE_URL"
_LOCKED = "close whatever holds it open for writing"
_ROOM = "make room on its disk; nothing is changed in Nomad until the state can be written"

# By SQLite's primary result code. Source: https://www.sqlite.org/rescode.html
_MEANING: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_CORRUPT: ("is corrupt", _MOVED),
    sqlite3.SQLITE_NOTADB: ("is not a state file", _MOVED),
    sqlite3.SQLITE_READONLY: ("cannot be written: it is read-only", _ACCESS),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _ACCESS),
    sqlite3.SQLITE_PERM: ("cannot be opened", _ACCESS),
}
# What passes, and is tried again. A quota that is used up and a size limit are I/O errors, not a full disk.
_PASSES: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("cannot be written: the disk is full", _ROOM),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk reports an error", _ROOM),
    sqlite3.SQLITE_BUSY: ("is locked by another program", _LOCKED),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", _LOCKED),
}


@contextmanager
def state_errors(path: Path) -> Iterator[None]:
    """Turns what the block raises into StateUnusable, or StateUnavailable where waiting helps."""
    try:
        yield
    except sqlite3.Error as error:
        # A check that found damage has no result code of its own.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _PASSES:
            found, hint = _PASSES[code]
            raise StateUnavailable(f"the state {path} {found} ({error})", hint=hint) from error
        if code not in _MEANING:
            raise
        found, hint = _MEANING[code]
        raise StateUnusable(f"the state {path} {found} ({error})", hint=hint) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StateUnavailable(f"the state {path} cannot be written: the disk is full", hint=_ROOM) from error
        raise StateUnusable(f"the state {path} cannot be opened: {error.strerror or error}", hint=_ACCESS) from error
