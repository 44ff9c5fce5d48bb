"""A YAML document under edit: its nodes with their places, and pieces of text put in, exchanged and taken out.

Nodes are PyYAML's own: unlike `desired.yaml_text` they know where they end. The text was read, and so found to be
within its limits, before it comes here.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

from desired.operations.splice import Splice, spliced
from desired.operations.yaml_written import Item, Step, block_lines, flow, nested, written

_LAST = "job"


@dataclass(frozen=True, slots=True)
class YamlTree:
    """`root` is the document's mapping; places are offsets into `text`, which holds nothing but the document."""

    text: str
    root: yaml.MappingNode

    @classmethod
    def of(cls, text: str) -> YamlTree | None:
        """None where the text is not read as one mapping."""
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError:
            return None
        return cls(text, root) if isinstance(root, yaml.MappingNode) else None

    # -- finding

    def find(self, steps: tuple[Step, ...]) -> tuple[yaml.Node, int]:
        """The node as far as the steps lead, and how many of them do."""
        node: yaml.Node = self.root
        for number, step in enumerate(steps):
            found = child(node, step)
            if found is None:
                return node, number
            node = found
        return node, len(steps)

    # -- changing

    def replaced(self, node: yaml.Node, value: Any) -> Splice:
        """Another value in a node's place, quoted as it was."""
        style = node.style if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') else None
        if self.is_json and not isinstance(node, yaml.ScalarNode):
            style = '"'
        return Splice(node.start_mark.index, self._end(node), written(value, style=style))

    def fragment(self, node: yaml.ScalarNode, old: str, new: str, exchange: Any) -> Splice:
        """A piece of a scalar's text; what is escaped in it is looked for as it is written."""
        start, end = node.start_mark.index, node.end_mark.index
        raw = self.text[start:end]
        if node.style == '"':
            old, new = (json.dumps(each, ensure_ascii=False)[1:-1] for each in (old, new))
        elif node.style == "'":
            old, new = (each.replace("'", "''") for each in (old, new))
        return Splice(start, end, exchange(raw, old, new))

    def put(self, node: yaml.Node, steps: tuple[Step, ...], value: Any, key: str = "") -> Splice | None:
        """Put what is missing below a node: mappings on the way, and the value."""
        empty = isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null") and not node.style
        if isinstance(node, yaml.MappingNode) and isinstance(steps[0], str):
            return self._put_in_mapping(node, steps, value)
        if isinstance(node, yaml.SequenceNode) and isinstance(steps[0], Item):
            return self._put_in_list(node, steps, value)
        if empty and isinstance(steps[0], str):
            at = node.start_mark.index
            # What is not there begins somewhere behind its key.
            colon = self.text.rfind(":", 0, at + 1)
            indent = self._indent(colon) + self.unit
            lines = block_lines(nested(steps, value), indent, self.unit)
            end = node.end_mark.index if node.value else colon + 1
            return Splice(colon + 1, end, self._below(lines))
        return None

    def _put_in_mapping(self, node: yaml.MappingNode, steps: tuple[Step, ...], value: Any) -> Splice | None:
        wanted = nested(steps, value)
        if node.flow_style:
            quoted = any(key.style == '"' for key, _ in node.value) or self.is_json
            text = flow(wanted, quoted=quoted)[1:-1]
            if not node.value:
                return Splice(node.start_mark.index, node.end_mark.index, f"{{{text}}}")
            at = self._end(node.value[-1][1])
            first = node.value[0][0].start_mark
            lined = first.line != node.start_mark.line
            space = f"{self.newline}{' ' * first.column}" if lined else " "
            return Splice(at, at, f",{space}{text}")
        if not node.value:
            return None
        indent = " " * node.value[0][0].start_mark.column
        # What is merged into the job comes last, as people write it.
        first = [value for key, value in node.value if key.value != _LAST] if steps[0] != _LAST else []
        last = first[-1] if first else node.value[-1][1]
        at = self._line_end(self._end(last))
        if isinstance(last, yaml.MappingNode) and last.flow_style and last.start_mark.line == last.end_mark.line:
            head, inner = next(iter(wanted.items()))
            lines = [f"{indent}{written(head)}: {flow(inner, quoted=False)}"]
        else:
            lines = block_lines(wanted, indent, self.unit)
        return Splice(at, at, self._below(lines))

    def _put_in_list(self, node: yaml.SequenceNode, steps: tuple[Step, ...], value: Any) -> Splice | None:
        wanted = nested(steps, value)[0]
        if not node.value:
            return None
        at = self._end(node.value[-1])
        if node.flow_style:
            return Splice(at, at, f", {flow(wanted, quoted=self.is_json)}")
        at = self._line_end(at)
        dash = " " * node.start_mark.column
        lines = block_lines(wanted, f"{dash}  ", self.unit)
        lines[0] = f"{dash}- {lines[0].lstrip()}"
        return Splice(at, at, self._below(lines))

    def without(self, steps: tuple[Step, ...]) -> Splice | None:
        """Take away the entry or list member at the steps."""
        parent, reached = self.find(steps[:-1])
        if reached < len(steps) - 1 or not isinstance(parent, yaml.CollectionNode):
            return None
        members = self._members(parent, steps[-1])
        if members is None:
            return None
        index, places = members
        start, end = places[index]
        if len(places) == 1:
            return self._emptied(parent)
        if not parent.flow_style:
            return self._lines_removed(start, end)
        if index + 1 < len(places):
            return Splice(start, places[index + 1][0], "")
        return Splice(places[index - 1][1], end, "")

    def _members(self, parent: yaml.Node, step: Step) -> tuple[int, list[tuple[int, int]]] | None:
        """Which member is meant, and the places of all."""
        if isinstance(parent, yaml.MappingNode) and isinstance(step, str):
            keys = [key.value for key, _ in parent.value]
            places = [(key.start_mark.index, self._end(value)) for key, value in parent.value]
            return (keys.index(step), places) if step in keys else None
        if isinstance(parent, yaml.SequenceNode) and isinstance(step, Item):
            found = next((index for index, each in enumerate(parent.value) if _says(each, step)), None)
            places = [(each.start_mark.index, self._end(each)) for each in parent.value]
            return (found, places) if found is not None else None
        return None

    def _end(self, node: yaml.Node) -> int:
        """Where a node's own text ends: a block node is told to end where the next thing begins."""
        end: int = node.end_mark.index
        if isinstance(node, yaml.ScalarNode):
            return len(self.text[:end].rstrip()) if node.style in ("|", ">") else end
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        return end

    def _emptied(self, parent: yaml.CollectionNode) -> Splice:
        empty = "{}" if isinstance(parent, yaml.MappingNode) else "[]"
        if parent.flow_style:
            return Splice(parent.start_mark.index, parent.end_mark.index, empty)
        colon = self.text.rfind(":", 0, parent.start_mark.index) + 1
        last = parent.value[-1]
        end = self._line_end(self._end(last[1] if isinstance(last, tuple) else last))
        return Splice(colon, end, f" {empty}")

    def list_changed(self, node: yaml.SequenceNode, texts: list[str]) -> list[Splice]:
        """Another list of texts in a list's place: member by member where each has its line, else the whole."""
        members = [each.value for each in node.value if isinstance(each, yaml.ScalarNode)]
        if node.flow_style or not texts or len(members) != len(node.value) or not members:
            style = '"' if self.is_json else None
            whole = written(texts, style=style)
            if len(members) == len(texts) == len(node.value):
                pairs = zip(node.value, texts, strict=True)
                return [self.replaced(each, text) for each, text in pairs if each.value != text]
            return [Splice(node.start_mark.index, self._end(node), whole)]
        splices: list[Splice] = []
        dash = f"{' ' * node.start_mark.column}- "
        for tag, i, i_end, j, j_end in difflib.SequenceMatcher(a=members, b=texts, autojunk=False).get_opcodes():
            both = min(i_end - i, j_end - j) if tag != "equal" else 0
            gone, come = (node.value[i + both : i_end], texts[j + both : j_end]) if tag != "equal" else ([], [])
            splices += [self.replaced(node.value[i + number], texts[j + number]) for number in range(both)]
            splices += [self._lines_removed(each.start_mark.index, self._end(each)) for each in gone]
            if come:
                at = self._line_end(self._end(node.value[i + both - 1])) if i + both else None
                lines = [dash + written(each) for each in come]
                start = self._line_start(node.start_mark.index)
                above = "".join(line + self.newline for line in lines)
                splices.append(Splice(start, start, above) if at is None else Splice(at, at, self._below(lines)))
        return splices

    def renamed(self, steps: tuple[Step, ...], name: str) -> Splice | None:
        """Another key for an entry."""
        parent, reached = self.find(steps[:-1])
        if reached < len(steps) - 1 or not isinstance(parent, yaml.MappingNode):
            return None
        key = next((each for each, _ in parent.value if each.value == steps[-1]), None)
        if key is None:
            return None
        return Splice(key.start_mark.index, key.end_mark.index, written(name, style=key.style))

    def spliced(self, splices: list[Splice]) -> str:
        return spliced(self.text, splices)

    # -- layout

    @property
    def is_json(self) -> bool:
        return self.text.lstrip().startswith("{")

    @property
    def unit(self) -> str:
        """One step of indentation, as the document has it."""
        for _, value in self.root.value:
            if isinstance(value, yaml.MappingNode) and not value.flow_style and value.value:
                return " " * (value.value[0][0].start_mark.column - self.root.value[0][0].start_mark.column) or "  "
        return "  "

    @property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _below(self, lines: list[str]) -> str:
        return "".join(self.newline + line for line in lines)

    def _lines_removed(self, start: int, end: int) -> Splice:
        newline = self.text.find("\n", end)
        return Splice(self._line_start(start), newline + 1 if newline >= 0 else len(self.text), "")

    def _line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """Before the line's newline."""
        end = self.text.find("\n", at)
        end = len(self.text) if end < 0 else end
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def _indent(self, at: int) -> str:
        """The column of the key that stands in this line, behind the dash of a list."""
        line = self.text[self._line_start(at) : at]
        bare = re.match(r"[ \t]*(?:- +)*", line)
        return " " * (len(bare.group()) if bare is not None else 0)


def child(node: yaml.Node, step: Step) -> yaml.Node | None:
    if isinstance(step, str):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        return next((value for key, value in pairs if key.value == step), None)
    members = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return next((each for each in members if _says(each, step)), None)


def _says(node: yaml.Node, item: Item) -> bool:
    said = child(node, item.name)
    return isinstance(said, yaml.ScalarNode) and said.value == item.value
