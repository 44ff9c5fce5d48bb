"""Exchanges a piece of a template's text in a job file: in a quoted text or a heredoc, in no interpolation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from desired.job.hcl_nodes import Block, Call, Literal, Node, Parentheses, Template
from desired.job.hcl_text import quoted_text
from desired.operations.fragment import replaced
from desired.operations.hcl_file import HclFile
from desired.operations.hcl_literal import refused
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Operation
from desired.operations.splice import Splice

# Functions that leave the text inside as it is.
_AROUND = frozenset({"chomp", "trimspace"})
_MARGIN = re.compile(r"\n([ \t]*)\S")


def fragment_candidates(file: HclFile, operation: Operation, block: Block) -> Iterator[list[Splice]]:
    """Ways to write the change, the plainest first; the caller sees which one reads as it should."""
    attribute = block.body.attributes.get("data")
    if attribute is None:
        line, column = file.source.position(block.place[0])
        raise NotLiteral(operation, "the template's text is not written here", line=line, column=column)
    node = _inside(attribute.value)
    if not isinstance(node, Template):
        raise refused(file, operation, attribute.value)
    places = [part.place for part in node.parts if isinstance(part, Literal)]
    for as_written in _writings(file, node):
        old, new = as_written(str(operation.old)), as_written(str(operation.new))
        for regions in (places, [node.place]):
            splices = [
                Splice(*region, made)
                for region in regions
                if (made := replaced(file.piece(region), old, new)) != file.piece(region)
            ]
            if splices:
                yield splices


def refused_fragment(file: HclFile, operation: Operation, block: Block) -> NotLiteral:
    """For a piece that an interpolation or a function makes."""
    attribute = block.body.attributes["data"]
    return refused(file, operation, attribute.value)


def _inside(node: Node) -> Node:
    while True:
        if isinstance(node, Parentheses):
            node = node.inner
        elif isinstance(node, Call) and node.name in _AROUND and len(node.arguments) == 1:
            node = node.arguments[0]
        else:
            return node


def _writings(file: HclFile, node: Template) -> Iterator[Callable[[str], str]]:
    raw = file.piece(node.place)
    if raw.startswith('"'):
        yield lambda text: quoted_text(text, label=True)[1:-1]
        yield lambda text: quoted_text(text)[1:-1]
        return
    yield lambda text: text.replace("${", "$${").replace("%{", "%%{")
    yield lambda text: text
    # The closing mark's own margin is not the text's.
    margins = [found[1] for found in _MARGIN.finditer(raw[: raw.rfind("\n")])]
    if raw.startswith("<<-") and margins:
        margin = min(margins, key=len)
        yield lambda text: text.replace("${", "$${").replace("%{", "%%{").replace("\n", f"\n{margin}")
