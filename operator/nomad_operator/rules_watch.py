"""Notices that jobs are judged by other rules than before: an app that nobody touches may break one by now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desired.admission.rule_set import RuleSet
from nomad_operator.log import Log, Outages


class RulesWatch:
    """What is looked at is small, and asks nobody."""

    def __init__(self, *, rules: Callable[[], Sequence[RuleSet]], log: Log, outages: Outages) -> None:
        self._rules = rules
        self._log = log
        self._outages = outages
        self._seen: tuple[RuleSet, ...] | None = None

    def changed(self) -> bool:
        """Since the last look; the first one finds nothing new. What cannot be read is logged as it comes and goes."""
        found = tuple(self._rules())
        before, self._seen = self._seen, found
        unread = next((one for one in found if one.spec is None), None)
        problem = "; ".join(map(str, unread.problems)) if unread is not None else None
        hint = "nothing new is registered before they can be read" if problem else ""
        self._outages.report("rules", problem, hint=hint)
        if before is None or found == before:
            return False
        self._log.info("rules changed", rules=[one.origin for one in found])
        return True
