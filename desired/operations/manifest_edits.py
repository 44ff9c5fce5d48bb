"""The ways in which one operation may be written into a manifest: its own fields, and entries under `spec.job`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from desired.generate import NAME
from desired.job.duration import format_duration
from desired.operations.fragment import replaced
from desired.operations.manifest_paths import Path, block_path, shortcut, value_path
from desired.operations.operation import Kind, Operation
from desired.operations.place import Place, every, find, get
from desired.operations.splice import Splice
from desired.operations.standing import owner_of, same
from desired.operations.table import How, row
from desired.operations.yaml_tree import YamlTree, child
from desired.operations.yaml_written import Item
from desired.state import JobBody

_WORD = re.compile(r"[\w-]+")


def edits(tree: YamlTree, body: JobBody, operation: Operation) -> Iterator[list[Splice]]:
    """The plainest way first. Whether the manifest then makes the job that is wanted is for the caller to see."""
    if row(operation.kind).how is How.FRAGMENT:
        yield from _fragments(tree, body, operation)
        return
    short = shortcut(operation)
    if short is not None:
        yield from _short(tree, short, operation)
    if operation.kind is Kind.CHECK_PORT:
        yield from _check_port(tree, body, operation)
    yield from _in_job(tree, body, operation)


def _short(tree: YamlTree, path: Path, operation: Operation) -> Iterator[list[Splice]]:
    new: Any = operation.new
    if operation.kind is Kind.PORT_LABEL:
        yield _only(tree.renamed(path, str(new)))
        return
    if operation.kind is Kind.PORT_ADDED:
        yield _set(tree, path, {"to": new} if new else {}) if new is not None else _only(tree.without(path))
        return
    if operation.kind in (Kind.CHECK_INTERVAL, Kind.CHECK_TIMEOUT) and isinstance(new, int):
        new = format_duration(new)
    yield _set(tree, path, new)
    if operation.kind in (Kind.STATIC_PORT, Kind.PORT_TO) and new is None:
        # A port that says nothing else may be left empty.
        yield _set(tree, path[:-1], {})


def _check_port(tree: YamlTree, body: JobBody, operation: Operation) -> Iterator[list[Splice]]:
    """A manifest's check takes its service along, which has to be held where it was."""
    at = operation.at
    service = find(body, row(Kind.SERVICE_PORT), at[:-1])
    if len(at) == 3 and at[0] == NAME and isinstance(service, Place):
        base = block_path(body, service.steps)
        moved = _set(tree, ("spec", "check", "port"), operation.new)
        if base is not None:
            yield [*moved, *_set(tree, (*base, "port"), get(service.block, "PortLabel"))]


def _in_job(tree: YamlTree, body: JobBody, operation: Operation) -> Iterator[list[Splice]]:
    """An entry that is merged into the job by the names of its blocks."""
    spec = row(operation.kind)
    if operation.kind is Kind.PORT_ADDED:
        group = find(body, row(Kind.NETWORK_MODE), operation.at[:1])
        base = block_path(body, group.steps) if isinstance(group, Place) else None
        if base is not None:
            path = (*base, "network", "port", operation.at[-1])
            port = {"to": operation.new} if operation.new else {}
            yield _set(tree, path, port) if operation.new is not None else _only(tree.without(path))
        return
    places = list(every(body, spec, operation.at))
    if operation.kind is Kind.CONSTRAINT_VALUE:
        places = [each for each in places if same(spec, get(each.block, "RTarget") or None, operation.old)]
    if not places:
        return
    place = places[-1] if spec.how is How.RENAME else places[0]
    owner, keys = owner_of(body, spec, operation.at, place) if spec.path else (place, ())
    base = block_path(body, owner.steps)
    if base is None:
        return
    inner, duration = value_path(owner, keys)
    new: Any = operation.new
    if duration and isinstance(new, int):
        new = format_duration(new)
    if operation.kind is Kind.TEMPLATE_DELIMITERS:
        left, _, right = str(new).partition(" ")
        yield [*_set(tree, (*base, "left_delimiter"), left), *_set(tree, (*base, "right_delimiter"), right)]
    elif operation.kind is Kind.CONSTRAINT_REMOVAL:
        yield _only(tree.without(base))
    elif operation.kind is Kind.CONSTRAINT_VALUE:
        yield _constraint(tree, base, operation)
    elif operation.kind is Kind.VAULT_ADDED:
        yield _set(tree, (*base, "vault"), {}) if new is not None else _only(tree.without((*base, "vault")))
    elif operation.kind is Kind.DRIVER_KEY:
        path = (*base, *inner)
        yield _only(tree.renamed(path, str(new)) if new is not None else tree.without(path))
    elif operation.kind is Kind.PORT_LABEL:
        yield _only(tree.renamed(base, str(new)))
    else:
        yield _set(tree, (*base, *inner), new)


def _constraint(tree: YamlTree, base: Path, operation: Operation) -> list[Splice]:
    block, reached = tree.find(base)
    if reached < len(base) or not isinstance(block, yaml.MappingNode):
        return []
    for key, value in block.value:
        short = key.value not in ("attribute", "operator", "distinct_property")
        if short and isinstance(value, yaml.ScalarNode) and value.value == operation.old:
            return [tree.replaced(value, operation.new)]
    return []


def _fragments(tree: YamlTree, body: JobBody, operation: Operation) -> Iterator[list[Splice]]:
    old, new = str(operation.old), str(operation.new)
    for place in every(body, row(operation.kind), operation.at):
        base = block_path(body, place.steps)
        if base is None:
            continue
        node, reached = tree.find((*base, "data"))
        if reached == len(base) + 1 and isinstance(node, yaml.ScalarNode):
            yield [tree.fragment(node, old, new, replaced)]
    env, reached = tree.find(("spec", "env"))
    if reached < 2 or not isinstance(env, yaml.MappingNode):
        return
    words_of = (_WORD.findall(old), _WORD.findall(new))
    changed = [pair for pair in zip(*words_of, strict=False) if pair[0] != pair[1]]
    pairs = [(old, new)]
    if len(words_of[0]) == len(words_of[1]) and len(changed) == 1:
        # A field is `.Data.name` in the template, and `#name` in the manifest.
        pairs.append(changed[0])
    for before, after in pairs:
        splices = [
            tree.fragment(said, before, after, replaced)
            for _, value in env.value
            for name in ("vault", "consul", "nomad")
            if isinstance(said := child(value, name), yaml.ScalarNode) and before in said.value
        ]
        if splices:
            yield splices
            yield from ([each] for each in splices if len(splices) > 1)


def _set(tree: YamlTree, path: Path, new: Any) -> list[Splice]:
    if new is None:
        return _only(tree.without(path))
    node, reached = tree.find(path)
    if reached < len(path):
        if isinstance(path[reached], Item) and not isinstance(node, yaml.SequenceNode):
            return []
        return _only(tree.put(node, path[reached:], new))
    if isinstance(node, yaml.SequenceNode) and isinstance(new, list | tuple):
        return tree.list_changed(node, [str(each) for each in new])
    return [tree.replaced(node, new)] if not isinstance(node, yaml.MappingNode) else []


def _only(splice: Splice | None) -> list[Splice]:
    return [splice] if splice is not None else []
