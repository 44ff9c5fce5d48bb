"""What a measurement leaves behind: a table for people, and `.bench/<name>.json` for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.phases import Row, TakeOver


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """By number of apps, `1000 x 3` where there are three copies; the keys are documented, and only grow."""
    return {
        "noop_requests": {row.label: row.quiet.requests for row in rows},
        "noop_raft_writes": {row.label: row.quiet.raft_writes for row in rows},
        "noop_cpu_seconds": {row.label: row.quiet.cpu_seconds for row in rows},
        "commit_to_registered_ms": {row.label: {"p50": row.webhook.p50, "p99": row.webhook.p99} for row in rows},
        "commit_to_registered_by_poll_ms": {row.label: {"p50": row.poll.p50, "p99": row.poll.p99} for row in rows},
        "memory_mb": {row.label: row.memory_mb for row in rows},
        "first_deploy_passes_per_second": {row.label: row.deployment.passes_per_second for row in rows},
        "first_deploy_registered_seconds": {row.label: row.deployment.registered_seconds for row in rows},
        "restart_seconds": {row.label: row.restart.seconds for row in rows},
        "events_per_second": {row.label: row.noisy.events_per_second for row in rows},
        "event_lag_p99_ms": {row.label: row.noisy.lag_p99 for row in rows},
        "take_over_seconds": {
            row.label: {"clean": row.take_over.clean_seconds, "killed": row.take_over.killed_seconds}
            for row in rows
            if row.take_over is not None
        },
    }


def write(folder: Path, name: str, rows: Sequence[Row], *, nomad: str) -> Path:
    """Replaces what an earlier run left."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    told = {
        "name": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "nomad": nomad,
        "rows": [row.as_json() for row in rows],
        "summary": summary(rows),
    }
    path.write_text(json.dumps(_rounded(told), indent=2) + "\n")
    return path


def table(rows: Sequence[Row]) -> str:
    """One line for each number, one column for each size of the fleet."""
    lines: list[tuple[str, list[str]]] = [
        ("apps x copies", [row.label for row in rows]),
        ("first deployment", ["" for _ in rows]),
        ("  all registered after", [f"{row.deployment.registered_seconds:.2f} s" for row in rows]),
        ("  registers a second", [f"{row.deployment.registers_per_second:.0f}" for row in rows]),
        ("  passes a second until then", [f"{row.deployment.passes_per_second:.0f}" for row in rows]),
        ("  of one core until then", [f"{row.deployment.cpu_share:.0%}" for row in rows]),
        ("  all verified after", [f"{row.deployment.verified_seconds:.2f} s" for row in rows]),
        ("  passes an app", [f"{row.deployment.passes_per_app:.1f}" for row in rows]),
        ("  requests an app", [f"{row.deployment.requests_per_app:.1f}" for row in rows]),
        ("  Raft writes an app", [f"{row.deployment.raft_writes_per_app:.1f}" for row in rows]),
        ("  CPU", [f"{row.deployment.cpu_seconds:.2f} s" for row in rows]),
        ("a resync of a quiet fleet", ["" for _ in rows]),
        ("  requests", [f"{row.quiet.requests:g}" for row in rows]),
        ("  passes", [f"{row.quiet.passes:g}" for row in rows]),
        ("  writes (Raft entries in all)", [f"{row.quiet.writes} ({row.quiet.raft_writes})" for row in rows]),
        ("  CPU", [f"{row.quiet.cpu_seconds * 1000:.0f} ms" for row in rows]),
        ("one commit -> registered", ["" for _ in rows]),
        ("  webhook p50", [f"{row.webhook.p50:.0f} ms" for row in rows]),
        ("  webhook p99", [f"{row.webhook.p99:.0f} ms" for row in rows]),
        ("  poll of 1 s p50", [f"{row.poll.p50:.0f} ms" for row in rows]),
        ("  poll of 1 s p99", [f"{row.poll.p99:.0f} ms" for row in rows]),
        ("  requests until verified", [f"{row.webhook.requests:.1f}" for row in rows]),
        ("  CPU until verified", [f"{row.webhook.cpu_seconds * 1000:.0f} ms" for row in rows]),
        ("while others make events", ["" for _ in rows]),
        ("  events a second", [f"{row.noisy.events_per_second:.0f}" for row in rows]),
        ("  late by at most (p50)", [f"{row.noisy.lag_p50:.0f} ms" for row in rows]),
        ("  late by at most (p99)", [f"{row.noisy.lag_p99:.0f} ms" for row in rows]),
        ("  commit -> registered p50", [f"{row.noisy.commits.p50:.0f} ms" for row in rows]),
        ("  commit -> registered p99", [f"{row.noisy.commits.p99:.0f} ms" for row in rows]),
        ("  of one core", [f"{row.noisy.cpu_share:.0%}" for row in rows]),
        ("restart", ["" for _ in rows]),
        ("  all known again after", [f"{row.restart.seconds:.2f} s" for row in rows]),
        ("  requests (writes)", [f"{row.restart.requests} ({row.restart.writes})" for row in rows]),
        *_take_over(rows),
        ("memory", [f"{row.memory_mb:.0f} MB" for row in rows]),
        ("  at most", [f"{row.memory_peak_mb:.0f} MB" for row in rows]),
    ]
    first = max(len(label) for label, _ in lines) + 2
    return "\n".join(f"{label:<{first}}" + "".join(f"{value:>12}" for value in values) for label, values in lines)


def _take_over(rows: Sequence[Row]) -> Iterator[tuple[str, list[str]]]:
    """Nothing where there was one copy alone."""
    if all(row.take_over is None for row in rows):
        return

    def cells(told: Callable[[TakeOver], str]) -> list[str]:
        return [told(row.take_over) if row.take_over is not None else "" for row in rows]

    yield "another copy takes over", ["" for _ in rows]
    yield "  after a clean stop", cells(lambda one: f"{one.clean_seconds:.2f} s")
    yield "  all known again after", cells(lambda one: f"{one.clean_known_seconds:.2f} s")
    yield "  after a kill", cells(lambda one: f"{one.killed_seconds:.2f} s")
    yield "  all known again after", cells(lambda one: f"{one.killed_known_seconds:.2f} s")
    yield "  requests of one that waits, a minute", cells(lambda one: f"{one.waiting_requests:.0f}")
    yield "  memory of one that waits", cells(lambda one: f"{one.waiting_memory_mb:.0f} MB")


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {key: _rounded(one) for key, one in value.items()}
        case list():
            return [_rounded(one) for one in value]
    return value
