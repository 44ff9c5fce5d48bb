"""Stories of apps over hours, on the embedded Nomad: what it holds in the end, and who wrote it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from desired.app import AppKey
from desired.policy import Drift, OnFailure, Policy, Repair, RepairMode
from desired.reasons import Reason
from observers.running import Running
from reconcilers.decision import Condition, Step, Truth
from reconcilers.memory_store import MemoryStore
from reconcilers.prune import PruneRules
from reconcilers.requests import Verb
from reconcilers.situation import Mode, Rules
from tests.integration.loop.cluster import FAST, Cluster, job, key, run, without_count

ONCE = """restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }"""


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def stopped(running: Running) -> bool:
    return running.job is not None and running.job.stop


def test_a_committed_job_is_registered_once_and_ready_after_its_soak(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    report = cluster.live("web", minutes=3)
    assert (report.ready, report.reason) == (Truth.TRUE, "Healthy")
    assert cluster.registers == 1
    index = cluster.http("GET", "/v1/job/web")["ModifyIndex"]
    cluster.live("web", minutes=30)
    assert cluster.registers == 1
    assert cluster.http("GET", "/v1/job/web")["ModifyIndex"] == index


def test_the_submission_keeps_what_was_written_and_the_revision(cluster: Cluster) -> None:
    text = job(update=FAST)
    cluster.commit(text)
    cluster.live("web", minutes=2)
    submission = cluster.http("GET", "/v1/job/web/submission", version="0")
    assert submission["Source"] == text
    assert submission["VariableFlags"] == {"git_revision": "r1", "path": "web.nomad.hcl"}


@pytest.mark.parametrize("auto_revert", [True, False])
def test_a_bad_commit_is_registered_once_in_an_hour_and_the_good_version_serves_on(
    cluster: Cluster, auto_revert: bool
) -> None:
    """The four existing tools fight Nomad's auto_revert without end."""
    update = FAST if auto_revert else FAST.replace("auto_revert       = true", "auto_revert       = false")
    cluster.commit(job(update=update))
    cluster.live("web", minutes=3)
    cluster.commit(job(update=update, value="two", command="crash"))
    report = cluster.live("web", minutes=60)
    assert cluster.env("web") == {"VALUE": "one"}
    assert (report.ready, report.reason) == (Truth.FALSE, "RolledBack")
    assert cluster.registers == (2 if auto_revert else 3)  # good, bad, and our own way back where Nomad has none
    cluster.commit(job(update=update, value="three"))
    report = cluster.live("web", minutes=4)
    assert (report.ready, cluster.env("web")) == (Truth.TRUE, {"VALUE": "three"})


def test_the_reason_of_a_rolled_back_commit_names_what_the_task_did(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    cluster.commit(job(update=FAST, command="crash"))
    report = cluster.live("web", minutes=3)
    assert "Exit Code: 1" in report.message


def test_on_failure_hold_leaves_the_failed_version(cluster: Cluster) -> None:
    hold = Policy(on_failure=OnFailure.HOLD)
    update = FAST.replace("auto_revert       = true", "auto_revert       = false")
    cluster.commit(job(update=update), policy=hold)
    cluster.live("web", minutes=3)
    cluster.commit(job(update=update, value="two", command="crash"), policy=hold)
    report = cluster.live("web", minutes=30)
    assert (report.step, cluster.env("web")) == (Step.LEFT_FAILED, {"VALUE": "two"})
    assert cluster.registers == 2


@pytest.mark.parametrize("meddle", ["stop", "purge", "edit", "scale", "revert"])
def test_what_is_changed_by_hand_is_restored(cluster: Cluster, meddle: str) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    if meddle == "revert":
        cluster.commit(job(update=FAST, value="two"))
        cluster.live("web", minutes=3)
        cluster.http("POST", "/v1/job/web/revert", {"JobID": "web", "JobVersion": 0})
    elif meddle == "stop":
        cluster.http("DELETE", "/v1/job/web")
    elif meddle == "purge":
        cluster.http("DELETE", "/v1/job/web", purge="true")
    elif meddle == "edit":
        cluster.register_by_hand(job(update=FAST, value="by hand"))
    else:
        cluster.http("POST", "/v1/job/web/scale", {"Count": 3, "Target": {"Group": "app"}})
    before = cluster.registers
    report = cluster.live("web", minutes=4)
    running = cluster.running("web")
    assert report.ready is Truth.TRUE
    assert not stopped(running) and running.job is not None and running.job.counts == {"app": 1}
    assert cluster.env("web") == {"VALUE": "two" if meddle == "revert" else "one"}
    assert cluster.registers == before + 1


def test_drift_warn_tells_the_diff_and_writes_nothing(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST), policy=Policy(drift=Drift.WARN))
    cluster.live("web", minutes=3)
    cluster.register_by_hand(job(update=FAST, value="by hand"))
    report = cluster.live("web", minutes=10)
    assert Condition.DRIFTED in report.conditions
    assert "'by hand' → 'one'" in report.message
    assert (cluster.registers, cluster.env("web")) == (1, {"VALUE": "by hand"})


