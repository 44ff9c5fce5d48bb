"""Ports and the check of an app, as its code says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from desired.draft.fact_value import fact_value
from desired.draft.value import SURE, Value
from desired.facts import known_images
from desired.facts.facts import Facts, HealthFact


def main_port(facts: Facts) -> int | None:
    """The one that is checked, else the first."""
    health = facts.health
    if health is not None and health.value.port in facts.ports:
        return health.value.port
    return next(iter(facts.ports), None)


def network(facts: Facts, labels: Mapping[int, str], main: int | None) -> Iterator[Value]:
    for port, label in labels.items():
        fact = facts.ports[port]
        value = fact_value(("ports", label), {"to": port}, fact)
        # Its makers say so; who runs it elsewhere says that. What it is built on says less.
        known = fact.extractor == known_images.NAME and fact.confidence >= known_images.PRIORITY
        yield replace(value, confidence=max(value.confidence, SURE)) if known else value
    health = facts.health
    if health is None or not labels or health.value.command:
        return
    checked = labels.get(health.value.port or main or 0)
    if checked is not None:
        yield fact_value(("check",), _check(health.value, checked, first=next(iter(labels.values()))), health)


def _check(health: HealthFact, label: str, *, first: str) -> dict[str, Any]:
    check: dict[str, Any] = {}
    if health.path is not None:
        check["path"] = health.path
    if label not in ("http", first):
        check["port"] = label
    times = (("interval", health.interval), ("timeout", health.timeout))
    check.update({key: f"{int(time.total_seconds()) or 1}s" for key, time in times if time is not None})
    return check
