"""Plays one case with one prompt, as it would go in a cluster: rules first, then the model, guard, plan and health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desired.state import JobBody
from nomad_operator.optimize.metered import Metered, Spent
from nomad_operator.optimize.outcome import Played, Seen, ending_of
from nomad_operator.optimize.repair_case import RepairCase
from nomad_operator.rehearsal.cluster import RehearsedCluster
from nomad_operator.rehearsal.life import lived, set_up
from nomad_operator.rehearsal.stage import Stage
from nomad_operator.rehearsal.wrong import wrong_changes
from observers.job_secrets import known_in
from observers.redaction import Placeholders, Redactor
from prompts.catalog import Prompt
from prompts.model.question import PromptVersion
from prompts.prompt_text import PromptText
from reconcilers.repair.episode import Outcome, Try, TryState
from reconcilers.repair.ladder import AskedRung
from reconcilers.repair.model_rung import NAME, ModelRung
from reconcilers.repair.model_view import Hide
from reconcilers.repair.rule_rung import RuleRung


@dataclass(frozen=True, slots=True)
class _One:
    """Implements `Prompts`: this one, whatever is asked for."""

    text: PromptText

    async def chosen(self, name: str, *, by: str = "") -> Prompt:
        return Prompt(PromptVersion(name, self.text.version), self.text)


def play(case: RepairCase, text: PromptText, *, model: Metered, spent: Spent) -> Played:
    """Raises `Stopped` where the case could not be played to its end: what was seen of it then counts for nothing."""
    tokens, seconds = spent.tokens, spent.seconds
    heard = model.begin()
    rungs: list[tuple[str, AskedRung]] = [
        ("rule", RuleRung()),
        (NAME, ModelRung(model=model, prompts=_One(text), hiding=_hiding)),
    ]
    stage = Stage(cluster=RehearsedCluster(world=case.readable_world, rungs=rungs), app=case.app)
    committed = set_up(stage, case)
    before = len(stage.registers)
    stage.commit_text(case.text, case.policy)
    lived(stage, case, committed, approves=case.due)
    if heard.stopped is not None:
        raise heard.stopped
    wrong = wrong_changes(case, stage.registers[before:])
    episodes = list(stage.seen.episodes.values())
    repaired = [one for one in episodes if one.outcome is Outcome.REPAIRED]
    tries = [one for episode in episodes for one in episode.tries if one.source == NAME]
    ending = ending_of(
        Seen(
            due=case.due, asked=heard.asked > 0, answered=bool(heard.answered), unanswered=heard.unanswered > 0,
            late=heard.late > 0, healthy=stage.healthy(), repaired=bool(repaired),
            durable=all(one.durable is True for one in repaired),
            tried=any(one.acted for one in tries), turned_down=_any(tries, TryState.GUARDED),
            waits=_any(tries, TryState.WAITING), wrong=bool(wrong),
        )
    )  # fmt: skip
    return Played(
        case=case.name, failure=case.failure, ending=ending, wrong=tuple(sorted(wrong)), questions=heard.asked,
        tokens=spent.tokens - tokens, seconds=round(spent.seconds - seconds, 3),
        exchange=heard.answered[-1] if heard.answered else None,
    )  # fmt: skip


def _any(tries: Sequence[Try], state: TryState) -> bool:
    return any(one.state is state for one in tries)


def _hiding(body: JobBody) -> Hide:
    return Redactor(known=known_in(body), placeholders=Placeholders()).redact
