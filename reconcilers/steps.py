"""The state table: every step an app can be in, when it is there, what is done then, and where that leads.

The first row whose `when` holds applies. This table drives the machine (`decide`), and `nomad-operator graph` prints
it; there is no other place where a step is chosen. Everything here is pure: `now` stands in the situation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconcilers import choose_again as again
from reconcilers import choose_attempt as attempt
from reconcilers import choose_difference as difference
from reconcilers import choose_repair as repair
from reconcilers import choose_rest as resting
from reconcilers import choose_withdrawn as withdrawn
from reconcilers import questions as when
from reconcilers import repair_questions as broken
from reconcilers.decision import Decision, Step
from reconcilers.situation import Situation


@dataclass(frozen=True, slots=True)
class Row:
    """`leads_to` are the steps that may follow while nobody outside changes anything; `meaning` is for people."""

    step: Step
    meaning: str
    when: Callable[[Situation], bool]
    then: Callable[[Situation], Decision]
    leads_to: tuple[Step, ...]


# fmt: off
TABLE: tuple[Row, ...] = (
    # What people told us to leave alone comes before everything that would act.
    Row(Step.SUSPENDED, "told not to act", when.suspended, resting.suspended, ()),
    Row(Step.OWN_JOB, "the operator's own job is left alone", when.own_job, resting.own_job, ()),
    # Nobody wants it any more.
    Row(Step.PRUNED, "withdrawn, and its job is gone or stopped", when.pruned, withdrawn.pruned, ()),
    # Interrupted in the middle of a register, and something else (or nothing) is wanted by now: is the job ours?
    Row(Step.CLEARED_UP, "a register was interrupted, and something else is wanted by now: did it happen?",
        when.doubtful, attempt.clear_up, (Step.SUPERSEDED, Step.WITHDRAWN, Step.PRUNE_HELD, Step.REGISTERING)),
    Row(Step.WITHDRAWN, "withdrawn, and left running", when.left_running, withdrawn.left_running, ()),
    Row(Step.PRUNE_HELD, "withdrawn; a guard or the grace time holds pruning back", when.prune_held,
        withdrawn.prune_held, (Step.PRUNING,)),
    Row(Step.PRUNING, "its job is stopped, not purged", when.withdrawn, withdrawn.prune, (Step.PRUNED,)),
    # What is wanted cannot be read, and nothing was good before.
    Row(Step.NOTHING_TO_HOLD, "the file has problems and there is no last good version", when.nothing_to_hold,
        resting.nothing_to_hold, ()),
    # A register happened, or was about to: what became of it?
    Row(Step.SUPERSEDED, "a newer spec is wanted than the one being verified", when.superseded, attempt.supersede,
        (Step.REGISTERING, Step.VERIFYING, Step.DEPENDENCIES, Step.STEADY, Step.CAUGHT_UP)),
    Row(Step.RESUMING, "interrupted in the middle of a register: it happened, or is done now", when.interrupted,
        attempt.resume, (Step.VERIFYING, Step.SOAKING)),
    Row(Step.REVERTED, "Nomad went back to the version before: the spec has failed", when.reverted,
        attempt.fail_reverted, (Step.NAMED, Step.STEADY, Step.CAUGHT_UP, Step.LEFT_FAILED)),
    Row(Step.OVERTAKEN, "somebody changed the job while it was verified", when.overtaken, attempt.give_way,
        (Step.CORRECTING, Step.DRIFT_TOLD)),
    Row(Step.REVIVING, "what Nomad had given up may be tried again by now: Nomad is asked to",
        broken.given_up, attempt.revive, (Step.VERIFYING, Step.FAILED)),
    Row(Step.FAILED, "it failed, or stood still for too long", when.failed, attempt.fail,
        (Step.NAMED, Step.EXHAUSTED, Step.CLIMBING, Step.REGISTERING, Step.CAUGHT_UP, Step.LEFT_FAILED,
         Step.RECOVERING)),
    Row(Step.VERIFIED, "it stayed healthy, or it is done: this is the last good version", when.verified,
        attempt.verified, (Step.STEADY, Step.COMPLETED)),
    Row(Step.SOAKING, "healthy, and watched for the soak time", when.soaking, attempt.keep_watching,
        (Step.VERIFYING, Step.VERIFIED)),
    Row(Step.VERIFYING, "registered; allocations are coming up", when.verifying, attempt.keep_watching,
        (Step.SOAKING, Step.REVIVING, Step.FAILED, Step.REVERTED, Step.OVERTAKEN, Step.VERIFIED)),
    # It has failed, and its failure has a name or gets one: can it be repaired?
    Row(Step.FROZEN, "the kill switch is on while a repair was tried: it is left as it stands", broken.frozen,
        repair.stay_frozen, ()),
    Row(Step.NAMED, "its failure gets a name, and an episode begins", broken.unnamed, repair.name_it,
        (Step.CLIMBING, Step.REGISTERING, Step.CAUGHT_UP, Step.LEFT_FAILED, Step.RECOVERING)),
    Row(Step.EXHAUSTED, "no attempt is left: back to the last good version, or as it was written", broken.exhausted,
        repair.give_up, (Step.REGISTERING, Step.CAUGHT_UP, Step.LEFT_FAILED)),
    Row(Step.WAITING_IT_OUT, "the repair stands, and what is left of the failure passes by itself: watched on",
        broken.passing, repair.wait_it_out, (Step.VERIFYING, Step.SOAKING)),
    Row(Step.CLIMBING, "the rungs are asked for a repair, the guard judges it", broken.climbing, repair.climb,
        (Step.REGISTERING, Step.CAUGHT_UP, Step.LEFT_FAILED)),
    # A failed spec without a way back.
    Row(Step.RECOVERING, "a failed spec has become healthy by itself after all", when.recovered, attempt.reopen,
        (Step.SOAKING,)),
    Row(Step.LEFT_FAILED, "it failed and is left as written, for a person", when.left, attempt.leave_failed,
        (Step.RECOVERING,)),
    # A person wants tried again what failed and stands registered.
    Row(Step.RERUNNING, "a person wants it again, and nothing of it runs or has completed: it is stopped first",
        when.run_again, again.run_again, (Step.REGISTERING, Step.CORRECTING)),
    Row(Step.REOPENING, "a person wants it tried again: what stands registered is judged anew", when.judged_again,
        again.judge_again, (Step.VERIFYING, Step.SOAKING, Step.VERIFIED, Step.FAILED)),
    # Nothing is open: does the cluster hold what is wanted?
    Row(Step.COMPLETED, "a finished run satisfies its spec, also when Nomad has collected it", when.completed,
        resting.completed, ()),
    Row(Step.ADOPTING, "the job was there before, just as desired: taken over without a write", when.adoptable,
        difference.adopt, (Step.VERIFYING, Step.SOAKING)),
    Row(Step.ADOPTION_REQUIRED, "the job was there before and differs: a person decides", when.foreign,
        difference.ask_to_adopt, (Step.REGISTERING,)),
    Row(Step.CAUGHT_UP, "the job was changed, but is as desired (again)", when.as_desired, difference.catch_up,
        (Step.STEADY, Step.UNHEALTHY, Step.VERIFYING)),
    Row(Step.POSTPONED, "tried again, and there is still no room for it", when.still_no_room, difference.postpone,
        (Step.STEADY, Step.LEFT_FAILED)),
    Row(Step.FORESEEN, "its tasks would get wrong values, and the job is why: repaired before it is registered",
        broken.foreseen, repair.climb_foreseen, (Step.REGISTERING, Step.FORESEEN, Step.NOTHING_TO_HOLD)),
    Row(Step.UNPLACEABLE, "nothing can hold it, and the job is why: repaired before it is registered",
        broken.unplaceable, repair.climb_unplaceable, (Step.REGISTERING, Step.UNPLACEABLE, Step.LEFT_FAILED)),
    Row(Step.DEPENDENCIES, "waits for the apps it depends on", when.waits_for_others, difference.wait_for_others,
        (Step.REGISTERING,)),
    Row(Step.DRIFT_TOLD, "changed by hand; told, not corrected", when.drift_is_told, difference.tell_drift, ()),
    Row(Step.CORRECTING, "changed by hand; the desired spec is registered again", when.drifted, difference.correct,
        (Step.VERIFYING, Step.SOAKING, Step.VERIFIED, Step.FAILED, Step.RESUMING)),
    Row(Step.REGISTERING, "the spec is planned and registered with check-and-set", when.differs, difference.register,
        (Step.VERIFYING, Step.SOAKING, Step.VERIFIED, Step.FAILED, Step.RESUMING)),
    # The cluster holds what is wanted. Is it well?
    Row(Step.BROKEN, "as desired, not healthy any more, and the job is why", broken.broken,
        repair.name_while_running, (Step.NAMED,)),
    Row(Step.UNHEALTHY, "as desired, but not healthy any more", when.unhealthy, resting.tell_unhealthy, (Step.STEADY,)),
    Row(Step.PROVEN, "a repair has held for half an hour", broken.proven, repair.hold_proven, (Step.STEADY,)),
    Row(Step.STEADY, "as desired, and healthy", when.always, resting.rest, (Step.UNHEALTHY, Step.PROVEN)),
)
# fmt: on


def decide(situation: Situation) -> Decision:
    """The one thing to do about an app now. Deterministic; never raises for a complete observation."""
    row = next(row for row in TABLE if row.when(situation))
    return row.then(situation)
