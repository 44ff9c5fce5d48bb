"""What is done where a person wants tried again what failed and still stands registered. Pure.

Registering the same job starts nothing, and of a deployment that has failed Nomad places nothing more. What runs on is
judged anew, from now on. A service of which nothing runs, and a run of which nothing has completed, are stopped and
registered again.
"""

from __future__ import annotations

from dataclasses import replace

from desired.reasons import Reason
from reconcilers.choose_attempt import new_attempt
from reconcilers.decision import Condition, Decision, Remember, Step, Stop, Truth
from reconcilers.situation import Situation
from reconcilers.words import decision


def run_again(s: Situation) -> Decision:
    """The next pass finds a job that we stopped ourselves, and that is wanted."""
    return decision(
        s, Step.RERUNNING, Stop(s.job_index), Reason.PLANNING, "stopping what failed, to start it again",
        flags=(Condition.RECONCILING,),
    )  # fmt: skip


def judge_again(s: Situation) -> Decision:
    attempt = new_attempt(s, planned_index=s.job_index, job_modify_index=s.job_index)
    record = replace(s.record, attempt=attempt, again="")
    return decision(
        s, Step.REOPENING, Remember(record), Reason.PROGRESSING, "judged anew", ready=Truth.UNKNOWN,
        flags=(Condition.RECONCILING,),
    )  # fmt: skip
