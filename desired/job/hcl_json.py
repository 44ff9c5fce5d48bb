"""HCL's JSON form: `{"job": {"web": {"group": …}}}`. Blocks and labels are nested objects; strings are templates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from desired.job.hcl_body import RawBlock, Schema
from desired.job.hcl_cursor import MAX_DEPTH, Cursor, TooDeep
from desired.job.hcl_expression import Evaluator
from desired.job.hcl_nodes import Attribute, Broken, Embedded, Literal, Node, ObjectNode, TupleNode
from desired.job.hcl_source import Diagnostic, Range, Source, quoted, suggestion
from desired.job.hcl_syntax_expression import read_expression
from desired.job.hcl_syntax_template import read_template
from desired.job.hcl_tokens import Tokens, invalid_tokens
from desired.job.hcl_value import ConvertError, whole


def is_json(text: str) -> bool:
    """Whether Nomad reads a text as JSON: its first character that is not a space is a brace."""
    return text.lstrip(" ").startswith("{")


def read_json(source: Source) -> tuple[Any, list[Diagnostic]]:
    """The value of a JSON text. Positions inside are not known: everything is told at the place of the whole."""
    try:
        value = json.loads(source.text, parse_float=Decimal)
        depth = _depth(value)
    except json.JSONDecodeError as error:
        detail = f"The input is not valid JSON: {error.msg}."
        return {}, [Diagnostic("Invalid JSON", detail, (error.pos, error.pos), source)]
    except (ValueError, RecursionError, InvalidOperation):
        depth = MAX_DEPTH + 1
        value = {}
    if depth > MAX_DEPTH:
        detail = "This is nested deeper than the operator reads."
        return {}, [Diagnostic("Nesting too deep", detail, (0, 1), source)]
    return value, []


def _depth(value: Any) -> int:
    deepest = 0
    pending = [(value, 1)]
    while pending and deepest <= MAX_DEPTH:
        current, depth = pending.pop()
        deepest = max(deepest, depth)
        if isinstance(current, list | dict):
            items = current.values() if isinstance(current, dict) else current
            pending += [(item, depth + 1) for item in items]
    return deepest


@dataclass(frozen=True, slots=True)
class JsonBody:
    """An object, or a list of objects, as a body."""

    value: Any
    source: Source

    @property
    def missing_place(self) -> Range:
        return 0, 0

    @property
    def blocks(self) -> list[RawBlock]:
        return []

    def _properties(self) -> list[tuple[str, Any]]:
        values = self.value if isinstance(self.value, list) else [self.value]
        return [pair for value in values if isinstance(value, dict) for pair in value.items()]

    def content(
        self, schema: Schema, scope: Evaluator, *, known: Schema, partial: bool
    ) -> tuple[dict[str, Attribute], list[RawBlock]]:
        if not isinstance(self.value, dict | list):
            detail = "A JSON object is required here, to define arguments and child blocks."
            scope.error("Incorrect JSON value type", detail, self._place)
            return {}, []
        attributes: dict[str, Attribute] = {}
        blocks: list[RawBlock] = []
        labels = {**schema.blocks, **known.blocks}
        for name, value in self._properties():
            if name in schema.attributes:
                attributes.setdefault(name, self._attribute(name, value))
            elif name in known.attributes:
                continue
            elif name in labels:
                blocks += self._unpacked(name, value, labels[name], scope, ())
            elif not partial and name != "//":
                near = suggestion(name, [*schema.attributes, *labels])
                hint = f" Did you mean {quoted(near)}?" if near else ""
                detail = f"No argument or block type is named {quoted(name)}.{hint}"
                scope.error("Extraneous JSON object property", detail, self._place)
        for name, required in schema.attributes.items():
            if required and name not in attributes:
                detail = f"The argument {quoted(name)} is required, but no definition was found."
                scope.error("Missing required argument", detail, self.missing_place)
        return attributes, blocks

    def arguments(self, *, listed: bool) -> list[Attribute]:
        return [self._attribute(name, value) for name, value in self._properties() if name != "//"]

    @property
    def _place(self) -> Range:
        return 0, min(1, len(self.source.text))

    def _attribute(self, name: str, value: Any) -> Attribute:
        return Attribute(name, self._place, self._node(value), self._place)

    def _unpacked(
        self, name: str, value: Any, labels: tuple[str, ...], scope: Evaluator, given: tuple[str, ...]
    ) -> list[RawBlock]:
        if value is None:
            return []
        values = value if isinstance(value, list) else [value]
        if len(given) == len(labels):
            places = tuple(self._place for _ in given)
            return [RawBlock(name, given, places, self._place, JsonBody(each, self.source)) for each in values]
        made: list[RawBlock] = []
        for each in values:
            if not isinstance(each, dict):
                detail = (
                    f"A JSON object is required here, whose keys represent the {name} block's {labels[len(given)]}."
                )
                scope.error("Incorrect JSON value type", detail, self._place)
                continue
            for label, inner in each.items():
                made += self._unpacked(name, inner, labels, scope, (*given, label))
        return made

    def _node(self, value: Any) -> Node:
        place = self._place
        match value:
            case str():
                return self._template(value)
            case Decimal():
                try:
                    return Literal(place, whole(value))
                except ConvertError:
                    return Broken(place)
            case list():
                return TupleNode(place, [self._node(item) for item in value], place)
            case dict():
                items = [(self._template(key), self._node(item)) for key, item in value.items() if key != "//"]
                return ObjectNode(place, items, place)
        return Literal(place, value)

    def _template(self, text: str) -> Node:
        """A string as HCL reads it: a template without quotes and without escapes, which is what a heredoc is."""
        if "${" not in text and "%{" not in text:
            return Literal(self._place, text)
        marker = "TEXT"
        while marker in text:
            marker += "_"
        inner = Source(f"<<{marker}\n{text}\n{marker}\n", name=self.source.name)
        tokens = Tokens(inner.text).tokens
        cursor = Cursor(tokens, inner)
        try:
            node = read_template(cursor, read_expression, last_newline=False)
        except TooDeep:
            return Broken(self._place)
        if cursor.diagnostics or invalid_tokens(tokens, inner):
            return Broken(self._place)
        return Embedded(self._place, node, inner)
