"""A job file under edit: its text, its tree, and the pieces of text that are exchanged."""

from __future__ import annotations

import re
from dataclasses import dataclass

from desired.job.hcl_nodes import Block, Body
from desired.job.hcl_source import Range, Source
from desired.job.hcl_syntax import read_syntax
from desired.operations.splice import Splice, spliced

_INDENT = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class HclFile:
    """Positions are those of the text without its byte order mark.

    `here`: a value is exchanged only right where it is used, and as the simplest text: no variable or local is followed
    to its own literal, and no heredoc is kept.
    """

    source: Source
    body: Body
    here: bool = False

    @classmethod
    def of(cls, text: str, *, here: bool = False) -> HclFile:
        source = Source(text)
        return cls(source, read_syntax(source)[0], here)

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def job(self) -> Block:
        """The text was read as a job before: it has one."""
        return next(block for block in self.body.blocks if block.type == "job")

    @property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @property
    def unit(self) -> str:
        """One step of indentation, as the job's own content has it."""
        inside = [each.name_place[0] for each in self.job.body.attributes.values()]
        inside += [each.place[0] for each in self.job.body.blocks]
        return (self.indent(min(inside)) if inside else "") or "  "

    def piece(self, place: Range) -> str:
        return self.text[place[0] : place[1]]

    def line_start(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """Where the line ends, before its newline."""
        end = self.text.find("\n", offset)
        end = len(self.text) if end < 0 else end
        return end - 1 if end > offset and self.text[end - 1] == "\r" else end

    def indent(self, offset: int) -> str:
        """The space that the line of a place begins with."""
        found = _INDENT.match(self.text, self.line_start(offset))
        return found.group() if found is not None else ""

    def spliced(self, splices: list[Splice]) -> str:
        """The whole text with the pieces exchanged."""
        return "\ufeff" * self.source.shift + spliced(self.text, splices)


def is_one_line(file: HclFile, block: Block) -> bool:
    return "\n" not in file.text[block.open_place[0] : block.place[1]]