def test_a_contested_field_is_corrected_three_times_an_hour_and_then_told(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    for _ in range(6):
        cluster.register_by_hand(job(update=FAST, value="by hand"))
        report = cluster.live("web", minutes=3)
    assert cluster.registers == 1 + 3
    assert report.reason == "DriftContested"


def test_what_an_autoscaler_changes_is_no_drift(cluster: Cluster) -> None:
    scaling = "scaling {\n      min = 1\n      max = 5\n    }"
    cluster.commit(job(update=FAST, group=scaling))
    cluster.live("web", minutes=3)
    cluster.http("POST", "/v1/job/web/scale", {"Count": 4, "Target": {"Group": "app"}})
    report = cluster.live("web", minutes=4)
    running = cluster.running("web")
    assert running.job is not None and running.job.counts == {"app": 4}
    assert (report.ready, cluster.registers) == (Truth.TRUE, 1)
    cluster.commit(job(update=FAST, group=scaling, value="two"))
    cluster.live("web", minutes=4)
    running = cluster.running("web")
    assert running.job is not None and running.job.counts == {"app": 4}, "a new version keeps the live count"


def test_an_ignored_count_is_left_as_people_scaled_it(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST), policy=without_count(Policy()))
    cluster.live("web", minutes=3)
    cluster.http("POST", "/v1/job/web/scale", {"Count": 3, "Target": {"Group": "app"}})
    cluster.live("web", minutes=3)
    running = cluster.running("web")
    assert running.job is not None and running.job.counts == {"app": 3}
    assert cluster.registers == 1


def test_a_finished_batch_run_is_not_run_again_although_nomad_forgot_it(cluster: Cluster) -> None:
    cluster.commit(job("report", type="batch", command="finish"))
    assert cluster.live("report", minutes=2).reason == "Completed"
    cluster.http("DELETE", "/v1/job/report", purge="true")
    assert cluster.live("report", minutes=30).reason == "Completed"
    assert cluster.registers == 1


def test_a_changed_batch_job_runs_once_more(cluster: Cluster) -> None:
    cluster.commit(job("report", type="batch", command="finish"))
    cluster.live("report", minutes=2)
    cluster.commit(job("report", type="batch", command="finish", value="two"))
    assert cluster.live("report", minutes=2).reason == "Completed"
    assert cluster.registers == 2


def test_a_failed_batch_run_is_told_and_not_repeated(cluster: Cluster) -> None:
    cluster.commit(job("report", type="batch", command="crash", group=ONCE))
    report = cluster.live("report", minutes=30)
    assert (report.ready, report.reason, cluster.registers) == (Truth.FALSE, "RunFailed", 1)


@pytest.mark.parametrize(
    ("more", "type"),
    [('periodic {\n    crons = ["0 3 * * *"]\n  }', "batch"), ("parameterized {\n  }", "batch")],
)
def test_a_job_that_launches_others_is_ready_once_registered(cluster: Cluster, more: str, type: str) -> None:
    cluster.commit(job("nightly", type=type, more=more))
    report = cluster.live("nightly", minutes=1)
    assert (report.ready, report.reason, cluster.registers) == (Truth.TRUE, "Registered", 1)


def test_a_system_job_runs_on_every_node(cluster: Cluster) -> None:
    cluster.commit(job("agent", type="system", update=FAST.split("restart")[0]))
    report = cluster.live("agent", minutes=4)
    assert report.ready is Truth.TRUE
    assert {one.node_name for one in cluster.running("agent").allocations} == {"node-1", "node-2"}


def test_a_sysbatch_job_is_done_when_every_node_is(cluster: Cluster) -> None:
    cluster.commit(job("scan", type="sysbatch", command="finish"))
    assert cluster.live("scan", minutes=2).reason == "Completed"


def test_canaries_wait_for_a_person_and_say_so(cluster: Cluster) -> None:
    update = FAST.replace("auto_revert       = true", "auto_revert       = true\n      canary = 1")
    cluster.commit(job(update=update))
    cluster.live("web", minutes=3)
    cluster.commit(job(update=update, value="two"))
    report = cluster.live("web", minutes=60)
    assert (report.ready, report.reason) == (Truth.UNKNOWN, "AwaitingPromotion")
    deployment = cluster.running("web").deployment
    assert deployment is not None
    cluster.http("POST", f"/v1/deployment/promote/{deployment.id}", {"DeploymentID": deployment.id, "All": True})
    report = cluster.live("web", minutes=4)
    assert (report.ready, cluster.env("web")) == (Truth.TRUE, {"VALUE": "two"})


