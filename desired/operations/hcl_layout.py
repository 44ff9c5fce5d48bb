"""Puts attributes and blocks into a job file and takes them out, in the style of what stands around them."""

from __future__ import annotations

import re

from desired.job.hcl_nodes import Attribute, Block
from desired.operations.hcl_file import HclFile, is_one_line
from desired.operations.splice import Splice

_REST = re.compile(r"[ \t]*\r?\n?")


def attribute_added(file: HclFile, block: Block, name: str, value: str, *, like: Block | None = None) -> Splice:
    """`name = value`, after the block's last attribute; `like` is another block of its kind, for an empty one."""
    if is_one_line(file, block):
        if not block.body.attributes and like is not None and is_one_line(file, like) and "\n" not in value:
            return Splice(block.open_place[0], block.place[1], f"{{ {name} = {value} }}")
        return _opened(file, block, [f"{name} = {value}"])
    first_block = min((each.place[0] for each in block.body.blocks), default=block.place[1])
    before = [each for each in block.body.attributes.values() if each.place[0] < first_block]
    if before:
        last = max(before, key=lambda each: each.place[0])
        indent = file.indent(last.name_place[0])
        at = file.line_end(last.place[1])
        return Splice(at, at, f"{file.newline}{indent}{_in_style(file, last, name, value)}")
    at = file.line_end(block.open_place[1])
    return Splice(at, at, f"{file.newline}{_inner(file, block)}{name} = {value}")


def block_added(file: HclFile, parent: Block, lines: list[str]) -> Splice:
    """A block of its own lines, each with its indentation from the block's own; after the last one of its type."""
    if is_one_line(file, parent):
        return _opened(file, parent, lines)
    kind = lines[0].split(" ", 1)[0]
    indent = _inner(file, parent)
    text = file.newline.join(f"{indent}{line}" if line else "" for line in lines)
    same = [each for each in parent.body.blocks if each.type == kind]
    if same:
        gap = file.newline if _apart(file, parent, same[-1]) else ""
        at = file.line_end(same[-1].place[1])
        return Splice(at, at, f"{file.newline}{gap}{text}")
    at = file.line_start(parent.place[1] - 1)
    gap = file.newline if parent.body.attributes or parent.body.blocks else ""
    return Splice(at, at, f"{gap}{text}{file.newline}")


def key_renamed(file: HclFile, attribute: Attribute, name: str) -> Splice:
    """Another name for an attribute, its equals sign in the same column where there is room."""
    start, end = attribute.name_place
    equals = file.text.index("=", end)
    if file.text[end:equals].strip(" ") or equals == end:
        return Splice(start, end, name)
    return Splice(start, equals, f"{name.ljust(equals - start - 1)} ")


def attribute_removed(file: HclFile, block: Block, attribute: Attribute) -> Splice:
    """With its line; a comment behind it keeps the line."""
    if is_one_line(file, block):
        return Splice(block.open_place[1], block.place[1] - 1, "")
    return _line_removed(file, attribute.place[0], attribute.place[1])


def block_removed(file: HclFile, block: Block) -> Splice:
    """With its lines, and with the empty line before it where another one or nothing follows."""
    found = _line_removed(file, block.place[0], block.place[1])
    if found.text or not file.text[: found.end].endswith("\n"):
        return found
    before = file.text[: found.start]
    following = file.text[found.end :].split("\n", 1)[0].strip()
    blank = re.search(r"\n([ \t]*\r?\n)\Z", before)
    if blank is not None and following in ("", "}"):
        return Splice(found.start - len(blank[1]), found.end, "")
    return found


def _line_removed(file: HclFile, start: int, end: int) -> Splice:
    rest = _REST.match(file.text, end)
    assert rest is not None
    alone = file.text[file.line_start(start) : start].strip() == ""
    if alone and (rest.group().endswith("\n") or rest.end() == len(file.text)):
        return Splice(file.line_start(start), rest.end(), "")
    return Splice(start, end + len(rest.group()) if alone else end, "")


def _in_style(file: HclFile, neighbour: Attribute, name: str, value: str) -> str:
    """With the equals sign in the neighbour's column, where there is room."""
    equals = file.text.index("=", neighbour.name_place[1])
    before = file.text[neighbour.name_place[1] : equals]
    if not before:
        return f"{name}={value}"
    width = equals - neighbour.name_place[0] - 1
    return f"{name.ljust(width)} = {value}"


def _inner(file: HclFile, block: Block) -> str:
    """The indentation of what stands in a block."""
    inside = [each.name_place[0] for each in block.body.attributes.values()]
    inside += [each.place[0] for each in block.body.blocks]
    if inside and not is_one_line(file, block):
        return file.indent(min(inside))
    return file.indent(block.place[0]) + file.unit


def _opened(file: HclFile, block: Block, lines: list[str]) -> Splice:
    """A block of one line over several ones, with more in it."""
    outer = file.indent(block.place[0])
    inner = outer + file.unit
    there = file.text[block.open_place[1] : block.place[1] - 1].strip()
    inside = [*([there] if there else []), *lines]
    text = file.newline.join(["{", *(inner + line if line else "" for line in inside), f"{outer}}}"])
    return Splice(block.open_place[0], block.place[1], text)


def _apart(file: HclFile, parent: Block, last: Block) -> bool:
    """Whether blocks stand with an empty line between them here."""
    before = [each for each in parent.body.blocks if each.place[1] <= last.place[0]]
    if before:
        between = file.text[before[-1].place[1] : last.place[0]]
        return between.count("\n") > 1
    return not is_one_line(file, last)
