"""Files that a command writes: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from desired.errors import UsageError


def write(place: Path, text: str) -> None:
    """Replaces a file in one step; makes the folders on the way. Raises UsageError where that cannot be."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # A link stays one: what it leads to is replaced.
        target = place.resolve()
        if target.exists() and not target.is_file():
            # A device or a pipe is written to, and never replaced by a file.
            with target.open("w", encoding="utf-8", newline="\n") as there:
                there.write(text)
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
            Path(name).chmod(mode)
            Path(name).replace(target)
        finally:
            with contextlib.suppress(OSError):
                Path(name).unlink()
    except OSError as error:
        raise UsageError(f"{place} cannot be written: {error.strerror}", hint="--output names another place") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
