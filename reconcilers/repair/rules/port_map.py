"""The `port_map` of before group networks, and its like: labels with the port inside, in the driver's config."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.failures.job_words import Port
from reconcilers.repair.rules.rule import Edit


def mapping(value: object) -> dict[str, int]:
    """A block of the driver's config as the API has it (a list of one map), or a map; only labels with numbers."""
    parts = value if isinstance(value, list | tuple) else [value]
    found: dict[str, int] = {}
    for part in parts:
        if not isinstance(part, dict):
            return {}
        for label, number in part.items():
            if not str(number).isdigit():
                return {}
            found[str(label)] = int(number)
    return found


def port_map_edits(at: tuple[str, str], key: str, mapped: dict[str, int], declared: dict[str, Port]) -> list[Edit]:
    """`port_map { http = 80 }` as `port "http" { to = 80 }` and `ports = ["http"]`; empty where labels do not match."""
    if not mapped or any(label not in declared or declared[label].to not in (0, to) for label, to in mapped.items()):
        return []
    return [
        *(Edit(Kind.PORT_TO, (at[0], label), to, f"`{key}` says {to}") for label, to in mapped.items()),
        Edit(Kind.DRIVER_KEY, (*at, key), None, "its values moved to `to` and `ports`"),
        Edit(Kind.DRIVER_PORTS, at, tuple(mapped), f"the labels of `{key}`"),
    ]
