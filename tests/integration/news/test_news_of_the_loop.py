"""Stories of apps and repairs, as whoever has a webhook hears them: what changed, once, with what to type."""

from __future__ import annotations

from collections.abc import Callable

from desired.app import AppKey
from desired.policy import Policy, Repair, RepairMode
from desired.problem import Problem
from desired.state import DesiredState, UnreadableFile
from nomad_operator.news.notice import Kind, Notice, Topic
from nomad_operator.news.of_apps import NewsOfApps
from nomad_operator.news.of_repairs import NewsOfRepairs
from nomad_operator.news.pending import Pending
from reconcilers.requests import Verb
from reconcilers.situation import Rules
from tests.integration.loop.cluster import FAST, Cluster, job, run
from tests.integration.loop.test_repairs import PROPOSE, WORLD


class Heard(Cluster):
    """A whole loop with somebody who listens; every few seconds of its life they are told what is new."""

    def __init__(self, **options: object) -> None:
        self.pending = Pending(kinds=Kind)
        self.news: list[Notice] = []
        super().__init__(world=WORLD, **options)  # type: ignore[arg-type]

    def restart(self) -> None:
        super().restart()
        self.pending = Pending(kinds=Kind)
        apps = NewsOfApps(desk=self, redact=str)
        self.reports.watch(apps.changed)
        self.reports.listen(lambda one: apps.gone(one.key) if self.reports.get(one.key) is None else None)
        repairs = NewsOfRepairs(desk=self, redact=str, now=lambda: self.now)
        self.records.listen(repairs.saved)
        self.switch.listen(repairs.switched)

    def put(self, notice: Notice) -> None:
        assert self.pending.put(notice)

    def settle(self, topic: Topic) -> None:
        self.pending.settle(topic)

    def forget(self, app: str) -> None:
        self.pending.forget(app)

    def let(self, span: object) -> None:
        super().let(span)  # type: ignore[arg-type]
        self.news += self.pending.take(self.now.timestamp())

    def kinds(self) -> list[str]:
        return [one.kind.value for one in self.news]


def heard(tell: Callable[[Heard], None]) -> list[str]:
    cluster = Heard()
    tell(cluster)
    return cluster.kinds()


def test_a_new_app_that_comes_up_is_told_once_and_then_nothing_for_an_hour() -> None:
    cluster = Heard()
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=60)
    assert cluster.kinds() == ["ready"]
    assert cluster.news[0].title == "default/web is ready"


def test_a_repair_is_told_from_its_proposal_to_its_proof() -> None:
    cluster = Heard()
    cluster.commit(job(command="hungry", memory=64, update=FAST))
    cluster.live("web", minutes=45)
    kinds = cluster.kinds()
    assert [kind for kind in kinds if kind.startswith("repair_")] == [
        "repair_proposed", "repair_proposed", "repair_applied", "repair_durable",
    ]  # fmt: skip
    assert kinds[-2:] == ["ready", "repair_durable"] or kinds[-3:-1] == ["repair_applied", "ready"]
    proposed = next(one for one in cluster.news if one.kind is Kind.REPAIR_PROPOSED)
    assert "oom_killed: memory of app/app: 64 MB → 128 MB" in proposed.text


def test_a_proposal_comes_with_the_command_that_approves_exactly_it() -> None:
    cluster = Heard()
    cluster.commit(job(command="hungry", memory=128, update=FAST), policy=PROPOSE)
    cluster.live("web", minutes=5)
    (asked,) = [one for one in cluster.news if one.kind is Kind.APPROVAL_NEEDED]
    episode = cluster.records.get(AppKey("default", "web")).episode
    assert episode is not None and episode.waiting is not None
    assert f"nomad-operator repairs approve default/web --proposal {episode.waiting.hash}" in asked.commands
    assert "nomad-operator repairs reject default/web" in asked.commands
    before = len(cluster.news)
    cluster.ask("web", Verb.APPROVE)
    cluster.live("web", minutes=40)
    later = [one.kind.value for one in cluster.news[before:]]
    assert [kind for kind in later if kind.startswith("repair_")] == [
        "repair_approved", "repair_applied", "repair_durable",
    ]  # fmt: skip


