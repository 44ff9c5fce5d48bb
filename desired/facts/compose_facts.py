"""The extractor `compose`: what a compose file says of the service that a component is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from desired.facts.amounts import megabytes, megahertz
from desired.facts.codebase import Codebase, Component
from desired.facts.compose_environment import Environment, environment, secret_files
from desired.facts.compose_file import RESET, Compose, Service, compose
from desired.facts.compose_network import health, ports
from desired.facts.compose_volumes import volumes
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact, Place
from desired.facts.facts import Facts, WorkKind
from desired.facts.image_name import image_parts
from desired.facts.located import Located
from desired.facts.substitution import interpolated, unset
from desired.facts.withheld import withheld

T = TypeVar("T")
NAME = "compose"
PRIORITY = 0.7
# Said on purpose: without a word compose starts nothing again either.
_NOT_AGAIN = ("no", "false", "none")
# Of a value of which only whoever starts it knows a part: below what is taken without asking.
_UNSURE = 0.4


def extract(codebase: Codebase, component: Component) -> Extraction:
    if not component.service:
        return Extraction()
    file = compose(codebase)
    service = file.services.get(component.service)
    if service is None:
        return Extraction()
    env = environment(codebase, service)
    facts = _facts(codebase, file, service, env.known)
    facts = replace(facts, env=env.shown, secret_literals=env.hidden, env_uses=env.uses)
    facts, secrets = withheld(facts, env.secrets - _shown_anyway(service, env))
    return Extraction(facts, (*env.warnings, *secrets))


def _facts(codebase: Codebase, file: Compose, service: Service, known: dict[str, str]) -> Facts:
    image = _image(service)
    entrypoint, command = _process(service.last("entrypoint")), _process(service.last("command"))
    return Facts(
        name=_fact(service.name, next((one for parts in service.parts.values() for one in parts), None)),
        registry=image.get("registry"),
        image_name=image.get("name"),
        image_tag=image.get("tag"),
        entrypoint=entrypoint,
        command=command,
        working_dir=_text(service.last("working_dir")),
        user=_text(service.last("user")),
        kind=_kind(file, service),
        count=_count(service),
        cpu=_cpu(service),
        memory=_memory(service),
        gpu=_gpu(service),
        health=health(service, known),
        architecture=_architecture(service.last("platform")),
        ports=ports(service),
        volumes=volumes(codebase, service),
        secret_files=secret_files(file, service),
        depends_on={fact.value: fact for fact in _needed(service) if fact.value in file.services},
    )


def _shown_anyway(service: Service, env: Environment) -> set[str]:
    """Words that stand in the open as well: `postgres` is a user, a database and, for some, the password."""
    image = service.last("image")
    words = re.split(r"[/:@.]", image.text) if image is not None else []
    return {service.name, *words, *env.known.values()}


def _fact(value: T, part: Located | None, reason: str = "", confidence: float = PRIORITY) -> Fact[T]:
    place = None if part is None else Place(part.path, part.line)
    return Fact(value, NAME, confidence, place, reason)


def _text(part: Located | None) -> Fact[str] | None:
    """None for what only whoever starts it can tell."""
    text = "" if part is None or unset(part.text) else interpolated(part.text)
    return _fact(text, part) if text else None


def _image(service: Service) -> dict[str, Fact[str]]:
    """The parts of its name. What a variable without a default hides is left out, and the name is unsure then."""
    part = service.last("image")
    if part is None:
        return {}
    parts = image_parts(interpolated(part.text).strip("/").rstrip(":@"))
    if parts is None:
        return {}
    registry, name, tag = parts
    missing = unset(part.text.rpartition("/")[0])
    if missing:
        return {"name": _fact(name, part, f"only {missing[0]} tells its registry", _UNSURE)}
    found = {"name": _fact(name, part)}
    if registry:
        found["registry"] = _fact(registry, part)
    if tag:
        found["tag"] = _fact(tag, part)
    return found


def _process(part: Located | None) -> Fact[tuple[str, ...]] | None:
    if part is None:
        return None
    if isinstance(part.value, list):
        words = [interpolated(word.text) for word in part.as_list()]
    else:
        try:
            words = shlex.split(interpolated(part.text)) if len(part.text) < 10_000 else []
        except ValueError:
            return None
    missing = [name for one in part.as_list() for name in unset(one.text)]
    if not words or missing:
        reason = f"only whoever starts it knows {', '.join(dict.fromkeys(missing))}"
        return _fact(tuple(words), part, reason, _UNSURE) if words else None
    return _fact(tuple(words), part)


def _kind(file: Compose, service: Service) -> Fact[WorkKind] | None:
    """What compose starts again whatever happens runs on; what others wait for to end runs once."""
    for other in file.services.values():
        condition = other.last("depends_on", service.name, "condition")
        if condition is not None and condition.text == "service_completed_successfully":
            return _fact(WorkKind.BATCH, condition, f"{other.name} waits until it has ended")
    part = service.last("restart") or service.last("deploy", "restart_policy", "condition")
    if part is not None and part.text in ("always", "unless-stopped", "any"):
        return _fact(WorkKind.SERVICE, part)
    if part is not None and part.text in _NOT_AGAIN and not any(map(service.all, ("ports", "expose", "healthcheck"))):
        return _fact(WorkKind.BATCH, part, "compose does not start it again once it has ended", _UNSURE)
    return None


def _count(service: Service) -> Fact[int] | None:
    part = service.last("deploy", "replicas") or service.last("scale")
    text = interpolated(part.text) if part is not None else ""
    return _fact(int(text), part) if re.fullmatch(r"[0-9]{1,4}", text) else None


def _cpu(service: Service) -> Fact[int] | None:
    for part in _limits(service, "cpus", "cpus"):
        amount = megahertz(interpolated(part.text))
        if amount is not None:
            return _fact(amount, part, f"{interpolated(part.text)} of a core")
    return None


def _memory(service: Service) -> Fact[int] | None:
    for part in (*_limits(service, "memory", "mem_limit"), *_limits(service, "memory", "mem_reservation")):
        amount = megabytes(interpolated(part.value) if isinstance(part.value, str) else part.value)
        if amount is not None:
            return _fact(amount, part)
    return None


def _limits(service: Service, key: str, old: str) -> Iterator[Located]:
    """What it may take, then what it was promised."""
    for part in (
        service.last("deploy", "resources", "limits", key),
        service.last(old),
        service.last("deploy", "resources", "reservations", key),
    ):
        if part is not None:
            yield part


def _gpu(service: Service) -> Fact[int] | None:
    part = service.last("deploy", "resources", "reservations", "devices")
    for device in part.as_list() if part is not None else ():
        asked = device.get("capabilities")
        if asked is not None and any(one.text == "gpu" for one in asked.as_list()):
            listed, count = device.get("device_ids"), device.get("count")
            number = str(len(listed.as_list())) if listed is not None else interpolated(count.text) if count else "1"
            return _fact(int(number) if re.fullmatch(r"[0-9]{1,2}", number) else 1, device)
    asked = service.last("gpus")
    if asked is not None:
        return _fact(int(asked.text) if re.fullmatch(r"[0-9]{1,2}", asked.text) else 1, asked)
    runtime = service.last("runtime")
    return _fact(1, runtime) if runtime is not None and runtime.text == "nvidia" else None


def _architecture(part: Located | None) -> Fact[str] | None:
    found = re.fullmatch(r"linux/(amd64|arm64|386|arm)(?:/v\d)?", interpolated(part.text)) if part is not None else None
    return _fact(found[1], part) if found else None


def _needed(service: Service) -> Iterator[Fact[str]]:
    needed: dict[str, Located] = {}
    for listed in service.all("depends_on"):
        for name, part in listed.items():
            if part.tag == RESET:
                needed.pop(name, None)
            else:
                needed[part.text if isinstance(listed.value, list) else name] = part
    yield from (_fact(name, part) for name, part in needed.items())
    for listed in service.all("links"):
        for part in listed.as_list():
            yield _fact(part.text.partition(":")[0], part)


extractor = Extractor(NAME, PRIORITY, extract)
