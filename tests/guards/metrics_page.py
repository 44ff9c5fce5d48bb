"""Writes the table of docs/metrics.md as the code describes its metrics: `make picture`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from nomad_operator.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs/metrics.md"
_TABLE = re.compile(r"(?<=^\| metric \| kind \| meaning \|\n\| --- \| --- \| --- \|\n)(?:^\|.*\n)+", re.MULTILINE)


def table() -> str:
    rows = []
    for one in Metrics(version="0").described:
        labels = f"{{{','.join(one.labels)}}}" if one.labels else ""
        rows.append(f"| `{one.name}{labels}` | {one.kind} | {one.meaning} |\n")
    return "".join(rows)


def written(page: str) -> str:
    """The page with the table as the code has it now."""
    return _TABLE.sub(lambda _: table(), page, count=1)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print("docs/metrics.md: the table is written from the code", file=sys.stderr)
