"""YAML (and so JSON) with the place of every value, read from a hostile file: plain types only, and within limits.

A document that is broken holds back neither the documents after it nor what was understood of it before the mistake.
Nothing of a file's values is ever in a message: what is wrong may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from desired.problem import Problem
from desired.yaml_document import Document, Node
from desired.yaml_mistakes import first_unreadable, shown, told
from desired.yaml_scalar import plain_value

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# By the language, `---` at the beginning of a line is nothing else, not even inside a quoted or block text.
_MARK = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_NO_CONTENT = re.compile(r"(?:\s*(?:[#%].*)?(?:\n|$))*")
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class YamlLimits:
    """What a document may hold, and how many a file. `nodes` counts what an alias stands for at each of its uses."""

    depth: int = 40
    nodes: int = 20_000
    documents: int = 1_000


def read_yaml(text: str, path: str, *, limits: YamlLimits | None = None, tags: Collection[str] = ()) -> list[Document]:
    """Every document of a file, in order. Never raises for what the text holds; empty documents are left out.

    `tags` are those that the caller knows what to do with, such as `!reset`; others are told.
    """
    limits = limits or YamlLimits()
    documents: list[Document] = []
    for number, (chunk, first_line) in enumerate(_chunks(text)):
        if number >= limits.documents:
            problem = Problem(path, first_line, 0, f"holds more than {limits.documents} documents", "split the file")
            return [*documents, Document(None, (problem,), chunk, first_line)]
        documents += _Reader(chunk, path, first_line, limits, tags).documents()
    return documents


def _chunks(text: str) -> Iterator[tuple[str, int]]:
    """The file in parts that begin with `---`, each with the number of its first line."""
    starts = [match.start() for match in _MARK.finditer(text)]
    if not starts or _NO_CONTENT.fullmatch(text[: starts[0]]) is None:
        starts.insert(0, 0)
    else:
        # Directives and comments before the first mark belong to it.
        starts[0] = 0
    line, position = 1, 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        line += text.count("\n", position, start)
        position = start
        yield text[start:end], line


class _Refused(Exception):
    """A document that is not read to its end."""

    def __init__(self, line: int, column: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.place = (line, column)
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class _Open:
    """A mapping or list of which more is to come; `key` is that of the value that comes next."""

    line: int
    column: int
    anchor: str | None
    mapping: bool
    size: int = 1
    items: list[Node] = field(default_factory=list)
    inside: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)
    key: tuple[str, int, int] | None = None
    skip: bool = False
    tag: str = ""


class _Reader:
    """Builds the documents of one part from PyYAML's events: its own composer knows no limits."""

    def __init__(self, text: str, path: str, first_line: int, limits: YamlLimits, tags: Collection[str]) -> None:
        self._text = text
        self._path = path
        self._first = first_line
        self._limits = limits
        self._tags = tags
        self._begin()

    def _begin(self) -> None:
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._problems: list[Problem] = []
        self._nodes = 0
        self._root: Node | None = None

    def documents(self) -> list[Document]:
        made: list[Document] = []
        source = _SURROGATES.sub(_joined, self._text)
        try:
            for event in yaml.parse(source, Loader=_LOADER):
                self._take(event)
                if isinstance(event, yaml.DocumentEndEvent):
                    made += self._document()
        except _Refused as refused:
            self._problem(*refused.place, refused.message, refused.hint)
        except yaml.MarkedYAMLError as error:
            self._problem(*told(error, self._text, self._first))
        except yaml.reader.ReaderError as error:
            line, column = first_unreadable(self._text)
            self._problem(self._first + line, column, f"the character {shown(error.character)} is not allowed in YAML")
        except (UnicodeError, RecursionError, ValueError, OverflowError) as error:
            self._problem(self._first, 0, f"cannot be read as YAML: {type(error).__name__}")
        else:
            return made
        self._salvage()
        return [*made, *self._document()]

    def _document(self) -> list[Document]:
        root, problems = self._root, tuple(self._problems)
        self._begin()
        if not problems and (root is None or root.value is None):
            return []
        line = root.line if root is not None else problems[0].line or self._first
        return [Document(root, problems, self._text, line)]

    # -- events

    def _take(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()

    def _place(self, event: Any) -> tuple[int, int]:
        return self._first + event.start_mark.line, event.start_mark.column + 1

    def _count(self, size: int, event: Any) -> None:
        self._nodes += size
        if self._nodes > self._limits.nodes:
            message = f"holds more than {self._limits.nodes} values, aliases counted by what they stand for"
            raise _Refused(*self._place(event), message, "split the file; a few aliases can stand for very much")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line, column = self._place(event)
        self._count(1, event)
        plain = event.implicit[0] and not event.style
        if not self._stack or not self._stack[-1].mapping or self._stack[-1].key is not None:
            value = plain_value(event.value) if plain and event.tag is None else self._tagged(event, plain)
            self._add(Node(value, line, column, 1, tag=self._known_tag(event)), event.anchor)
            return
        if event.anchor:
            self._anchors[event.anchor] = Node(event.value, line, column, 1)
        self._key(event.value, line, column, plain=plain)

    def _tagged(self, event: yaml.ScalarEvent, plain: bool) -> Any:
        tag = event.tag
        if tag is None or tag == "!" or tag == f"{_TAG}str":
            return event.value
        if tag in self._tags:
            return event.value if event.style else plain_value(event.value)
        kinds: dict[str, Any] = {"null": type(None), "bool": bool, "int": int, "float": (int, float)}
        kind = kinds.get(tag.removeprefix(_TAG)) if tag.startswith(_TAG) else None
        value = plain_value(event.value)
        if kind is None or not isinstance(value, kind):
            self._bad_tag(event)
            return None
        return value

    def _known_tag(self, event: Any) -> str:
        return event.tag if event.tag in self._tags else ""

    def _bad_tag(self, event: Any) -> None:
        self._problem(*self._place(event), "this tag is not read here", "leave out what begins with `!`")

    def _key(self, name: str, line: int, column: int, *, plain: bool) -> None:
        """The next value's key. A second one of the same name is told, and its value is read and left out."""
        top = self._stack[-1]
        top.key = (name, line, column)
        top.skip = name in top.keys
        if top.skip:
            hint = "keep one of the two"
            self._problem(
                line, column, f"the key `{_short(name)}` stands here twice, first in line {top.keys[name][0]}", hint
            )
        elif name != "<<" or not plain:
            top.keys[name] = (line, column)

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor or ""
        if name not in self._anchors:
            hint = "quote a value that begins with `*`"
            raise _Refused(*self._place(event), f"there is no anchor `&{_short(name)}` before this alias", hint)
        target = self._anchors[name]
        if target is None:
            raise _Refused(*self._place(event), f"the alias `*{_short(name)}` stands inside of what it names", "")
        self._count(target.size, event)
        if self._stack and self._stack[-1].mapping and self._stack[-1].key is None:
            line, column = self._place(event)
            if not isinstance(target.value, str):
                raise _Refused(line, column, "a key must be a text", "")
            self._key(target.value, line, column, plain=False)
            return
        self._add(target, None)

    def _open(self, event: Any) -> None:
        line, column = self._place(event)
        self._count(1, event)
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", f"{_TAG}map" if mapping else f"{_TAG}seq", *self._tags):
            self._bad_tag(event)
        if self._stack and self._stack[-1].mapping and self._stack[-1].key is None:
            hint = 'quote a value that begins with a bracket or brace, as in "{{ x }}"'
            raise _Refused(line, column, "a key must be a text", hint)
        if len(self._stack) >= self._limits.depth:
            raise _Refused(line, column, f"is nested deeper than {self._limits.depth} levels", "")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(line, column, event.anchor, mapping, tag=self._known_tag(event)))

    def _close(self) -> None:
        self._add(_closed(top := self._stack.pop()), top.anchor)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._stack:
            self._root = node
            return
        top = self._stack[-1]
        top.size += node.size
        if not top.mapping:
            top.items.append(node)
            return
        assert top.key is not None
        name, line, column = top.key
        if name == "<<" and name not in top.keys:
            self._merge(top, node, line, column)
        elif not top.skip:
            top.inside[name] = node
        top.key, top.skip = None, False

    def _merge(self, top: _Open, node: Node, line: int, column: int) -> None:
        several = isinstance(node.inside, Sequence) and isinstance(node.value, list)
        sources = list(node.inside) if several and not isinstance(node.inside, Mapping) else [node]
        if not all(isinstance(source.value, dict) for source in sources):
            self._problem(line, column, "`<<` takes mappings only", "")
            return
        top.merged += sources

    # -- problems

    def _problem(self, line: int, column: int, message: str, hint: str = "") -> None:
        self._problems.append(Problem(self._path, line, column, message, hint))

    def _salvage(self) -> None:
        """What was complete before the mistake: enough to say which app the document speaks of."""
        while self._stack:
            top = self._stack.pop()
            if not self._stack:
                self._root = _closed(top)


def _closed(top: _Open) -> Node:
    if not top.mapping:
        return Node([item.value for item in top.items], top.line, top.column, top.size, {}, tuple(top.items), top.tag)
    inside, keys = dict(top.inside), dict(top.keys)
    for source in top.merged:
        assert isinstance(source.inside, Mapping)
        for name, node in source.inside.items():
            if name not in inside:
                inside[name] = node
                keys[name] = source.keys[name]
    value = {name: node.value for name, node in inside.items()}
    return Node(value, top.line, top.column, top.size, keys, inside, top.tag)


def _joined(match: re.Match[str]) -> str:
    """JSON writes characters beyond the first 65536 as two escapes, which YAML does not know."""
    high, low = int(match[2], 16), int(match[3], 16)
    return match[1] + f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _short(name: str) -> str:
    """A name as it may be shown: keys are no values, but a broken file may make a key of anything."""
    shown = name if name.isprintable() else name.encode("unicode_escape").decode()
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
