"""The rules that jobs are judged by now: those of whoever runs the operator, and those of the repository. Both hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desired.admission.rule_file import RuleFile
from desired.admission.rule_set import RuleSet
from desired.state import DesiredState


class RulesInForce:
    """Called for each job that is judged."""

    def __init__(self, *, files: Sequence[RuleFile], state: Callable[[], DesiredState | None]) -> None:
        self._files = tuple(files)
        self._state = state

    def __call__(self) -> tuple[RuleSet, ...]:
        state = self._state()
        own = tuple(file.rules() for file in self._files)
        return own if state is None else (*own, *state.policies)
