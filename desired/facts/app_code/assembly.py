"""What was seen of the chosen project, made into facts: the framework, ports, health, kind of work, and the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from desired.facts.app_code.backends import find_backends
from desired.facts.app_code.environment import Environment, environment
from desired.facts.app_code.frameworks import Framework, Work, framework_of
from desired.facts.app_code.gpu import gpu_need
from desired.facts.app_code.health_paths import health_order
from desired.facts.app_code.listening import find_ports
from desired.facts.app_code.projects import Candidate
from desired.facts.app_code.seen import (
    LIKELY,
    LITERAL,
    USUAL,
    DependencySeen,
    EnvSeen,
    HealthSeen,
    Seen,
    Sign,
    SignSeen,
    StartSeen,
    TalksSeen,
)
from desired.facts.app_code.work_kind import Shown, kind_of_work
from desired.facts.fact import Fact, Place
from desired.facts.facts import Backend, Dependency, EnvUse, Facts, HealthFact

NAME = "app_code"
# Found without being told: a provider's own address, or nothing that the app fails without.
_ELSEWHERE = frozenset({"s3", "smtp", "llm", "vault", "consul"})


def assemble(
    candidate: Candidate,
    seen: list[Seen],
    *,
    name: str,
    schedules: tuple[Fact[str], ...],
    exposed: bool,
    imaged: bool,
) -> Facts:
    """The facts of the component `name`. `exposed`: its Dockerfile names ports; `imaged`: it has one that starts."""
    dependencies = _dependencies(seen)
    signs = _signs(seen)
    known = candidate.project.known | {sign.value for sign in signs}
    matched = framework_of(candidate.ecosystem.name, known)
    places = {dependency.name: place for (_, _), (dependency, place) in dependencies.items()}
    places |= {sign.value: place for sign, place in signs.items()}
    framework = matched[0] if matched else None
    named = matched[1] if matched else ""
    # What is served as files was told everything while it was built.
    built = framework is not None and framework.work is Work.STATIC
    readings = (one for one in seen if isinstance(one, EnvSeen) and (one.documented or not built))
    env = environment(readings, extractor=NAME)
    ports = find_ports(seen, framework, candidate.ecosystem.name, places, env.uses, exposed=exposed)
    backends = _backends(seen, dependencies, signs, env, framework)
    uses = _needed(env.uses, backends)
    names = (name, *_alone(candidate))
    kind, schedule = kind_of_work(Shown(framework, places.get(named), ports, signs, names, schedules))
    return Facts(
        language=_language(candidate),
        framework=_framework(framework, places.get(named), named),
        kind=kind,
        schedule=schedule,
        gpu=gpu_need(seen, extractor=NAME),
        entrypoint=None if imaged else _start(seen, framework),
        health=_health(seen, framework, places, named),
        ports=MappingProxyType(ports),
        env_uses=MappingProxyType(uses),
        secret_literals=MappingProxyType(env.secrets),
        dependencies=MappingProxyType(
            {key: Fact(dependency, NAME, LITERAL, place) for key, (dependency, place) in dependencies.items()}
        ),
        backends=MappingProxyType(backends),
    )


def _needed(uses: Mapping[str, Fact[EnvUse]], backends: Mapping[str, Fact[Backend]]) -> dict[str, Fact[EnvUse]]:
    """A variable without a default by which a store is found is required: its client would look on this machine."""
    found = dict(uses)
    for kind, backend in backends.items():
        for name in backend.value.variables if kind not in _ELSEWHERE else ():
            use = found.get(name)
            if use is not None and not use.value.required and use.value.default is None:
                found[name] = replace(use, value=EnvUse(required=True), reason=use.reason or f"{kind} is found by it")
    return found


def _alone(candidate: Candidate) -> tuple[str, ...]:
    """What the code is called, where it is one file."""
    code = [path for path in candidate.project.code if not path.endswith("__init__.py")]
    return (code[0].rpartition("/")[2].partition(".")[0],) if len(code) == 1 else ()


def _dependencies(seen: Iterable[Seen]) -> dict[tuple[str, str], tuple[Dependency, Place]]:
    found: dict[tuple[str, str], tuple[Dependency, Place]] = {}
    for item in seen:
        if isinstance(item, DependencySeen):
            key = (item.dependency.ecosystem, item.dependency.name)
            held = found.get(key)
            if held is None or (not held[0].version and item.dependency.version):
                found[key] = (item.dependency, item.place)
    return found


def _signs(seen: Iterable[Seen]) -> dict[Sign, Place]:
    found: dict[Sign, Place] = {}
    for item in seen:
        if isinstance(item, SignSeen):
            found.setdefault(item.sign, item.place)
    return found


def _language(candidate: Candidate) -> Fact[str]:
    project = candidate.project
    first = next(iter((*project.manifests, *project.code)), None)
    typed = sum(path.endswith((".ts", ".tsx", ".mts")) for path in project.code) * 2 > len(project.code)
    typed = typed and candidate.ecosystem.name == "npm"
    language = "typescript" if typed else candidate.ecosystem.language
    if language == "java" and sum(path.endswith(".kt") for path in project.code) * 2 > len(project.code):
        language = "kotlin"
    return Fact(language, NAME, LITERAL if project.manifests else LIKELY, Place(first) if first else None)


def _framework(framework: Framework | None, place: Place | None, named: str) -> Fact[str] | None:
    return None if framework is None else Fact(framework.name, NAME, LITERAL, place, f"uses {named}")


def _backends(
    seen: Iterable[Seen],
    dependencies: Mapping[tuple[str, str], tuple[Dependency, Place]],
    signs: Mapping[Sign, Place],
    env: Environment,
    framework: Framework | None,
) -> dict[str, Fact[Backend]]:
    talked = list(dependencies.values())
    for item in seen:
        if isinstance(item, DependencySeen):
            talked += [(Dependency("extra", extra.lower()), item.place) for extra in item.extras]
        elif isinstance(item, TalksSeen):
            talked.append((Dependency("code", item.kind), item.place))
    if Sign.S3 in signs:
        talked.append((Dependency("code", "s3"), signs[Sign.S3]))
    # Laravel's own configuration names every service that it could talk to.
    named = framework is None or framework.name not in ("Laravel", "Lumen")
    return find_backends(talked, env.uses, env.kinds, named=named, extractor=NAME)


def _health(
    seen: Iterable[Seen], framework: Framework | None, places: Mapping[str, Place], named: str
) -> Fact[HealthFact] | None:
    routes = [item for item in seen if isinstance(item, HealthSeen)]
    if routes:
        best = min(routes, key=lambda item: (-item.confidence, health_order(item.path)))
        others = sorted({item.path for item in routes} - {best.path}, key=health_order)
        reason = best.reason or (f"also there: {', '.join(others[:4])}" if others else "")
        place = best.place or places.get(best.library)
        return Fact(HealthFact(best.path, port=best.port), NAME, best.confidence, place, reason)
    if framework is None or framework.health is None:
        return None
    return Fact(HealthFact(framework.health), NAME, USUAL, places.get(named), f"{framework.name}'s own")


def _start(seen: Iterable[Seen], framework: Framework | None) -> Fact[tuple[str, ...]] | None:
    starts = [item for item in seen if isinstance(item, StartSeen)]
    if starts:
        best = min(starts, key=lambda item: (-item.confidence, item.role == "worker"))
        return Fact(best.command, NAME, min(best.confidence, LIKELY), best.place, best.reason or best.role)
    if framework is not None and framework.start:
        return Fact(framework.start, NAME, USUAL, None, f"how {framework.name} is started")
    return None
