""".NET: variables, ports and health routes in C#, and appsettings.json, by careful patterns, comments left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.dotnet_manifests import MANIFEST, read_manifests
from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.json_text import inner
from desired.facts.app_code.literals import QUOTED, unquoted
from desired.facts.app_code.seen import (
    LIKELY,
    LITERAL,
    USUAL,
    EnvSeen,
    HealthSeen,
    PortSeen,
    Seen,
    Sign,
    SignSeen,
    port_number,
)
from desired.facts.app_code.source_text import SourceText, Style
from desired.facts.app_code.sources import Sources, is_aside
from desired.facts.fact import Place
from desired.problem import Problem
from desired.yaml_text import read_yaml

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,120}"
_AFTER = rf"(?:\s*\?\?\s*(?:(?P<default>{QUOTED}|-?\d+|true|false)|(?P<fails>throw))?)?(?P<sure>!(?!=))?"
_GETENV = bounded(rf"\bEnvironment\.GetEnvironmentVariable\(\s*\"(?P<name>{_NAME})\"[^()]{{0,60}}\)(?P<after>{_AFTER})")
_INDEX = bounded(rf"\b[cC]onfig(?:uration)?\[\s*\"(?P<name>[A-Z][A-Z0-9_]{{1,120}})\"\s*\](?P<after>{_AFTER})")
_VALUE = bounded(
    rf"\b[cC]onfig(?:uration)?\.GetValue<[\w?]+>\(\s*\"(?P<name>[A-Z][A-Z0-9_]{{1,120}})\"\s*(?:,\s*(?P<default>{QUOTED}|-?\d+|true|false))?"
)
_CONNECTION = bounded(rf"\bGetConnectionString\(\s*\"(?P<name>{_NAME})\"\s*\)(?P<after>{_AFTER})")
_URL = bounded(r"(?:\.Run\(|\.RunAsync\(|UseUrls\(|Urls\.Add\()\s*\$?\"https?://[\w.*+\[\]:]*?:(?P<port>\d{2,5})/?\"")
_LISTEN = bounded(r"\bListen(?:AnyIP|Localhost)?\(\s*(?:IPAddress\.\w+\s*,\s*)?(?P<port>\d{2,5})\b")
_ADDRESS = bounded(r"https?://[\w.*+\[\]:]*?:(?P<port>\d{2,5})/?")
_HEALTH = bounded(rf"\.(?:MapHealthChecks|UseHealthChecks|MapGet)\(\s*(?P<path>{QUOTED})")
_GROUP = bounded(rf"\b(?P<name>\w+)\s*=\s*\w+\.MapGroup\(\s*(?P<path>{QUOTED})")
_OWNER = bounded(r"(\w+)\s*$")
_PATH_BASE = bounded(r"\.UsePathBase\(")
_LOOPS = bounded(r":\s*BackgroundService\b|AddHostedService<|while\s*\(\s*true\s*\)|IsCancellationRequested")
_S3 = bounded(r"\bIAmazonS3\b|\bAmazonS3Client\b")


def _code(sources: Sources, project: Project) -> Iterator[Seen]:
    strings: dict[str, str] = {}
    settings = sorted({f"{folder}/appsettings.json" if folder else "appsettings.json" for folder in _folders(project)})
    for path in settings:
        source = sources.read(path) if sources.has(path) else None
        if source is not None:
            yield from _settings(source, strings)
    for path in project.code:
        source = sources.read(path, Style.CURLY)
        if source is None:
            continue
        aside = is_aside(path, sources.root)
        for seen in _env(source, strings):
            yield (
                EnvSeen(seen.name, seen.place, False, seen.default, seen.fallback, confidence=USUAL) if aside else seen
            )
        if not aside:
            yield from _ports(source)
            yield from _routes(source)


def _folders(project: Project) -> list[str]:
    return [path.rpartition("/")[0] for path in project.manifests] or [project.folder]


def _settings(source: SourceText, strings: dict[str, str]) -> Iterator[Seen]:
    """Connection strings and Kestrel's addresses. The file may hold comments, which YAML's reader is not told of."""
    plain = re.sub(r"^[ \t]*//[^\n]*", "", source.text, flags=re.MULTILINE).replace("\t", "  ")
    for document in read_yaml(plain, source.path):
        if document.problems:
            yield Problem(source.path, document.problems[0].line, message="cannot be read as JSON")
        data = document.root.value if document.root is not None else None
        for name, value in inner(data, "ConnectionStrings").items():
            if isinstance(value, str):
                strings[name] = value
        for name, endpoint in inner(data, "Kestrel", "Endpoints").items():
            url = endpoint.get("Url") if isinstance(endpoint, dict) else None
            match = _ADDRESS.fullmatch(url) if isinstance(url, str) else None
            port = port_number(match["port"]) if match and not str(url).startswith("https") else None
            if port is not None:
                line = document.place(("Kestrel", "Endpoints", name, "Url"))[0]
                yield PortSeen(port, Place(source.path, line or None), "Kestrel's address")


def _env(source: SourceText, strings: dict[str, str]) -> Iterator[EnvSeen]:
    for pattern in (_GETENV, _INDEX, _VALUE):
        for match in source.found(pattern):
            groups = match.groupdict()
            default = unquoted(groups["default"])
            required = default is None and bool(groups.get("fails") or groups.get("sure"))
            yield EnvSeen(match["name"], source.place(match.start()), required, default, default is not None)
    for match in source.found(_CONNECTION):
        # Source: learn.microsoft.com, "Configuration in ASP.NET Core": `__` stands for the colon of a key.
        name = f"ConnectionStrings__{match['name']}"
        value = strings.get(match["name"], "")
        default = unquoted(match["default"]) or (value or None)
        hidden = default is not None and re.search(r"(?i)\b(?:password|pwd|accountkey|sharedaccesskey)\s*=", default)
        required = default is None and bool(match["fails"] or match["sure"])
        shown = "" if hidden else default
        yield EnvSeen(name, source.place(match.start()), required, shown, default is not None, confidence=LIKELY)


def _ports(source: SourceText) -> Iterator[PortSeen | SignSeen]:
    for pattern, sign in ((_LOOPS, Sign.LOOPS), (_S3, Sign.S3)):
        found = pattern.search(source.code)
        if found is not None:
            yield SignSeen(sign, source.place(found.start()))
    for pattern in (_URL, _LISTEN):
        for match in source.found(pattern, limit=10):
            port = port_number(match["port"])
            if port is not None:
                yield PortSeen(port, source.place(match.start()), "", LITERAL)


def _routes(source: SourceText) -> Iterator[HealthSeen]:
    groups = {match["name"]: unquoted(match["path"]) or "" for match in source.found(_GROUP)}
    base = _PATH_BASE.search(source.code) is not None
    for match in source.found(_HEALTH):
        path = unquoted(match["path"]) or ""
        checks = "HealthChecks" in match[0] and path.startswith("/")
        if not (checks or is_health(path)):
            continue
        owner = _OWNER.search(source.code[max(0, match.start() - 60) : match.start()])
        prefix = groups.get(owner[1], "") if owner else ""
        yield HealthSeen(joined(prefix, path), source.place(match.start()), LIKELY if base else LITERAL)


DOTNET = Ecosystem(
    name="nuget",
    language="csharp",
    manifest=MANIFEST,
    suffixes=(".cs", ".fs", ".vb"),
    image=re.compile(r"mcr\.microsoft\.com/dotnet/\S+|(?:.*/)?(?:dotnet|aspnet)"),
    manifests=read_manifests,
    code=_code,
)
