"""The leaves of a structure as text, under the names that Nomad's plan diff gives them.

Source: helper/flatmap/flatmap.go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from nomad_operator.embedded.shapes import SHAPES

# Fields that are no plain ones and that Nomad tells all the same.
_TOLD_WHEN_SET = frozenset({"Template.Uid", "Template.Gid"})


def primitives(kind: str, value: Mapping[str, Any] | None) -> dict[str, str]:
    """The plain fields of a structure and its string maps as `Meta[key]`; nothing for None."""
    flat: dict[str, str] = {}
    for field in SHAPES[kind] if value is not None else ():
        inner = value.get(field.name) if value is not None else None
        if field.primitive and field.server:
            flat[field.name] = text(field.unset(server=True) if inner is None else inner)
        elif f"{kind}.{field.name}" in _TOLD_WHEN_SET and inner is not None:
            flat[field.name] = text(inner)
        elif field.kind == "{str}":
            flat.update((f"{field.name}[{key}]", text(one)) for key, one in (inner or {}).items())
    return flat


def leaves(value: Any) -> dict[str, str]:
    """Every leaf at any depth of free-form data, such as a driver's config."""
    flat: dict[str, str] = {}
    _descend("", value, flat)
    return flat


def fields(kind: str, value: Mapping[str, Any] | None) -> dict[str, str]:
    """Every field of a structure without inner ones, with `nil` for those that are unset."""
    shape = SHAPES[kind] if value is not None else ()
    flat: dict[str, str] = {}
    for field in shape:
        inner = value.get(field.name) if value is not None else None
        if isinstance(inner, Mapping | list):
            _descend(field.name, inner, flat)
        elif not field.kind.startswith("{"):
            flat[field.name] = text(field.unset(server=True) if inner is None else inner)
    return flat


def _descend(path: str, value: Any, flat: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _descend(f"{path}[{key}]" if path else str(key), inner, flat)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            _descend(f"{path}[{index}]", inner, flat)
    elif isinstance(value, int) and not isinstance(value, bool):
        # Nomad has decoded free-form data from JSON: every number in it is a float there.
        flat[path] = _float(float(value))
    else:
        flat[path] = text(value)


def text(value: Any) -> str:
    """A leaf as Go prints it with `%v`."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float(value) if isinstance(value, float) else str(value)


def _float(value: float) -> str:
    """The fewest digits that tell it apart, with an exponent from a million on and below a ten-thousandth."""
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else str(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    power = len(digits) - 1 + int(exponent)
    if -5 < power < 6:
        return f"{value:.0f}" if value == int(value) else repr(value)
    first, *rest = map(str, digits)
    return f"{'-' if sign else ''}{first}{'.' if rest else ''}{''.join(rest)}e{power:+03d}"
