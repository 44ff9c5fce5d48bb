"""Dashboards and rules: what is committed is what is drawn, and each query finds something in a real Prometheus."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from charts.dashboards import DASHBOARDS, file_of
from charts.panels import text
from nomad_operator.demo import story
from nomad_operator.run import _CountedMetrics, opened
from nomad_operator.settings import Settings
from nomad_operator.web import Web
from nomad_operator.web_server import WebServer
from nomad_operator.wiring import Parts
from tests.charts.prometheus_process import Prometheus, free_port, installed, prometheus
from tests.e2e.waiting import until

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
RULES = CHARTS / "prometheus" / "rules.yml"


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for dashboard in DASHBOARDS:
        for panel in json.loads(text(dashboard))["panels"]:
            if panel["type"] != "row":
                yield f"{dashboard.title}: {panel['title']}", panel


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_the_committed_dashboards_are_those_that_are_drawn(dashboard: Any) -> None:
    assert file_of(dashboard).read_text(encoding="utf-8") == text(dashboard), "`make picture` writes them anew"


def test_no_panel_covers_another_and_each_has_an_id_of_its_own() -> None:
    for dashboard in DASHBOARDS:
        drawn = json.loads(text(dashboard))["panels"]
        assert len({panel["id"] for panel in drawn}) == len(drawn)
        taken: set[tuple[int, int]] = set()
        for panel in drawn:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
            assert not cells & taken, panel["title"]
            assert place["x"] + place["w"] <= 24
            taken |= cells


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    cases = yaml.safe_load((RULES.with_name("rules_test.yml")).read_text(encoding="utf-8"))["tests"]
    tested = [one for case in cases for one in case.get("alert_rule_test", ())]
    assert {one["alertname"] for one in tested if one.get("exp_alerts")} == set(alerts())
    assert {one["alertname"] for one in tested if not one.get("exp_alerts")} == set(alerts())


def test_every_alert_is_explained() -> None:
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(NomadOperator\w+)` \| (\w+) \|", page, re.MULTILINE))
    assert rows == {name: rule["labels"]["severity"] for name, rule in alerts().items()}


def test_promtool_finds_the_rules_good_and_their_tests_pass() -> None:
    promtool = installed("promtool")
    for arguments in (
        ("check", "rules", "rules.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "rules_test.yml"),
    ):
        done = subprocess.run([promtool, *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@asynccontextmanager
async def served(settings: Settings, *, port: int, asked: Prometheus) -> AsyncIterator[Parts]:
    """The demo's daemon, with the port that `run` would serve."""
    async with opened(settings) as parts:
        web = Web(backend=parts.backend, metrics=_CountedMetrics(parts), api_token=SecretStr("a-token-for-tests"))
        server = await WebServer.start(web.application(), host="127.0.0.1", port=port)
        try:
            yield parts
            # What happened last is scraped too.
            last = time.time()
            await asyncio.to_thread(until, lambda: asked.scraped_since(last), what="the end is scraped")
        finally:
            await server.stop()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_every_query_of_every_panel_and_rule_finds_something_of_a_real_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with prometheus(tmp_path, scrapes=f"127.0.0.1:{port}") as asked:
        monkeypatch.setattr(story, "opened", lambda settings: served(settings, port=port, asked=asked))
        began = time.time()
        assert await story.play_embedded() == 0
        # Before the address went away, and after all had happened.
        (last,) = asked.ask("max(max_over_time(timestamp(up == 1)[5m:1s]))")
        ended = float(last["value"][1])
        silent = [where for where, panel in panels() if not _answers(asked, panel, began, ended)]
        assert silent == []
        for name, expression in _records():
            # A rule may rest on another one, which this Prometheus has not recorded.
            if "nomad_operator:" not in expression:
                assert asked.ask(expression.replace("[7d]", "[5m]").replace("[1h]", "[5m]"), at=ended), name
        for name, rule in alerts().items():
            asked.ask(rule["expr"])  # it is understood; whether it fires is what rules_test.yml is about
            assert "nomad_operator" in rule["expr"] or "up{" in rule["expr"], name
        # The story, told by the numbers.
        repaired = asked.ask('sum(increase(nomad_operator_episodes_total{outcome="repaired"}[5m]))', at=ended)
        assert float(repaired[0]["value"][1]) >= 5
        (ready,) = asked.ask_over('count(nomad_operator_app_info{ready="True"})', since=began, until_=ended)
        assert float(ready["values"][-1][1]) >= 8
    capsys.readouterr()


def _answers(asked: Prometheus, panel: dict[str, Any], began: float, ended: float) -> bool:
    """Each of its queries has a series with a number in it, as Grafana would ask at the end of the run."""
    for target in panel["targets"]:
        span = f"{int(ended - began) + 10}s"
        query = target["expr"].replace("$__rate_interval", "15s").replace("$__range", span)
        if target["instant"]:
            found = [one["value"][1] for one in asked.ask(query, at=ended)]
        else:
            found = [at[1] for one in asked.ask_over(query, since=began, until_=ended) for at in one["values"]]
        if not [value for value in found if value not in ("NaN", "+Inf", "-Inf")]:
            return False
    return True


def _records() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        yield from ((rule["record"], rule["expr"]) for rule in group["rules"] if "record" in rule)
