"""Blocks in braces: where one ends, and what stands around a place."""

from __future__ import annotations

from collections.abc import Iterable

from desired.facts.app_code.bounded import bounded

_BRACES = bounded(r"[{}]")


def block_end(code: str, start: int) -> int:
    """Where the block that is open at `start` ends; strings that hold single braces are rare enough."""
    depth = 1
    for match in _BRACES.finditer(code, start):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(code)


def around(blocks: Iterable[tuple[int, int, str]], offset: int) -> list[str]:
    """What belongs to the blocks (start, end, text) that hold a place, the outermost first."""
    return [text for start, end, text in sorted(blocks) if start <= offset < end]
