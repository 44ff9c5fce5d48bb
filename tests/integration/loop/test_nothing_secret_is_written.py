"""Secrets of many shapes in every field that evidence can come from: none is readable in anything the product writes.

The one exception is the job itself: the last good version has to be registered again as it was, so its body is in the
state, which is as secret as git.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, Phase, given, settings
from prometheus_client import generate_latest

from desired.errors import Rejected
from desired.policy import Policy, Repair, RepairMode
from nomad_operator.commands.repair_words import report
from nomad_operator.commands.table import Style
from nomad_operator.metrics import Metrics
from nomad_operator.news.notice import Notice, Topic
from nomad_operator.news.of_apps import NewsOfApps
from nomad_operator.news.of_repairs import NewsOfRepairs
from nomad_operator.news.target import Form
from nomad_operator.news.words import Words, body
from nomad_operator.repair_view import episode, overlay, story
from nomad_operator.repairs_told import RepairsTold
from observers.nomad.client import NomadClient
from observers.redaction import Placeholders, Redactor
from observers.running import Allocation, Check, PlacementFailure, Plan, Running
from reconcilers.memory_store import MemoryStore
from tests.integration.loop.cluster import FAST, Cluster, key
from tests.secret_shapes import Shaped, passwords, readable, shaped


class Telling:
    """A Nomad that puts `said` behind every word it says."""

    def __init__(self, client: NomadClient, said: str) -> None:
        self._client = client
        self._said = said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def _more(self, text: str) -> str:
        return f"{text} {self._said}"

    async def running(self, *arguments: Any, **named: Any) -> Running:
        found = await self._client.running(*arguments, **named)
        deployment = found.deployment
        return replace(
            found,
            allocations=tuple(self._allocation(one) for one in found.allocations),
            placement=self._placement(found.placement),
            checks=found.checks and tuple(self._check(one) for one in found.checks),
            deployment=deployment and replace(deployment, status_description=self._more(deployment.status_description)),
        )

    async def plan(self, *arguments: Any, **named: Any) -> Plan:
        try:
            found = await self._client.plan(*arguments, **named)
        except Rejected as error:
            raise self._refused(error) from error
        return replace(found, failed=self._placement(found.failed), warnings=self._more(found.warnings))

    async def register(self, *arguments: Any, **named: Any) -> Any:
        try:
            return await self._client.register(*arguments, **named)
        except Rejected as error:
            raise self._refused(error) from error

    async def logs(self, *arguments: Any, **named: Any) -> str | None:
        return f"{self._said}\n{await self._client.logs(*arguments, **named)}\n{self._said}"

    def _refused(self, error: Rejected) -> Rejected:
        mistakes = tuple(self._more(one) for one in error.mistakes)
        return Rejected(self._more(error.message), reason=error.reason, hint=self._said, mistakes=mistakes)

    def _placement(self, failures: Mapping[str, PlacementFailure]) -> dict[str, PlacementFailure]:
        return {
            group: replace(
                one,
                constraint_filtered={**one.constraint_filtered, f"${{meta.x}} = {self._said}": 1},
                dimension_exhausted={self._more(name): count for name, count in one.dimension_exhausted.items()},
            )
            for group, one in failures.items()
        }

    def _check(self, one: Check) -> Check:
        return replace(one, output=self._more(one.output))

    def _allocation(self, one: Allocation) -> Allocation:
        tasks = {
            name: replace(
                state,
                events=tuple(
                    replace(
                        event,
                        message=self._more(event.message),
                        details={**event.details, "driver_error": self._more(event.details.get("driver_error", ""))},
                    )
                    for event in state.events
                ),
            )
            for name, state in one.tasks.items()
        }
        return replace(
            one,
            tasks=tasks,
            client_description=self._more(one.client_description),
            desired_description=self._more(one.desired_description),
        )


class Leaky(Cluster):
    """A whole loop whose Nomad says `said` everywhere; everything that is written anywhere is kept."""

    def __init__(self, said: str, world: str) -> None:
        self.said = said
        self.written: list[str] = []
        super().__init__(world=world, store=Keeping(self.written))
        self.metrics = Metrics(version="1")
        self.records.listen(RepairsTold(metrics=self.metrics, log=structlog.get_logger()).saved)
        # As the daemon tells webhooks, but with nothing known beforehand: what reaches them is clean already.
        redact = Redactor(known=(), placeholders=Placeholders()).redact
        self.records.listen(NewsOfRepairs(desk=self, redact=redact, now=lambda: self.now).saved)
        self.reports.watch(NewsOfApps(desk=self, redact=redact).changed)

    def put(self, notice: Notice) -> None:
        news = [notice]
        self.written += [json.dumps(body(form, Words(form=form).text(news), news), ensure_ascii=False) for form in Form]

    def settle(self, topic: Topic) -> None:
        pass

    def forget(self, app: str) -> None:
        pass

    def restart(self) -> None:
        super().restart()
        telling: Any = Telling(self.client, self.said)
        self.reconciler._nomad = telling
        made: Any = self.reconciler._repairs.evidence
        made._collector._reads = telling

    def everything(self, *names: str) -> str:
        for name in names:
            record, shown = self.records.get(key(name)), self.reports.get(key(name))
            told = story(record)
            self.written += [json.dumps(told, ensure_ascii=False), json.dumps(overlay(record.overlay))]
            both = (record.episode, record.last_episode)
            self.written += [json.dumps(episode(one), ensure_ascii=False) for one in both]
            self.written += report(told, datetime(2026, 1, 2, tzinfo=UTC), Style(color=False, width=200))
            if shown is not None:
                self.written += [shown.message, str(shown.conditions)]
        self.written.append(generate_latest(self.metrics.registry).decode())
        return "\n".join(self.written)


class Keeping(MemoryStore):
    """Keeps every document that was ever stored, without the job itself."""

    def __init__(self, written: list[str]) -> None:
        super().__init__()
        self._written = written

    async def put(self, name: str, document: Any, *, expected: int) -> int:
        shown = json.loads(json.dumps(document))
        self._written.append(json.dumps(without_jobs(shown), ensure_ascii=False))
        return await super().put(name, document, expected=expected)


def without_jobs(value: Any) -> Any:
    """Whatever is a spec: the job as git has it, to be registered again word for word."""
    if isinstance(value, dict):
        return {name: without_jobs(inner) for name, inner in value.items() if name not in ("json", "text", "variables")}
    return [without_jobs(inner) for inner in value] if isinstance(value, list) else value


WORLD = """
nodes: [{name: node-1}, {name: node-2}]
behaviours:
  - {command: "hungry", needs_memory: 200}
  - {command: "ravenous", needs_memory: 5000}
  - {command: "crash", runs_for: 300ms, exit_code: 1, stderr: "it crashed\\n"}
  - {command: "asks", needs_env: [DATABASE_URI], stderr: "KeyError: 'DATABASE_URI'\\n"}
