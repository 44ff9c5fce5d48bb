"""The values of a draft as a manifest has them. Pure."""

from __future__ import annotations

from dataclasses import replace

from desired.draft.value import BY_PERSON, BY_PROMPT, Value

_ORDER = (
    "source", "image", "prompt", "type", "count", "datacenters", "command", "args", "ports", "check", "routes", "env",
    "files", "resources", "volumes", "dependsOn", "job",
)  # fmt: skip


def checked(values: list[Value]) -> list[Value]:
    """Without what a manifest must not say of ports that are not there, since somebody said otherwise."""
    labels = {value.at[1] for value in values if value.at[0] == "ports"}
    if not labels:
        return [value for value in values if value.at[0] != "check" or value.source in (BY_PERSON, BY_PROMPT)]
    return [
        replace(value, data={key: item for key, item in value.data.items() if key != "port"})
        if value.at == ("check",) and value.data.get("port", next(iter(labels))) not in labels
        else value
        for value in values
    ]


def in_order(values: list[Value]) -> tuple[Value, ...]:
    """As a manifest has them; the volumes as the one list that it holds. Once more changes nothing."""
    kept = [value for value in values if value.at[0] != "volumes"]
    volumes = [value for value in values if value.at[0] == "volumes"]
    if volumes:
        entries = [one for value in volumes for one in (value.data if value.at == ("volumes",) else [value.data])]
        kept.append(replace(volumes[0], at=("volumes",), data=entries))
    return tuple(sorted(kept, key=lambda value: _ORDER.index(value.at[0]) if value.at[0] in _ORDER else len(_ORDER)))
