"""Which answers of a model count where no person looks at them before they run. Pure.

Narrower than what is suggested to a person: what decides which code runs, who reaches the app, what it reads of others
and what it keeps stays a question. What is left is validated, examined, planned and verified like everything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from desired.draft.answers import answer_text
from desired.draft.value import Value
from desired.facts.facts import Facts
from reconcilers.generate.model_facts import NAME

_ASKED = frozenset({"image", "env", "ports", "check", "resources", "type"})
_PLACES = ("vault", "nomad", "consul")


def counts(value: Value, app: str) -> bool:
    """`app` is the name of the app that it is an answer for."""
    if value.at[0] not in _ASKED or value.data is None:
        return False
    match value.at[0]:
        case "image":
            return _repository(str(value.data)) == app
        case "env":
            return _own(value.data, app)
        case "check":
            # Without a check whatever starts is healthy.
            return isinstance(value.data, Mapping) and not value.data.get("disable")
    return True


def named_like(app: str, places: Iterable[str]) -> frozenset[str]:
    """Of places as answers name them those that are the app's own: others are not even shown."""
    return frozenset(one for one in places if _is_own(one.partition(": ")[2], app))


def _is_own(place: str, app: str) -> bool:
    return app in place.partition("#")[0].split("/")


def is_there(value: Value, there: Collection[str]) -> bool:
    """What is only remembered of another app has to be in the cluster for this one."""
    text = answer_text(value.id, value.data) or ""
    return text in there or text.partition(": ")[0] not in _PLACES


def _own(data: Any, app: str) -> bool:
    """A text, or a place that is named like the app: what belongs to others is for people to open."""
    if not isinstance(data, Mapping):
        return False
    place = next((str(data[kind]) for kind in _PLACES if kind in data), None)
    return "fixed" in data if place is None else _is_own(place, app)


def _repository(image: str) -> str:
    """The last part of the repository: `registry:5000/team/shop:1.2@sha256:…` is `shop`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def added(before: Facts, after: Facts) -> Iterator[Value]:
    """What facts of the model say of things that nothing else says anything about, as values of a manifest."""
    found = next((port for port, fact in after.ports.items() if fact.extractor == NAME), None)
    if not before.ports and found is not None:
        yield Value(("ports",), {"http": {"to": found}}, after.ports[found].source, after.ports[found].confidence)
    health = after.health
    if before.health is None and health is not None and health.extractor == NAME and health.value.path:
        yield Value(("check",), {"path": health.value.path}, health.source, health.confidence)
