"""Turns the body of a `job` block into the API's JSON, block by block as the table says.

Source of every rule: jobspec2 (hcl_conversions.go, parse_job.go) and gohcl, compared field by field with a real server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from desired.job.api_json import empty_json
from desired.job.duration import DurationError, parse_duration
from desired.job.fields import Kind, Shape
from desired.job.hcl_body import Argument, BoundBlock, Schema, View
from desired.job.hcl_source import Diagnostic, Range, quoted
from desired.job.hcl_value import (
    BOOL,
    NUMBER,
    NUMBERS,
    STRING,
    STRING_MAP,
    STRINGS,
    STRINGS_MAP,
    UNKNOWN,
    ConvertError,
    Type,
    convert,
    is_number,
    type_name,
)
from desired.job.spec import Affinity, Constraint, Group, Job, Scaling, Secret, Task, Vault
from desired.job.table import Row, by_hcl, label_of

_TYPES: dict[Kind, Type] = {
    Kind.TEXT: STRING,
    Kind.INTEGER: NUMBER,
    Kind.FLAG: BOOL,
    Kind.TEXTS: STRINGS,
    Kind.INTEGERS: NUMBERS,
    Kind.TEXT_MAP: STRING_MAP,
    Kind.TEXTS_MAP: STRINGS_MAP,
}
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


class _Failed(Exception):
    """An expression has no usable value, and that was told."""


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
        _complete_job(body, block.labels[0], vault=vault, tasks=tasks, secrets=secrets)
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
                except _Failed:
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
            return _duration(argument)
        value = _converted(argument, _TYPES[row.kind])
        if value is None:
            if row.unset is not None:
                _refuse(argument, "null value is not allowed")
            return None
        if row.kind is Kind.INTEGER:
            return _whole(argument, value, row.limits)
        if row.kind is Kind.INTEGERS:
            return [_whole(argument, each, row.limits) for each in value]
        if row.kind in (Kind.TEXTS, Kind.TEXT_MAP):
            items = value.values() if isinstance(value, dict) else value
            _all_given(argument, items)
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
                value = _converted(argument, wanted)
                if value is None and row.kind is not Kind.TEXTS_MAP:
                    _refuse(argument, "null value is not allowed")
                if isinstance(value, list):
                    _all_given(argument, value)
                body[argument.name] = value
            except _Failed:
                continue
        return body

    def _free(self, argument: Argument) -> Any:
        scope = argument.scope.into(self.late)
        value = scope.value(argument.node)
        try:
            return _plain_value(value)
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
            value = _converted(argument, STRING_MAP)
            if value is not None:
                _all_given(argument, value.values())
        except _Failed:
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


def _refuse(argument: Argument, why: str, place: Range | None = None) -> None:
    argument.scope.error("Unsuitable value type", f"Unsuitable value: {why}", place or argument.node.head)
    raise _Failed


def _converted(argument: Argument, wanted: Type) -> Any:
    value = argument.value()
    try:
        value = convert(value, wanted)
    except ConvertError as error:
        _refuse(argument, str(error))
    if value is UNKNOWN:
        _refuse(argument, "value must be known")
    return value


def _all_given(argument: Argument, items: Any) -> None:
    for item in items:
        if item is None:
            _refuse(argument, "null value is not allowed")
        if item is UNKNOWN:
            _refuse(argument, "value must be known")


def _whole(argument: Argument, value: Any, limits: tuple[int, int]) -> int:
    low, high = limits
    if not isinstance(value, int) or not low <= value <= high:
        bounds = f"between 0 and {high} inclusive" if low == 0 else f"between {low} and {high}"
        _refuse(argument, f"value must be a whole number, {bounds}")
    number: int = value
    return number


def _duration(argument: Argument) -> int:
    value = argument.value()
    scope, head = argument.scope, argument.node.head
    if value is None:
        scope.error("Unsuitable value", "Unsuitable duration value: nil", head)
        raise _Failed
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except DurationError as error:
            scope.error("Unsuitable value type", f"Unsuitable duration value: {error}", head)
            raise _Failed from error
    if value is UNKNOWN:
        _refuse(argument, "value must be known")
    if not is_number(value):
        _refuse(argument, f"expected a string but found {_GO_TYPES.get(type_name(value), type_name(value))}")
    return _whole(argument, value, (-(2**63), 2**63 - 1))


# How Go prints the type here.
_GO_TYPES = {"bool": "{{{} %!s(cty.primitiveTypeKind=66)}}"}


def _plain_value(value: Any) -> Any:
    if value is UNKNOWN:
        raise ConvertError("value is not known")
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_value(item) for key, item in value.items()}
    if is_number(value) and (isinstance(value, Decimal) or abs(value) >= 2**63):
        try:
            return float(value)
        except OverflowError as error:
            raise ConvertError("the number is too large") from error
    return value


# --- what Nomad completes while parsing, before any canonicalizing


def _complete_job(
    body: dict[str, Any],
    label: str,
    *,
    vault: dict[str, Any] | None,
    tasks: list[dict[str, Any]],
    secrets: list[dict[str, Any]],
) -> None:
    body["Name"] = label if body["Name"] is None else body["Name"]
    body["ID"] = label if body["ID"] is None else body["ID"]
    _complete_vault(vault)
    if tasks:
        alone = [{**empty_json(Group), "Name": task["Name"], "Tasks": [task]} for task in tasks]
        body["TaskGroups"] = alone + (body["TaskGroups"] or [])
    for group in body["TaskGroups"] or []:
        for task in group["Tasks"] or []:
            if task["Vault"] is None and vault is not None:
                task["Vault"] = dict(vault)
            if secrets:
                task["Secrets"] = [*(task["Secrets"] or []), *secrets]
    complete(body)


def complete(body: dict[str, Any]) -> dict[str, Any]:
    """Fill in, in place, what Nomad fills in while it parses; what is complete stays as it is.

    This is not canonicalizing: it is there in every answer of the parser.
    """
    if body["Name"] is None:
        body["Name"] = body["ID"]
    periodic = body["Periodic"]
    if periodic is not None and (periodic["Spec"] is not None or periodic["Specs"] is not None):
        periodic["SpecType"] = "cron"
    for group in body["TaskGroups"] or []:
        _split_ports(group["Networks"])
        for task in group["Tasks"] or []:
            _complete_task(task)
    return body


def _complete_task(task: dict[str, Any]) -> None:
    if task["Resources"] is not None:
        _split_ports(task["Resources"]["Networks"])
    for template in task["Templates"] or []:
        _default(template, ChangeMode="restart", Perms="0644", Splay=5_000_000_000, ErrMissingKey=False)
        if template["ChangeScript"] is not None:
            _default(
                template["ChangeScript"], Args=[], Timeout=5_000_000_000, FailOnError=False, RunOnFirstRender=False
            )
    _complete_vault(task["Vault"])
    identities = task["Identities"] or []
    for identity in identities if task["Identity"] is None else ():
        if identity["Name"] in ("", "default"):
            task["Identity"] = identity
            task["Identities"] = [each for each in identities if each is not identity]
            break


def _default(body: dict[str, Any], **values: Any) -> None:
    for key, value in values.items():
        if body[key] is None:
            body[key] = value


def _complete_vault(vault: dict[str, Any] | None) -> None:
    if vault is not None:
        _default(vault, Env=True, DisableFile=False, ChangeMode="restart")


def _split_ports(networks: list[dict[str, Any]] | None) -> None:
    """Ports with a number of their own are the reserved ones."""
    for network in networks or []:
        ports = network["DynamicPorts"]
        if ports:
            static = [port for port in ports if port["Value"] > 0]
            network["DynamicPorts"] = [port for port in ports if port["Value"] <= 0] or None
            network["ReservedPorts"] = [*(network["ReservedPorts"] or []), *static] or None
