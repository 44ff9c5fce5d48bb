"""A generated job as HCL with comments that say where each value is from. Pure; equal input gives equal bytes.

A comment stands behind its line, or above it where the line goes on (a list, a block, a text of several lines).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from desired.draft.job_places import Path
from desired.job.hcl_places import locate

_OPEN = ("{", "[", "(")


def sourced_hcl(text: str, sources: Mapping[Path, list[str]]) -> str:
    """`text` with what is said of each path in the job; what is written nowhere is left out.

    Of a path that is not there itself the nearest block around it is taken.
    """
    said: defaultdict[int, list[str]] = defaultdict(list)
    for path, told in sources.items():
        place = next((found for end in range(len(path), 0, -1) if (found := locate(text, path[:end]))), None)
        if place is not None:
            said[place.line] += [one for one in told if one not in said[place.line]]
    lines = text.split("\n")
    widths = _widths(lines, said)
    made: list[str] = []
    for number, line in enumerate(lines, start=1):
        told = [_one_line(one) for one in said.get(number, ())]
        if not told:
            made.append(line)
        elif number in widths:
            made.append(f"{line.ljust(widths[number])} # {'; '.join(told)}")
        else:
            indent = line[: len(line) - len(line.lstrip())]
            made += [*(f"{indent}# {one}" for one in told), line]
    return "\n".join(made)


def _widths(lines: list[str], said: Mapping[int, list[str]]) -> dict[int, int]:
    """How far each line is filled so that comments of lines one below the other begin in one column, as Nomad's own
    formatting has them."""
    widths: dict[int, int] = {}
    run: list[int] = []
    for number, line in enumerate([*lines, ""], start=1):
        if said.get(number) and _whole(line):
            run.append(number)
            continue
        width = max((len(lines[one - 1]) for one in run), default=0)
        widths |= dict.fromkeys(run, width)
        run = []
    return widths


def _whole(line: str) -> bool:
    """Whether a value ends with its line."""
    return " = " in line and not line.rstrip().endswith(_OPEN) and "<<" not in line


def _one_line(text: str) -> str:
    """What may hold anything that a file said, so that it stays in its comment."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
