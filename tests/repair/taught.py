"""What a memory is worth by itself: some apps' failures are repaired by rules and remembered; the same failures of
other apps are then judged with the memory as the only rung.

What only a rule could have known is not expected. What is counted is what was repaired, and that nothing wrong was
changed. With `both`, the rules are asked first, as in the daemon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from reconcilers.repair.experience import Experience
from reconcilers.repair.guard import Guard
from reconcilers.repair.ladder import AskedRung
from reconcilers.repair.learned import Where
from reconcilers.repair.memory_rung import MemoryRung
from reconcilers.repair.remembering import Remembering
from reconcilers.repair.rule_rung import RuleRung
from tests.doubles.notes_in_memory import InMemory
from tests.integration.loop.cluster import Rungs, run
from tests.repair.case import Case, Part
from tests.repair.stage import Stage
from tests.repair.verdict import judge


class Taught:
    """A memory of one cluster, and rungs that use it."""

    def __init__(self) -> None:
        async def where() -> Where:
            return Where("corpus")

        self.experience = Experience(notes=InMemory(), where=where)

    def learn(self, stage: Stage) -> None:
        """What the case's record teaches."""
        remembering = Remembering(memory=self.experience, records=stage.cluster.records, sleep=asyncio.sleep)
        remembering.look()
        run(remembering.write())

    def rungs(self, *, both: bool) -> Rungs:
        def made(guard: Guard) -> Sequence[tuple[str, AskedRung]]:
            memory = ("memory", MemoryRung(memory=self.experience, guard=guard))
            return [("rule", RuleRung()), memory] if both else [memory]

        return made


def split(cases: Iterable[Case]) -> tuple[list[Case], list[Case]]:
    """To learn from, and to be asked about: of each fault that several apps have, the first, and the others."""
    taught: list[Case] = []
    asked: list[Case] = []
    seen: set[str] = set()
    for case in cases:
        if not case.eligible or case.part is Part.READ:
            continue
        (asked if case.fault in seen else taught).append(case)
        seen.add(case.fault)
    faults = {case.fault for case in asked}
    return [case for case in taught if case.fault in faults], asked


def teach(cases: Iterable[Case]) -> Taught:
    memory = Taught()
    for case in cases:
        judge(case, ended=memory.learn)
    return memory


def report_of(cases: Sequence[Case]) -> str:
    """Learns from some, and is asked about the others: a line for each fault, and one for all."""
    learned_from, asked = split(cases)
    memory = teach(learned_from)
    found = [(case.fault, judge(case, rungs=memory.rungs(both=False))) for case in asked]
    lines = [
        f"{len(learned_from)} apps were repaired by rules; {len(asked)} others failed likewise, with the memory alone:",
        f"{'':<40}{'cases':>8}{'fixed':>8}{'durable':>9}{'wrong':>7}",
    ]
    for fault in [*sorted({fault for fault, _ in found}), ""]:
        of_it = [one for each, one in found if fault in ("", each)]
        lines.append(
            f"{fault or 'all':<40}{len(of_it):>8}{sum(one.fixed for one in of_it):>8}"
            f"{sum(one.durable for one in of_it):>9}{sum(len(one.wrong) for one in of_it):>7}"
        )
    return "\n".join(lines)
