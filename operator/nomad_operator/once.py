"""`once`: one full pass over everything, for CI and cron."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from desired.reasons import Reason
from nomad_operator import log
from nomad_operator.copies.alone import lease_of_a_command
from nomad_operator.run import opened, tell_missing_namespaces
from nomad_operator.settings import Settings
from nomad_operator.signals import StopSignals
from nomad_operator.wiring import Parts
from reconcilers.decision import Step, Truth
from reconcilers.records import Records
from reconcilers.reports import AppReport

# Ends of a verification that are not settled: they wait for a person, for time, or for another app.
_ENDED = frozenset({Step.PRUNE_HELD, Step.UNHEALTHY, Step.DEPENDENCIES})
_AS_GIT_SAYS = frozenset({Step.PRUNED, Step.WITHDRAWN, Step.OWN_JOB})
_CHECK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Once:
    """What one full pass found. `code` is 0 if every app is ready; `status` is the documented one.

    `waiting` says what had not ended when the time was up, or when `signal` came; it is empty where everything has.
    """

    code: int
    status: dict[str, Any]
    waiting: tuple[str, ...] = ()
    signal: str = ""


async def once(settings: Settings, *, timeout_seconds: float | None = None) -> Once:
    """One full pass over everything. With a timeout it stops then, and at a signal; a later one goes on from there.

    Where git could not be read the last good revision was kept to, but nobody knows what the newest one asks for: 1.
    """
    log.configure(form=settings.log_format, level=settings.log_level)
    with StopSignals() as signals:
        async with lease_of_a_command(settings) as fence, opened(settings, fence=fence) as parts:
            await tell_missing_namespaces(settings, parts)
            await parts.daemon.start()
            running = asyncio.create_task(parts.daemon.run())
            ended = asyncio.create_task(_until_ended(parts, running))
            stopping = asyncio.create_task(signals.wait())
            waiting: list[str] = []
            try:
                await asyncio.wait([ended, stopping], timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    ended.result()
                else:
                    waiting = _not_ended(parts) or ["the last pass had not ended"]
            finally:
                ended.cancel()
                stopping.cancel()
                await parts.daemon.stop()
                await running
            return _found(parts, waiting, signals.name if waiting else "")


def _found(parts: Parts, waiting: list[str], signal: str) -> Once:
    state = parts.source.state
    ready = all(report.ready is Truth.TRUE for report in parts.reports if _counts(report, parts.records))
    whole = state is not None and state.complete and not state.unreadable and parts.source.problem is None
    return Once(0 if ready and whole and not waiting else 1, parts.backend.status(), tuple(waiting), signal)


def _counts(report: AppReport, records: Records) -> bool:
    """Whether it has to be ready: what git no longer asks for, or asks to leave alone, is as it should be.

    A stop that a guard holds back waits for a person; who suspends an app by command keeps git from being done.
    """
    if report.step is Step.SUSPENDED:
        return records.get(report.key).suspended
    return report.step not in _AS_GIT_SAYS and report.reason != Reason.WITHDRAWN


async def _until_ended(parts: Parts, running: asyncio.Task[None]) -> None:
    """Every app is settled, or its verification has ended; an unreadable git or Nomad ends it with that error."""
    while not running.done():
        await asyncio.sleep(_CHECK_SECONDS)
        if parts.daemon.state.problem is not None:
            raise parts.daemon.state.problem
        if parts.source.state is None:
            if parts.source.problem is not None:
                raise parts.source.problem
            continue
        if parts.daemon.missing():
            if (problem := parts.daemon.nomad.problem) is not None:
                raise problem
            continue
        if parts.workers.idle and not _not_ended(parts):
            return
    running.result()


def _not_ended(parts: Parts) -> list[str]:
    """What is still waited for, and why."""
    if missing := parts.daemon.missing():
        return missing
    found = []
    for key in sorted(parts.daemon.keys):
        report = parts.reports.get(key)
        if not _ended(report):
            found.append(f"{key} ({report.reason if report else 'not looked at yet'})")
    found += [f"{place} is being read" for place in parts.codes.pending]
    found += [f"{key}: a model is being asked" for key in parts.answers.pending]
    return [*found, "a repair is being written to git"] if parts.daemon.writing else found


def _ended(report: AppReport | None) -> bool:
    if report is None:
        return False
    return report.settled or report.step in _ENDED or report.reason == "AwaitingPromotion"
