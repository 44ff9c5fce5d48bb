"""A file that a person names, read whole and no further than such a file may go."""

from __future__ import annotations

import stat
from pathlib import Path

MOST_BYTES = 1_000_000
# What a shell puts in the place of a name: `<(command)`.
_HANDED = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


def read_whole(path: Path) -> bytes:
    """OSError where it cannot be read, is no file, or holds more than a million bytes.

    A device never ends, and a pipe that nobody writes to never begins; one that the shell made is written to.
    """
    mode = path.stat().st_mode
    handed = stat.S_ISFIFO(mode) and str(path).startswith(_HANDED)
    if not stat.S_ISREG(mode) and not handed:
        kind = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
        raise OSError(0, f"it is {kind}, and no file")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise OSError(0, f"it holds more than {MOST_BYTES} bytes")
    return data
