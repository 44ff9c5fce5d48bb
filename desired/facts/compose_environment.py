"""The environment of a compose file's service, its secrets as files, and what only whoever starts it can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO

from dotenv.parser import parse_stream

from desired.facts.codebase import Codebase
from desired.facts.compose_file import RESET, Compose, Service
from desired.facts.fact import Fact, Place
from desired.facts.facts import EnvUse, SecretFile
from desired.facts.located import Located
from desired.facts.possible_secret import may_be_secret
from desired.facts.substitution import interpolated, unset
from desired.problem import Problem

NAME = "compose"
PRIORITY = 0.7
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,200}")
_LONGEST = 4_000
_LITERAL = re.compile(r"=[ \t]*'")
_FOLDER = "/run/secrets/"


@dataclass(slots=True)
class Environment:
    """`hidden` are names of secrets, `uses` the variables that have to come from elsewhere.

    `secrets` are what stands behind the names, to know it again in other places; it goes no further.
    """

    shown: dict[str, Fact[str]] = field(default_factory=dict)
    hidden: dict[str, Fact[str]] = field(default_factory=dict)
    uses: dict[str, Fact[EnvUse]] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    secrets: set[str] = field(default_factory=set, repr=False)

    @property
    def known(self) -> dict[str, str]:
        return {name: fact.value for name, fact in self.shown.items()}


def environment(codebase: Codebase, service: Service) -> Environment:
    """What the service sets, over what its `env_file`s set."""
    found = Environment()
    warnings: list[Problem] = []
    for named, required in _files(service):
        path = service.beside(named, interpolated(named.text))
        text = codebase.text(path) if path is not None else None
        if path is not None and text is not None:
            for entry in _file_entries(text, path):
                if isinstance(entry, Problem):
                    warnings.append(entry)
                else:
                    _take(found, *entry)
        elif required:
            message = "names an env_file that is not in the codebase: what it sets is not known"
            warnings.append(Problem(named.path, named.line, message=message))
    for name, value, part in _entries(service):
        if part.tag == RESET:
            _forget(found, name)
        elif len(value or "") > _LONGEST:
            warnings.append(Problem(part.path, part.line, message=f"a variable has more than {_LONGEST} characters"))
        else:
            _take(found, name, value, Place(part.path, part.line))
    found.warnings = tuple(warnings)
    return found


def _take(found: Environment, name: str, value: str | None, place: Place) -> None:
    if _VARIABLE.fullmatch(name) is None:
        return
    _forget(found, name)
    missing = unset(value) if value is not None else ()
    if value is None:
        reason = "whoever starts it passes it on"
        found.uses[name] = Fact(EnvUse(required=True), NAME, PRIORITY, place, reason)
    elif missing:
        reason = f"{', '.join(missing)} has no default"
        found.uses[name] = Fact(EnvUse(required=True), NAME, PRIORITY, place, reason)
    elif may_be_secret(name, interpolated(value)):
        found.hidden[name] = Fact(name, NAME, PRIORITY, place)
        found.secrets.add(interpolated(value))
    else:
        found.shown[name] = Fact(interpolated(value), NAME, PRIORITY, place)


def _forget(found: Environment, name: str) -> None:
    for others in (found.shown, found.hidden, found.uses):
        others.pop(name, None)


def _files(service: Service) -> Iterator[tuple[Located, bool]]:
    for listed in service.all("env_file"):
        for part in listed.as_list():
            named = part.get("path") if isinstance(part.value, Mapping) else part
            needed = part.get("required")
            if named is not None and named.text:
                yield named, needed is None or needed.value is not False


def _entries(service: Service) -> Iterator[tuple[str, str | None, Located]]:
    """Name and value, None for a name alone."""
    for block in service.all("environment"):
        for name, part in block.items():
            if isinstance(block.value, list):
                left, equals, text = part.text.partition("=")
                yield left.strip(), text if equals else None, part
            elif part.tag == RESET:
                yield name, "", part
            elif not isinstance(part.value, Mapping | list):
                yield name, None if part.value is None else part.text, part


def _file_entries(text: str, path: str) -> Iterator[tuple[str, str, Place] | Problem]:
    """Name, value and place of each variable of an env file, and what stands there otherwise."""
    for binding in parse_stream(StringIO(text)):
        line, written = binding.original.line, binding.original.string
        if binding.error:
            yield Problem(path, line, message="is no line of an env file", hint="write NAME=value, and close quotes")
        elif binding.key is not None and binding.value is not None and len(written) <= _LONGEST:
            # In single quotes nothing is put in.
            literal = _LITERAL.search(written) is not None
            yield binding.key, binding.value.replace("$", "$$") if literal else binding.value, Place(path, line)


def secret_files(file: Compose, service: Service) -> dict[str, Fact[SecretFile]]:
    """By the place in the container: what the service has of the file's secrets, which Docker mounts there."""
    found: dict[str, Fact[SecretFile]] = {}
    for listed in service.all("secrets"):
        for part in listed.as_list():
            source = part.get("source") if isinstance(part.value, Mapping) else part
            if source is None or not source.text:
                continue
            target = part.get("target")
            named = interpolated(target.text) if target is not None else source.text
            place = named if named.startswith("/") else _FOLDER + named
            found[place] = part.fact(_secret(file, source.text), NAME, PRIORITY)
    return found


def _secret(file: Compose, name: str) -> SecretFile:
    declared = file.secrets.get(name)
    variable = declared.get("environment") if declared is not None else None
    called = declared.get("name") if declared is not None else None
    shown = interpolated(called.text) if called is not None else ""
    return SecretFile(shown or name, variable.text if variable is not None else "")
