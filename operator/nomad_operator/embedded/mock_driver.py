"""The mock driver of Nomad's test builds: how its task behaves stands in its config. Source: drivers/mock/driver.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desired.job.duration import DurationError, parse_duration
from nomad_operator.embedded.instant import MILLISECOND
from nomad_operator.embedded.world import Behaviour


def mocked(config: Mapping[str, Any]) -> Behaviour:
    """What the config says; without `run_for` the task ends at once."""
    return Behaviour(
        starts_after=_span(config, "start_block_for") or 20 * MILLISECOND,
        runs_for=_span(config, "run_for"),
        exit_code=int(config.get("exit_code") or 0),
        exit_signal=int(config.get("exit_signal") or 0),
        stdout=str(config.get("stdout_string") or ""),
        stderr=str(config.get("stderr_string") or ""),
        start_error=str(config.get("start_error") or ""),
        start_error_recoverable=bool(config.get("start_error_recoverable")),
    )


def _span(config: Mapping[str, Any], name: str) -> int:
    try:
        return parse_duration(str(config.get(name) or "0"))
    except DurationError:
        return 0
