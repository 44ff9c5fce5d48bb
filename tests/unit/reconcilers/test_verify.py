"""Health over time: soak, progress, and giving up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.cause import Cause
from desired.policy import Verify
from desired.reasons import Reason
from observers.running import Allocation, Running, RunningJob, TaskState
from reconcilers.health import Health, Phase
from reconcilers.record import Attempt
from reconcilers.verify import Continue, Failed, Verified, deadline_of, verify

START = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Verify(soak=timedelta(seconds=60), timeout=timedelta(seconds=300))
BODY = {"TaskGroups": [{"Name": "web", "Update": {"ProgressDeadline": 100 * 10**9}}]}
KEY = AppKey("default", "web")
ATTEMPT = Attempt("spec", "src", 1, START, START, job_modify_index=2)


def running(*allocations: Allocation) -> Running:
    job = RunningJob(KEY, "service", "running", 0, 2, 2, 1, body=BODY)
    return Running(KEY, job, allocations)


def health(phase: Phase, reason: Reason = Reason.PROGRESSING, healthy: int = 0, pulling: bool = False) -> Health:
    return Health(phase, reason, "words", healthy, 2, pulling)


HEALTHY = health(Phase.HEALTHY, Reason.HEALTHY, 2)
COMING = health(Phase.PROGRESSING)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_healthy_is_verified_only_after_the_soak() -> None:
    first = verify(ATTEMPT, HEALTHY, running(), POLICY, START)
    assert isinstance(first, Continue) and first.attempt.healthy_since == START
    assert first.again_at == after(60)
    assert isinstance(verify(first.attempt, HEALTHY, running(), POLICY, after(59)), Continue)
    assert isinstance(verify(first.attempt, HEALTHY, running(), POLICY, after(60)), Verified)


def test_a_relapse_during_the_soak_starts_it_anew() -> None:
    soaking = replace(ATTEMPT, healthy_since=START)
    relapsed = verify(soaking, COMING, running(), POLICY, after(30))
    assert isinstance(relapsed, Continue) and relapsed.attempt.healthy_since is None


def test_a_restart_that_nobody_saw_starts_the_soak_anew() -> None:
    soaking = replace(ATTEMPT, healthy_since=START)
    task = TaskState("running", restarts=1, started_at=after(50))
    restarted = running(Allocation("a", "web", 0, "running", healthy=True, tasks={"app": task}))
    found = verify(soaking, HEALTHY, restarted, POLICY, after(60))
    assert isinstance(found, Continue) and found.attempt.healthy_since == after(60)


def test_more_healthy_allocations_are_progress_and_restarts_are_not() -> None:
    one = verify(ATTEMPT, health(Phase.PROGRESSING, healthy=1), running(), POLICY, after(200))
    assert isinstance(one, Continue) and (one.attempt.best, one.attempt.progress_at) == (1, after(200))
    fell = verify(one.attempt, COMING, running(), POLICY, after(300))
    assert isinstance(fell, Continue)
    rose = verify(fell.attempt, health(Phase.PROGRESSING, healthy=1), running(), POLICY, after(400))
    assert isinstance(rose, Continue) and rose.attempt.progress_at == after(200)


def test_a_slow_rolling_update_is_healthy_however_long_it_takes() -> None:
    attempt, now = ATTEMPT, START
    for healthy in range(1, 20):
        now += timedelta(seconds=290)
        found = verify(attempt, health(Phase.PROGRESSING, healthy=healthy), running(), POLICY, now)
        assert isinstance(found, Continue)
        attempt = found.attempt


def test_no_progress_for_the_timeout_is_a_failure_of_unknown_cause() -> None:
    assert isinstance(verify(ATTEMPT, COMING, running(), POLICY, after(299)), Continue)
    found = verify(ATTEMPT, COMING, running(), POLICY, after(300))
    assert found == Failed(Reason.NO_PROGRESS, "no progress for 300 s: words", Cause.UNKNOWN)


def test_no_room_for_the_timeout_is_the_clusters_failure() -> None:
    found = verify(ATTEMPT, health(Phase.UNPLACED, Reason.AWAITING_PLACEMENT), running(), POLICY, after(300))
    assert isinstance(found, Failed) and (found.reason, found.cause) == (Reason.PLACEMENT_FAILED, Cause.CLUSTER)


def test_an_image_that_is_still_being_pulled_is_progress() -> None:
    pulling = health(Phase.PROGRESSING, pulling=True)
    attempt = ATTEMPT
    for seconds in range(100, 2000, 100):
        found = verify(attempt, pulling, running(), POLICY, after(seconds))
        assert isinstance(found, Continue)
        attempt = found.attempt


def test_waiting_for_promotion_and_a_long_batch_run_never_time_out() -> None:
    waiting = health(Phase.PROMOTION, Reason.AWAITING_PROMOTION)
    under_way = health(Phase.PROGRESSING, Reason.RUNNING)
    attempt = ATTEMPT
    for seconds in range(0, 100_000, 600):
        found = verify(attempt, waiting, running(), POLICY, after(seconds))
        assert isinstance(found, Continue)
        attempt = found.attempt
        assert isinstance(verify(ATTEMPT, under_way, running(), POLICY, after(seconds)), Continue)


def test_the_deadline_is_the_larger_of_the_jobs_own_and_the_apps() -> None:
    assert deadline_of(BODY, POLICY) == timedelta(seconds=300)
    assert deadline_of({"TaskGroups": [{"Update": {"MaxParallel": 1}}]}, POLICY) == timedelta(minutes=10)
    assert deadline_of({"TaskGroups": [{"Update": None}]}, POLICY) == timedelta(seconds=300)


def test_done_and_registered_need_no_soak() -> None:
    assert isinstance(verify(ATTEMPT, health(Phase.DONE), running(), POLICY, START), Verified)
    registered = health(Phase.HEALTHY, Reason.REGISTERED)
    assert isinstance(verify(ATTEMPT, registered, running(), POLICY, START), Verified)


@given(
    st.lists(st.tuples(st.sampled_from(["healthy", "coming", "pulling"]), st.floats(1, 40)), min_size=1, max_size=60)
)
def test_nothing_is_verified_that_was_not_healthy_for_the_whole_soak(history: list[tuple[str, float]]) -> None:
    attempt, now = ATTEMPT, START
    since: datetime | None = None
    for what, seconds in history:
        found = verify(
            attempt,
            HEALTHY if what == "healthy" else health(Phase.PROGRESSING, pulling=what == "pulling"),
            running(),
            POLICY,
            now,
        )
        since = (since or now) if what == "healthy" else None
        if isinstance(found, Verified):
            assert since is not None and now - since >= POLICY.soak
            return
        if isinstance(found, Failed):
            return
        attempt = found.attempt
        now += timedelta(seconds=seconds)
