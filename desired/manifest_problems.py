"""What pydantic says about a file, in words for people who never heard of pydantic, with near misses."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from desired.finding import Finding
from desired.manifest import App, AppSpec, Metadata
from desired.problem import Problem
from desired.yaml_document import Document

_EXPECTED = {
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "dict_type": "expected a mapping (`key: value`)",
    "model_type": "expected a mapping (`key: value`)",
    "model_attributes_type": "expected a mapping (`key: value`)",
    "list_type": "expected a list (`- item`)",
}
# By the field's own name, or that of the mapping whose key it is.
_PATTERNS = {
    "name": "a job's name holds no spaces",
    "namespace": "a namespace holds letters, digits and dashes, 128 at most",
    "dependsOn": "expected `name` or `namespace/name`, without spaces",
    "env": "a name in the environment holds letters, digits, `_` and `.`, and begins with a letter or `_`",
    "ports": "a port's label holds letters, digits, `_` and `-`",
    "variables": "a variable's name holds letters, digits, `_` and `-`",
    "port": "a port's label holds letters, digits, `_` and `-`",
    "image": "an image's name holds no spaces",
    "host": "expected a host's name, such as api.example.org",
    "path": "expected a path that begins with `/`, without spaces",
    "mount": "expected a path that begins with `/`",
    "consul": "expected a key, such as app/config/url",
    "vault": "expected a path and a field, such as secret/data/app#password",
    "nomad": "expected a path and a field, such as nomad/jobs/app#password",
    "service": "expected a text that names a service, such as redis://{redis}/0",
    "files": "expected the whole path of a file in the container, such as /etc/app/app.conf",
    "owner": "expected numbers: uid, or uid:gid",
    "mode": "expected permissions, such as 0640",
}


def findings_of(error: ValidationError, model: type[BaseModel] = App) -> Iterator[Finding]:
    """One finding for each thing that pydantic found in a `model`, in its order."""
    for each in error.errors(include_url=False, include_context=True):
        yield _finding(each["type"], tuple(each["loc"]), each.get("ctx", {}), each["input"], model)


def problem_of(finding: Finding, document: Document, path: str) -> Problem:
    """The finding at its line and column."""
    line, column = document.place(finding.steps, key=finding.at_key)
    where = finding.where
    message = f"{where}: {finding.message}" if where else finding.message
    return Problem(path, line, column, message, finding.hint, finding.question)


def near(name: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, as a hint; "" if there is none."""
    folded = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower().replace("_", ""), folded, n=1, cutoff=0.6)
    return f"did you mean `{folded[found[0]]}`?" if found else ""


def _finding(
    kind: str, steps: tuple[str | int, ...], context: Mapping[str, Any], value: Any, root: type[BaseModel]
) -> Finding:
    at_key = bool(steps) and steps[-1] == "[key]"
    steps = steps[:-1] if at_key else steps
    field = _field(steps, at_key)
    if kind == "missing":
        return Finding(steps[:-1], f"`{steps[-1]}` is missing", "", at_key=True)
    if kind == "extra_forbidden":
        return Finding(steps, "this key is not known here", _suggestion(steps, root), at_key=True)
    if kind in ("literal_error", "enum"):
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        hint = near(value, choices) if isinstance(value, str) and len(choices) > 1 else ""
        return Finding(steps, f"expected {_choice(choices)}", hint, at_key=at_key)
    if kind == "value_error":
        return Finding(steps, str(context["error"]), at_key=at_key)
    if kind == "string_pattern_mismatch":
        return Finding(steps, _PATTERNS.get(field, "is not written as it has to be"), at_key=at_key)
    if kind in _EXPECTED:
        return Finding(steps, f"{_EXPECTED[kind]}, found {_found(value)}", _shape_hint(steps, value), at_key=at_key)
    limits = {
        "string_too_short": "must not be empty",
        "string_too_long": f"has more than {context.get('max_length')} characters",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
    }
    return Finding(steps, limits.get(kind, "is not what can stand here"), at_key=at_key)


def _field(steps: tuple[str | int, ...], at_key: bool) -> str:
    names = [step for step in (steps[:-1] if at_key else steps) if isinstance(step, str)]
    return names[-1] if names else ""


def _choice(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"


def _found(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
    return "a mapping"


def _shape_hint(steps: tuple[str | int, ...], value: Any) -> str:
    if steps[:2] == ("spec", "env") and len(steps) == 3:
        return "write {fixed: …}, or name a place: {consul: …}, {vault: …}, {nomad: …}"
    if steps[:2] == ("spec", "ports") and len(steps) == 3:
        return "write {to: …}, with the port inside the container"
    if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off"):
        return "write true or false"
    if isinstance(value, int | float | bool) and steps:
        return "put it in quotes"
    return ""


def _suggestion(steps: tuple[str | int, ...], root: type[BaseModel]) -> str:
    name = str(steps[-1])
    model = _model_at(steps[:-1], root)
    if model is None:
        return ""
    if hint := near(name, _aliases(model)):
        return hint
    for other, place in ((AppSpec, "spec"), (Metadata, "metadata")) if root is App else ():
        if model is not other and name in _aliases(other):
            return f"it belongs in `{place}`"
    return f"known are {', '.join(_aliases(model))}" if len(_aliases(model)) < 12 else ""


def _aliases(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(steps: tuple[str | int, ...], root: type[BaseModel]) -> type[BaseModel] | None:
    """The model of the mapping to which steps lead."""
    found: Any = root
    for step in steps:
        if isinstance(found, type) and issubclass(found, BaseModel):
            fields = {field.alias or name: field for name, field in found.model_fields.items()}
            if step not in fields:
                return None
            found = fields[str(step)].annotation
        else:
            found = typing.get_args(found)[-1]
        found = _without_none(found)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    while typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        options = [each for each in typing.get_args(annotation) if each is not type(None)]
        annotation = options[0]
    return annotation
