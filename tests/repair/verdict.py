"""Runs one case to its end and judges it from outside: Nomad's job and its health, what was sent, and the record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from nomad_operator.rehearsal.life import lived, set_up
from nomad_operator.rehearsal.wrong import wrong_changes
from observers.failures.failure_class import FailureClass
from reconcilers.decision import Truth
from reconcilers.repair.episode import Episode, Outcome
from tests.integration.loop.cluster import Rungs
from tests.repair.case import Case, End, Part
from tests.repair.party import Party
from tests.repair.stage import Stage


@dataclass(slots=True, kw_only=True)
class Judged:
    """How a case went. Times are virtual seconds from the commit, None where it did not happen."""

    name: str
    part: str
    label: str
    eligible: bool
    verdict: str = ""
    verdict_right: bool = False
    fixed: bool = False
    durable: bool = False
    attempts: int = 0
    outcome: str = ""
    wrong: tuple[str, ...] = ()
    registers: int = 0
    calls: int = 0
    passes: int = 0
    seconds_to_verdict: float | None = None
    seconds_to_healthy: float | None = None
    milliseconds_to_registered: float | None = None  # real time
    real_seconds: float = 0.0
    questions: int = 0  # to a model
    tokens: int = 0
    model_seconds: float = 0.0  # real time
    problems: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    @property
    def as_expected(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "story"}


def judge(
    case: Case,
    *,
    party: Party | None = None,
    rungs: Rungs | None = None,
    ended: Callable[[Stage], None] = lambda _stage: None,
) -> Judged:
    """Never raises for what the code under test does: that is a problem of the case.

    `party` says who is asked, and whether people agree; None: the rules, and people agree. `rungs` are asked instead
    of its; `ended` sees what is there at the end.
    """
    party = party or Party()
    if case.part is Part.READ and not party.reads and case.eligible:
        case = replace(case, ends=End.TOLD)
    if not party.agrees and case.ends is End.APPROVED:
        case = replace(case, ends=End.TOLD)
    began = time.perf_counter()
    stage = Stage(dict(case.world), case.app, rungs=rungs or party.rungs_for(case))
    party.listens(stage.cluster)
    committed = set_up(stage, case)
    before = len(stage.registers)
    calls = stage.calls
    stage.commit_text(case.text, case.policy)
    try:
        healthy_at = lived(stage, case, committed, approves=case.ends is End.APPROVED)
    except Exception as error:  # a bug of the code under test ends this case, not the run
        found = _judged(stage, case, committed, before, None)
        found.problems.append(f"{type(error).__name__}: {error}")
        found.real_seconds = time.perf_counter() - began
        return found
    found = _judged(stage, case, committed, before, healthy_at)
    ended(stage)
    found.calls = stage.calls - calls
    party.over(stage.cluster)
    found.questions, found.tokens, found.model_seconds = party.asked
    found.real_seconds = time.perf_counter() - began
    return found


def _judged(stage: Stage, case: Case, committed: datetime, before: int, healthy_at: datetime | None) -> Judged:
    record = stage.cluster.records.get(stage.key)
    episodes = list(stage.seen.episodes.values())
    named = [one for one in episodes if one.diagnosis.failure is not FailureClass.UNKNOWN] or episodes
    last = record.episode or record.last_episode
    healthy = stage.healthy()
    tries = [one for episode in episodes for one in episode.tries]
    found = Judged(
        name=case.name,
        part=case.part.value,
        label=case.label,
        eligible=case.eligible,
        verdict=", ".join(dict.fromkeys(one.value for one in _said(episodes))),
        attempts=sum(one.acted for one in tries),
        outcome=last.outcome.value if last is not None and last.outcome is not None else "open" if last else "",
        wrong=tuple(sorted(wrong_changes(case, stage.registers[before:]))),
        registers=len(stage.registers) - before,
        calls=stage.calls,
        passes=stage.seen.passes,
    )
    if named:
        found.seconds_to_verdict = (stage.seen.named_at[named[0].id] - committed).total_seconds()
    if healthy and healthy_at is not None:
        found.seconds_to_healthy = (healthy_at - committed).total_seconds()
    if stage.seen.climb_seconds:
        found.milliseconds_to_registered = max(stage.seen.climb_seconds) * 1000
    repaired = [one for one in episodes if one.outcome is Outcome.REPAIRED]
    found.fixed = bool(repaired) and healthy
    found.durable = found.fixed and all(one.durable is True for one in repaired)
    found.verdict_right = _right(case, episodes)
    found.problems += _problems(case, found, healthy=healthy, waiting=record.episode is not None)
    report = stage.cluster.reports.get(stage.key)
    if case.ends in (End.HEALS, End.HEALTHY) and report is not None and report.ready is not Truth.TRUE:
        found.problems.append(f"healthy, and told as {report.reason}")
    found.problems += stage.seen.errors[:2]
    found.story = _story(stage, case, committed, episodes, healthy=healthy)
    return found


def _said(episodes: list[Episode]) -> list[FailureClass]:
    """Every verdict, in its order."""
    return [
        one.failure
        for episode in episodes
        for one in (episode.diagnosis, *(attempt.diagnosis for attempt in episode.tries))
    ]


def _right(case: Case, episodes: list[Episode]) -> bool:
    said = _said(episodes)
    if not case.says:
        return not said
    if case.ends in (End.HEALS, End.HEALTHY, End.WAITS):
        return set(said) <= case.says
    if not said:
        return False
    return said[0] in case.says if case.faults == 1 else set(said) <= case.says


def _problems(case: Case, found: Judged, *, healthy: bool, waiting: bool) -> list[str]:
    problems = []
    if not found.verdict_right:
        expected = "|".join(sorted(one.value for one in case.says)) or "none"
        problems.append(f"verdict {found.verdict or 'none'}, expected {expected}")
    if found.wrong:
        problems.append(f"changed what it must not: {', '.join(found.wrong)}")
    if case.eligible and not found.fixed:
        problems.append("not fixed" + (", waits for an approval that nobody expects" if waiting else ""))
    elif case.eligible and not found.durable:
        problems.append("fixed, and not told as durable")
    if case.eligible and found.attempts > 2 and case.faults == 1:
        problems.append(f"{found.attempts} attempts")
    if not case.eligible and found.attempts and not (case.ends is End.TOLD and case.may_change):
        problems.append(f"{found.attempts} attempts where none is due")
    if case.ends in (End.HEALS, End.HEALTHY) and not healthy:
        problems.append("not healthy in the end")
    return problems


def _story(stage: Stage, case: Case, committed: datetime, episodes: list[Episode], *, healthy: bool) -> list[str]:
    def at(when: datetime) -> str:
        return f"{(when - committed).total_seconds():8.1f} s"

    told = [(when, f"{reason}: {message}") for when, reason, message in stage.seen.reasons]
    for one in stage.registers:
        told.append((one.at, "registered"))
    for episode in episodes:
        facts = ", ".join(f"{name}={value}" for name, value in episode.diagnosis.facts.items())
        found = episode.diagnosis
        told.append(
            (stage.seen.named_at[episode.id],
             f"episode: {found.failure.value} ({found.cause.value}, conclusive {found.conclusive}) at "
             f"{'/'.join(filter(None, (found.group, found.task, found.service, found.check, found.port)))}; {facts}")
        )  # fmt: skip
        for each in episode.tries:
            changes = "; ".join(f"{o.kind.value} {o.path}: {o.old!r} -> {o.new!r}" for o in each.operations)
            told.append((each.at, f"try by {each.source}, {each.state.value}: {changes} ({each.reason}) {each.told}"))
        if episode.ended_at is not None:
            choices = f" choices: {'; '.join(episode.choices)}" if episode.choices else ""
            told.append(
                (episode.ended_at, f"ended {episode.outcome}: {episode.told}{choices}, durable {episode.durable}")
            )
    lines = [f"{at(when)}  {words}" for when, words in sorted(told, key=lambda one: one[0])]
    return [*lines, f"{at(stage.cluster.now)}  {'healthy' if healthy else 'not healthy'} in the end"]
