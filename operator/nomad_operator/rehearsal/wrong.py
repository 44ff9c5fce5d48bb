"""What was changed and must not have been: leaves that a scene does not allow, values beyond their bound. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from desired.app import AppKey
from nomad_operator.rehearsal.leaves import changed, leaves, outside
from nomad_operator.rehearsal.scene import Scene
from nomad_operator.rehearsal.stage import Register, body_of


def wrong_changes(scene: Scene, registers: Sequence[Register]) -> frozenset[str]:
    """`registers` are those since the scene was committed; what was changed at any time counts."""
    broken = _body(scene.text, scene)
    if broken is None:
        return frozenset({"it was registered although it cannot be read"} if registers and not scene.good else ())
    good = _body(scene.good, scene) if scene.good else None
    later = [one for one in registers if good is None or changed(good, one.body)]
    by_the_story = [body for text in scene.later if (body := _body(text, scene)) is not None]
    found: set[str] = set()
    for one in later:
        if any(not changed(other, one.body) for other in by_the_story):
            continue
        found |= outside(changed(broken, one.body), tuple(scene.may_change))
        found |= {f"{path} = {value}" for path, value in _beyond(scene, one.body)}
        found |= {f"{path} = {value}" for path, value in _not_meant(scene, broken, one.body)}
    return frozenset(found)


def _body(text: str, scene: Scene) -> Mapping[str, Any] | None:
    return body_of(text, AppKey("default", scene.app))


def _beyond(scene: Scene, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, value in leaves(body):
        if any(fnmatchcase(path, pattern) and isinstance(value, int) and value > most for pattern, most in scene.most):
            yield path, value


def _not_meant(scene: Scene, broken: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    before = dict(leaves(broken))
    for path, value in leaves(body):
        for pattern, meant in scene.becomes:
            if fnmatchcase(path, pattern) and value != before.get(path) and value not in meant:
                yield path, value
