"""The blocks that make a batch job periodic or parameterized: what Nomad refuses in them.

Source: nomad/structs/structs.go PeriodicConfig.Validate, ParameterizedJobConfig.Validate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nomad_operator.embedded.gotext import quoted

Value = Mapping[str, Any]

_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_MACROS = frozenset({"@annually", "@yearly", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_FIELD = re.compile(r"[0-9A-Za-z*?/,#-]+")


def periodic_errors(periodic: Value) -> list[str]:
    errors = []
    spec, specs = periodic["Spec"], periodic["Specs"] or ()
    if spec and specs:
        errors.append("Only cron or crons may be used")
    if not spec and not specs:
        errors.append("Must specify a spec")
    zone = periodic["TimeZone"]
    if zone and not _zone(zone):
        errors.append(f"Invalid time zone {quoted(zone)}: unknown time zone {zone}")
    if periodic["SpecType"] == "cron":
        for one in (*([spec] if spec else []), *specs):
            if why := _cron(one):
                errors.append(f"Invalid cron spec {quoted(one)}: {why}")
    elif periodic["SpecType"] != "_internal_test":
        errors.append(f"Unknown periodic specification type {quoted(periodic['SpecType'])}")
    return errors


def parameterized_errors(config: Value) -> list[str]:
    errors = []
    if config["Payload"] not in ("optional", "required", "forbidden"):
        errors.append(f"Unknown payload requirement: {quoted(config['Payload'])}")
    if both := sorted({*(config["MetaRequired"] or ())} & {*(config["MetaOptional"] or ())}):
        keys = f"[{' '.join(both)}]"
        errors.append(f"Required and optional meta keys should be disjoint. Following keys exist in both: {keys}")
    return errors


def _zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return name == "Local"
    return True


def _cron(spec: str) -> str:
    """Why a cron expression cannot be read, as far as its fields tell; empty if it can."""
    if spec.strip() in _MACROS:
        return ""
    fields = spec.split()
    if len(fields) < len(_FIELDS):
        return "missing field(s)"
    # A sixth field is the year; with seven the first one is the second.
    named = zip(_FIELDS, fields[1:] if len(fields) > 6 else fields, strict=False)
    for name, field in named:
        if not _FIELD.fullmatch(field):
            return f"syntax error in {name} field: '{field}'"
    return ""
