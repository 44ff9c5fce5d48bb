"""Python's dependency files: requirements, pyproject (PEP 621, PEP 735 apart, Poetry), Pipfile, setup.cfg."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from desired.facts.app_code.command_line import port_in, words
from desired.facts.app_code.ecosystem import Project
from desired.facts.app_code.line_search import first_line
from desired.facts.app_code.seen import LIKELY, USUAL, DependencySeen, PortSeen, Seen, Sign, SignSeen, StartSeen
from desired.facts.app_code.source_text import SourceText
from desired.facts.app_code.sources import Sources
from desired.facts.fact import Place
from desired.facts.facts import Dependency
from desired.problem import Problem

# Those that people install to work on the app, by the names that they give such files.
_DEVELOPMENT = re.compile(
    r"(?:^|[-_./])(?:dev|devel|develop|development|test|tests|testing|lint|linting|docs?|ci|local|build|style|typing"
    r"|mypy|black|coverage|constraints?|lock-dev|optional|extras?)(?:[-_./]|\d|$)",
    re.IGNORECASE,
)
_INCLUDE = re.compile(r"(?:-r|--requirement)(?:\s+|=)(?P<path>\S+)")
_CUDA_INDEX = re.compile(r"--(?:extra-)?index-url(?:\s+|=)\S*/whl/(?:nightly/)?cu\d+|download\.pytorch\.org/whl/cu\d+")
_NAMED_LINK = re.compile(r"#egg=(?P<name>[A-Za-z0-9][\w.-]*)")
# What markers are judged for. Never the machine that this runs on: the same files give the same facts everywhere.
_NODE = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.12.0",
    "python_version": "3.12",
    "sys_platform": "linux",
    "extra": "",
}
_MOST_INCLUDED = 20
_MOST = 2_000

MANIFEST = re.compile(r"requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|Pipfile|setup\.cfg|environment\.ya?ml")


def read_manifests(sources: Sources, project: Project) -> Iterator[Seen]:
    """The dependencies that the app runs with, from every manifest of the project."""
    paths = [path for path in project.manifests if not _is_development(path)]
    # What is compiled from a `.in` beside it says the same with versions.
    paths = [path for path in paths if not (path.endswith(".in") and path[:-3] + ".txt" in paths)]
    read: set[str] = set()
    for path in paths:
        name = path.rpartition("/")[2]
        if name.endswith((".txt", ".in")):
            yield from _requirements(sources, path, read)
        elif (source := sources.read(path)) is not None:
            yield from _READERS[name](source) if name in _READERS else ()


def _is_development(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith((".txt", ".in")) and _DEVELOPMENT.search(name.rpartition(".")[0]) is not None


# -- requirements files


def _requirements(sources: Sources, path: str, read: set[str]) -> Iterator[Seen]:
    if path in read or len(read) >= _MOST_INCLUDED or not sources.has(path):
        return
    read.add(path)
    source = sources.read(path)
    if source is None:
        return
    for number, line in _logical_lines(source):
        place = Place(path, number)
        if _CUDA_INDEX.search(line):
            yield SignSeen(Sign.CUDA, place)
        include = _INCLUDE.match(line)
        if include:
            inside = _joined(path, include["path"])
            if inside is not None:
                yield from _requirements(sources, inside, read)
        elif not line.startswith("-") or line.startswith(("-e ", "--editable")):
            yield from _requirement(line, place)


def _logical_lines(source: SourceText) -> Iterator[tuple[int, str]]:
    """Lines without comments, those that end in a backslash joined with what follows."""
    held, start = "", 0
    for number, raw in source.lines():
        line = re.sub(r"(?:^|\s)#(?!egg=).*", "", raw).rstrip()
        start = start if held else number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        text = (held + line).strip()
        held = ""
        if text:
            yield start, text
    if held.strip():
        yield start, held.strip()


def _joined(path: str, to: str) -> str | None:
    """The path that a file names from its own folder; None if that leaves the codebase."""
    parts = path.split("/")[:-1]
    for part in to.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return None if to.startswith("/") else "/".join(parts)


def _requirement(text: str, place: Place, *, quiet: bool = False) -> Iterator[Seen]:
    line = re.split(r"\s--(?:hash|config-settings|global-option)\b", text, maxsplit=1)[0].strip()
    link = _NAMED_LINK.search(line)
    if link is not None:
        yield _dependency(link["name"], "", place)
        return
    if not line or line.startswith(("-e", "--", "./", "../", "/", ".", "git+", "http:", "https:", "file:")):
        return
    try:
        found = Requirement(line)
    except (InvalidRequirement, RecursionError):
        if not quiet:
            hint = "a line is a requirement such as `flask>=3`"
            yield Problem(place.path, place.line or 0, message="is not a requirement that pip reads", hint=hint)
        return
    if found.marker is not None and not _holds(found):
        return
    if re.search(r"\+cu\d+", str(found.specifier)) or re.search(r"/whl/cu\d+", found.url or ""):
        yield SignSeen(Sign.CUDA, place)
    if any(re.fullmatch(r"cuda\w*|gpu", extra, re.IGNORECASE) for extra in found.extras):
        yield SignSeen(Sign.CUDA, place)
    yield _dependency(found.name, _as_written(line, found), place, tuple(sorted(found.extras)))


def _holds(found: Requirement) -> bool:
    """Whether a marker lets it be installed on a Linux node; an unknown `extra` does not."""
    try:
        return found.marker is None or found.marker.evaluate(_NODE)
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError):
        return True


def _as_written(line: str, found: Requirement) -> str:
    text = line.partition(";")[0]
    text = re.sub(r"^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*", "", text).strip()
    return "" if found.url else text.strip("() ")


def _dependency(name: str, version: str, place: Place, extras: tuple[str, ...] = ()) -> DependencySeen:
    return DependencySeen(Dependency("pypi", canonicalize_name(name), version), place, extras)


# -- pyproject.toml, Pipfile


def _toml(source: SourceText) -> dict[str, Any] | Problem:
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        return Problem(source.path, int(line[1]) if line else 0, message="cannot be read as TOML")
    except (RecursionError, ValueError):
        return Problem(source.path, message="cannot be read as TOML")


def _table(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _pyproject(source: SourceText) -> Iterator[Seen]:
    data = _toml(source)
    if isinstance(data, Problem):
        yield data
        return
    listed = _table(data, "project").get("dependencies")
    for text in (listed if isinstance(listed, list) else [])[:_MOST]:
        if isinstance(text, str):
            name = re.match(r"[\w.-]+", text)
            yield from _requirement(text, first_line(source, name[0] if name else text))
    yield from _poetry(source, _table(data, "tool", "poetry", "dependencies"))
    yield from _scripts(source, _table(data, "project", "scripts"))
    yield from _scripts(source, _table(data, "tool", "poetry", "scripts"))
    for index in ("source", "index"):
        for manager in ("poetry", "uv", "pdm"):
            rows = _table(data, "tool", manager).get(index)
            for row in rows if isinstance(rows, list) else ():
                url = row.get("url") if isinstance(row, dict) else None
                if isinstance(url, str) and re.search(r"/whl/cu\d+", url):
                    yield SignSeen(Sign.CUDA, first_line(source, url))


def _poetry(source: SourceText, table: dict[str, Any]) -> Iterator[Seen]:
    for name, value in list(table.items())[:_MOST]:
        if name == "python" or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
            continue
        written = value.get("version", "") if isinstance(value, dict) else value
        if isinstance(value, dict) and value.get("optional") is True:
            continue
        extras = value.get("extras", []) if isinstance(value, dict) else []
        named = tuple(sorted(e for e in extras if isinstance(e, str))) if isinstance(extras, list) else ()
        version = written if isinstance(written, str) else ""
        yield _dependency(name, version, first_line(source, name, key=True), named)


def _scripts(source: SourceText, table: dict[str, Any]) -> Iterator[Seen]:
    """A script that the package installs, where it is the only one or called as services are."""
    names = [name for name, value in table.items() if isinstance(value, str)]
    chosen = names if len(names) == 1 else [name for name in names if name in ("start", "serve", "server", "app")]
    for name in chosen[:1]:
        place = first_line(source, name, key=True)
        yield StartSeen((name,), place, "script", USUAL, f"the script `{name}` that the package installs")


def _pipfile(source: SourceText) -> Iterator[Seen]:
    data = _toml(source)
    if isinstance(data, Problem):
        yield data
        return
    yield from _poetry(source, _table(data, "packages"))
    for name, value in _table(data, "scripts").items():
        if name in ("start", "serve", "web", "server") and isinstance(value, str):
            place = first_line(source, name, key=True)
            if command := words(value):
                yield StartSeen(command, place, "web", LIKELY, f"the Pipfile's script `{name}`")
            if (port := port_in(value)) is not None:
                yield PortSeen(port, place, f"the Pipfile's script `{name}`", LIKELY)


# -- setup.cfg, conda


def _setup_cfg(source: SourceText) -> Iterator[Seen]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(source.text)
    except (configparser.Error, ValueError) as error:
        line = getattr(error, "lineno", 0)
        yield Problem(source.path, line if isinstance(line, int) else 0, message="cannot be read as setup.cfg")
        return
    listed = parser.get("options", "install_requires", fallback="") or ""
    for line in listed.splitlines()[:_MOST]:
        text = line.partition("#")[0].strip()
        name = re.match(r"[\w.-]+", text)
        if name is not None:
            yield from _requirement(text, first_line(source, name[0]))


def _conda(source: SourceText) -> Iterator[Seen]:
    """The plain lines of conda's list: `- numpy=1.26`, and those of pip below it."""
    for number, line in source.lines():
        match = re.match(r"\s*-\s+(?:[\w-]+::)?([A-Za-z0-9][\w.-]*)\s*([=<>!~][^\s#]*)?\s*(?:#.*)?$", line)
        if match and match[1] not in ("python", "pip", "defaults", "conda-forge", "nvidia", "pytorch-cuda"):
            yield _dependency(match[1], match[2] or "", Place(source.path, number))
        elif match and match[1] == "pytorch-cuda":
            yield SignSeen(Sign.CUDA, Place(source.path, number))


_READERS = {
    "pyproject.toml": _pyproject,
    "Pipfile": _pipfile,
    "setup.cfg": _setup_cfg,
    "environment.yml": _conda,
    "environment.yaml": _conda,
}
