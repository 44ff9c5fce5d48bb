"""The guard asks the rules of the cluster's owners too: no repair may break one that was kept before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from desired.admission.rule_set import UNREADABLE
from desired.app import AppKey
from desired.objection import Objection
from desired.state import JobBody
from reconcilers.repair.invariants import Violation
from reconcilers.repair.proposal import Case

Judged = Callable[[AppKey, JobBody], Sequence[Objection]]
Allowed = Callable[[AppKey], Mapping[str, int]]


def newly_broken(case: Case, after: JobBody, judged: Judged) -> Iterator[Violation]:
    """What only warns holds no repair back. Rules that cannot be read allow none."""
    before = {(one.rule, one.at) for one in judged(case.key, case.body) if not one.warning}
    for one in judged(case.key, after):
        if not one.warning and (one.rule == UNREADABLE or (one.rule, one.at) not in before):
            yield Violation("policy", f"{one.message} [{one.rule}]")
