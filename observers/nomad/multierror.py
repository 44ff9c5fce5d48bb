"""Nomad's lists of mistakes, flattened: one line for each, with the path to what it is about. Pure.

A go-multierror writes every item of every depth as a bullet at the same indentation, so the depth can only be read
from the `N errors occurred:` that opens each list.
"""

from __future__ import annotations

import re

_OPENS = re.compile(r"(?s)(?P<before>.*?)(?P<count>\d+) errors? occurred:\s*$")
_BULLET = "\n\t* "
_WARNS = re.compile(r"\d+ warnings?:\s*\n\* ")


def items(text: str) -> tuple[str, ...]:
    """`Task group web: Task app: minimum CPU value is 1; got 0`, ...; a text that is no list is its own only item."""
    parts = [part.strip() for part in text.split(_BULLET)]
    found: list[str] = []
    while parts:
        _take(parts, "", found)
    return tuple(found)


def warnings(text: str) -> tuple[str, ...]:
    """`Group "web": Task "app": …`, one for each warning: Nomad lists them as it lists mistakes, with other bullets.

    Source: nomad/helper MergeMultierrorWarnings, Job.Warnings.
    """
    opening = _WARNS.match(text)
    listed = text[opening.end() :].split("\n* ") if opening else [text]
    return tuple(" ".join(item.split()) for each in listed for item in items(each))


def _take(parts: list[str], path: str, found: list[str]) -> None:
    """Move one item, with the list that it may open, from the front of `parts` to `found`."""
    part = parts.pop(0)
    opening = _OPENS.match(part)
    if not opening:
        if part:
            found.append(path + part)
        return
    before = (
        opening["before"].strip().removesuffix(":").removesuffix(" validation failed").removesuffix(" has warnings")
    )
    for _ in range(int(opening["count"])):
        if parts:
            _take(parts, f"{path}{before}: " if before else path, found)
