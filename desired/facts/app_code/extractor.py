"""The extractor `app_code`: one project of the component is chosen, read, and what it says made into facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from desired.facts.app_code.assembly import NAME, assemble
from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.dotenv_examples import read_examples
from desired.facts.app_code.ecosystems import ECOSYSTEMS
from desired.facts.app_code.procfile import read_procfile
from desired.facts.app_code.projects import choose, find_projects
from desired.facts.app_code.seen import LIKELY, USUAL, Seen
from desired.facts.app_code.sources import Limits, Sources
from desired.facts.app_code.work_kind import read_crontabs
from desired.facts.codebase import Codebase, Component
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact, Place
from desired.facts.facts import Facts, WorkKind
from desired.problem import Problem

_EXPOSES = bounded(r"^[ \t]*EXPOSE[ \t]+\S", re.IGNORECASE | re.MULTILINE)
_MOST_WARNINGS = 50


def extract(codebase: Codebase, component: Component, *, limits: Limits | None = None) -> Extraction:
    """What dependency files and code say of one component. Never raises for what a file holds."""
    sources = Sources(codebase, component, limits=limits)
    dockerfile = (codebase.text(component.dockerfile) or "") if component.dockerfile else ""
    projects = find_projects(codebase, component, sources, ECOSYSTEMS)
    chosen = choose(projects, component, dockerfile)
    if chosen is None:
        return Extraction(_pages(sources), tuple(_left_alone(read_crontabs(sources, component.root))))
    folder = chosen.project.folder
    schedules = tuple(read_crontabs(sources, folder))
    seen: list[Seen] = [*chosen.seen, *chosen.ecosystem.code(sources, chosen.project)]
    seen += read_procfile(sources, folder)
    seen += read_examples(sources, tuple({folder: 0, component.root: 0}))
    # Of the others as well: the one that it is may be the one that cannot be read.
    beside = (item for one in projects if one is not chosen for item in one.seen)
    warnings = [item for item in (*seen, *beside) if isinstance(item, Problem)]
    if sources.cut is not None:
        warnings.append(sources.cut)
    facts = assemble(
        chosen,
        seen,
        name=component.name,
        schedules=schedules,
        exposed=_EXPOSES.search(dockerfile) is not None,
        imaged=component.dockerfile is not None,
    )
    if facts.schedule is None:
        warnings += _left_alone(schedules)
    return Extraction(facts, tuple(dict.fromkeys(warnings))[:_MOST_WARNINGS])


def _left_alone(schedules: Iterable[Fact[str]]) -> Iterator[Problem]:
    """What a crontab runs beside an app that is something else; its command may hold a secret."""
    for one in schedules:
        if one.place is not None:
            message = f"a crontab runs something at `{one.value}`: it is no part of this app's job"
            hint = "give it a manifest of its own: type: batch, and job: {periodic: {crons: […]}}"
            yield Problem(one.place.path, one.place.line or 0, message=message, hint=hint)


def _pages(sources: Sources) -> Facts:
    """A folder of pages that need no language: the shallowest `index.html` tells."""
    index = next((path for path in sources.paths if path.rpartition("/")[2] == "index.html"), None)
    if index is None:
        return Facts()
    place = Place(index)
    return Facts(
        language=Fact("html", NAME, LIKELY, place),
        framework=Fact("static site", NAME, LIKELY, place, "pages, and no code that serves them"),
        kind=Fact(WorkKind.SERVICE, NAME, USUAL, place, "pages to be served"),
    )


extractor = Extractor(NAME, 0.5, extract)
