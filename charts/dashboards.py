"""Writes the Grafana dashboards beside it (`charts/grafana/*.json`): `make picture`.

Every query of theirs is run against a real Prometheus by the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

from charts.fleet_dashboard import FLEET
from charts.health_dashboard import HEALTH
from charts.panels import Dashboard, text
from charts.repair_dashboard import REPAIR

FOLDER = Path(__file__).with_name("grafana")

DASHBOARDS = (FLEET, REPAIR, HEALTH)


def file_of(dashboard: Dashboard) -> Path:
    return FOLDER / f"{dashboard.uid.removeprefix('nomad-operator-')}.json"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in DASHBOARDS:
        file_of(each).write_text(text(each), encoding="utf-8")
    print("charts/grafana: the dashboards are written", file=sys.stderr)
