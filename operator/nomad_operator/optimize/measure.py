"""Measures prompts on cases, one after the other: from the run's file where it is known, else by playing it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nomad_operator.optimize.metered import Spent
from nomad_operator.optimize.outcome import Ending, Played
from nomad_operator.optimize.repair_case import RepairCase
from nomad_operator.optimize.run_file import RunFile
from prompts.prompt_text import PromptText

# Plays one case, or raises Stopped.
Play = Callable[[RepairCase, PromptText], Played]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: `done` of `of` cases of one phase, their score so far, and what the whole run has spent."""

    phase: str
    done: int
    of: int
    score: float
    tokens: int


def digest(text: PromptText) -> str:
    """Of what is asked with: its messages, and the settings of the model. Not of its number and its notes."""
    told = [[[one.role, one.text] for one in text.messages], dict(text.settings)]
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


class Measure:
    """One for a run. `tell` hears of every case; `spent` are all the run's tokens, earlier sessions' included."""

    def __init__(self, *, play: Play, file: RunFile, spent: Spent, tell: Callable[[Progress], None]) -> None:
        self._play = play
        self._file = file
        self._spent = spent
        self._tell = tell
        self._kept = (spent.tokens, spent.seconds)

    def one(self, case: RepairCase, text: PromptText) -> Played:
        """Raises Stopped where it is not known and cannot be played now."""
        mark = digest(text)
        known = self._file.played(mark, case.name)
        if known is not None:
            return known
        try:
            played = self._play(case, text)
        finally:
            self.keep_spent()
        self._file.keep(mark, played)
        return played

    def all(self, cases: Sequence[RepairCase], text: PromptText, *, phase: str) -> list[Played]:
        """In the order of the cases; raises Stopped, and what was played till then is kept."""
        found: list[Played] = []
        for case in cases:
            found.append(self.one(case, text))
            self.told(phase, found, len(cases))
        return found

    def told(self, phase: str, found: Sequence[Played], of: int) -> None:
        self._tell(Progress(phase, len(found), of, mean(found), self._spent.tokens))

    def keep_spent(self) -> None:
        """Whatever was asked since it was called last."""
        tokens, seconds = self._spent.tokens - self._kept[0], self._spent.seconds - self._kept[1]
        if tokens or seconds:
            self._file.keep_spent(tokens, seconds)
            # As it is written: whoever reads the file again tells the same numbers.
            self._spent.seconds = self._file.seconds
            self._kept = (self._spent.tokens, self._spent.seconds)


def counted(found: Sequence[Played]) -> list[Played]:
    """Those that tell something of a prompt."""
    return [one for one in found if one.ending is not Ending.NOT_ASKED]


def mean(found: Sequence[Played]) -> float:
    """From 0 to 1; 0 for none."""
    those = counted(found)
    return sum(one.score for one in those) / len(those) if those else 0.0
