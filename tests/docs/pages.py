"""The pages that people read, as what is to be typed and saved, in the order in which it stands there.

What a comment right above a block says holds for that block: `<!-- not run: WHY -->`, `<!-- exits 3 -->`,
`<!-- background -->`, `<!-- in: FOLDER -->`, `<!-- until: TEXT -->` (asked again until that is shown). A block that
follows on "as `NAME`" is a file of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^(?P<indent> *)```(?P<kind>\w+)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (.+?) -->")
_NAMED = re.compile(r"\bas\s+`([\w./-]+)`")
_FOLDER = re.compile(r"<!-- here: (\S+) as (\S+) -->")


@dataclass(frozen=True, slots=True)
class Block:
    """`told` are the comments above it. `name` is what it is to be saved as, empty for what is not."""

    kind: str
    text: str
    line: int
    told: tuple[str, ...]
    name: str

    @property
    def commands(self) -> tuple[str, ...]:
        joined = self.text.replace("\\\n", " ")
        return tuple(line.strip()[2:] for line in joined.splitlines() if line.strip().startswith("$ "))

    def said(self, word: str) -> str | None:
        """What stands behind a word in a comment; "" for nothing behind it; None where no comment has it."""
        return next((one.removeprefix(word).lstrip(": ") for one in self.told if one.startswith(word)), None)


def blocks(page: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(page):
        above = page[: found.start()].rstrip()
        told = []
        while above.endswith("-->"):
            above, _, comment = above.rpartition("<!--")
            told += _COMMENT.findall(f"<!--{comment}")
            above = above.rstrip()
        named = _NAMED.findall(above.rpartition("\n\n")[2]) if found["kind"] != "console" else []
        text = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        line = page.count("\n", 0, found.start()) + 1
        yield Block(found["kind"], text, line, tuple(told), named[-1] if named else "")


def folders(page: str) -> list[tuple[str, str]]:
    """Folders of this repository that a page takes for granted, each with its name there."""
    return _FOLDER.findall(page)
