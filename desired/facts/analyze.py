"""Everything that can be known of a codebase without running it, each value with its source. Pure over a Codebase."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import MappingProxyType

from desired.errors import InvalidDesired
from desired.facts.app_code.sizing import sized
from desired.facts.codebase import Codebase, Component
from desired.facts.components import called, components
from desired.facts.compose_file import Compose, Service, compose
from desired.facts.compose_volumes import mounted_files
from desired.facts.dockerfiles import dockerfiles
from desired.facts.extractor import Extractor
from desired.facts.facts import Facts
from desired.facts.merge import merged
from desired.facts.processes import of_process
from desired.facts.read_once import ReadOnce
from desired.facts.registry import EXTRACTORS
from desired.facts.substitution import interpolated
from desired.facts.whole import fitting
from desired.facts.withheld import withheld
from desired.problem import Problem

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Analyzed:
    """One component with its merged facts."""

    component: Component
    facts: Facts


@dataclass(frozen=True, slots=True)
class Analysis:
    """`dockerfile` is the chosen one of `dockerfiles`, the likeliest first; None where there is none.

    `hosts` are the apps by the host names that a compose file gives them. `warnings` are files that could not be read
    as what they claim to be; they never cost the rest. `notes` are what was left out on purpose.
    """

    apps: tuple[Analyzed, ...]
    dockerfiles: tuple[str, ...] = ()
    dockerfile: str | None = None
    hosts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def analyze(
    codebase: Codebase, dockerfile: str | None = None, *, extractors: Sequence[Extractor] = EXTRACTORS
) -> Analysis:
    """`dockerfile` is the one to go by, below the codebase's root. Raises InvalidDesired if it is not among the files.

    What the codebase itself raises where it cannot be listed passes through.
    """
    codebase = ReadOnce(codebase)
    found = dockerfiles(codebase)
    if dockerfile is not None:
        dockerfile = posixpath.normpath(dockerfile)
        if dockerfile not in codebase.path_set:
            message = f"is no file of {codebase.name}, or a rule hides it"
            raise InvalidDesired((Problem(dockerfile, message=message),), hint=_meant(dockerfile, found))
    file = compose(codebase)
    chosen = dockerfile or next(iter(found), None)
    apps: list[Analyzed] = []
    warnings: list[Problem] = list(file.warnings)
    for component in components(codebase, file, chosen, chosen=dockerfile is not None):
        told: list[tuple[float, Facts]] = []
        for one in extractors:
            extraction = one.extract(codebase, component)
            shown, secrets = withheld(extraction.facts)
            told.append((one.priority, shown))
            warnings += [*extraction.warnings, *secrets]
        known = merged(told)
        if known == Facts() and not warnings:
            warnings.append(_nothing(codebase, component))
        facts = sized(fitting(of_process(known, component)))
        apps.append(Analyzed(called(component, facts), facts))
    by_service = {one.component.service: one.component.name for one in apps if one.component.service}
    hosts = {host: name for service, name in by_service.items() for host in _hosts(file.services[service])}
    linked = tuple(replace(one, facts=_linked(one.facts, by_service)) for one in apps)
    return Analysis(linked, found, chosen, hosts, tuple(dict.fromkeys(warnings)), tuple(_notes(codebase, file)))


def _nothing(codebase: Codebase, component: Component) -> Problem:
    files = (
        sum(path.startswith(f"{component.root}/") for path in codebase.paths) if component.root else len(codebase.paths)
    )
    looked = "no Dockerfile, compose file, build.yaml, Makefile, dependency file or code that is read here"
    return Problem(
        component.root or codebase.name,
        message=f"nothing tells what this is: {looked} among {files} {'file' if files == 1 else 'files'}",
        hint="name the folder that has the code; what .gitignore and .dockerignore hide is not looked at",
    )


def _linked(facts: Facts, by_service: Mapping[str, str]) -> Facts:
    """What it depends on by the names that the apps have."""
    named = {service: fact for service, fact in facts.depends_on.items() if service in by_service}
    return replace(
        facts, depends_on={by_service[key]: replace(fact, value=by_service[key]) for key, fact in named.items()}
    )


def _hosts(service: Service) -> Iterator[str]:
    """Every name that other services may call it by."""
    yield service.name
    for key in ("container_name", "hostname"):
        part = service.last(key)
        if part is not None and part.text:
            yield interpolated(part.text)
    for networks in service.all("networks"):
        for _, network in networks.items():
            aliases = network.get("aliases")
            yield from (interpolated(one.text) for one in (aliases.as_list() if aliases is not None else ()))


def _notes(codebase: Codebase, file: Compose) -> Iterator[str]:
    for service in file.services.values():
        if service.all("profiles"):
            yield f"{service.name} of {file.path} is started only with a profile: it is no app of its own"
        elif not service.all("build"):
            mounted = ", ".join(dict.fromkeys(mounted_files(codebase, service)))
            if mounted:
                yield f"{service.name} of {file.path} has {mounted} of the codebase mounted: no image holds that"


def _meant(dockerfile: str, found: Sequence[str]) -> str:
    if not found:
        return "it has no Dockerfile"
    near = get_close_matches(dockerfile, found, n=1)
    return f"{near[0]} may be meant" if near else f"name one of {', '.join(found[:_MOST_NAMED])}"
