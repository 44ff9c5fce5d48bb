"""How an app runs: for ever, once to its end, or by a schedule; from its framework, its code, a crontab beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from desired.facts.app_code.frameworks import Framework, Work
from desired.facts.app_code.seen import LIKELY, USUAL, Sign
from desired.facts.app_code.sources import Sources
from desired.facts.fact import Fact, Place
from desired.facts.facts import PortFact, WorkKind

_NAME = "app_code"
_CRONTAB = re.compile(r"(?:[\w.-]+[._-])?(?:crontab|cron)(?:\.txt)?|[\w-]+\.(?:cron|crontab)")
_FIELD = r"[\d*/,A-Za-z-]{1,60}"
_LINE = re.compile(rf"\s*(?P<schedule>{_FIELD}(?:[ \t]+{_FIELD}){{4}}|@(?:hourly|daily|weekly|monthly|yearly))[ \t]+\S")
_SETTING = re.compile(r"\s*(?:#|$|[A-Za-z_]\w*\s*=)")
_FINITE = re.compile(
    r"(?:^|[-_.])(?:job|batch|cron|cronjob|etl|migrate|migrations?|backup|import|importer|export|exporter|report|cleanup"
    r"|sync|nightly|daily|hourly|seed|once)(?:$|[-_.])"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the code showed: where it listens, what it does, what it is called, and when a crontab runs it."""

    framework: Framework | None
    place: Place | None
    ports: Mapping[int, Fact[PortFact]]
    signs: Mapping[Sign, Place]
    names: tuple[str, ...]
    schedules: tuple[Fact[str], ...]


def kind_of_work(shown: Shown) -> tuple[Fact[WorkKind] | None, Fact[str] | None]:
    """The kind, and the schedule of what runs by one. Whatever serves or waits is never taken for anything else."""
    framework = shown.framework
    if framework is not None and framework.work is not Work.BATCH:
        return _kind(WorkKind.SERVICE, LIKELY, shown.place, f"{framework.name}: {framework.work}"), None
    if shown.ports or Sign.LISTENS in shown.signs:
        first = next((fact.place for fact in shown.ports.values()), None)
        return _kind(WorkKind.SERVICE, LIKELY, shown.signs.get(Sign.LISTENS, first), "it listens"), None
    if Sign.LOOPS in shown.signs:
        return _kind(WorkKind.SERVICE, USUAL, shown.signs[Sign.LOOPS], "it goes on for ever"), None
    if len(shown.schedules) == 1:
        schedule = shown.schedules[0]
        return _kind(WorkKind.PERIODIC, LIKELY, schedule.place, "a crontab runs it, and it serves nothing"), schedule
    if framework is not None:
        return _kind(WorkKind.BATCH, USUAL, shown.place, f"{framework.name}: {framework.work}"), None
    finite = next((name for name in shown.names if _FINITE.search(name.lower())), None)
    if finite is not None:
        return _kind(WorkKind.BATCH, USUAL, None, f"`{finite}` is called as what ends, and it serves nothing"), None
    return None, None


def _kind(value: WorkKind, confidence: float, place: Place | None, reason: str) -> Fact[WorkKind]:
    return Fact(value, _NAME, confidence, place, reason)


def read_crontabs(sources: Sources, folder: str) -> Iterator[Fact[str]]:
    """The schedules of crontabs in a project's folder, or in one of its own for cron."""
    for path in sources.under(folder):
        inside = path[len(folder) :].strip("/")
        parent, _, name = inside.rpartition("/")
        if not (_CRONTAB.fullmatch(name) and parent in ("", "cron", "cron.d", "docker", "deploy", "config", "etc")):
            continue
        source = sources.read(path)
        lines = [] if source is None else [(number, line) for number, line in source.lines() if len(line) < 1_000]
        matches = [(number, _LINE.match(line)) for number, line in lines if not _SETTING.match(line)]
        # A file with anything else in it is no crontab.
        if all(match is not None for _, match in matches):
            for number, match in matches[:20]:
                if match is not None:
                    schedule = re.sub(r"[ \t]+", " ", match["schedule"])
                    yield Fact(schedule, _NAME, LIKELY, Place(path, number))
