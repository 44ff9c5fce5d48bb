"""Lines out of the pieces of an endless answer, in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

# One line is one transaction: a plan that places a thousand allocations is of this size.
LONGEST = 16 * 1024 * 1024


class TooLong:
    """Stands for a line that was longer than allowed and was thrown away as it came."""


async def lines(pieces: AsyncIterator[bytes], *, longest: int = LONGEST) -> AsyncGenerator[bytes | TooLong, None]:
    """Every complete line without its end; what stands after the last one is dropped, as it was cut off."""
    held: list[bytes] = []
    size = 0
    skipping = False
    async for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            if skipping or size + len(end) > longest:
                yield TooLong()
            else:
                yield b"".join((*held, end))
            held, size, skipping = [], 0, False
        if skipping or size + len(rest) > longest:
            held, size, skipping = [], 0, True
        elif rest:
            held.append(rest)
            size += len(rest)
