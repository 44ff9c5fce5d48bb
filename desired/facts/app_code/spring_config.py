"""Configuration beside Java code: Spring's application.yml and .properties, Quarkus's, Micronaut's, Ktor's.

`${NAME:default}` reads a variable. Files and lines for development and tests weigh nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.health_paths import joined
from desired.facts.app_code.seen import LIKELY, LITERAL, EnvSeen, HealthSeen, PortSeen, Seen, port_number
from desired.facts.app_code.source_text import SourceText
from desired.facts.fact import Place
from desired.problem import Problem
from desired.yaml_text import read_yaml

_FILE = bounded(
    r"(?:application|bootstrap)(?:-(?:prod|production|docker|container|cloud|k8s|kubernetes|nomad))?\.(?:ya?ml|properties|conf)"
)
_PLACEHOLDER = bounded(
    r"\$\{(?P<name>[A-Z][A-Z0-9_]{1,120})(?P<colon>:(?P<default>[^{}]*|[^{}]*\$\{[^{}]*\}[^{}]*))?\}"
)
_HOCON = bounded(r"\$\{(?P<loose>\??)(?P<name>[A-Z][A-Z0-9_]{1,120})\}")
# Ktor's YAML: `$NAME:default` is the whole value.
_KTOR = bounded(r"\$(?P<name>[A-Z][A-Z0-9_]{1,120})(?P<colon>:(?P<default>.*))?")
_HOCON_PORT = bounded(r"^[ \t]*port\s*[=:]\s*\"?(?P<port>\d{2,5})\"?\s*$", re.MULTILINE)
_PORTS = ("server.port", "quarkus.http.port", "micronaut.server.port", "ktor.deployment.port")
_CONTEXTS = ("server.servlet.context-path", "spring.webflux.base-path", "micronaut.server.context-path")
_PRODUCTION = bounded(r"\b(?:prod|production|docker|container|cloud|k8s|kubernetes|nomad)\b")
_ACTUATOR = "org.springframework.boot/spring-boot-starter-actuator"
_SMALLRYE = "io.quarkus/quarkus-smallrye-health"
_MANAGEMENT = "io.micronaut/micronaut-management"
# Properties that everybody sets from outside, by Spring's own names for the variables.
# Source: Spring Boot reference, "Binding from Environment Variables"
_BOUND = bounded(
    r"spring\.(?:datasource\.(?:url|username|password)|r2dbc\.(?:url|username|password)|data\.mongodb\.(?:uri|host)"
    r"|data\.redis\.(?:host|url|password)|redis\.(?:host|url|password)|rabbitmq\.(?:host|username|password|addresses)"
    r"|kafka\.bootstrap-servers|mail\.(?:host|username|password)|elasticsearch\.uris)"
)


def is_config(path: str) -> bool:
    """Whether a file is configuration that the app runs with."""
    return _FILE.fullmatch(path.rpartition("/")[2]) is not None and "/resources/" in f"/{path}"


@dataclass(slots=True)
class SpringConfig:
    """What all files together say of paths; it is filled while they are read."""

    context: str = ""
    base: str = "/actuator"
    port: int | None = None
    root: str = "/q"

    def health(self, known: frozenset[str]) -> Iterator[HealthSeen]:
        """The paths that libraries bring; nothing where they are not there."""
        if _ACTUATOR in known:
            # On a port of its own the servlet's context does not stand in front.
            path = joined("" if self.port is not None else self.context, self.base, "health")
            yield HealthSeen(path, None, LITERAL, "Spring Boot's actuator", self.port, _ACTUATOR)
        elif _SMALLRYE in known:
            path = joined(self.root, "health")
            yield HealthSeen(path, None, LITERAL, "Quarkus's health extension", library=_SMALLRYE)
        elif _MANAGEMENT in known:
            path = joined(self.context, "health")
            yield HealthSeen(path, None, LITERAL, "Micronaut's management", library=_MANAGEMENT)


def read_config(source: SourceText, config: SpringConfig, known: frozenset[str]) -> Iterator[Seen]:
    """Variables and ports of one file; paths go into `config`."""
    if source.path.endswith(".conf"):
        yield from _hocon(source)
        return
    entries: Iterable[tuple[str, str, int] | Problem]
    entries = _properties(source) if source.path.endswith(".properties") else _yaml(source)
    spring = any(name.startswith("org.springframework") for name in known)
    for entry in entries:
        if isinstance(entry, Problem):
            yield entry
            continue
        key, value, line = entry
        place = Place(source.path, line or None)
        for match in _PLACEHOLDER.finditer(value):
            default = match["default"]
            nested = default is not None and "${" in default
            yield EnvSeen(
                match["name"], place, match["colon"] is None, None if nested else default, match["colon"] is not None
            )
        if (whole := _KTOR.fullmatch(value)) is not None:
            yield EnvSeen(whole["name"], place, whole["colon"] is None, whole["default"], whole["colon"] is not None)
        yield from _known(key, value, place, config)
        if spring and _BOUND.fullmatch(key) and "${" not in value:
            name = key.upper().replace(".", "_").replace("-", "")
            yield EnvSeen(name, place, False, value, True, confidence=LIKELY)


def _known(key: str, value: str, place: Place, config: SpringConfig) -> Iterator[PortSeen]:
    filled = _PLACEHOLDER.sub(lambda match: match["default"] or "", value).strip()
    filled = _KTOR.sub(lambda match: match["default"] or "", filled)
    if key in _PORTS:
        port = port_number(filled)
        if port is not None:
            yield PortSeen(port, place, "" if filled == value else "the default of a variable", LITERAL)
    elif key in _CONTEXTS and "${" not in filled:
        config.context = filled
    elif key == "management.endpoints.web.base-path":
        config.base = filled or config.base
    elif key == "management.server.port":
        config.port = port_number(filled)
    elif key == "quarkus.http.non-application-root-path":
        config.root = filled if filled.startswith("/") else f"/{filled}"


def _properties(source: SourceText) -> Iterator[tuple[str, str, int]]:
    for number, line in source.lines():
        text = line.strip()
        if text.startswith(("#", "!", "%dev", "%test")) or "=" not in text:
            continue
        key, _, value = text.partition("=")
        yield key.strip().removeprefix("%prod."), value.strip(), number


def _yaml(source: SourceText) -> Iterator[tuple[str, str, int] | Problem]:
    """Every scalar by its dotted key. A document for a profile of development is left out."""
    for document in read_yaml(source.text, source.path):
        # Maven fills in `@name@`, which is no YAML before.
        if document.problems and "@" not in document.text:
            yield from document.problems
        if document.root is None:
            continue
        flat = list(_flat(document.root.value, ()))
        profile = next((str(value) for steps, value in flat if steps and steps[-1] in ("on-profile", "profiles")), "")
        # Another profile's lines count only where somebody switches it on.
        if profile and not _PRODUCTION.search(profile):
            continue
        for steps, value in flat:
            key = ".".join(str(step) for step in steps)
            if not key.startswith(("%dev", "%test")):
                text = str(value).lower() if isinstance(value, bool) else str(value)
                yield key, text, document.place(steps)[0]


def _flat(value: Any, steps: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, (*steps, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _flat(item, (*steps, number))
    elif value is not None:
        yield steps, value


def _hocon(source: SourceText) -> Iterator[Seen]:
    for number, line in source.lines():
        text = line.partition("#")[0].partition("//")[0]
        for match in _HOCON.finditer(text):
            yield EnvSeen(match["name"], Place(source.path, number), not match["loose"])
    for match in _HOCON_PORT.finditer(source.text):
        port = port_number(match["port"])
        if port is not None:
            yield PortSeen(port, source.place(match.start("port")), "", LITERAL)
