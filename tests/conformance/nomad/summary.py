"""The last lines of a run: how much was compared, what is not implemented on purpose, what differs on purpose.

A scenario's numbers travel with its test's report, so that they arrive from the workers of a parallel run too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.conformance.nomad.deviations import Table
from tests.conformance.nomad.replay import Outcome

PROPERTY = "nomad_conformance"


def numbers(target: str, outcome: Outcome, table: Table) -> dict[str, Any]:
    """Of one scenario, as plain values."""
    used = {entry.pattern for entry, scenario in table.used if scenario == outcome.scenario}
    return {
        "target": target,
        "compared": outcome.compared,
        "not_used": outcome.not_used,
        "explained": outcome.explained,
        "deviations": sorted(used & {entry.pattern for entry in table.deviations if entry.target in (target, "both")}),
        "new": len(outcome.problems),
    }


def summary(told: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each target."""
    all_ = list(told)
    lines = []
    for target in sorted({one["target"] for one in all_}):
        mine = [one for one in all_ if one["target"] == target]
        deviations = {pattern for one in mine for pattern in one["deviations"]}
        lines.append(
            f"Nomad conformance, {target}: {len(mine)} scenarios,"
            f" {sum(one['compared'] for one in mine)} exchanges compared,"
            f" {sum(one['not_used'] for one in mine)} with endpoints that are not used,"
            f" {sum(one['explained'] for one in mine)} differences by {len(deviations)} deviations,"
            f" {sum(one['new'] > 0 for one in mine)} scenarios with new differences"
        )
    return lines
