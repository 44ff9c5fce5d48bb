"""An app that nobody wants any more, and whose job stays: its reason says why."""

from __future__ import annotations

import pytest

from desired.policy import Policy
from reconcilers.requests import Verb
from tests.integration.loop.cluster import FAST, Cluster, job

OTHERS = job(update=FAST, value="somebody else's")


@pytest.mark.parametrize(
    ("case", "reason", "why"),
    [
        ("never adopted", "NotOurs", "never registered or adopted"),
        ("prune: false", "Withdrawn", "`prune: false`"),
        ("suspended", "Withdrawn", "suspended"),
    ],
)
def test_a_withdrawn_app_is_left_running_and_says_why(case: str, reason: str, why: str) -> None:
    cluster = Cluster()
    if case == "never adopted":
        cluster.register_by_hand(OTHERS)
    cluster.commit(job(update=FAST), policy=Policy(prune=case != "prune: false"))
    cluster.live("web", minutes=3)
    if case == "suspended":
        cluster.ask("web", Verb.SUSPEND)
    cluster.commit()
    report = cluster.live("web", minutes=60)
    assert report.reason == reason
    assert why in report.message
    found = cluster.running("web").job
    assert found is not None and not found.stop
