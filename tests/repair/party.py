"""Who is asked for a repair, and whether people agree to what waits: rules, memory and a model, on or off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from desired.state import JobBody
from observers.job_secrets import known_in
from observers.redaction import Placeholders, Redactor
from prompts.catalog import FilePrompts
from prompts.model.question import Model, Question, Reply
from reconcilers.repair.experience import Experience, Notes
from reconcilers.repair.guard import Guard
from reconcilers.repair.ladder import AskedRung
from reconcilers.repair.learned import Where
from reconcilers.repair.memory_rung import MemoryRung
from reconcilers.repair.model_rung import ModelRung
from reconcilers.repair.model_view import Hide
from reconcilers.repair.remembering import Remembering
from reconcilers.repair.rule_rung import RuleRung
from tests.integration.loop.cluster import Cluster, Rungs, run
from tests.repair.case import Case


class ByScript:
    """A model that is told which case it is asked about."""

    case: Case | None = None


@dataclass(slots=True)
class Counted:
    """A model whose answers are counted; implements `Model`."""

    model: Model
    questions: int = 0
    tokens: int = 0
    seconds: float = 0.0

    async def ask(self, question: Question) -> Reply:
        self.questions += 1
        reply = await self.model.ask(question)
        self.tokens += reply.tokens_in + reply.tokens_out
        self.seconds += reply.seconds
        return reply


@dataclass(slots=True)
class Party:
    """One for a whole run: what is remembered of one case is known at the next. `agrees`: people approve."""

    name: str = "rules"
    model: Model | None = None
    notes: Notes | None = None
    agrees: bool = True
    asked: tuple[int, int, float] = (0, 0, 0.0)
    _counted: Counted | None = None
    _experience: Experience | None = None
    _remembering: Remembering | None = field(default=None)

    @property
    def reads(self) -> bool:
        """Somebody is there who can read what is decided by no rule, or remembers who did."""
        return self.model is not None or self.notes is not None

    def rungs_for(self, case: Case) -> Rungs:
        self.asked = (0, 0, 0.0)
        if self.model is not None:
            self._counted = Counted(self.model)
            if isinstance(self.model, ByScript):
                self.model.case = case
        if self.notes is not None:
            self._experience = Experience(notes=self.notes, where=_where)
        return self._rungs

    def listens(self, cluster: Cluster) -> None:
        if self._experience is None:
            return
        self._remembering = Remembering(memory=self._experience, records=cluster.records, sleep=asyncio.sleep)
        remembering = self._remembering

        def saved(before: Any, after: Any) -> None:
            remembering.saved(before, after)

        cluster.listeners = (*cluster.listeners, saved)
        cluster.restart()

    def over(self, _cluster: Cluster) -> None:
        if self._remembering is not None:
            run(self._remembering.write())
        if self._counted is not None:
            self.asked = (self._counted.questions, self._counted.tokens, self._counted.seconds)

    def _rungs(self, guard: Guard) -> Sequence[tuple[str, AskedRung]]:
        rungs: list[tuple[str, AskedRung]] = [("rule", RuleRung())]
        if self._experience is not None:
            rungs.append(("memory", MemoryRung(memory=self._experience, guard=guard)))
        if self._counted is not None:
            asked = ModelRung(model=self._counted, prompts=FilePrompts(), hiding=_hiding, recall=self._experience)
            rungs.append(("model", asked))
        return rungs


async def _where() -> Where:
    return Where("bench", "0", "2.0.5")


def _hiding(body: JobBody) -> Hide:
    return Redactor(known=known_in(body), placeholders=Placeholders()).redact
