"""Puts a template's pieces together: what stands between a directive and its end becomes one node."""

from __future__ import annotations

from desired.job.hcl_cursor import Cursor
from desired.job.hcl_nodes import Broken, Conditional, For, Literal, Node, Template, TemplateJoin
from desired.job.hcl_source import Range
from desired.job.hcl_template_parts import End, ForEach, If, Part, Text, Value


class TemplateTree:
    """Puts `%{ if }` and `%{ for }` around what is between them and their ends."""

    def __init__(self, cursor: Cursor, parts: list[Part]) -> None:
        self._cursor = cursor
        self._parts = parts
        self._index = 0

    def read(self) -> list[Node]:
        nodes: list[Node] = []
        while not self._at_end():
            nodes.append(self._node())
        return nodes

    def _peek(self) -> Part:
        return self._parts[self._index]

    def _at_end(self) -> bool:
        part = self._peek()
        return isinstance(part, End) and not part.word

    def _read(self) -> Part:
        part = self._peek()
        if not self._at_end():
            self._index += 1
        return part

    def _node(self) -> Node:
        part = self._read()
        match part:
            case Text():
                return Literal(part.place, part.text)
            case Value():
                return part.node
            case If():
                with self._cursor.deeper():
                    return self._if(part)
            case ForEach():
                with self._cursor.deeper():
                    return self._for(part)
        detail = "The control directives within this template are unbalanced."
        self._cursor.error(f"Unexpected {part.word} directive", detail, part.place)
        return Broken(part.place)

    def _missing(self, kind: str, place: Range, end: End) -> Node:
        where = self._cursor.source.show(place)
        detail = f"The {kind} directive at {where} is missing its corresponding end{kind} directive."
        self._cursor.error("Unexpected end of template", detail, end.place)
        return Broken(end.place)

    def _if(self, opening: If) -> Node:
        where = self._cursor.source.show(opening.place)
        true: list[Node] = []
        false: list[Node] = []
        current = true
        while True:
            part = self._peek()
            if not isinstance(part, End):
                current.append(self._node())
                continue
            if not part.word:
                return self._missing("if", opening.place, part)
            self._read()
            if part.word == "else" and current is true:
                current = false
                continue
            if part.word == "endif":
                break
            if part.word == "else":
                detail = f"Already in the else clause for the if started at {where}."
            else:
                detail = f"Expecting an endif directive for the if started at {where}."
            self._cursor.error(f"Unexpected {part.word} directive", detail, part.place)
            return Broken(part.place)
        return Conditional(
            (opening.place[0], part.place[1]),
            opening.condition,
            _joined(true, opening.place[1]),
            _joined(false, part.place[0]),
        )

    def _for(self, opening: ForEach) -> Node:
        content: list[Node] = []
        while True:
            part = self._peek()
            if not isinstance(part, End):
                content.append(self._node())
                continue
            if not part.word:
                return self._missing("for", opening.place, part)
            self._read()
            if part.word == "endfor":
                break
            if part.word == "else":
                detail = "An else clause is not expected for a for directive."
            else:
                where = self._cursor.source.show(opening.place)
                detail = f"Expecting an endfor directive corresponding to the for directive at {where}."
            self._cursor.error(f"Unexpected {part.word} directive", detail, part.place)
            return Broken(part.place)
        place = (opening.place[0], part.place[1])
        value = _joined(content, opening.place[1])
        items = For(
            place, opening.key_name, opening.value_name, opening.collection, None, value, None, False, opening.place
        )
        return TemplateJoin(place, items)


def _joined(nodes: list[Node], empty_at: int) -> Node:
    parts = nodes or [Literal((empty_at, empty_at), "")]
    return Template((parts[0].place[0], parts[-1].place[1]), parts)
