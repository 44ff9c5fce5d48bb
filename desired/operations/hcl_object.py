"""Puts items into an object of a job file and takes them out: `env = { … }`."""

from __future__ import annotations

import re

from desired.job.hcl_nodes import Node, ObjectNode
from desired.operations.hcl_file import HclFile
from desired.operations.splice import Splice

_COMMA = re.compile(r"[ \t]*,")


def item_added(file: HclFile, node: ObjectNode, head: str, written: str) -> Splice:
    """After the last item; on a line of its own where the items have theirs."""
    if not node.items:
        return Splice(*node.place, f"{{ {head}{written} }}")
    key, last = node.items[-1]
    comma = _COMMA.match(file.text, last.place[1])
    at = comma.end() if comma is not None else last.place[1]
    if "\n" not in file.text[node.place[0] : node.items[0][0].place[0]]:
        return Splice(at, at, f"{'' if comma else ','} {head}{written}")
    end = "," if comma is not None else ""
    at = file.line_end(at)
    return Splice(at, at, f"{file.newline}{file.indent(key.place[0])}{_styled(file, key, last, head)}{written}{end}")


def item_removed(file: HclFile, node: ObjectNode, item: tuple[Node, Node]) -> Splice:
    """With its comma, and with its line where nothing else stands there."""
    key, last = item
    comma = _COMMA.match(file.text, last.place[1])
    start, end = key.place[0], comma.end() if comma is not None else last.place[1]
    line_start, line_end = file.line_start(start), file.line_end(end)
    if not file.text[line_start:start].strip() and not file.text[end:line_end].strip():
        newline = file.text.find("\n", line_end)
        return Splice(line_start, newline + 1 if newline >= 0 else line_end, "")
    number = next(index for index, each in enumerate(node.items) if each is item)
    if comma is None and number:
        start = node.items[number - 1][1].place[1]
    return Splice(start, end, "")


def _styled(file: HclFile, key: Node, last: Node, head: str) -> str:
    """With the equals sign or colon in the column of the item before."""
    name = head.removesuffix(" = ")
    between = file.text[key.place[1] : last.place[0]]
    sign = ":" if ":" in between else "="
    before, _, after = between.partition(sign)
    width = key.place[1] - key.place[0] + len(before)
    return f"{name.ljust(width)}{sign}{after}" if "\n" not in between else head