def test_what_finds_no_room_is_told_given_up_and_healed_when_there_is_room(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    cluster.commit(job(update=FAST, memory=999_999, value="two"), policy=Policy(repair=Repair(mode=RepairMode.OFF)))
    report = cluster.live("web", minutes=2)
    assert report.reason == "AwaitingPlacement" and "memory exhausted" in report.message
    report = cluster.live("web", minutes=30)
    assert (report.reason, cluster.env("web")) == ("RolledBack", {"VALUE": "one"})
    registers = cluster.registers
    cluster.live("web", minutes=120)
    assert cluster.registers == registers, "tried again only after a plan that finds room"


def test_a_job_that_was_there_before_and_differs_is_asked_about_and_adopted_on_request(cluster: Cluster) -> None:
    cluster.register_by_hand(job(update=FAST, value="somebody else's"))
    cluster.commit(job(update=FAST))
    report = cluster.live("web", minutes=5)
    assert (report.reason, cluster.registers) == ("AdoptionRequired", 0)
    assert "somebody else's" in report.diff
    cluster.ask("web", Verb.ADOPT)
    assert cluster.live("web", minutes=4).ready is Truth.TRUE
    assert cluster.env("web") == {"VALUE": "one"}


def test_a_lost_memory_adopts_what_is_as_desired_and_asks_about_batch_work(cluster: Cluster) -> None:
    files = (job(update=FAST), job("report", type="batch", command="finish"))
    cluster.commit(*files)
    cluster.live("web", "report", minutes=4)
    cluster.http("DELETE", "/v1/job/report", purge="true")
    cluster.store = MemoryStore()
    cluster.restart()
    cluster.after_state_loss = True
    registers = cluster.registers
    assert cluster.live("web", minutes=3).ready is Truth.TRUE
    assert cluster.live("report", minutes=3).reason == "AdoptionRequired"
    assert cluster.registers == registers


def test_a_withdrawn_app_is_stopped_not_purged_after_the_grace_time(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    cluster.commit()
    cluster.live("web", minutes=9)
    assert not stopped(cluster.running("web"))
    cluster.live("web", minutes=3)
    assert stopped(cluster.running("web"))
    assert cluster.writes["DELETE job"] == 1
    cluster.commit(job(update=FAST))
    assert cluster.live("web", minutes=4).ready is Truth.TRUE


def test_an_emptied_repository_stops_nothing_until_a_person_confirms(cluster: Cluster) -> None:
    names = [f"app-{n}" for n in range(6)]
    cluster.commit(*(job(name, update=FAST) for name in names))
    cluster.live(*names, minutes=3)
    cluster.commit()
    cluster.live(*names, minutes=30)
    assert not any(stopped(cluster.running(name)) for name in names)
    for name in names:
        cluster.ask(name, Verb.CONFIRM_PRUNE)
    cluster.live(*names, minutes=1)
    assert all(stopped(cluster.running(name)) for name in names)


def test_a_broken_file_stops_nothing_and_its_app_is_still_held_to_what_was_good(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST), job("other", update=FAST))
    cluster.live("web", "other", minutes=3)
    cluster.commit(job("other", update=FAST), broken={"web.nomad.hcl": key("web"), "x.nomad": None})
    cluster.http("DELETE", "/v1/job/web")
    report = cluster.live("web", minutes=30)
    assert not stopped(cluster.running("web"))
    assert (report.ready, report.reason) == (Truth.FALSE, "DesiredInvalid")
    cluster.commit(broken={"x.nomad": None})
    cluster.live("web", "other", minutes=60)
    assert not stopped(cluster.running("web")) and not stopped(cluster.running("other"))


def test_prune_false_and_switched_off_pruning_leave_the_job_running(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST), policy=Policy(prune=False))
    cluster.live("web", minutes=3)
    cluster.commit()
    cluster.live("web", minutes=60)
    assert not stopped(cluster.running("web"))
    cluster.prune = PruneRules(enabled=False)
    cluster.live("web", minutes=60)
    assert not stopped(cluster.running("web"))


