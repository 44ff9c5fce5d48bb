"""What the dashboards ask Prometheus, in the shapes that come again and again.

Each returns something on an operator that has only just begun: `or vector(0)` stands where a counter is not there
before it counts.
"""

from __future__ import annotations

PREFIX = "nomad_operator_"
DURABLE, EPISODES = "durable_fixes_total", "episodes_total"
# What could have been repaired: the rest is told beside it, never hidden.
ELIGIBLE = 'outcome!~"superseded|stopped|healed|not_ours"'


def percentile(metric: str, share: float, *, span: str = "$__rate_interval") -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({PREFIX}{metric}_bucket[{span}])))"


def so_far(share: float, stage: str, *, by: str = "") -> str:
    """Of all repairs since the operator started: they are few, and a rate would leave out the first of each class."""
    labels = ", ".join(part for part in ("le", by) if part)
    return f'histogram_quantile({share}, sum by ({labels}) ({PREFIX}repair_seconds_bucket{{stage="{stage}"}}))'


def grown(metric: str, *, by: str = "", where: str = "") -> str:
    """How much a counter has grown over the time that is looked at; 0 where it is not there yet."""
    summed = f"sum by ({by})" if by else "sum"
    return f"{summed} (increase({PREFIX}{metric}{where}[$__range])) or vector(0)"


def share(of: str, all_of: str, *, by: str = "") -> str:
    """0 where there was nothing to be a share of."""
    summed = f"sum by ({by})" if by else "sum"
    part, whole = (f"{summed} (increase({PREFIX}{one}[$__range]))" for one in (of, all_of))
    # A class of which nothing was durable has a share too: nothing.
    return f"(({part} or 0 * {whole}) / ({whole} > 0)) or vector(0)"
