"""Turns the body of a `job` block into the API's JSON, block by block as the table says.

Source of every rule: jobspec2 (hcl_conversions.go, parse_job.go) and gohcl, compared field by field with a real server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from desired.job.api_json import empty_json
from desired.job.fields import Kind, Shape
from desired.job.hcl_body import Argument, BoundBlock, Schema, View
from desired.job.hcl_job_complete import complete_job
from desired.job.hcl_job_values import TYPES, Failed, all_given, converted, duration, free_value, refuse, whole_number
from desired.job.hcl_source import Diagnostic, quoted
from desired.job.hcl_value import (
    BOOL,
    NUMBER,
    STRING,
    STRING_MAP,
    STRINGS,
    ConvertError,
    Type,
    convert,
)
from desired.job.spec import Affinity, Constraint, Group, Job, Scaling, Secret, Task, Vault
from desired.job.table import Row, by_hcl, label_of

_CONSTRAINT_WORDS = (
    "version",
    "semver",
    "regexp",
    "set_contains",
    "set_contains_all",
    "set_contains_any",
    "is_set",
    "is_not_set",
)
_AFFINITY_WORDS = ("version", "semver", "regexp", "set_contains_any", "set_contains_all", "set_contains")
_SCALING = Schema(blocks={"scaling": ("name",)})


@functools.cache
def schema_of(block: type) -> Schema:
    """What HCL allows in a block, in the order of Nomad's suggestions."""
    attributes: dict[str, bool] = {}
    blocks: dict[str, tuple[str, ...]] = {}
    for name, row in sorted(by_hcl(block).items()):
        if row.shape is Shape.ATTRIBUTE:
            attributes[name] = row.required
        else:
            label = label_of(row.block) if row.block is not None else None
            blocks[name] = (label.hcl,) if label is not None else ()
    return Schema(attributes, blocks)


