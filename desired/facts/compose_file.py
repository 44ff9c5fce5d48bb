"""The services of a compose file, with what they extend and include and an override adds, each value with its line.

Nothing is resolved against the machine: variables have the defaults that the file gives them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from desired.facts.codebase import Codebase
from desired.facts.located import Located, read_located
from desired.facts.read_once import once, path_set
from desired.facts.substitution import interpolated
from desired.problem import Problem

_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_OVERRIDES = tuple(f"{name.rpartition('.')[0]}.override.{name.rpartition('.')[2]}" for name in _NAMES)
# Where there is no other: what a person names with `-f` in production.
_PRODUCTION = re.compile(r"(?:docker-)?compose[._-](?:prod|production)\.ya?ml")
# Folders whose compose files start something else than the app.
_ASIDE = re.compile(
    r"(?:^|/)(?:\.devcontainer|\.github|\.gitlab|ci|dev|e2e|examples?|samples?|demos?|tests?|testing|testdata|fixtures"
    r"|integration[\w-]*|local|tools?|scripts|hack|benchmarks?)/",
    re.IGNORECASE,
)
_DEEPEST_EXTENDS = 8
# Source: Compose's specification, "Merge": what was said before is taken back, or replaced instead of merged.
RESET, OVERRIDE = "!reset", "!override"
_MOST_FILES = 30
_MOST_LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class Service:
    """`parts` by the key of compose's specification: what each file says of it, the last one counts most.

    `folders` are those that included files count their paths from, where that is not the file's own.
    """

    name: str
    parts: Mapping[str, tuple[Located, ...]]
    folders: Mapping[str, str] = field(default_factory=dict)

    def beside(self, part: Located, name: str) -> str | None:
        """A path as this part names it; None for one that leaves the codebase."""
        folder = self.folders.get(part.path)
        return beside(part.path if folder is None else f"{folder}/.".lstrip("/"), name)

    def all(self, key: str) -> tuple[Located, ...]:
        return self.parts.get(key, ())

    def last(self, *keys: str) -> Located | None:
        """What counts at a place: mappings of several files are merged, so the last that says anything there."""
        for part in reversed(self.all(keys[0])):
            found: Located | None = part
            ends = False
            for key in keys[1:]:
                if found is not None:
                    ends |= takes_back(found, key)
                    found = found.get(key)
                    ends |= found is not None and found.tag == OVERRIDE
            if found is not None or ends:
                return found
        return None


@dataclass(frozen=True, slots=True)
class Compose:
    """`secrets` are the file's own, by name. `warnings` are what could not be read."""

    services: Mapping[str, Service] = field(default_factory=dict)
    path: str = ""
    warnings: tuple[Problem, ...] = ()
    secrets: Mapping[str, Located] = field(default_factory=dict)

    @property
    def started(self) -> Iterator[Service]:
        """Those that run without anybody naming a profile."""
        return (service for service in self.services.values() if not service.all("profiles"))


def compose(codebase: Codebase) -> Compose:
    """The compose file nearest to the root, with its override; none of a codebase that has none."""
    return once(codebase, _compose)


def _compose(codebase: Codebase) -> Compose:
    for path in _candidates(codebase)[:_MOST_LOOKED_AT]:
        found = _Reading(codebase).read(path)
        # One further down is about the code only if it builds some: else it starts somebody's tools.
        if "/" not in path or any(service.all("build") for service in found.services.values()):
            return found
    return Compose()


def _candidates(codebase: Codebase) -> list[str]:
    """Nearest to the root first, and in the order in which compose itself looks for them."""
    named = [path for path in codebase.paths if path.endswith((".yml", ".yaml")) and not _ASIDE.search(path)]
    usual = [path for path in named if path.rpartition("/")[2] in _NAMES]
    found = usual or [path for path in named if _PRODUCTION.fullmatch(path.rpartition("/")[2])]
    order = {name: number for number, name in enumerate(_NAMES)}
    return sorted(found, key=lambda path: (path.count("/"), order.get(path.rpartition("/")[2], 9), path))


