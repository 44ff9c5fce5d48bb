"""Whether two jobs say the same to Nomad, where their JSON may differ in nothing but form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from desired.state import JobBody

# Nomad keeps these as sets: it compares them without their order.
_SETS = frozenset({"Constraints", "DynamicPorts", "ReservedPorts"})


def same_job(left: JobBody, right: JobBody) -> bool:
    """Apart from the order of ports and constraints, and from empty, null and absent: those are one to Nomad.

    A driver's configuration is compared as it is.
    """
    return bool(_normal(left) == _normal(right))


def digest(body: JobBody) -> str:
    """Equal for jobs that are the same."""
    return hashlib.sha256(json.dumps(_normal(body), sort_keys=True).encode()).hexdigest()[:32]


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        made = {key: each if key == "Config" and each else _normal(each) for key, each in value.items()}
        for key in _SETS & made.keys():
            if isinstance(made[key], list):
                made[key] = sorted(made[key], key=lambda each: json.dumps(each, sort_keys=True))
        return {key: each for key, each in made.items() if each is not None and each != [] and each != {}}
    if isinstance(value, list | tuple):
        return [_normal(each) for each in value]
    # True is no 1 here.
    return (type(value).__name__, value) if isinstance(value, bool) else value
