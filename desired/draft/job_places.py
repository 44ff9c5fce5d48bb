"""Where in a generated job a value of the manifest is found again, as paths that `desired.job.hcl_places` knows. Pure.

What is the operator's own (`dependsOn`, `verify`, …) is nowhere in the job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desired.generate import NAME
from desired.secret_blocks import in_blocks, place_of

Path = tuple[str, ...]
_GROUP: Path = ("group", NAME)
_TASK: Path = (*_GROUP, "task", NAME)
_PLACES: Mapping[str, Path] = {
    "type": ("type",),
    "datacenters": ("datacenters",),
    "count": (*_GROUP, "count"),
    "image": (*_TASK, "config", "image"),
    "command": (*_TASK, "config", "command"),
    "args": (*_TASK, "config", "args"),
    "check": (*_GROUP, "service", "check"),
    "routes": (*_GROUP, "service", "tags"),
    "resources.cpu": (*_TASK, "resources", "cpu"),
    "resources.memory": (*_TASK, "resources", "memory"),
    "resources.memoryMax": (*_TASK, "resources", "memory_max"),
    "resources.disk": (*_GROUP, "ephemeral_disk", "size"),
}
_LOOKED_UP = ("consul", "vault", "nomad", "service")


def places(spec: Mapping[str, Any]) -> Iterator[tuple[Path, Path]]:
    """Each value of a manifest's spec by its path there, with its path in the job.

    Where several have the same place, such as all that a template looks up, it is given for each.
    """
    for name, value in spec.items():
        if name in _PLACES:
            yield (name,), _PLACES[name]
        elif name == "resources":
            yield from (
                ((name, key), _PLACES[f"{name}.{key}"]) for key in _mapping(value) if f"{name}.{key}" in _PLACES
            )
        elif name == "ports":
            yield from (((name, label), (*_GROUP, "network", "port", label)) for label in _mapping(value))
        elif name == "env":
            yield from _environment(spec)
        elif name == "files":
            first = any(_is_in_template(one, name, _in_blocks(spec)) for name, one in _mapping(spec.get("env")).items())
            for number, path in enumerate(_mapping(value), start=int(first)):
                yield (name, path), (*_TASK, "template", str(number))
        elif name == "volumes":
            for number, volume in enumerate(value if isinstance(value, list) else ()):
                label = _mapping(volume).get("csi") or _mapping(volume).get("host")
                yield (name, str(number)), (*_GROUP, "volume", str(label))
        elif name == "job":
            yield from _merged(_mapping(value), (name,), ())


def _environment(spec: Mapping[str, Any]) -> Iterator[tuple[Path, Path]]:
    blocks = _in_blocks(spec)
    for name, value in _mapping(spec.get("env")).items():
        looked_up = _is_in_template(value, name, blocks)
        yield ("env", name), (*_TASK, "template", "0") if looked_up else (*_TASK, "env", name)


def _is_in_template(value: Any, name: str, blocks: frozenset[str]) -> bool:
    return name not in blocks and any(_mapping(value).get(source) is not None for source in _LOOKED_UP)


def _in_blocks(spec: Mapping[str, Any]) -> frozenset[str]:
    if spec.get("secretForm") != "block":
        return frozenset()
    env = {name: _mapping(value) for name, value in _mapping(spec.get("env")).items()}
    places = {name: place_of(value.get("vault"), value.get("nomad")) for name, value in env.items()}
    return frozenset(in_blocks({name: place for name, place in places.items() if place is not None}))


def _merged(body: Mapping[str, Any], at: Path, place: Path) -> Iterator[tuple[Path, Path]]:
    """What people merge into the job stands under the job's own names."""
    for name, value in body.items():
        if isinstance(value, Mapping) and value:
            yield from _merged(value, (*at, name), (*place, name))
        else:
            yield (*at, name), (*place, name)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