class JobReader:
    """Reads one job. Free-form values are told apart, in `late`: Nomad evaluates them after everything else."""

    def __init__(self) -> None:
        self.late: list[Diagnostic] = []
        self._special: dict[type, Callable[[View], dict[str, Any]]] = {
            Constraint: self._constraint,
            Affinity: self._affinity,
            Group: self._group,
            Task: self._task,
        }

    def job(self, block: BoundBlock) -> dict[str, Any]:
        """The job as Nomad's parser gives it, before anything is filled in."""
        meta, view = self._as_attribute(block.body, "meta")
        extra = Schema(blocks={"vault": (), "secret": ("name",), "task": ("name",)})
        _, found = view.content(extra, partial=True)
        vaults = [each for each in found if each.type == "vault"]
        for again in vaults[1:]:
            where = view.scope.source.show(vaults[0].define_place)
            detail = f'Only one block of type "vault" is allowed. Previous definition was at {where}.'
            view.error("Duplicate vault block", detail, again.define_place)
        vault = self.block(Vault, vaults[0].body) if vaults else None
        tasks = [self._labelled(Task, each) for each in found if each.type == "task"]
        secrets = [self._labelled(Secret, each) for each in found if each.type == "secret"]
        body = self.block(Job, view.hiding(extra))
        if meta is not None:
            body["Meta"] = meta
        complete_job(body, block.labels[0], vault=vault, tasks=tasks, secrets=secrets)
        return body

    def block(self, kind: type, view: View) -> dict[str, Any]:
        """One block as JSON; its label is the caller's."""
        special = self._special.get(kind)
        return self._plain(kind, view) if special is None else special(view)

    def _plain(self, kind: type, view: View) -> dict[str, Any]:
        body = empty_json(kind)
        arguments, blocks = view.content(schema_of(kind))
        for name, row in by_hcl(kind).items():
            if row.shape is Shape.ATTRIBUTE and name in arguments:
                try:
                    body[row.json] = self._value(row, arguments[name])
                except Failed:
                    continue
        by_type: dict[str, list[BoundBlock]] = {}
        for each in blocks:
            by_type.setdefault(each.type, []).append(each)
        for name, found in by_type.items():
            row = by_hcl(kind)[name]
            if len(found) > 1 and row.shape in (Shape.BLOCK, Shape.MAP_BLOCK):
                where = view.scope.source.show(found[0].define_place)
                detail = f"Only one {name} block is allowed. Another was defined at {where}."
                view.error(f"Duplicate {name} block", detail, found[1].define_place)
                continue
            body[row.json] = self._blocks(row, found)
        return body

    def _blocks(self, row: Row, found: list[BoundBlock]) -> Any:
        if row.shape is Shape.MAP_BLOCK:
            return self._map(row, found[0].body)
        assert row.block is not None
        if row.shape is Shape.BLOCK:
            return self.block(row.block, found[0].body)
        made = [self._labelled(row.block, each) for each in found]
        if row.shape is Shape.BLOCK_MAP:
            return {each.labels[0]: body for each, body in zip(found, made, strict=True)}
        return made

    def _labelled(self, kind: type, block: BoundBlock) -> dict[str, Any]:
        body = self.block(kind, block.body)
        label = label_of(kind)
        if label is not None and block.labels:
            body[label.json] = block.labels[0]
        return body

    # --- values

    def _value(self, row: Row, argument: Argument) -> Any:
        if row.kind is Kind.DURATION:
            return duration(argument)
        value = converted(argument, TYPES[row.kind])
        if value is None:
            if row.unset is not None:
                refuse(argument, "null value is not allowed")
            return None
        if row.kind is Kind.INTEGER:
            return whole_number(argument, value, row.limits)
        if row.kind is Kind.INTEGERS:
            return [whole_number(argument, each, row.limits) for each in value]
        if row.kind in (Kind.TEXTS, Kind.TEXT_MAP):
            items = value.values() if isinstance(value, dict) else value
            all_given(argument, items)
        return value

    def _map(self, row: Row, view: View) -> dict[str, Any]:
        if row.kind is Kind.FREE:
            found = {each.name: self._free(each) for each in view.arguments()}
            # Go deletes a key of this map when it is set to nothing.
            return {name: value for name, value in found.items() if value is not None}
        wanted = STRINGS if row.kind is Kind.TEXTS_MAP else STRING
        body: dict[str, Any] = {}
        for argument in view.arguments():
            body[argument.name] = [] if row.kind is Kind.TEXTS_MAP else ""
            try:
                value = converted(argument, wanted)
                if value is None and row.kind is not Kind.TEXTS_MAP:
                    refuse(argument, "null value is not allowed")
                if isinstance(value, list):
                    all_given(argument, value)
                body[argument.name] = value
            except Failed:
                continue
        return body

    def _free(self, argument: Argument) -> Any:
        scope = argument.scope.into(self.late)
        value = scope.value(argument.node)
        try:
            return free_value(value)
        except ConvertError as error:
            scope.error("unsuitable value type", f"Unsuitable value: {error}", argument.node.head)
            return None

    def _as_attribute(self, view: View, name: str) -> tuple[dict[str, Any] | None, View]:
        """`env = {…}`, which takes names that a block cannot; None where it is a block or absent."""
        taken = Schema(attributes={name: False})
        scope = view.scope.into([])
        arguments, _ = View(view.raw, scope, view.dynamic, view.hidden).content(taken, partial=True)
        if name not in arguments:
            return None, view
        argument = replace(arguments[name], scope=view.scope)
        rest = view.hiding(taken)
        _, blocks = View(view.raw, scope, view.dynamic, rest.hidden).content(Schema(blocks={name: ()}), partial=True)
        if blocks:
            where = view.scope.source.show(argument.place)
            detail = f"{name} may not be defined more than once. Another definition is defined at {where}."
            view.error(f"Duplicate {name} block", detail, blocks[0].define_place)
            return None, rest
        try:
            value = converted(argument, STRING_MAP)
            if value is not None:
                all_given(argument, value.values())
        except Failed:
            return {}, rest
        return dict(value) if value is not None else None, rest

    # --- blocks with rules of their own

    def _group(self, view: View) -> dict[str, Any]:
        errors = len(view.scope.diagnostics)
        meta, view = self._as_attribute(view, "meta")
        extra = Schema(blocks={"vault": (), "secret": ("name",)})
        _, found = view.content(extra, partial=True)
        if len(view.scope.diagnostics) > errors:
            return empty_json(Group)
        # Nomad loses what is wrong in a group's own vault and secret blocks; so is the block's answer the same here.
        lost = view.scope.into([])
        vault: dict[str, Any] | None = None
        secrets: list[dict[str, Any]] = []
        for each in found:
            inner = View(each.body.raw, each.body.scope.into(lost.diagnostics), each.body.dynamic)
            if each.type == "vault":
                vault = self.block(Vault, inner)
            else:
                secrets.append({**self.block(Secret, inner), "Name": each.labels[0]})
        rest = view.hiding(extra)
        body = self._plain(Group, rest)
        if meta is not None:
            body["Meta"] = meta
        for task in body["Tasks"] or []:
            if vault is not None and task["Vault"] is None:
                task["Vault"] = dict(vault)
            if secrets:
                # A task's own secrets are doubled, and the group's lost: Nomad appends the wrong list.
                task["Secrets"] = task["Secrets"] * 2 if task["Secrets"] else list(secrets)
        scaling = body["Scaling"]
        if scaling is not None:
            scaling["Type"] = scaling["Type"] or "horizontal"
            self._check_group_scaling(scaling, rest)
        return body

    def _check_group_scaling(self, scaling: dict[str, Any], view: View) -> None:
        if scaling["Max"] is not None and scaling["Type"] == "horizontal":
            return
        quiet = View(view.raw, view.scope.into([]), view.dynamic, view.hidden)
        _, blocks = quiet.content(Schema(blocks={"scaling": ()}), partial=True)
        if not blocks:
            return
        inner = View(blocks[0].body.raw, view.scope, blocks[0].body.dynamic)
        arguments, _ = inner.content(Schema(attributes={"max": True, "type": False}), partial=True)
        if scaling["Type"] != "horizontal" and "type" in arguments:
            detail = f"task group scaling policy had invalid type: {quoted(scaling['Type'])}"
            view.error("Invalid group scaling type", detail, arguments["type"].node.place)

    def _task(self, view: View) -> dict[str, Any]:
        env, view = self._as_attribute(view, "env")
        meta, view = self._as_attribute(view, "meta")
        _, blocks = view.content(_SCALING, partial=True)
        policies = self._task_scaling(blocks, view)
        body = self._plain(Task, view.hiding(_SCALING))
        body["ScalingPolicies"] = policies or None
        if env is not None:
            body["Env"] = env
        if meta is not None:
            body["Meta"] = meta
        return body

    def _task_scaling(self, blocks: list[BoundBlock], view: View) -> list[dict[str, Any]]:
        seen: dict[str, BoundBlock] = {}
        policies: list[dict[str, Any]] = []
        for block in blocks:
            name = block.labels[0].lower()
            if name not in ("cpu", "mem"):
                detail = 'scaling policy name must be "cpu" or "mem"'
                view.error("Invalid scaling policy name", detail, block.label_places[0])
                continue
            if name in seen:
                where = view.scope.source.show(seen[name].define_place)
                detail = f"Only one scaling {name} block is allowed. Another was defined at {where}."
                view.error(f'Duplicate scaling "{name}" block', detail, block.define_place)
                continue
            seen[name] = block
            policy = self.block(Scaling, block.body)
            wanted = f"vertical_{name}"
            policy["Type"] = policy["Type"] or wanted
            if policy["Type"] != wanted:
                detail = f"Invalid policy type, expected {quoted(policy['Type'])} but found {quoted(wanted)}"
                view.error("Invalid scaling policy type", detail, block.define_place)
                continue
            policies.append(policy)
        return policies

    def _constraint(self, view: View) -> dict[str, Any]:
        names = ("attribute", "value", "operator", "distinct_property", *_CONSTRAINT_WORDS)
        types = dict.fromkeys(names, STRING) | {"distinct_hosts": BOOL}
        body = empty_json(Constraint)
        given = self._typed(view, types)
        if given is None:
            return body
        body |= _operands(given, ("version", "semver", "regexp", "set_contains"))
        if given["distinct_hosts"] is not None:
            body["Operand"] = "distinct_hosts"
            body["RTarget"] = "true" if given["distinct_hosts"] else "false"
        if given["distinct_property"]:
            body["Operand"], body["LTarget"] = "distinct_property", given["distinct_property"]
        body["Operand"] = body["Operand"] or "="
        return body

    def _affinity(self, view: View) -> dict[str, Any]:
        names = ("attribute", "value", "operator", *_AFFINITY_WORDS)
        body = empty_json(Affinity)
        given = self._typed(view, dict.fromkeys(names, STRING) | {"weight": NUMBER})
        if given is None:
            return body
        body |= _operands(given, _AFFINITY_WORDS)
        if given["weight"] is not None:
            body["Weight"] = (int(given["weight"]) + 128) % 256 - 128
        body["Operand"] = body["Operand"] or "="
        return body

    def _typed(self, view: View, types: dict[str, Type]) -> dict[str, Any] | None:
        """The attributes of a block that Nomad reads by a specification of its own; None after an error."""
        errors = len(view.scope.diagnostics)
        arguments, _ = view.content(Schema(attributes=dict.fromkeys(types, False)))
        given: dict[str, Any] = dict.fromkeys(types)
        for name, argument in arguments.items():
            value = argument.value()
            try:
                given[name] = convert(value, types[name])
            except ConvertError as error:
                detail = f"Inappropriate value for attribute {quoted(name)}: {error}."
                view.error("Incorrect attribute value type", detail, argument.node.place)
        return given if len(view.scope.diagnostics) == errors else None


def _operands(given: dict[str, Any], words: tuple[str, ...]) -> dict[str, str]:
    body = {
        "LTarget": given["attribute"] or "",
        "RTarget": given["value"] or "",
        "Operand": given["operator"] or "",
    }
    for word in words:
        if given[word]:
            body["Operand"], body["RTarget"] = word, given[word]
    return body
