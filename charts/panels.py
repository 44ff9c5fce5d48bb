"""What a Grafana dashboard is made of, and how it is written: rows of panels with a title, a query and a unit.

Where things stand and how they look is worked out here; what they show stands in `charts/dashboards.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """`queries` by what their lines are called; `{{label}}` in that is filled in by Grafana."""

    title: str
    queries: Mapping[str, str]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 8
    about: str = ""
    red_above: float | None = None
    red_below: float | None = None


@dataclass(frozen=True, slots=True)
class Dashboard:
    uid: str
    title: str
    about: str
    rows: Sequence[tuple[str, Sequence[Panel]]]


def drawn(dashboard: Dashboard) -> dict[str, Any]:
    """As Grafana imports it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in dashboard.rows:
        panels.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": _WIDTH, "h": 1}, "id": len(panels) + 1})  # fmt: skip
        y, x, tallest = y + 1, 0, 0
        for panel in row:
            height = 4 if panel.kind == "stat" and panel.width <= 8 and len(row) > 4 else 8
            if x + panel.width > _WIDTH:
                y, x, tallest = y + tallest, 0, 0
            panels.append(_drawn(panel, len(panels) + 1, {"x": x, "y": y, "w": panel.width, "h": height}))
            x, tallest = x + panel.width, max(tallest, height)
        y += tallest
    return {
        "uid": dashboard.uid, "title": dashboard.title, "description": dashboard.about, "tags": ["nomad-operator"],
        "schemaVersion": 39, "editable": True, "refresh": "30s", "time": {"from": "now-24h", "to": "now"},
        "timezone": "", "panels": panels,
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]
        },
        "links": [{"type": "dashboards", "tags": ["nomad-operator"], "title": "nomad-operator", "asDropdown": False}],
    }  # fmt: skip


def _drawn(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    # A number of a span is asked for once; a line for each moment.
    at_once = panel.kind in ("stat", "bargauge", "table")
    targets = [
        {
            "refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": query, "legendFormat": called,
            "instant": at_once, "range": not at_once, "format": "table" if panel.kind == "table" else "time_series",
        }
        for index, (called, query) in enumerate(panel.queries.items())
    ]  # fmt: skip
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_above is not None:
        steps.append({"color": "red", "value": panel.red_above})
    if panel.red_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.red_below}]
    options: dict[str, Any] = {}
    if panel.kind in ("stat", "bargauge"):
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}}
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.about, "gridPos": place,
        "datasource": _SOURCE, "targets": targets, "options": options,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}},
                        "overrides": []},
    }  # fmt: skip


def text(dashboard: Dashboard) -> str:
    return json.dumps(drawn(dashboard), indent=1, ensure_ascii=False) + "\n"
