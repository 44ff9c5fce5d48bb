"""Merges what people wrote in Nomad's job language, as YAML, into a job: by the names and labels of its blocks.

    constraint: [{attribute: "${attr.kernel.name}", value: linux}]
    group: {app: {task: {app: {kill_timeout: 30s}}}}

Attributes are set. A block that there is once is merged into; a block with a label is merged into the one of that
label, or added. Of the blocks that there may be several of without a label, one that says the same `name`
(`destination` of a template or mount) as one that is there is merged into it, and every other is added; there is one
network. Lists of values are replaced whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desired.finding import Finding
from desired.job.api_json import empty_json
from desired.job.duration import DurationError, parse_duration
from desired.job.fields import Kind, Shape
from desired.job.spec import Affinity, Check, Constraint, Job, Network, Scaling, Service, Template, VolumeMount
from desired.job.table import Row, by_hcl, label_of
from desired.manifest_problems import near
from desired.yaml_scalar import RealNumber, WholeNumber

# What tells blocks without a label apart; "" where there is only one.
_IDENTITY: dict[type, str] = {
    Service: "name",
    Check: "name",
    Template: "destination",
    VolumeMount: "destination",
    Network: "",
}
_CONSTRAINT_WORDS = ("version", "semver", "regexp", "set_contains", "set_contains_all", "set_contains_any")
_NOT_HERE = {
    "id": "metadata.name is the job's id",
    "namespace": "metadata.namespace is the job's namespace",
    "type": "spec.type is the job's type",
}
_Steps = tuple[str | int, ...]


def merge_job(body: dict[str, Any], given: Mapping[str, Any], steps: _Steps) -> list[Finding]:
    """Merge into a job's JSON, in place. What is wrong is told, and left out."""
    findings = [
        Finding((*steps, name), "the manifest says this in another place", hint, at_key=True)
        for name, hint in _NOT_HERE.items()
        if name in given
    ]
    rest = {name: value for name, value in given.items() if name not in _NOT_HERE}
    return findings + list(_block(Job, body, rest, steps))


def _block(block: type, body: dict[str, Any], given: Any, steps: _Steps) -> Iterator[Finding]:
    if not isinstance(given, Mapping):
        yield Finding(steps, "expected a mapping, as this is a block")
        return
    known = by_hcl(block)
    short = _short_form(block, given)
    for name, value in ({**given, **short} if short else given).items():
        row = known.get(name)
        if short is not None and name in _short_names(block):
            continue
        if row is None:
            words = [*known, *(_short_names(block) if short is not None else ())]
            yield Finding((*steps, name), "Nomad knows no such name here", near(name, words), at_key=True)
        else:
            yield from _row(row, body, value, (*steps, name))


def _row(row: Row, body: dict[str, Any], value: Any, steps: _Steps) -> Iterator[Finding]:
    if value is None:
        body[row.json] = row.unset
        return
    match row.shape:
        case Shape.BLOCK:
            assert row.block is not None
            body[row.json] = body.get(row.json) or empty_json(row.block)
            yield from _block(row.block, body[row.json], value, steps)
            if row.block is Scaling:
                # What Nomad's parser makes of a group's scaling block that says nothing else.
                body[row.json]["Type"] = body[row.json]["Type"] or "horizontal"
        case Shape.BLOCKS | Shape.BLOCK_MAP:
            assert row.block is not None
            if label_of(row.block) is not None:
                yield from _labelled(row, row.block, body, value, steps)
            else:
                yield from _unlabelled(row, row.block, body, value, steps)
        case _:
            made, findings = _value(row, value, steps)
            yield from findings
            if not findings and row.shape is Shape.MAP_BLOCK:
                body[row.json] = {**(body.get(row.json) or {}), **made}
            elif not findings:
                body[row.json] = made


def _labelled(row: Row, block: type, body: dict[str, Any], value: Any, steps: _Steps) -> Iterator[Finding]:
    label = label_of(block)
    assert label is not None
    if not isinstance(value, Mapping):
        yield Finding(steps, "expected a mapping from the block's label to what it holds")
        return
    for name, inner in value.items():
        if row.shape is Shape.BLOCK_MAP:
            held = body[row.json] = body.get(row.json) or {}
            found = held.setdefault(name, {**empty_json(block), label.json: name})
        else:
            listed = body[row.json] = body.get(row.json) or []
            same = [each for each in listed if each[label.json] == name]
            if not same:
                same = [{**empty_json(block), label.json: name}]
                listed.append(same[0])
            found = same[0]
        yield from _block(block, found, inner or {}, (*steps, name))


