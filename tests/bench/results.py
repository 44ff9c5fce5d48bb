"""What a measurement leaves behind: a table for people, and `.bench/<name>.json` for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.phases import Row


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """By number of apps; the keys are documented, and only grow."""
    return {
        "noop_requests": {str(row.apps): row.quiet.requests for row in rows},
        "noop_raft_writes": {str(row.apps): row.quiet.raft_writes for row in rows},
        "noop_cpu_seconds": {str(row.apps): row.quiet.cpu_seconds for row in rows},
        "commit_to_registered_ms": {str(row.apps): {"p50": row.webhook.p50, "p99": row.webhook.p99} for row in rows},
        "commit_to_registered_by_poll_ms": {str(row.apps): {"p50": row.poll.p50, "p99": row.poll.p99} for row in rows},
        "memory_mb": {str(row.apps): row.memory_mb for row in rows},
        "first_deploy_passes_per_second": {str(row.apps): row.deployment.passes_per_second for row in rows},
        "first_deploy_registered_seconds": {str(row.apps): row.deployment.registered_seconds for row in rows},
        "restart_seconds": {str(row.apps): row.restart.seconds for row in rows},
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
        ("apps", [f"{row.apps}" for row in rows]),
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
        ("restart", ["" for _ in rows]),
        ("  all known again after", [f"{row.restart.seconds:.2f} s" for row in rows]),
        ("  requests (writes)", [f"{row.restart.requests} ({row.restart.writes})" for row in rows]),
        ("memory", [f"{row.memory_mb:.0f} MB" for row in rows]),
        ("  at most", [f"{row.memory_peak_mb:.0f} MB" for row in rows]),
    ]
    first = max(len(label) for label, _ in lines) + 2
    return "\n".join(f"{label:<{first}}" + "".join(f"{value:>12}" for value in values) for label, values in lines)


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {key: _rounded(one) for key, one in value.items()}
        case list():
            return [_rounded(one) for one in value]
    return value
