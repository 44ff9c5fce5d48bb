"""Rules of the cluster's owners, in the loop: nothing that breaks them is registered, by nobody and at no time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desired.admission.file import read_rules
from desired.admission.rule_set import RuleSet
from desired.problem import Problem
from desired.reasons import Reason
from nomad_operator.plan import Change, plan_apps
from reconcilers.decision import Condition
from reconcilers.repair.episode import Outcome
from reconcilers.result import Settled
from reconcilers.situation import Mode, Rules
from tests.integration.loop.cluster import FAST, Cluster, job, key, run

HEAD = "apiVersion: nomad-operator/v1\nkind: Policy\nspec:\n"
HUNGRY = """
nodes: [{name: node-1}, {name: node-2}]
behaviours:
  - {command: "hungry", needs_memory: 200}
  - {command: "crash", runs_for: 300ms, exit_code: 1, stderr: "it crashed\\n"}
"""


class Ruled(Cluster):
    """A cluster whose owners change their minds."""

    def __init__(self, *rules: str, world: str = HUNGRY, mode: Mode = Mode.ACT) -> None:
        self.rule_sets: tuple[RuleSet, ...] = ()
        super().__init__(world=world, policies=lambda: self.rule_sets, rules=Rules(mode=mode))
        self.rule(*rules)

    def rule(self, *rules: str) -> None:
        self.rule_sets = tuple(
            RuleSet(f"{number}.yaml", read_rules(HEAD + text, "rules.yaml")) for number, text in enumerate(rules)
        )

    def lose_rules(self) -> None:
        self.rule_sets = (RuleSet("rules.yaml", problems=(Problem("rules.yaml", 3, 1, "is not YAML"),)),)

    @property
    def memory(self) -> int:
        found = self.running("web").job
        assert found is not None
        return int(found.body["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"])


def test_what_breaks_a_rule_is_not_registered_until_the_file_is_mended() -> None:
    cluster = Ruled("  resources: {memory: 100}\n")
    cluster.commit(job(update=FAST, memory=200))
    last = cluster.live("web", minutes=2)
    assert (cluster.registers, last.ready.value, last.reason) == (0, "False", Reason.POLICY_VIOLATION)
    assert "[resources.memory]" in last.message and "says 0.yaml" in last.message
    cluster.commit(job(update=FAST, memory=100))
    assert cluster.live("web", minutes=2).ready.value == "True"
    assert cluster.memory == 100


@pytest.mark.parametrize(
    "texts", [("  resources: {memory: 300}\n", "  drivers: [exec]\n"), ("  drivers: [exec]\n", "  {}\n")]
)
def test_all_rules_hold_at_once_whatever_the_others_allow(texts: tuple[str, str]) -> None:
    cluster = Ruled(*texts)
    cluster.commit(job(update=FAST))
    assert cluster.live("web", minutes=1).reason == Reason.POLICY_VIOLATION
    assert cluster.registers == 0


def test_a_newer_rule_leaves_what_runs_and_does_not_bring_it_back() -> None:
    """Drift of what breaks a rule by now is not corrected: that would be to register it."""
    cluster = Ruled()
    cluster.commit(job(update=FAST, memory=200))
    assert cluster.live("web", minutes=2).ready.value == "True"
    cluster.rule("  resources: {memory: 100}\n")
    last = cluster.live("web", minutes=2)
    assert (cluster.memory, last.ready.value, last.reason) == (200, "False", Reason.POLICY_VIOLATION)
    cluster.register_by_hand(job(update=FAST, memory=90))
    written = cluster.writes.total()
    last = cluster.live("web", minutes=5)
    assert (cluster.memory, cluster.writes.total(), last.reason) == (90, written, Reason.POLICY_VIOLATION)
    assert "may not be registered any more" in last.message
    assert Condition.POLICY_VIOLATION in last.conditions
    cluster.rule()
    assert cluster.live("web", minutes=3).ready.value == "True"
    assert cluster.memory == 200


def test_what_was_stopped_by_hand_stays_down_where_a_newer_rule_forbids_it() -> None:
    cluster = Ruled()
    cluster.commit(job(update=FAST, memory=200))
    cluster.live("web", minutes=2)
    cluster.rule("  resources: {memory: 100}\n")
    cluster.http("DELETE", "/v1/job/web")
    registers = cluster.registers
    last = cluster.live("web", minutes=5)
    assert (cluster.registers, last.reason, last.ready.value) == (registers, Reason.POLICY_VIOLATION, "False")
    assert cluster.http("GET", "/v1/job/web")["Stop"] is True


def test_a_rollback_to_what_a_newer_rule_forbids_is_not_done() -> None:
    cluster = Ruled()
    cluster.commit(job(update=FAST.replace("auto_revert       = true", ""), memory=200))
    cluster.live("web", minutes=2)
    cluster.rule("  resources: {memory: 100}\n")
    cluster.commit(job(update=FAST.replace("auto_revert       = true", ""), memory=90, command="crash"))
    last = cluster.live("web", minutes=10)
    assert cluster.memory == 90
    assert last.reason == Reason.POLICY_VIOLATION
    assert "memory 200 is above the limit of 100" in last.message


def test_an_older_version_that_keeps_the_rules_is_still_restored() -> None:
    cluster = Ruled("  resources: {memory: 100}\n")
    cluster.commit(job(update=FAST, memory=90))
    cluster.live("web", minutes=2)
    cluster.commit(job(update=FAST, memory=200))
    cluster.http("DELETE", "/v1/job/web")
    last = cluster.live("web", minutes=3)
    assert (cluster.memory, last.reason) == (90, Reason.POLICY_VIOLATION)
    assert cluster.http("GET", "/v1/job/web")["Status"] == "running"


def test_a_repair_may_not_break_what_was_kept_before() -> None:
    cluster = Ruled("  resources: {memory: 170}\n")
    cluster.commit(job(command="hungry", memory=150, update=FAST))
    cluster.live("web", minutes=15)
    assert cluster.memory == 150 and cluster.registers == 1
    record = cluster.records.get(key("web"))
    assert record.last_episode is not None and record.last_episode.outcome is not Outcome.REPAIRED
    assert not record.overlay and not record.last_episode.tries


def test_a_repair_stops_at_what_the_rules_allow() -> None:
    cluster = Ruled("  resources: {memory: 270}\n")
    cluster.commit(job(command="hungry", memory=150, update=FAST))
    assert cluster.live("web", minutes=10).ready.value == "True"
    assert cluster.memory == 270


def test_a_repair_within_the_rules_is_made() -> None:
    cluster = Ruled("  resources: {memory: 300}\n")
    cluster.commit(job(command="hungry", memory=150, update=FAST))
    assert cluster.live("web", minutes=10).ready.value == "True"
    assert cluster.memory == 300


def test_nothing_is_registered_by_rules_that_cannot_be_read() -> None:
    cluster = Ruled()
    cluster.lose_rules()
    cluster.commit(job(update=FAST))
    last = cluster.live("web", minutes=2)
    assert (cluster.registers, last.reason) == (0, Reason.POLICY_VIOLATION)
    assert "rules.yaml:3:1: is not YAML" in last.message and "mend rules.yaml" in last.message
    cluster.rule("  {}\n")
    assert cluster.live("web", minutes=2).ready.value == "True"


def test_an_exempt_app_goes_through_and_a_rule_that_only_warns_is_told() -> None:
    cluster = Ruled(
        "  resources: {memory: 10}\n  drivers: [exec]\n  warn: [drivers]\n  exempt: {default/web: ['resources.*']}\n"
    )
    cluster.commit(job(update=FAST))
    last = cluster.live("web", minutes=2)
    assert last.ready.value == "True"
    assert "the driver docker may not be used" in last.conditions[Condition.POLICY_VIOLATION].message


@pytest.mark.parametrize("mode", list(Mode))
def test_a_plan_says_that_it_is_held_back_and_why(mode: Mode) -> None:
    cluster = Ruled("  resources: {memory: 100}\n", mode=mode)
    cluster.commit(job(update=FAST, memory=200))
    assert cluster.state is not None
    [found] = run(plan_apps(cluster.reconciler, cluster.records, cluster.state, [key("web")]))
    assert (found.change, found.reason) == (Change.BLOCKED, "PolicyViolation")
    assert "resources.memory" in found.message


def test_a_plan_holds_back_what_runs_and_breaks_a_newer_rule() -> None:
    cluster = Ruled()
    cluster.commit(job(update=FAST, memory=200))
    cluster.live("web", minutes=2)
    cluster.rule("  resources: {memory: 100}\n")
    assert cluster.state is not None
    for _ in range(2):
        [found] = run(plan_apps(cluster.reconciler, cluster.records, cluster.state, [key("web")]))
        assert (found.change, found.reason) == (Change.BLOCKED, "PolicyViolation")
        cluster.http("DELETE", "/v1/job/web")


def test_what_is_held_back_by_a_rule_alone_is_looked_at_again_in_a_minute() -> None:
    """The file says something else, which failed; the version to go back to is what the rule forbids."""
    cluster = Ruled()
    first = FAST.replace("auto_revert       = true", "")
    cluster.commit(job(update=first, memory=200))
    cluster.live("web", minutes=2)
    cluster.rule("  resources: {memory: 100}\n")
    cluster.commit(job(update=first, memory=90, command="crash"))
    cluster.live("web", minutes=10)
    assert run(cluster.reconciler.reconcile(key("web"))) == Settled(Reason.POLICY_VIOLATION, timedelta(minutes=1))
