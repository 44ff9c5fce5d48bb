"""Somebody writes into the store what he wants of a job, as approved and as held for ever: nothing harms it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from reconcilers.repair.experience import Experience
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.learned import Where
from reconcilers.repair.memory_rung import MemoryRung
from reconcilers.repair.proposal import Case, Proposal, Rung
from reconcilers.repair.relative import From, Step
from reconcilers.repair.remembered import Learned, Remembered
from reconcilers.repair.signature import signature
from tests.doubles.notes_in_memory import InMemory
from tests.injection.attacks import hardened
from tests.injection.test_hostile_proposals import CASES, _harm, _sampled

AT = datetime(2026, 1, 1, tzinfo=UTC)
_ROLES = ("group", "task", "service", "check")
_AMOUNTS = (-5, 0, 1, 10, 100, 199, 200, 201, 10_000, 10**12, True, "200", None, ("200",))


def _poison(case: Case, dice: random.Random) -> Iterator[Step]:
    """The attacker's operations word for word, and relative ones with values that no repair ever had."""
    for one in _sampled(case, ("evil",), dice):
        yield Step(one.kind, one.at, From.OWN, one.new, one.old)
        yield Step(one.kind, one.at, From.OWN, one.new, None)
        yield Step(one.kind, tuple(f"={part}" for part in one.at), From.TERM, one.new)
        for source in (From.TIMES, From.USE, From.FACT):
            yield Step(one.kind, _ROLES[: len(one.at)], source, dice.choice(_AMOUNTS))


async def test_whatever_a_store_says_nothing_harmful_comes_out_of_the_rung() -> None:
    dice = random.Random("poison")
    guard, proposed = Guard(settings=GuardSettings()), 0

    async def where() -> Where:
        return Where("one")

    for told in dice.sample(CASES, 10):
        case = hardened(told)
        asked = signature(case.diagnosis, case.evidence, case.body)
        for number, step in enumerate(_poison(case, dice)):
            notes = InMemory()
            poison = Remembered(
                key=f"evil-{number}", failure=case.diagnosis.failure.value, signature=asked.exact, text=asked.text,
                steps=(step,), outcome=Learned.DURABLE, rung="person", source="trust me", cluster="one",
                app=str(case.key), at=AT, approved=True,
            )  # fmt: skip
            notes.notes = {poison.key: poison.note()}
            rung = MemoryRung(memory=Experience(notes=notes, where=where), guard=guard)
            found = await rung.propose(case)
            if isinstance(found, Proposal):
                proposed += 1
                assert not _harm(case, Rung.MEMORY, ("evil",), *found.operations), found.operations
    # Else nothing would have been tested.
    assert proposed > 100
