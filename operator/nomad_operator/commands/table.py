"""Text for people: aligned columns, a little colour on a terminal, nothing that could take the terminal over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

_GREEN, _RED, _YELLOW, _FAINT, _BOLD = "32", "31", "33", "2", "1"
_READY = {"True": _GREEN, "False": _RED, "Unknown": _YELLOW}


@dataclass(frozen=True, slots=True)
class Style:
    """`width` is None where lines are never cut: away from a terminal."""

    color: bool
    width: int | None

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        terminal = stream.isatty()
        # Source: https://no-color.org
        color = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(color=color, width=shutil.get_terminal_size().columns if terminal else None)


def plain(text: str) -> str:
    """One line, without control characters: what a job says about itself must not move the cursor."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def plain_lines(text: str) -> list[str]:
    """The same for text of several lines; indents stay."""
    return ["".join(char if char.isprintable() else " " for char in line).rstrip() for line in text.splitlines()]


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], style: Style) -> list[str]:
    """Aligned lines; the last column is cut at the terminal's edge. Cells of the column READY and OK are coloured."""
    cells = [[plain(cell) for cell in row] for row in rows]
    if style.width is not None:
        # One very long name must not push everything else out of sight.
        widest = max(style.width // 2, 16)
        cells = [[*(cut(cell, widest) for cell in row[:-1]), row[-1]] for row in cells]
    widths = [max(len(line[column]) for line in [list(header), *cells]) for column in range(len(header))]
    lines = [_line(header, widths, style, [_BOLD] * len(header))]
    colored = [name in ("READY", "OK") for name in header]
    for row in cells:
        codes = [_READY.get(cell, "") if is_colored else "" for cell, is_colored in zip(row, colored, strict=True)]
        lines.append(_line(row, widths, style, codes))
    return lines


def ready(text: str, style: Style) -> str:
    """The answer to Ready, in its colour."""
    return _paint(text, _READY.get(text, ""), style)


def faint(text: str, style: Style) -> str:
    return _paint(text, _FAINT, style)


def bold(text: str, style: Style) -> str:
    return _paint(text, _BOLD, style)


def added_or_removed(line: str, style: Style) -> str:
    """One line of a diff."""
    return _paint(line, {"+": _GREEN, "-": _RED}.get(line.lstrip()[:1], ""), style)


def _line(cells: Sequence[str], widths: Sequence[int], style: Style, codes: Sequence[str]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells[:-1], widths, strict=False)]
    last = cells[-1]
    if style.width is not None:
        room = style.width - sum(len(cell) + 2 for cell in padded)
        last = cut(last, max(room, 9))
    return "  ".join(_paint(cell, code, style) for cell, code in zip([*padded, last], codes, strict=True)).rstrip()


def _paint(text: str, code: str, style: Style) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if style.color and code else text
