"""Blocks that say where and how often something runs: constraints, spreads, retries, updates, scaling."""

# Every call in a class body makes a dataclass field.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from desired.job.fields import (
    Kind,
    api_only,
    blocks,
    duration,
    flag,
    integer,
    label,
    map_block,
    text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What a node must be like. HCL's short forms (`regexp = …`) are read into these three."""

    attribute: str = text("LTarget", "")
    operator: str = text("Operand", "")
    value: str = text("RTarget", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    """What a node should be like, with a weight from -100 to 100."""

    attribute: str = text("LTarget", "")
    operator: str = text("Operand", "")
    value: str = text("RTarget", "")
    weight: int | None = integer("Weight", limits=(-128, 127))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadTarget:
    """One value of the spread attribute and its share."""

    value: str = label("Value")
    percent: int = integer("Percent", 0, limits=(0, 255))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Allocations spread over the values of a node attribute."""

    attribute: str = text("Attribute", "")
    weight: int | None = integer("Weight", limits=(-128, 127))
    targets: tuple[SpreadTarget, ...] = blocks("SpreadTarget", "SpreadTarget", hcl="target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Restarts on the same node."""

    attempts: int | None = integer("Attempts")
    interval: timedelta | None = duration("Interval")
    delay: timedelta | None = duration("Delay")
    mode: str | None = text("Mode")
    render_templates: bool | None = flag("RenderTemplates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reschedule:
    """Replacement on another node."""

    attempts: int | None = integer("Attempts")
    interval: timedelta | None = duration("Interval")
    delay: timedelta | None = duration("Delay")
    delay_function: str | None = text("DelayFunction")
    max_delay: timedelta | None = duration("MaxDelay")
    unlimited: bool | None = flag("Unlimited")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """What happens to allocations of a node that lost contact."""

    lost_after: timedelta | None = duration("LostAfter")
    stop_on_client_after: timedelta | None = duration("StopOnClientAfter")
    replace: bool | None = flag("Replace")
    reconcile: str | None = text("Reconcile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrate:
    """How allocations leave a draining node."""

    max_parallel: int | None = integer("MaxParallel")
    health_check: str | None = text("HealthCheck")
    min_healthy_time: timedelta | None = duration("MinHealthyTime")
    healthy_deadline: timedelta | None = duration("HealthyDeadline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """How a new version is rolled out."""

    max_parallel: int | None = integer("MaxParallel")
    canary: int | None = integer("Canary")
    stagger: timedelta | None = duration("Stagger")
    health_check: str | None = text("HealthCheck")
    min_healthy_time: timedelta | None = duration("MinHealthyTime")
    healthy_deadline: timedelta | None = duration("HealthyDeadline")
    progress_deadline: timedelta | None = duration("ProgressDeadline")
    auto_revert: bool | None = flag("AutoRevert")
    auto_promote: bool | None = flag("AutoPromote")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Bounds and a policy for an autoscaler. In a task the HCL label is `cpu` or `mem`, and becomes `type`."""

    type: str = text("Type", "")
    enabled: bool | None = flag("Enabled")
    min: int | None = integer("Min")
    max: int | None = integer("Max")
    policy: Mapping[str, Any] | None = map_block("Policy", Kind.FREE)
    id: str = api_only("ID", "")
    namespace: str = api_only("Namespace", "")
    target: Mapping[str, str] | None = api_only("Target")
    create_index: int = api_only("CreateIndex", 0)
    modify_index: int = api_only("ModifyIndex", 0)
