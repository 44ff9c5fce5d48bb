"""The services of a compose file, with what they extend and what an override file adds, each value with its line.

Nothing is resolved against the machine: variables have the defaults that the file gives them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from desired.facts.codebase import Codebase
from desired.facts.located import Located
from desired.problem import Problem
from desired.yaml_text import read_yaml

_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_OVERRIDES = tuple(f"{name.rpartition('.')[0]}.override.{name.rpartition('.')[2]}" for name in _NAMES)
_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])(?P<word>[^}]*))?\})"
)
_DEEPEST_EXTENDS = 8


@dataclass(frozen=True, slots=True)
class Service:
    """`parts` by the key of compose's specification: what each file says of it, the last one counts most."""

    name: str
    parts: Mapping[str, tuple[Located, ...]]

    def last(self, key: str) -> Located | None:
        found = self.parts.get(key, ())
        return found[-1] if found else None

    def all(self, key: str) -> tuple[Located, ...]:
        return self.parts.get(key, ())


@dataclass(frozen=True, slots=True)
class Compose:
    """`secrets` are the names of the file's secrets. `warnings` are what could not be read."""

    services: Mapping[str, Service] = field(default_factory=dict)
    path: str = ""
    warnings: tuple[Problem, ...] = ()


def compose(codebase: Codebase) -> Compose:
    """The compose file nearest to the root, with its override; none of a codebase that has none."""
    paths = set(codebase.paths)
    path = next((name for name in _NAMES if name in paths), None) or _nearest(paths)
    if path is None:
        return Compose()
    folder = path.rpartition("/")[0]
    override = next((one for name in _OVERRIDES if (one := f"{folder}/{name}" if folder else name) in paths), None)
    return _Reading(codebase).read(path, override)


def _nearest(paths: set[str]) -> str | None:
    found = [path for path in paths if path.rpartition("/")[2] in _NAMES]
    return min(found, key=lambda path: (path.count("/"), path), default=None)


def interpolated(text: str) -> str:
    """With the defaults that the text itself gives; a variable without one is empty, as compose has it."""

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        return match["word"] or "" if match["how"] in (":-", "-") else ""

    return _VARIABLE.sub(value, text)


class _Reading:
    def __init__(self, codebase: Codebase) -> None:
        self._codebase = codebase
        self._files: dict[str, dict[str, Located]] = {}
        self._warnings: list[Problem] = []

    def read(self, path: str, override: str | None) -> Compose:
        files = [path, *([override] if override else ())]
        names = dict.fromkeys(name for file in files for name in self._services(file))
        services: dict[str, Service] = {}
        for name in names:
            parts: defaultdict[str, list[Located]] = defaultdict(list)
            for file in files:
                if name in self._services(file):
                    self._add(parts, file, name, depth=0)
            services[name] = Service(name, {key: tuple(found) for key, found in parts.items()})
        return Compose(services, path, tuple(dict.fromkeys(self._warnings)))

    def _add(self, parts: defaultdict[str, list[Located]], path: str, name: str, *, depth: int) -> None:
        """What is extended comes first: the service itself overrides it."""
        service = self._services(path).get(name)
        if service is None:
            return
        extends = service.get("extends")
        if extends is not None and depth < _DEEPEST_EXTENDS:
            self._extended(parts, path, extends, depth)
        for key, part in service.items():
            if key != "extends" and part.value is not None:
                parts[key].append(part)

    def _extended(self, parts: defaultdict[str, list[Located]], path: str, extends: Located, depth: int) -> None:
        if isinstance(extends.value, str):
            self._add(parts, path, extends.value, depth=depth + 1)
            return
        service, file = extends.get("service"), extends.get("file")
        other = beside(path, str(file.value)) if file is not None else path
        if service is None or other is None:
            self._warnings.append(Problem(path, extends.line, message="extends something that is not in the codebase"))
            return
        self._add(parts, other, str(service.value), depth=depth + 1)

    def _services(self, path: str) -> dict[str, Located]:
        if path not in self._files:
            self._files[path] = self._read(path)
        return self._files[path]

    def _read(self, path: str) -> dict[str, Located]:
        text = self._codebase.text(path)
        if text is None:
            self._warnings.append(Problem(path, message="cannot be read as text"))
            return {}
        documents = read_yaml(text, path)
        self._warnings += [problem for document in documents for problem in document.problems]
        root = next((Located(document.root, path) for document in documents if document.root is not None), None)
        services = root.get("services") if root is not None else None
        if services is None or not isinstance(services.value, Mapping):
            if not self._warnings:
                self._warnings.append(Problem(path, message="has no services"))
            return {}
        return {name: one for name, one in services.items() if isinstance(one.value, Mapping)}


def beside(path: str, name: str) -> str | None:
    """A path as the file at `path` names it; None for one that leaves the codebase."""
    parts = path.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return None if name.startswith("/") else "/".join(parts)
