"""Where things stand in a job file, for messages and for changing a literal in place; and whether a file is one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from desired.job.hcl_json import is_json
from desired.job.hcl_nodes import Block, Body, Literal, Node, ObjectNode, Template, Traversal
from desired.job.hcl_source import Range, Source
from desired.job.hcl_syntax import read_syntax
from desired.job.hcl_tokens import Token, Tokens

_JOB_LINE = re.compile(r'^job[ \t]+(?:"[^"\n]*"|[A-Za-z_][\w-]*)[ \t]*\{', re.MULTILINE)
_JOB_KEY = re.compile(r'"job"\s*:\s*[\[{]')


@dataclass(frozen=True, slots=True)
class Location:
    """Line and column count from 1; `start` and `end` are offsets into the text, of an attribute's value or a block."""

    line: int
    column: int
    start: int
    end: int


def locate(text: str, path: tuple[str, ...]) -> Location | None:
    """The place of something inside the job, None if it is not written there (`dynamic` blocks are not looked into).

    A path names blocks by type and, where there is one, label, then an attribute: `("group", "web", "task", "app",
    "resources", "memory")`. A block without a label may be followed by its `name`, or by its number among its like
    from 0: `("service", "api", "check", "1", "interval")`.
    """
    source = Source(text)
    if is_json(source.text):
        return None
    body, _ = read_syntax(source)
    job = next((block for block in body.blocks if block.type == "job"), None)
    if job is None:
        return None
    found = _find(job.body, list(path)) if path else job.place
    if found is None:
        return None
    line, column = source.position(found[0])
    return Location(line, column, found[0] + source.shift, found[1] + source.shift)


def _find(body: Body, path: list[str]) -> Range | None:
    head, *rest = path
    attribute = body.attributes.get(head)
    if attribute is not None:
        return _inside(attribute.value, rest)
    same = [block for block in body.blocks if block.type == head]
    for index, block in enumerate(same):
        left = _matched(block, index, rest)
        if left is not None:
            found = _find(block.body, left) if left else block.place
            if found is not None:
                return found
    return None


def _matched(block: Block, index: int, path: list[str]) -> list[str] | None:
    """What is left of a path after the words that choose a block; None if they choose another."""
    count = len(block.labels)
    if count:
        return path[count:] if path[:count] == block.labels else None
    if path and path[0] == str(index):
        return path[1:]
    name = block.body.attributes.get("name")
    if path and name is not None and isinstance(name.value, Template) and name.value.constant == path[0]:
        return path[1:]
    return path if index == 0 else None


def _inside(node: Node, path: list[str]) -> Range | None:
    if not path:
        return node.place
    if isinstance(node, ObjectNode):
        for key, value in node.items:
            if _key(key) == path[0]:
                return _inside(value, path[1:])
    return None


def _key(node: Node) -> str | None:
    if isinstance(node, Traversal) and isinstance(node.source, str):
        return node.source
    if isinstance(node, Template):
        return node.constant
    return str(node.value) if isinstance(node, Literal) else None


def holds_job(text: str) -> bool:
    """Whether a file has a `job` block of its own; also one that is broken, if a job clearly begins in it."""
    source = Source(text)
    if "job" not in source.text:
        return False
    if is_json(source.text):
        return _JOB_KEY.search(source.text) is not None
    tokens = Tokens(source.text).tokens
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind in ("{", "[", "("):
            depth += 1
        elif token.kind in ("}", "]", ")"):
            depth -= 1
        elif depth == 0 and token.kind == "ident" and token.text == "job" and _begins_job(tokens, index):
            return True
    broken = depth != 0 or any(token.kind == "quoted newline" for token in tokens)
    return broken and _JOB_LINE.search(source.text) is not None


def _begins_job(tokens: list[Token], index: int) -> bool:
    starts_line = index == 0 or tokens[index - 1].kind == "newline"
    return starts_line and tokens[index + 1].kind in ("open quote", "ident", "{")
