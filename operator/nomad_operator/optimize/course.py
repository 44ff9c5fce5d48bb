"""One run: the prompt as it is, measured; another one, searched; that one, measured on the same cases held out.

It can be ended at any moment and begun again with the same file: what is known is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nomad_operator.optimize.assembled import assembled
from nomad_operator.optimize.measure import Measure, digest
from nomad_operator.optimize.metered import Metered, Spent, Stopped
from nomad_operator.optimize.outcome import Exchange, Played
from nomad_operator.optimize.promotion import NOTE
from nomad_operator.optimize.report import Cost, Report
from nomad_operator.optimize.search import Candidate, Effort, Optimizer, Trials
from nomad_operator.optimize.split import Split, shuffled
from prompts.prompt_text import PromptText

LABEL = "candidate"
# Examples make a question longer: what the measurement at the end costs, against the one at the beginning.
_LONGER = 2.0

Search = Callable[[Trials], Candidate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`made` is the new version, None where there is none; `stopped` is what ended the run before it was over."""

    report: Report
    made: PromptText | None
    stopped: Stopped | None


class Course:
    """`about` is told in the report and in the new version's config; `budget` are all tokens of the run."""

    def __init__(
        self,
        *,
        base: PromptText,
        instructions: str,
        parts: Split,
        exported: Sequence[Exchange],
        effort: Effort,
        measure: Measure,
        model: Metered,
        spent: Spent,
        usable: Callable[[Exchange], Exchange | None],
        search: Search,
        about: Mapping[str, Any],
        budget: int,
    ) -> None:
        self._base = base
        self._instructions = instructions
        self._parts = parts
        self._exported = exported
        self._effort = effort
        self._measure = measure
        self._model = model
        self._spent = spent
        self._usable = usable
        self._search = search
        self._about = about
        self._budget = budget

    def run(self) -> Ended:
        """Raises nothing of its own: an end that came early is told."""
        held_out = self._parts.held_out
        try:
            before = self._measure.all(held_out, self._base, phase="before")
        except Stopped as stopped:
            return self._ended((), (), stopped, "the prompt as it is could not be measured on all cases held out")
        # What it takes to measure at the end is not spent on the search.
        self._model.most = self._budget - int(_LONGER * sum(one.tokens for one in before))
        found = self._search(self._trials())
        self._model.most = self._budget
        text = assembled(self._base, found.instructions, found.examples)
        if digest(text) == digest(self._base):
            return self._ended(before, (), found.stopped, "no other prompt was found")
        if found.stopped is not None and found.stopped.error is not None:
            return self._ended(before, (), found.stopped, "the search was not over")
        try:
            after = self._measure.all(held_out, text, phase="after")
        except Stopped as stopped:
            return self._ended(before, (), stopped, "what was found could not be measured on all cases held out")
        ended = self._ended(before, after, found.stopped, "")
        return replace(ended, made=self._noted(text, ended.report))

    def _trials(self) -> Trials:
        train = self._parts.train
        if self._effort.optimizer is Optimizer.MIPRO:
            # An example of a case must not be in the prompt that is judged by that case.
            learned, judged = shuffled(train)[::2], shuffled(train)[1::2]
            most = (self._effort.trials + 1) * len(judged) + self._effort.candidates * len(learned)
        else:
            learned, judged = train, ()
            most = len(learned)
        return Trials(
            base=self._base, instructions=self._instructions, learned=learned, judged=judged,
            exported=self._exported, measure=self._measure, usable=self._usable, most=most,
        )  # fmt: skip

    def _ended(
        self, before: Sequence[Played], after: Sequence[Played], stopped: Stopped | None, note: str
    ) -> Ended:  # fmt: skip
        cost = Cost(tokens=self._spent.tokens, seconds=self._spent.seconds, budget=self._budget)
        report = Report(about=self._about, before=tuple(before), after=tuple(after), cost=cost, note=note)
        return Ended(report=report, made=None, stopped=stopped)

    def _noted(self, text: PromptText, report: Report) -> PromptText:
        """The new version as it is published; its number is the next one, as far as is known here."""
        told = report.as_json
        note = {
            **self._about,
            "digest": digest(text),
            "before": {**told["before"], "digest": digest(self._base), "version": self._base.version},
            "after": told["after"],
            "classes": told["classes"],
            "cost": told["cost"],
        }
        config = {**{name: value for name, value in text.config.items() if name != NOTE}, NOTE: note}
        return replace(text, config=config, version=self._base.version + 1, labels=(LABEL,))
