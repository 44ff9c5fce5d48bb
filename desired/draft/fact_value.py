"""A fact as a value of the manifest, with what it overruled. Pure."""

from __future__ import annotations

from typing import Any

from desired.draft.value import Value
from desired.facts.fact import Fact

# What the image brings along stands in the image, and need not stand in the job.
OF_THE_IMAGE = "dockerfile"


def fact_value(at: tuple[str, ...], data: Any, fact: Fact[Any]) -> Value:
    return Value(at, data, fact.source, fact.confidence, fact.reason, others(fact))


def others(fact: Fact[Any]) -> tuple[str, ...]:
    return tuple(f"{other.value} ({other.source})" for other in fact.overruled)
