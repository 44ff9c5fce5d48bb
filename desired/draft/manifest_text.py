"""The manifest that people commit: every line says where its value is from, every open question is a comment.

Equal drafts give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from desired.draft.value import Draft, Value
from desired.manifest import API_VERSION, KIND
from desired.question import Question

_WIDTH = 88
_Tree = dict[str, "Value | _Tree"]


def manifest_text(draft: Draft, *, namespace: str | None = None) -> str:
    """One YAML document, without a line of dashes."""
    lines = [f"apiVersion: {API_VERSION}", f"kind: {KIND}", "metadata:", f"  name: {flow(draft.name)}"]
    if namespace is not None:
        lines.append(f"  namespace: {flow(namespace)}")
    lines.append("spec:" if draft.values else "spec: {}")
    lines += _lines(_tree(draft.values), 2)
    for note in draft.notes:
        lines.append(f"# note: {_one_line(note)}")
    for question in draft.questions:
        lines += _asked(question)
    return "\n".join(lines) + "\n"


def _tree(values: tuple[Value, ...]) -> _Tree:
    tree: _Tree = {}
    for value in values:
        inside = tree
        for step in value.at[:-1]:
            following = inside.setdefault(step, {})
            assert isinstance(following, dict), f"{value.id} lies inside another value"
            inside = following
        inside[value.at[-1]] = value
    return tree


def _lines(tree: _Tree, indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, value in tree.items():
        name = flow(key)
        if isinstance(value, Value):
            yield from _leaf(pad, name, value)
        else:
            yield f"{pad}{name}:"
            yield from _lines(value, indent + 2)


def _leaf(pad: str, name: str, value: Value) -> Iterator[str]:
    comment = f"  # {_one_line(value.source)}" + (f" ({_one_line(value.reason)})" if value.reason else "")
    inline = flow(value.data)
    if len(pad) + len(name) + 2 + len(inline) <= _WIDTH:
        yield f"{pad}{name}: {inline}{comment}"
        return
    yield f"{pad}{name}:{comment}"
    # A text alone is written as a document, with its end.
    dumped = _dumped(value.data, flow=None).removesuffix("\n").removesuffix("\n...")
    yield from (f"{pad}  {line}" for line in dumped.split("\n"))


def _asked(question: Question) -> Iterator[str]:
    yield f"# open: {_one_line(question.id)}: {_one_line(question.text)}"
    if question.choices:
        yield f"#   one of: {_one_line(', '.join(question.choices))}"
    if question.default:
        yield f"#   suggested: {_one_line(question.default)}"


def flow(data: Any) -> str:
    """A value in one line, as YAML reads it."""
    return _dumped(data, flow=True).removesuffix("\n").removesuffix("\n...")


def _dumped(data: Any, *, flow: bool | None) -> str:
    """Letters of any language as they are; whatever a reader of YAML might take for a line break, escaped."""

    def dump(unicode: bool) -> str:
        text = yaml.safe_dump(
            _plain(data), default_flow_style=flow, sort_keys=False, allow_unicode=unicode, width=2**16
        )
        return str(text)

    text = dump(unicode=True)
    return text if text.replace("\n", "").isprintable() else dump(unicode=False)


def _plain(data: Any) -> Any:
    """Only what YAML knows: a subclass of a text would be written with a tag."""
    match data:
        case Mapping():
            return {str(key): _plain(value) for key, value in data.items()}
        case list() | tuple():
            return [_plain(one) for one in data]
        case str():
            return str(data)
        case bool():
            return data
        case int() | float():
            # What a manifest holds keeps how it was written, by a kind of number of its own.
            return int(data) if isinstance(data, int) else float(data)
    return data


def _one_line(text: str) -> str:
    """What may hold anything that a file said, so that it stays in its comment."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
