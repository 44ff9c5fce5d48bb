"""Constraints, affinities and spreads: what Nomad refuses in them.

Source: nomad/structs/structs.go Constraint.Validate, Affinity.Validate, Spread.Validate; nomad/structs/constraint.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded import gotext

Value = Mapping[str, Any]

_EXACT = frozenset({"${node.unique.id}", "${node.datacenter}", "${node.unique.name}", "${node.class}", "${node.pool}"})
_PREFIXES = ("${attr.", "${device.", "${meta.")
_COMPARISONS = frozenset({"=", "==", "is", "!=", "not", "<", "<=", ">", ">="})
_SETS = frozenset({"set_contains", "set_contains_all", "set_contains_any"})
_VERSION = re.compile(r"\s*(=|!=|>|<|>=|<=|~>)?\s*v?\d+(\.\d+)*(-?[0-9A-Za-z.~-]*)?(\+[0-9A-Za-z.~-]+)?\s*")
_SEMVER = re.compile(r"\s*(=|!=|>|<|>=|<=)?\s*v?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\s*")


def placement_errors(holder: Value, job_type: str, *, spreads: bool) -> list[str]:
    """Of a job or a task; a group asks for each kind by itself, because other checks come between."""
    errors = constraint_errors(holder) + affinity_errors(holder, job_type)
    return errors + (spread_errors(holder, job_type) if spreads else [])


def constraint_errors(holder: Value, *, of_task: bool = False) -> list[str]:
    """Numbered from 1."""
    errors = []
    for number, constraint in enumerate(holder["Constraints"] or (), 1):
        errors += gotext.under(f"Constraint {number} validation failed", _constraint(constraint))
        if of_task and constraint["Operand"] in ("distinct_hosts", "distinct_property"):
            errors.append(f"Constraint {number} has disallowed Operand at task level: {constraint['Operand']}")
    return errors


def affinity_errors(holder: Value, job_type: str) -> list[str]:
    """Numbered from 1; system jobs may not have any."""
    if job_type == "system":
        return ["System jobs may not have an affinity block"] if holder["Affinities"] is not None else []
    errors = []
    for number, affinity in enumerate(holder["Affinities"] or (), 1):
        errors += gotext.under(f"Affinity {number} validation failed", _affinity(affinity))
    return errors


def spread_errors(holder: Value, job_type: str) -> list[str]:
    """Numbered from 1; system jobs may not have any."""
    if job_type == "system":
        return ["System jobs may not have a spread block"] if holder["Spreads"] is not None else []
    errors = []
    for number, spread in enumerate(holder["Spreads"] or (), 1):
        errors += gotext.under(f"Spread {number} validation failed", _spread(spread))
    return errors


def _constraint(constraint: Value) -> list[str]:
    operand, left, right = constraint["Operand"], constraint["LTarget"], constraint["RTarget"]
    errors = [] if operand else ["Missing constraint operand"]
    if operand in _SETS and not right:
        errors.append("Set contains constraint requires an RTarget")
    elif operand in ("regexp", "version", "semver"):
        errors += _pattern(operand, right, "constraint")
    elif operand == "distinct_property" and right:
        errors += _count(right)
    elif operand in ("is_set", "is_not_set") and right:
        errors.append(f"Operator {gotext.quoted(operand)} does not support an RTarget")
    elif operand in _COMPARISONS and not right:
        errors.append(f"Operator {gotext.quoted(operand)} requires an RTarget")
    elif operand not in _KNOWN:
        errors.append(f"Unknown constraint type {gotext.quoted(operand)}")
    if operand != "distinct_hosts":
        errors += _attribute(left)
    return errors


_KNOWN = _COMPARISONS | _SETS | {"distinct_hosts", "distinct_property", "is_set", "is_not_set"}


def _attribute(target: str) -> list[str]:
    if not target:
        return ["no attribute provided but is required by operator"]
    if not target.startswith("$") or target in _EXACT:
        return []
    shown = gotext.quoted(target)
    if not target.startswith("${"):
        return [f"attribute {shown} is missing an opening brace"]
    if not target.endswith("}"):
        return [f"attribute {shown} is missing a closing brace"]
    return [] if target.startswith(_PREFIXES) else [f"unsupported attribute {shown}"]


def _pattern(operand: str, right: str, what: str) -> list[str]:
    if operand == "regexp":
        try:
            re.compile(right)
        except re.error as error:
            return [f"Regular expression failed to compile: error parsing regexp: {error.msg}: `{right}`"]
        return []
    shape, name = (_VERSION, "Version") if operand == "version" else (_SEMVER, "Semver")
    for part in right.split(","):
        if not shape.fullmatch(part):
            return [f"{name} {what} is invalid: Malformed constraint: {part}"]
    return []


def _count(right: str) -> list[str]:
    if not re.fullmatch(r"\d+", right):
        shown = gotext.quoted(right)
        return [f"Failed to convert RTarget {shown} to uint64: strconv.ParseUint: parsing {shown}: invalid syntax"]
    if int(right) < 1:
        return [f"Distinct Property must have an allowed count of 1 or greater: {int(right)} < 1"]
    return []


def _affinity(affinity: Value) -> list[str]:
    operand, right = affinity["Operand"], affinity["RTarget"]
    errors = [] if operand else ["Missing affinity operand"]
    if operand in _SETS and not right:
        errors.append("Set contains operators require an RTarget")
    elif operand in ("regexp", "version", "semver"):
        errors += _pattern(operand, right, "affinity")
    elif operand in _COMPARISONS and not right:
        errors.append(f"Operator {gotext.quoted(operand)} requires an RTarget")
    elif operand not in _SETS | _COMPARISONS:
        errors.append(f"Unknown affinity operator {gotext.quoted(operand)}")
    if not affinity["LTarget"]:
        errors.append("No LTarget provided but is required")
    if affinity["Weight"] == 0:
        errors.append("Affinity weight cannot be zero")
    if not -100 <= affinity["Weight"] <= 100:
        errors.append("Affinity weight must be within the range [-100,100]")
    return errors


def _spread(spread: Value) -> list[str]:
    errors = [] if spread["Attribute"] else ["Missing spread attribute"]
    if not 0 < spread["Weight"] <= 100:
        errors.append("Spread block must have a positive weight from 0 to 100")
    seen: set[str] = set()
    for target in spread["SpreadTarget"] or ():
        value = gotext.quoted(target["Value"])
        if target["Value"] in seen:
            errors.append(f"Spread target value {value} already defined")
        seen.add(target["Value"])
        if target["Percent"] > 100:
            errors.append(f"Spread target percentage for value {value} must be between 0 and 100")
    total = sum(target["Percent"] for target in spread["SpreadTarget"] or ())
    if total > 100:
        errors.append(f"Sum of spread target percentages must not be greater than 100%; got {total}%")
    return errors
