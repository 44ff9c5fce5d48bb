"""One process at a time on one state file: an advisory lock beside it, held for the process's life.

The kernel gives the lock up when the process dies, however it dies; the file that carries it stays, because removing
it would let two processes lock two different files of one name.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from desired.errors import StateUnusable


class StateLock:
    """Taken by `acquire`; given up by `release`. Not inherited by children."""

    def __init__(self, *, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, state: Path) -> StateLock:
        """StateUnusable, with the process that holds it, if it is held. OSError if the file cannot be made."""
        path = state.with_name(state.name + ".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StateUnusable(
                f"the state {state} is in use by another nomad-operator" + (f" (process {holder})" if holder else ""),
                hint="stop that process, or give this one a state of its own with NOMAD_OPERATOR_STATE_URL",
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor=descriptor)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
