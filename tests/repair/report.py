"""What a run leaves behind: a table for people, and `.bench/repair.json` for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Any

from tests.repair.compare import Compared
from tests.repair.verdict import Judged

_COLUMNS = (
    ("cases", "cases"), ("verdict", "verdict_accuracy"), ("due", "eligible"), ("fixed", "fixed"),
    ("durable", "durable"), ("wrong", "wrong_changes"), ("attempts", "attempts_mean"),
    ("to verdict", "seconds_to_verdict"), ("to healthy", "seconds_to_healthy"), ("calls", "nomad_calls"),
)  # fmt: skip


def numbers(found: Sequence[Judged]) -> dict[str, Any]:
    """Of some cases. Times are medians, in virtual seconds; what did not happen counts in none."""
    eligible = [one for one in found if one.eligible]
    return {
        "cases": len(found),
        "eligible": len(eligible),
        "fixed": sum(one.fixed for one in eligible),
        "durable": sum(one.durable for one in eligible),
        "wrong_changes": sum(len(one.wrong) for one in found),
        "verdict_accuracy": sum(one.verdict_right for one in found) / len(found) if found else 0.0,
        "attempts_mean": mean(one.attempts for one in eligible) if eligible else 0.0,
        "within_two_attempts": sum(one.fixed and one.attempts <= 2 for one in eligible),
        "seconds_to_verdict": _median(one.seconds_to_verdict for one in found),
        "seconds_to_healthy": _median(one.seconds_to_healthy for one in eligible if one.fixed),
        "milliseconds_to_registered": max(
            (one.milliseconds_to_registered for one in found if one.milliseconds_to_registered), default=None
        ),
        "nomad_calls": _median(one.calls for one in found),
        "model_tokens_per_fix": 0,
    }


def summary(found: Sequence[Judged], rungs: str) -> dict[str, Any]:
    labels = sorted({one.label for one in found})
    parts = sorted({one.part for one in found})
    return {
        **numbers(found),
        "by_class": {label: numbers([one for one in found if one.label == label]) for label in labels},
        "by_part": {part: numbers([one for one in found if one.part == part]) for part in parts},
        "by_rungs": {rungs: numbers(found)},
    }


def table(found: Sequence[Judged]) -> str:
    """A line for each class of the broken ones, one for each other part, one for all."""
    broken = [one for one in found if one.part == "broken"]
    lines = [("", [head for head, _ in _COLUMNS])]
    for label in sorted({one.label for one in broken}):
        lines.append((label, _cells([one for one in broken if one.label == label])))
    for part in sorted({one.part for one in found}):
        lines.append((f"all {part}", _cells([one for one in found if one.part == part])))
    lines.append(("all", _cells(found)))
    first = max(len(label) for label, _ in lines) + 2
    return "\n".join(f"{label:<{first}}" + "".join(f"{cell:>12}" for cell in cells).rstrip() for label, cells in lines)


def _cells(found: Sequence[Judged]) -> list[str]:
    told = numbers(found)
    cells = []
    for _, name in _COLUMNS:
        value = told[name]
        if name == "verdict_accuracy":
            cells.append(f"{value:.0%}")
        elif value is None:
            cells.append("-")
        elif name.startswith("seconds"):
            cells.append(f"{value:.1f} s")
        elif isinstance(value, float):
            cells.append(f"{value:.2f}".rstrip("0").rstrip("."))
        else:
            cells.append(str(value))
    return cells


def write(folder: Path, found: Sequence[Judged], *, rungs: str, nomad: str) -> Path:
    """Replaces what an earlier run left."""
    folder.mkdir(exist_ok=True)
    path = folder / "repair.json"
    told = {
        "name": "repair",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "nomad": nomad,
        "rows": [one.as_json() for one in found],
        "summary": summary(found, rungs),
    }
    path.write_text(json.dumps(told, indent=2, default=list) + "\n")
    return path


def write_rungs(folder: Path, found: Sequence[Compared]) -> Path:
    """Beside `repair.json`; replaces what an earlier run left."""
    folder.mkdir(exist_ok=True)
    path = folder / "repair-rungs.json"
    told = {
        "name": "repair-rungs",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "by_rungs": {one.rungs: one.numbers for one in found},
        "rows": {one.rungs: [each.as_json() for each in one.found] for one in found},
    }
    path.write_text(json.dumps(told, indent=2, default=list) + "\n")
    return path


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