def test_what_cannot_be_repaired_is_told_once() -> None:
    def story(cluster: Heard) -> None:
        cluster.commit(job(command="ravenous", memory=64, update=FAST))
        cluster.live("web", minutes=90)

    kinds = heard(story)
    assert kinds.count("repair_exhausted") == 1
    assert kinds.count("repair_proposed") == 3
    assert "repair_applied" not in kinds and "ready" not in kinds


def test_a_repair_that_is_taken_back_did_not_last() -> None:
    def story(cluster: Heard) -> None:
        cluster.commit(job(command="hungry", memory=128, update=FAST))
        cluster.live("web", minutes=8)
        cluster.ask("web", Verb.REVERT)
        cluster.live("web", minutes=45)

    kinds = heard(story)
    assert kinds.count("repair_regressed") == 1
    assert "repair_durable" not in kinds


def test_an_app_that_fails_is_not_ready_any_more_and_is_ready_again_when_it_is_mended() -> None:
    off = Policy(repair=Repair(mode=RepairMode.OFF))

    def story(cluster: Heard) -> None:
        cluster.commit(job(command="crash", update=FAST), policy=off)
        cluster.live("web", minutes=10)
        cluster.commit(job(update=FAST), policy=off)
        cluster.live("web", minutes=10)

    kinds = heard(story)
    assert kinds[0] == "unready"
    assert kinds[-1] == "ready"
    assert kinds.count("ready") == 1 and kinds.count("unready") == 1
    assert kinds.count("stalled") == 1


def test_a_job_that_was_there_before_is_asked_about_with_the_command() -> None:
    cluster = Heard()
    cluster.register_by_hand(job(value="by hand"))
    cluster.commit(job(value="ours"))
    cluster.live("web", minutes=30)
    assert cluster.kinds() == ["adoption_required"]
    assert "nomad-operator adopt default/web" in cluster.news[0].commands


def test_a_job_that_runs_as_desired_is_no_news_after_a_restart() -> None:
    cluster = Heard()
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=10)
    cluster.restart()
    cluster.live("web", minutes=30)
    assert cluster.kinds() == ["ready"]


def test_a_stop_that_a_guard_holds_back_is_told_and_one_in_its_grace_time_is_not() -> None:
    cluster = Heard(rules=Rules())
    names = ["web", "other"]
    cluster.commit(*(job(name=name, update=FAST) for name in names))
    cluster.live(*names, minutes=5)
    cluster.commit(job(name="other", update=FAST))
    cluster.live("web", minutes=5)
    assert "prune_waiting" not in cluster.kinds()
    assert cluster.state is not None
    broken = UnreadableFile("x.yaml", (Problem("x.yaml", 1, 1, "no"),), None)
    cluster.state = DesiredState("r9", cluster.state.apps, (broken,))
    cluster.live("web", minutes=5)
    held = [one for one in cluster.news if one.kind is Kind.PRUNE_WAITING]
    assert [one.app for one in held] == ["default/web"]
    assert held[0].commands == ("nomad-operator prune",), "no confirmation helps while a file cannot be read"


def test_too_many_stops_at_once_are_told_with_the_command_that_lets_them_go() -> None:
    cluster = Heard()
    names = [f"app-{number}" for number in range(8)]
    cluster.commit(*(job(name=name, update=FAST) for name in names))
    cluster.live(*names, minutes=5)
    cluster.commit(*(job(name=name, update=FAST) for name in names[:2]))
    cluster.live(*names, minutes=5)
    held = [one for one in cluster.news if one.kind is Kind.PRUNE_WAITING]
    assert sorted(one.app for one in held) == [f"default/{name}" for name in names[2:]]
    assert all(one.commands == ("nomad-operator prune", "nomad-operator prune --confirm") for one in held)


def test_each_turn_of_the_kill_switch_is_told_and_turning_it_twice_is_one_turn() -> None:
    cluster = Heard()
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=5)
    for turn in (cluster.switch.stop(cluster.now), cluster.switch.stop(cluster.now), cluster.switch.start()):
        run(turn)
        cluster.live("web", minutes=1)
    assert cluster.kinds() == ["ready", "repairs_stopped", "repairs_started"]
