"""What an optimizer is given, and what it comes back with. It never sees what is held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest

from nomad_operator.optimize.assembled import assembled
from nomad_operator.optimize.measure import Measure, digest, mean
from nomad_operator.optimize.metered import Stopped
from nomad_operator.optimize.outcome import Exchange, Played
from nomad_operator.optimize.repair_case import RepairCase
from prompts.prompt_text import PromptText, PromptUnusable


class Optimizer(StrEnum):
    """By the names that DSPy has for them."""

    BOOTSTRAP = "BootstrapFewShot"
    MIPRO = "MIPROv2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """`examples` is the most that a prompt gets; `candidates` and `trials` are MIPROv2's, `seed` is its luck."""

    optimizer: Optimizer
    examples: int = 3
    candidates: int = 4
    trials: int = 8
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """`stopped` says why the search ended early; it is the best that was found till then."""

    instructions: str
    examples: tuple[Exchange, ...]
    stopped: Stopped | None = None


@dataclass(slots=True)
class _Tried:
    """One prompt, and how the cases went with it."""

    candidate: Candidate
    found: dict[str, Played] = field(default_factory=dict)


class Trials:
    """What an optimizer may try: prompts on the cases for learning. Every answer is remembered for a search cut short.

    `usable` makes an example of an exchange, or None of one that must not be shown.
    """

    def __init__(
        self,
        *,
        base: PromptText,
        instructions: str,
        learned: Sequence[RepairCase],
        judged: Sequence[RepairCase],
        exported: Sequence[Exchange],
        measure: Measure,
        usable: Callable[[Exchange], Exchange | None],
        most: int,
    ) -> None:
        self.instructions = instructions
        self.learned: Mapping[str, RepairCase | Exchange] = _mixed(learned, exported)
        self.judged: Mapping[str, RepairCase] = {one.name: one for one in judged}
        self._base = base
        self._measure = measure
        self._usable = usable
        self._most = most
        self._tried: dict[str, _Tried] = {}
        self._proved: dict[Exchange, None] = {}
        self._found: list[Played] = []

    def score(
        self, name: str, instructions: str, examples: Sequence[Exchange]
    ) -> tuple[float, Exchange | None]:  # fmt: skip
        """How a case goes with such a prompt, and the exchange as an example where it went well. Raises Stopped."""
        one = self.learned.get(name) or self.judged[name]
        if isinstance(one, Exchange):
            self._proved.setdefault(one)
            return 1.0, one
        try:
            text = assembled(self._base, instructions, examples)
        except PromptUnusable:
            return 0.0, None
        played = self._measure.one(one, text)
        tried = self._tried.setdefault(digest(text), _Tried(Candidate(instructions, tuple(examples))))
        tried.found[name] = played
        self._found.append(played)
        self._measure.told("learning", self._found, max(self._most, len(self._found)))
        if played.score < 1.0 or played.exchange is None:
            return played.score, None
        example = self._usable(played.exchange)
        if example is not None and name in self.learned:
            self._proved.setdefault(example)
        return played.score, example

    def best(self, examples: int, stopped: Stopped) -> Candidate:
        """Of the prompts that were tried on all cases that judge, the best; else what has proved itself as example."""
        whole = [one for one in self._tried.values() if self.judged and self.judged.keys() <= one.found.keys()]
        if whole:
            best = max(whole, key=lambda one: mean([one.found[name] for name in self.judged]))
            return Candidate(best.candidate.instructions, best.candidate.examples, stopped)
        return Candidate(self.instructions, tuple(self._proved)[:examples], stopped)


def _mixed(cases: Sequence[RepairCase], exported: Sequence[Exchange]) -> dict[str, RepairCase | Exchange]:
    """By turns one of each class, what can be mended and what cannot: the first few are of many kinds.

    Questions of production count as one class.
    """
    kinds: dict[tuple[str, bool], list[tuple[str, RepairCase | Exchange]]] = {}
    for case in cases:
        kinds.setdefault((case.failure, case.due), []).append((case.name, case))
    for number, one in enumerate(exported):
        kinds.setdefault(("", True), []).append((f"exported {number}", one))
    due = [those for (_, mended), those in kinds.items() if mended]
    not_due = [those for (_, mended), those in kinds.items() if not mended]
    turns = [those for pair in zip_longest(due, not_due) for those in pair if those is not None]
    return dict(one for each in zip_longest(*turns) for one in each if one is not None)