def _unlabelled(row: Row, block: type, body: dict[str, Any], value: Any, steps: _Steps) -> Iterator[Finding]:
    listed = body[row.json] = list(body.get(row.json) or [])
    several = isinstance(value, list)
    for number, inner in enumerate(value if several else [value]):
        place = (*steps, number) if several else steps
        found = _same(block, listed, inner)
        if found is None:
            found = empty_json(block)
            listed.append(found)
        yield from _block(block, found, inner, place)
        if block in (Constraint, Affinity) and not found["Operand"]:
            found["Operand"] = "="


def _same(block: type, listed: list[dict[str, Any]], given: Any) -> dict[str, Any] | None:
    """The block that is there already and is meant, None if a new one is."""
    identity = _IDENTITY.get(block)
    if identity is None or not isinstance(given, Mapping):
        return None
    if identity == "":
        return listed[0] if listed else None
    key = by_hcl(block)[identity].json
    return next((each for each in listed if given.get(identity) and each[key] == given[identity]), None)


def _short_names(block: type) -> tuple[str, ...]:
    if block is Constraint:
        return (*_CONSTRAINT_WORDS, "is_set", "is_not_set", "distinct_hosts", "distinct_property")
    return _CONSTRAINT_WORDS if block is Affinity else ()


def _short_form(block: type, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """`regexp: x` for `operator: regexp, value: x`, as the job language allows; None for blocks without short forms."""
    names = _short_names(block)
    if not names:
        return None
    for name in names:
        value = given.get(name)
        if name == "distinct_hosts" and isinstance(value, bool):
            return {"operator": name, "value": "true" if value else "false"}
        if name == "distinct_property" and isinstance(value, str):
            return {"operator": name, "attribute": value}
        if isinstance(value, str):
            return {"operator": name, "value": value}
    return {}


def _value(row: Row, value: Any, steps: _Steps) -> tuple[Any, list[Finding]]:
    """The value as the API's JSON has it."""
    match row.kind:
        case Kind.FREE:
            made = _plain(value)
            fits = isinstance(made, dict) or row.shape is not Shape.MAP_BLOCK
            return (made, []) if fits else (None, [Finding(steps, "expected a mapping")])
        case Kind.DURATION:
            return _duration(value, steps)
        case Kind.FLAG:
            return (value, []) if isinstance(value, bool) else (None, [Finding(steps, "expected true or false")])
        case Kind.INTEGER:
            return _integer(row, value, steps)
        case Kind.TEXT:
            return _text(value, steps)
        case Kind.TEXTS | Kind.INTEGERS:
            if not isinstance(value, list):
                return None, [Finding(steps, "expected a list")]
            parts = [
                _text(each, (*steps, number)) if row.kind is Kind.TEXTS else _integer(row, each, (*steps, number))
                for number, each in enumerate(value)
            ]
            return [made for made, _ in parts], [finding for _, found in parts for finding in found]
    if not isinstance(value, Mapping):
        return None, [Finding(steps, "expected a mapping")]
    if row.kind is Kind.TEXTS_MAP:
        wrong = [name for name, each in value.items() if not _texts(each)]
        return dict(value), [Finding((*steps, name), "expected a list of texts") for name in wrong]
    named = {name: _text(each, (*steps, name)) for name, each in value.items()}
    findings = [finding for _, found in named.values() for finding in found]
    return {name: made for name, (made, _) in named.items()}, findings


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _text(value: Any, steps: _Steps) -> tuple[Any, list[Finding]]:
    """Numbers and booleans become text, as in the job language."""
    if isinstance(value, bool):
        return "true" if value else "false", []
    if isinstance(value, WholeNumber | RealNumber):
        return value.written, []
    return (value, []) if isinstance(value, str) else (None, [Finding(steps, "expected a text")])


def _integer(row: Row, value: Any, steps: _Steps) -> tuple[Any, list[Finding]]:
    if isinstance(value, bool) or not isinstance(value, int):
        return None, [Finding(steps, "expected a whole number")]
    low, high = row.limits
    if not low <= value <= high:
        return None, [Finding(steps, f"expected a whole number from {low} to {high}")]
    return int(value), []


def _duration(value: Any, steps: _Steps) -> tuple[Any, list[Finding]]:
    try:
        if isinstance(value, str):
            return parse_duration(value), []
    except DurationError:
        pass
    return None, [Finding(steps, "expected a duration such as 60s, 5m or 1h30m")]


def _plain(value: Any) -> Any:
    """Without what only a reader of YAML knows, and without what is set to nothing."""
    match value:
        case Mapping():
            return {name: _plain(each) for name, each in value.items() if each is not None}
        case list():
            return [_plain(each) for each in value]
        case bool():
            return value
        case int():
            return int(value)
        case float():
            return float(value)
    return value
