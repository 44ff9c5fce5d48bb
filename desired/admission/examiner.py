"""Objects to what the rules in force do not allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from desired.admission.judge import judge
from desired.admission.rule_set import UNREADABLE, RuleSet
from desired.app import AppKey
from desired.objection import Objection
from desired.state import JobBody

_TOLD_AT_ONCE = 3


class PolicyExaminer:
    """`rules` are asked at each job: they may have changed since."""

    def __init__(self, *, rules: Callable[[], Sequence[RuleSet]]) -> None:
        self._rules = rules

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        return judged(key, body, self._rules())


def judged(key: AppKey, body: JobBody, rule_sets: Iterable[RuleSet]) -> tuple[Objection, ...]:
    """By all of them at once: what one allows, another may forbid. Rules that cannot be read allow nothing."""
    return tuple(one for rules in rule_sets for one in _judged(key, body, rules))


def _judged(key: AppKey, body: JobBody, rules: RuleSet) -> tuple[Objection, ...]:
    if rules.spec is None:
        told = "; ".join(str(one) for one in rules.problems[:_TOLD_AT_ONCE])
        more = len(rules.problems) - _TOLD_AT_ONCE
        message = f"the rules cannot be read, and so nothing new is registered: {told}"
        return (Objection(UNREADABLE, message + (f"; and {more} more" if more > 0 else ""), f"mend {rules.origin}"),)
    return tuple(_named(one, rules.origin) for one in judge(key, body, rules.spec))


def _named(objection: Objection, origin: str) -> Objection:
    """Whoever wants another rule has to know whose it is."""
    return replace(objection, message=f"{objection.message}, says {origin}")
