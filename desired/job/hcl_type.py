"""Reads HCL's type constraints: `string`, `list(number)`, `object({a = bool})`."""

from __future__ import annotations

from desired.job.hcl_nodes import Call, Node, ObjectNode, Template, Traversal, TupleNode
from desired.job.hcl_source import Diagnostic, Source, quoted
from desired.job.hcl_value import ANY, BOOL, NUMBER, STRING, Type

_SUMMARY = "Invalid type specification"
_PRIMITIVES = {"string": STRING, "number": NUMBER, "bool": BOOL}
_COLLECTIONS = ("list", "set", "map")


def read_type(node: Node, source: Source, diagnostics: list[Diagnostic]) -> Type | None:
    """The type that an expression names; None, and a diagnostic, if it names none."""

    def wrong(detail: str, at: Node = node) -> None:
        diagnostics.append(Diagnostic(_SUMMARY, detail, at.place, source))

    if isinstance(node, Traversal) and isinstance(node.source, str) and not node.steps:
        name = node.source
        if name in _PRIMITIVES:
            return _PRIMITIVES[name]
        if name == "any":
            wrong('The keyword "any" cannot be used in this type specification: an exact type is required.')
        elif name in _COLLECTIONS:
            wrong(f"The {name} type constructor requires one argument specifying the element type.")
        elif name == "object":
            wrong(
                "The object type constructor requires one argument specifying the attribute types and values as a map."
            )
        elif name == "tuple":
            wrong("The tuple type constructor requires one argument specifying the element types as a list.")
        else:
            wrong(f"The keyword {quoted(name)} is not a valid type specification.")
        return None
    if isinstance(node, Call) and len(node.arguments) == 1:
        argument = node.arguments[0]
        if node.name in _COLLECTIONS:
            element = read_type(argument, source, diagnostics)
            return Type(node.name, element) if element else None
        if node.name == "object" and isinstance(argument, ObjectNode):
            return _object(argument, source, diagnostics)
        if node.name == "tuple" and isinstance(argument, TupleNode):
            elements = [read_type(each, source, diagnostics) for each in argument.items]
            return Type("tuple", elements=tuple(e or ANY for e in elements)) if all(elements) else None
    if isinstance(node, Call):
        wrong(f"Keyword {quoted(node.name)} is not a valid type constructor.")
    else:
        wrong(
            "A type specification is either a primitive type keyword (bool, number, string) or a complex type "
            "constructor call, like list(string)."
        )
    return None


def _object(node: ObjectNode, source: Source, diagnostics: list[Diagnostic]) -> Type | None:
    attributes: list[tuple[str, Type]] = []
    for key, value in node.items:
        name = key.source if isinstance(key, Traversal) else key.constant if isinstance(key, Template) else None
        if not isinstance(name, str):
            detail = "Object constructor map keys must be attribute names."
            diagnostics.append(Diagnostic(_SUMMARY, detail, key.place, source))
            return None
        wanted = read_type(value, source, diagnostics)
        if wanted is None:
            return None
        attributes.append((name, wanted))
    return Type("object", attributes=tuple(attributes))