class _Reading:
    def __init__(self, codebase: Codebase) -> None:
        self._codebase = codebase
        self._paths = path_set(codebase)
        self._roots: dict[str, Located | None] = {}
        self._folders: dict[str, str] = {}
        self._warnings: list[Problem] = []

    def read(self, path: str) -> Compose:
        folder, _, name = path.rpartition("/")
        below = f"{folder}/" if folder else ""
        override = next((one for name in _OVERRIDES if (one := below + name) in self._paths), None)
        main = [path, *([override] if override and name in _NAMES else ())]
        files = list(dict.fromkeys([*self._included(main), *main]))
        names = dict.fromkeys(name for file in (*main, *files) for name in self._services(file))
        services: dict[str, Service] = {}
        for name in names:
            parts: defaultdict[str, list[Located]] = defaultdict(list)
            for file in files:
                if self._tag(file, name):
                    parts.clear()
                if name in self._services(file):
                    self._add(parts, file, name, depth=0)
            if any(self._tag(file, name) == RESET for file in files) and not parts:
                continue
            services[name] = Service(name, {key: tuple(found) for key, found in parts.items()}, self._folders)
        secrets = {name: one for file in files for name, one in self._entries(file, "secrets")}
        if not services and not self._warnings:
            self._warnings.append(Problem(path, message="has no services"))
        return Compose(services, path, tuple(dict.fromkeys(self._warnings)), secrets)

    def _included(self, files: list[str]) -> list[str]:
        """Every file that these include, and those that they do in turn; the innermost first."""
        found: list[str] = []
        left = list(files)
        while left and len(found) < _MOST_FILES:
            path = left.pop(0)
            root = self._root(path)
            listed = root.get("include") if root is not None else None
            for entry in listed.as_list() if listed is not None else ():
                named = entry.get("path") if isinstance(entry.value, Mapping) else entry
                project = entry.get("project_directory")
                folder = beside(path, interpolated(project.text)) if project is not None else None
                for one in named.as_list() if named is not None else ():
                    other = self._beside(path, one)
                    if other is not None and other not in found and other not in files:
                        found.insert(0, other)
                        left.append(other)
                        if folder is not None:
                            self._folders[other] = folder
        return found

    def _beside(self, path: str, named: Located) -> str | None:
        other = beside(path, interpolated(named.text))
        if other in self._paths:
            return other
        self._warnings.append(Problem(path, named.line, message="names a file that is not in the codebase"))
        return None

    def _add(self, parts: defaultdict[str, list[Located]], path: str, name: str, *, depth: int) -> None:
        """What is extended comes first: the service itself overrides it."""
        service = self._services(path)[name]
        extends = service.get("extends")
        if extends is not None and depth < _DEEPEST_EXTENDS:
            self._extended(parts, path, extends, depth)
        for key, part in service.items():
            if part.tag:
                parts.pop(key, None)
            if key != "extends" and part.value is not None and part.tag != RESET:
                parts[key].append(part)

    def _extended(self, parts: defaultdict[str, list[Located]], path: str, extends: Located, depth: int) -> None:
        service = extends.get("service") if isinstance(extends.value, Mapping) else extends
        file = extends.get("file")
        other = self._beside(path, file) if file is not None else path
        if service is None or other is None or service.text not in self._services(other):
            if other is not None:
                self._warnings.append(Problem(path, extends.line, message="extends a service that is not there"))
            return
        self._add(parts, other, service.text, depth=depth + 1)

    def _services(self, path: str) -> dict[str, Located]:
        return {name: one for name, one in self._entries(path, "services") if isinstance(one.value, Mapping)}

    def _tag(self, path: str, name: str) -> str:
        """What a file says of all that others said of a service."""
        return next((one.tag for named, one in self._entries(path, "services") if named == name), "")

    def _entries(self, path: str, key: str) -> Iterator[tuple[str, Located]]:
        root = self._root(path)
        block = root.get(key) if root is not None else None
        return block.items() if block is not None and isinstance(block.value, Mapping) else iter(())

    def _root(self, path: str) -> Located | None:
        if path not in self._roots:
            self._roots[path] = self._read(path)
        return self._roots[path]

    def _read(self, path: str) -> Located | None:
        text = self._codebase.text(path)
        if text is None:
            self._warnings.append(Problem(path, message="cannot be read as text"))
            return None
        root, problems = read_located(text, path, tags=(RESET, OVERRIDE))
        self._warnings += problems
        return root


def takes_back(part: Located, key: str) -> bool:
    """Whether what other files say at a key counts no more, for this one says so."""
    inside = part.node.inside
    return isinstance(inside, Mapping) and key in inside and inside[key].tag == RESET


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
