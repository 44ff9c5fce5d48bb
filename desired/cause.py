"""Who can do something about a failure."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Decides whether a failure climbs the repair ladder, and whether a failed spec is tried again by itself.

    Only `spec` climbs; `time` waits; `cluster` and `external` are told with who must do what. `none` is no failure of
    the job at all (superseded, drained, stopped by a person): nothing is counted against it.
    """

    SPEC = "spec"
    CLUSTER = "cluster"
    EXTERNAL = "external"
    TIME = "time"
    NONE = "none"
    UNKNOWN = "unknown"
