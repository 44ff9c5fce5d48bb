"""docs/metrics.md is what the code exports, word for word, and every metric that a page or a chart names exists."""

from __future__ import annotations

import re
from pathlib import Path

from nomad_operator.metrics import Metrics
from tests.guards.metrics_page import PAGE, written

DESIGNED = {
    "apps", "app_info", "reconcile_total", "reconcile_duration_seconds", "queue_depth", "queue_wait_seconds",
    "commit_to_registered_seconds", "commit_to_healthy_seconds", "event_lag_seconds", "event_stream_up",
    "resync_nomad_requests", "drift_total", "leader", "dependency_up", "episodes_total", "repair_attempts_total",
    "repair_seconds", "durable_fixes_total", "fix_regressions_total", "human_reverted_total", "model_tokens_total",
    "model_seconds", "guard_rejections_total",
}  # fmt: skip


def _exported() -> set[str]:
    families = Metrics(version="0").registry.collect()
    ours = [family for family in families if family.name.startswith("nomad_operator")]
    return {family.name + {"counter": "_total", "info": "_info"}.get(family.type, "") for family in ours}


def test_the_page_is_what_the_code_describes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "`make picture` writes it anew"


def test_what_is_described_is_what_is_exported() -> None:
    assert {one.name for one in Metrics(version="0").described} == _exported()


def test_every_metric_of_the_design_is_exported() -> None:
    assert {f"nomad_operator_{name}" for name in DESIGNED} <= _exported()


def test_every_metric_that_is_named_anywhere_exists(root: Path, tracked: list[str]) -> None:
    exported = _exported()
    series = exported | {
        f"{name}{ending}" for name in exported for ending in ("_bucket", "_count", "_sum") if "seconds" in name
    }
    for name in tracked:
        if name.endswith((".md", ".json", ".yml", ".hcl")) and not name.startswith("tests/"):
            for word in re.findall(r"\bnomad_operator_[a-z_]+\b", (root / name).read_text(encoding="utf-8")):
                # Recording rules have colons; a trailing underscore is a placeholder.
                assert word in series or word == "nomad_operator_", f"{name}: {word}"
