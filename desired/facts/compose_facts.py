"""The extractor `compose`: what a compose file says of the service that a component is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import TypeVar

from desired.facts.amounts import duration, megabytes, megahertz
from desired.facts.codebase import Codebase, Component
from desired.facts.compose_file import Service, beside, compose, interpolated
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact, Place
from desired.facts.facts import Facts, HealthFact, PortFact, VolumeFact, WorkKind
from desired.facts.health_command import health_of
from desired.facts.image_name import image_parts
from desired.facts.located import Located
from desired.secret_literals import is_secret

T = TypeVar("T")
NAME = "compose"
PRIORITY = 0.7
_PORT = re.compile(
    r"(?:(?P<address>\[?[\d.:a-fA-F]*\]?):)??(?:(?P<host>\d+)(?:-\d+)?:)?(?P<to>\d+)(?:-(?P<last>\d+))?(?:/(?P<kind>tcp|udp))?"
)
_MOST_PORTS = 50


def extract(codebase: Codebase, component: Component) -> Extraction:
    if not component.service:
        return Extraction()
    file = compose(codebase)
    service = file.services.get(component.service)
    if service is None:
        return Extraction(warnings=file.warnings)
    return Extraction(_facts(codebase, service, frozenset(file.services)), file.warnings)


def _facts(codebase: Codebase, service: Service, services: frozenset[str]) -> Facts:
    env, hidden = _environment(codebase, service)
    image = _image(service)
    limits = list(_limits(service))
    return Facts(
        name=_fact(service.name, next((one for parts in service.parts.values() for one in parts), None)),
        registry=image.get("registry"),
        image_name=image.get("name"),
        image_tag=image.get("tag"),
        entrypoint=_process(service.last("entrypoint")),
        command=_process(service.last("command")),
        working_dir=_text(service.last("working_dir")),
        user=_text(service.last("user")),
        kind=_kind(service),
        count=_count(service),
        cpu=_first(limits, "cpu"),
        memory=_first(limits, "memory"),
        gpu=_gpu(service),
        health=_health(service.last("healthcheck")),
        architecture=_architecture(service.last("platform")),
        ports={fact.value.to: fact for fact in _ports(service)},
        env=env,
        secret_literals=hidden,
        volumes={fact.value.mount: fact for fact in _volumes(service)},
        depends_on={fact.value: fact for fact in _needed(service) if fact.value in services},
    )


def _fact(value: T, part: Located | None, reason: str = "", confidence: float = PRIORITY) -> Fact[T]:
    place = None if part is None else Place(part.path, part.line)
    return Fact(value, NAME, confidence, place, reason)


def _text(part: Located | None) -> Fact[str] | None:
    text = "" if part is None else interpolated(str(part.value))
    return _fact(text, part) if text else None


def _image(service: Service) -> dict[str, Fact[str]]:
    part = service.last("image")
    parts = image_parts(interpolated(str(part.value))) if part is not None else None
    if parts is None:
        return {}
    registry, name, tag = parts
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
        words = [interpolated(str(word)) for word in part.value]
    else:
        try:
            words = shlex.split(interpolated(str(part.value)))
        except ValueError:
            return None
    return _fact(tuple(words), part) if words else None


def _kind(service: Service) -> Fact[WorkKind] | None:
    """What compose starts again whatever happens runs on."""
    part = service.last("restart")
    if part is not None and str(part.value) in ("always", "unless-stopped"):
        return _fact(WorkKind.SERVICE, part)
    return None


def _count(service: Service) -> Fact[int] | None:
    deploy = service.last("deploy")
    part = (deploy.get("replicas") if deploy is not None else None) or service.last("scale")
    text = interpolated(str(part.value)) if part is not None else ""
    return _fact(int(text), part) if re.fullmatch(r"\d{1,4}", text) else None


def _limits(service: Service) -> Iterator[tuple[str, Fact[int]]]:
    deploy = service.last("deploy")
    resources = deploy.get("resources") if deploy is not None else None
    blocks = [resources.get(name) for name in ("limits", "reservations")] if resources is not None else []
    for block in blocks:
        if block is not None:
            yield from _sizes(block.get("cpus"), block.get("memory"))
    yield from _sizes(service.last("cpus"), service.last("mem_limit"))


def _sizes(cpus: Located | None, memory: Located | None) -> Iterator[tuple[str, Fact[int]]]:
    if cpus is not None and (amount := megahertz(interpolated(str(cpus.value)))) is not None:
        yield "cpu", _fact(amount, cpus, f"{cpus.value} of a core")
    if memory is not None:
        value = interpolated(memory.value) if isinstance(memory.value, str) else memory.value
        if (amount := megabytes(value)) is not None:
            yield "memory", _fact(amount, memory)


def _first(limits: list[tuple[str, Fact[int]]], name: str) -> Fact[int] | None:
    return next((fact for kind, fact in limits if kind == name), None)


def _gpu(service: Service) -> Fact[int] | None:
    deploy = service.last("deploy")
    part: Located | None = deploy
    for step in ("resources", "reservations", "devices"):
        part = part.get(step) if part is not None else None
    for _, device in part.items() if part is not None else ():
        asked = device.get("capabilities")
        if asked is not None and "gpu" in str(asked.value):
            count = device.get("count")
            number = str(count.value) if count is not None else "1"
            return _fact(int(number) if number.isdigit() else 1, device)
    runtime = service.last("runtime")
    return _fact(1, runtime) if runtime is not None and runtime.value == "nvidia" else None


def _health(part: Located | None) -> Fact[HealthFact] | None:
    test = part.get("test") if part is not None else None
    disabled = part.get("disable") if part is not None else None
    if part is None or test is None or (disabled is not None and disabled.value is True):
        return None
    words = [interpolated(str(word)) for word in test.value] if isinstance(test.value, list) else []
    if words[:1] == ["NONE"]:
        return None
    if words and words[0] in ("CMD", "CMD-SHELL"):
        told = health_of(words[1:], shell=words[0] == "CMD-SHELL")
    else:
        told = health_of(words or [interpolated(test.text)], shell=not words)
    interval, timeout, start = (part.get(name) for name in ("interval", "timeout", "start_period"))
    times = [None if one is None else duration(interpolated(str(one.value))) for one in (interval, timeout, start)]
    return _fact(HealthFact(told.path, told.command, told.port, *times), test)


def _architecture(part: Located | None) -> Fact[str] | None:
    found = re.fullmatch(r"linux/(amd64|arm64|386|arm)(?:/v\d)?", str(part.value)) if part is not None else None
    return _fact(found[1], part) if found else None


def _ports(service: Service) -> Iterator[Fact[PortFact]]:
    for listed in service.all("ports"):
        for _, part in listed.items():
            yield from _port(part)
    for listed in service.all("expose"):
        for _, part in listed.items():
            number = interpolated(str(part.value)).partition("/")[0]
            if number.isdigit() and 0 < int(number) < 65536:
                yield _fact(PortFact(int(number)), part)


def _port(part: Located) -> Iterator[Fact[PortFact]]:
    if isinstance(part.value, Mapping):
        target, published, kind = (part.get(name) for name in ("target", "published", "protocol"))
        text = interpolated(str(target.value)) if target is not None else ""
        fixed = interpolated(str(published.value)) if published is not None else ""
        if text.isdigit() and 0 < int(text) < 65536:
            static = int(fixed) if fixed.isdigit() and 0 < int(fixed) < 65536 else None
            yield _fact(PortFact(int(text), static, str(kind.value) if kind is not None else "tcp"), part)
        return
    found = _PORT.fullmatch(interpolated(str(part.value)))
    if found is None:
        return
    first, last = int(found["to"]), int(found["last"] or found["to"])
    static = int(found["host"]) if found["host"] else None
    for offset, port in enumerate(range(first, min(last, first + _MOST_PORTS) + 1)):
        if 0 < port < 65536:
            yield _fact(PortFact(port, None if static is None else static + offset, found["kind"] or "tcp"), part)


def _environment(codebase: Codebase, service: Service) -> tuple[dict[str, Fact[str]], dict[str, Fact[str]]]:
    """What the service sets, over what its `env_file`s set. A name without a value comes from whoever starts it."""
    found: dict[str, Fact[str]] = {}
    for listed in service.all("env_file"):
        parts = [part for _, part in listed.items()] if isinstance(listed.value, list) else [listed]
        for part in parts:
            named = part.get("path") if isinstance(part.value, Mapping) else part
            path = beside(part.path, str(named.value)) if named is not None else None
            if path is not None:
                found |= _env_file(path, codebase.text(path) or "")
    for block in service.all("environment"):
        for name, part in block.items():
            if isinstance(block.value, list):
                name, equals, text = str(part.value).partition("=")
                if not equals:
                    continue
            elif part.value is None:
                continue
            else:
                text = part.text
            if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name):
                found[name] = _fact(interpolated(text), part)
    hidden = {name: fact for name, fact in found.items() if is_secret(name, fact.value)}
    shown = {name: fact for name, fact in found.items() if name not in hidden}
    return shown, {name: Fact(name, NAME, PRIORITY, fact.place) for name, fact in hidden.items()}


def _env_file(path: str, text: str) -> dict[str, Fact[str]]:
    found: dict[str, Fact[str]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)=(.*?)\s*", line)
        if match:
            value = match[2][1:-1] if re.fullmatch(r"([\"']).*\1", match[2]) else match[2]
            found[match[1]] = Fact(value, NAME, PRIORITY, Place(path, number))
    return found


def _volumes(service: Service) -> Iterator[Fact[VolumeFact]]:
    for listed in service.all("volumes"):
        for _, part in listed.items():
            made = _long(part) if isinstance(part.value, Mapping) else _short(interpolated(str(part.value)))
            if made is not None and not _mounted_code(made):
                yield _fact(made, part)


def _long(part: Located) -> VolumeFact | None:
    kind, source, target, read_only = (part.get(name) for name in ("type", "source", "target", "read_only"))
    if target is None or (kind is not None and kind.value not in ("volume", "bind")):
        return None
    name = interpolated(str(source.value)) if source is not None else ""
    bound = name.startswith((".", "/", "~"))
    frozen = read_only is not None and read_only.value is True
    return VolumeFact(str(target.value), "" if bound else name, frozen, name if bound else "")


def _short(text: str) -> VolumeFact | None:
    source, _, rest = text.partition(":")
    if not rest:
        return VolumeFact(source) if source.startswith("/") else None
    target, _, options = rest.partition(":")
    bound = source.startswith((".", "/", "~"))
    if not target.startswith("/"):
        return None
    return VolumeFact(target, "" if bound else source, "ro" in options.split(","), source if bound else "")


def _mounted_code(volume: VolumeFact) -> bool:
    """A folder of the codebase that is mounted for development, or a socket of the machine: nothing to be kept."""
    return volume.host_path.startswith(".") or volume.host_path.endswith(".sock")


def _needed(service: Service) -> Iterator[Fact[str]]:
    for listed in service.all("depends_on"):
        for name, part in listed.items():
            yield _fact(str(part.value) if isinstance(listed.value, list) else name, part)


extractor = Extractor(NAME, PRIORITY, extract)