def test_an_app_waits_for_what_it_depends_on_and_a_circle_is_named(cluster: Cluster) -> None:
    waits = Policy(depends_on=(key("db"),))
    cluster.commit(job(update=FAST), policy=waits)
    assert cluster.live("web", minutes=2).reason == "DependencyNotReady"
    assert cluster.registers == 0
    both = cluster.state
    cluster.commit(job("db", update=FAST))
    assert both is not None and cluster.state is not None
    cluster.state = replace(cluster.state, apps={**both.apps, **cluster.state.apps})
    cluster.live("db", "web", minutes=6)
    assert cluster.passes("web").ready is Truth.TRUE  # type: ignore[union-attr]
    cluster.commit(job("a", update=FAST), policy=Policy(depends_on=(key("a"),)))
    report = cluster.live("a", minutes=1)
    assert report.reason == "DependencyCycle" and "default/a → default/a" in report.message


def test_suspended_means_no_write_and_resume_goes_on(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    cluster.ask("web", Verb.SUSPEND)
    cluster.http("DELETE", "/v1/job/web")
    assert cluster.live("web", minutes=10).reason == "Suspended"
    assert stopped(cluster.running("web"))
    cluster.ask("web", Verb.RESUME)
    assert cluster.live("web", minutes=4).ready is Truth.TRUE


def test_observe_mode_writes_nothing_to_nomad_whatever_happens() -> None:
    cluster = Cluster(rules=Rules(mode=Mode.OBSERVE))
    cluster.register_by_hand(job("old", update=FAST, value="by hand"))
    cluster.commit(job(update=FAST), job("old", update=FAST))
    report = cluster.live("old", "web", minutes=30)
    assert report.reason == "ObserveOnly" and report.message.startswith("would register")
    assert not cluster.writes


def test_the_operators_own_job_is_left_alone() -> None:
    cluster = Cluster(rules=Rules(own_job=key("web")))
    cluster.commit(job(update=FAST))
    assert cluster.live("web", minutes=5).reason == "OwnJob"
    assert not cluster.writes


def test_a_job_that_nomad_refuses_is_told_and_the_last_good_version_is_held(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    cluster.commit(job(update=FAST, more='namespace = "default"\n  priority = 5000'))
    report = cluster.live("web", minutes=3)
    assert Condition.VALIDATION_FAILED in report.conditions
    assert "job priority must be between" in report.message
    cluster.http("DELETE", "/v1/job/web")
    cluster.live("web", minutes=4)
    assert not stopped(cluster.running("web"))


def test_a_change_of_type_that_plan_accepts_and_register_refuses_does_no_harm(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    cluster.commit(job(type="batch", command="finish"))
    report = cluster.live("web", minutes=10)
    assert "cannot update job from type" in report.message
    running = cluster.running("web")
    assert running.job is not None and running.job.type == "service" and not running.job.stop


def test_reconcile_tries_a_failed_spec_again(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    cluster.commit(job(update=FAST, value="two", command="crash"))
    cluster.live("web", minutes=5)
    registers = cluster.registers
    cluster.ask("web", Verb.RECONCILE)
    cluster.live("web", minutes=5)
    assert cluster.registers == registers + 1


def test_a_restart_in_the_middle_of_a_soak_goes_on_where_it_was(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=0.5)
    cluster.restart()
    report = cluster.live("web", minutes=2)
    assert (report.ready, cluster.registers) == (Truth.TRUE, 1)


def test_jobs_of_two_namespaces_do_not_meet() -> None:
    cluster = Cluster(world="namespaces: [default, team-a]\nnodes: [{name: node-1}]\n")
    cluster.commit(job(update=FAST), job(update=FAST, value="theirs", more='namespace = "team-a"'))
    assert cluster.state is not None
    assert set(cluster.state.apps) == {key("web"), AppKey("team-a", "web")}
    for _ in range(20):
        for app in cluster.state.apps:
            run(cluster.reconciler.reconcile(app))
        cluster.let(timedelta(seconds=10))
    for app in cluster.state.apps:
        report = cluster.reports.get(app)
        assert report is not None and report.ready is Truth.TRUE, report
    assert cluster.registers == 2


def test_a_healthy_app_that_falls_ill_later_is_told(cluster: Cluster) -> None:
    sick = Cluster(world="nodes: [{name: node-1}]\nbehaviours:\n  - {command: ill, runs_for: 200s, exit_code: 3}\n")
    group = "reschedule {\n      attempts = 0\n      unlimited = false\n    }"
    sick.commit(job(update=FAST, command="ill", group=group))
    assert sick.live("web", minutes=2).ready is Truth.TRUE
    report = sick.live("web", minutes=5)
    assert (report.ready, report.step) == (Truth.FALSE, Step.UNHEALTHY)
    assert Reason(report.reason) in (Reason.UNHEALTHY, Reason.ALLOCATIONS_FAILED)
    assert "Exit Code: 3" in report.message
