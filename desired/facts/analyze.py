"""Everything that can be known of a codebase without running it, each value with its source. Pure over a Codebase."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from desired.errors import InvalidDesired
from desired.facts.app_code.sizing import sized
from desired.facts.codebase import Codebase, Component
from desired.facts.components import components
from desired.facts.compose_file import Compose, compose
from desired.facts.dockerfiles import dockerfiles
from desired.facts.extractor import Extractor
from desired.facts.facts import Facts
from desired.facts.merge import merged
from desired.facts.registry import EXTRACTORS
from desired.problem import Problem


@dataclass(frozen=True, slots=True)
class Analyzed:
    """One component with its merged facts."""

    component: Component
    facts: Facts


@dataclass(frozen=True, slots=True)
class Analysis:
    """`dockerfile` is the chosen one of `dockerfiles`, the likeliest first; None where there is none.

    `warnings` are files that could not be read as what they claim to be; they never cost the rest. `notes` are what was
    left out on purpose.
    """

    apps: tuple[Analyzed, ...]
    dockerfiles: tuple[str, ...] = ()
    dockerfile: str | None = None
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(one.component.name for one in self.apps)


def analyze(
    codebase: Codebase, dockerfile: str | None = None, *, extractors: Sequence[Extractor] = EXTRACTORS
) -> Analysis:
    """`dockerfile` is the one to go by, below the codebase's root. Raises InvalidDesired if it is not among the files.

    What the codebase itself raises where it cannot be listed passes through.
    """
    found = dockerfiles(codebase)
    if dockerfile is not None:
        dockerfile = posixpath.normpath(dockerfile)
        if dockerfile not in codebase.paths:
            listed = f"name one of {', '.join(found)}" if found else "it has no Dockerfile"
            raise InvalidDesired((Problem(dockerfile, message=f"is no file of {codebase.name}"),), hint=listed)
    file = compose(codebase)
    chosen = dockerfile or next(iter(found), None)
    apps: list[Analyzed] = []
    warnings: list[Problem] = list(file.warnings)
    for component in components(codebase, file, chosen, chosen=dockerfile is not None):
        extractions = [(one.priority, one.extract(codebase, component)) for one in extractors]
        warnings += [warning for _, extraction in extractions for warning in extraction.warnings]
        facts = sized(merged((priority, extraction.facts) for priority, extraction in extractions))
        apps.append(Analyzed(component, facts))
    return Analysis(tuple(apps), found, chosen, tuple(dict.fromkeys(warnings)), tuple(_notes(file)))


def _notes(file: Compose) -> list[str]:
    left = [service for service in file.services.values() if service.all("profiles")]
    return [
        f"{service.name} of {file.path} is started only with a profile: it is no app of its own" for service in left
    ]