"""


def job(secret: str, *, command: str, more: str = "", constraint: str = "", memory: int = 128) -> str:
    """A job that holds the secret wherever one can stand in it."""
    text = json.dumps(secret, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    line = json.dumps(secret.splitlines()[0], ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return f"""job "web" {{
  {constraint}
  group "app" {{
    {FAST}
    task "app" {{
      driver = "docker"
      config {{
        image   = "app:1"
        command = "{command}"
        args    = ["--password", {line}]
        auth {{
          username = "app"
          password = {line}
        }}
      }}
      env {{
        DATABSE_URI = {text}
      }}
      {more}
      resources {{
        cpu    = 100
        memory = {memory}
      }}
    }}
  }}
}}
"""


def oom(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="hungry"))
    cluster.live("web", minutes=8)


def exhausted(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="ravenous"))
    cluster.live("web", minutes=20)


def crashes(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="serve"))
    cluster.live("web", minutes=3)
    cluster.commit(job(secret, command="crash"))
    cluster.live("web", minutes=6)


def refused(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="serve", constraint='node_pool = "nowhere"'))
    cluster.live("web", minutes=4)


def unplaced(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="serve", memory=90_000))
    cluster.live("web", minutes=6)


def unplaced_and_left(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="serve"))
    cluster.live("web", minutes=3)
    off = Policy(repair=Repair(mode=RepairMode.OFF))
    cluster.commit(job(secret, command="serve", memory=90_000), policy=off)
    cluster.passes("web")
    report = cluster.reports.get(key("web"))
    cluster.written.append(str(report))
    cluster.live("web", minutes=6)


def wrong_place(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="serve", constraint='datacenters = ["dc9"]'))
    cluster.live("web", minutes=6)


def misspelt(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="asks"))
    cluster.live("web", minutes=10)


def waiting(cluster: Leaky, secret: str) -> None:
    cluster.commit(job(secret, command="asks"), policy=Policy(repair=Repair(mode=RepairMode.PROPOSE)))
    cluster.live("web", minutes=10)


STORIES: list[Callable[[Leaky, str], None]] = [
    oom, exhausted, crashes, refused, unplaced, unplaced_and_left, wrong_place, misspelt, waiting,
]  # fmt: skip


@pytest.mark.parametrize("tell", STORIES, ids=lambda tell: tell.__name__)
@given(secret=passwords(), found=shaped())
# A story takes seconds: a counterexample is told as it was found.
@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
def test_no_secret_can_be_read_in_what_is_stored_shown_logged_or_counted(
    tell: Callable[[Leaky, str], None], secret: str, found: Shaped
) -> None:
    said = f"SAID {secret} THEN {found.text} END"
    with structlog.testing.capture_logs() as logs:
        cluster = Leaky(said, WORLD)
        tell(cluster, secret)
        told = cluster.everything("web") + "\n".join(map(str, logs))
    # Else nothing would have been tested.
    assert "SAID" in told and "«secret:" in told
    for one in (secret, found.secret):
        assert not readable(one, told), near(one, told)


def near(secret: str, told: str) -> str:
    for part in (secret, *secret.splitlines()):
        at = told.find(part)
        if at >= 0:
            return told[max(0, at - 400) : at + 200]
    return secret
