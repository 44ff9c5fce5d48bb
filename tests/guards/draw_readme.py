"""Puts the picture that the state table draws into the README: `make picture`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from reconcilers.graph import overview

README = Path(__file__).parents[2] / "README.md"
_PICTURE = re.compile(r"(?<=^```mermaid\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def pictures(page: str) -> list[str]:
    """Every Mermaid block of a page."""
    return _PICTURE.findall(page)


def redrawn(page: str) -> str:
    """The page with the picture as the table draws it now."""
    return _PICTURE.sub(lambda _: f"{overview()}\n", page, count=1)


if __name__ == "__main__":
    README.write_text(redrawn(README.read_text(encoding="utf-8")), encoding="utf-8")
    print("README.md: the picture is drawn from the state table", file=sys.stderr)
