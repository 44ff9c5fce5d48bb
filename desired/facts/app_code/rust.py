"""Rust: Cargo.toml, variables, ports and health routes, by careful patterns, comments left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.json_text import inner
from desired.facts.app_code.line_search import first_line, section
from desired.facts.app_code.literals import QUOTED, unquoted
from desired.facts.app_code.paths import joined_path
from desired.facts.app_code.seen import (
    LIKELY,
    LITERAL,
    USUAL,
    DependencySeen,
    EnvSeen,
    HealthSeen,
    LocalSeen,
    PortSeen,
    Seen,
    Sign,
    SignSeen,
    port_number,
)
from desired.facts.app_code.source_text import SourceText, Style
from desired.facts.app_code.sources import Sources, is_aside
from desired.facts.app_code.toml_text import read_toml
from desired.facts.facts import Dependency
from desired.problem import Problem

_MANIFEST = bounded(r"Cargo\.toml")
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,120}"
_VAR = bounded(
    rf"\b(?:(?:std::)?env::var(?:_os)?|dotenvy?::var)\(\s*\"(?P<name>{_NAME})\"\s*\)(?P<after>(?:[^;{{]|\{{(?=\}})){{0,160}})"
)
_DEFAULT = bounded(
    rf"\.unwrap_or(?:_else)?\(\s*(?:\|[^|]*\|\s*)?(?:String::from\(\s*|format!\(\s*)?(?P<value>{QUOTED}|-?\d[\d_]*|true|false)"
)
_CLAP = bounded(
    rf"#\[(?:arg|clap|structopt)\((?P<inside>[^\]]*?\benv\s*=\s*\"(?P<name>{_NAME})\"[^\]]*)\]\s*(?P<field>[^,\n]*)"
)
_CLAP_DEFAULT = bounded(rf"\bdefault_value(?:_t)?\s*=\s*(?P<value>{QUOTED}|-?\d[\d_]*|true|false)")
_ADDRESS = bounded(r"\"(?:0\.0\.0\.0|127\.0\.0\.1|localhost|\[::1?\]|::):(?P<port>\d{2,5})\"")
_PAIR = bounded(
    r"(?:\.bind\(\s*\(\s*\"[^\"]*\"\s*,|SocketAddr(?:V4)?::(?:from|new)\(\s*\(?\s*(?:\[[\d,\s]+\]|[\w:]+(?:\([^)]*\))?)\s*,"
    r"|\.run\(\s*\(\s*\[[\d,\s]+\]\s*,)\s*(?P<port>\d{2,5})\s*\)"
)
_LISTENS = bounded(
    r"\bTcpListener::bind|HttpServer::new|axum::serve|\bServer::bind|\.launch\(\)|rocket::build|warp::serve"
)
_ROUTE = bounded(r"\.route\(\s*\"(?P<path>/[^\"]*)\"\s*,\s*(?:[\w:]*::)?(?:get|any)\b")
_ATTRIBUTE = bounded(r"#\[(?:\w+::)?get\(\s*\"(?P<path>/[^\"]*)\"[^\]]*\]\s*(?:pub\s+)?(?:async\s+)?fn\s+(?P<name>\w+)")
_NESTS = bounded(r"\.nest\(\s*\"(?P<path>/[^\"]+)\"|\bscope\(\s*\"(?P<scope>/?[^\"]+)\"")
_MOUNT = bounded(r"\.mount\(\s*\"(?P<path>[^\"]*)\"\s*,\s*routes!\[(?P<names>[^\]]*)\]")
_GRPC = bounded(r"\btonic::transport::Server\b|\bServer::builder\(\)")
_LOOPS = bounded(r"\bloop\s*\{|\binterval\(|while\s+let\s+Some")
_S3 = bounded(r"\baws_sdk_s3::Client\b")


def _manifests(sources: Sources, project: Project) -> Iterator[Seen]:
    for path in project.manifests:
        source = sources.read(path)
        data = read_toml(source) if source is not None else None
        if isinstance(data, Problem):
            yield data
        elif source is not None and data is not None:
            if "package" not in data:
                yield SignSeen(Sign.NO_APP, first_line(source, "workspace"))
            yield from _dependencies(source, data, project.folder)


def _dependencies(source: SourceText, data: dict[str, Any], folder: str) -> Iterator[Seen]:
    after = section(source, "dependencies")
    tables = [inner(data, "dependencies")]
    tables += [inner(table, "dependencies") for table in inner(data, "target").values()]
    for table in tables:
        for key, value in list(table.items())[:2_000]:
            details = value if isinstance(value, dict) else {}
            name = details.get("package", key)
            version = details.get("version", "") if isinstance(value, dict) else value
            local = details.get("path")
            if isinstance(local, str):
                target = joined_path(folder, local)
                if target is not None:
                    yield LocalSeen(target)
                continue
            if details.get("optional") is True or not isinstance(name, str):
                continue
            features = details.get("features")
            extras = tuple(f for f in features if isinstance(f, str)) if isinstance(features, list) else ()
            place = first_line(source, key, key=True, after=after)
            place = place if place.line else first_line(source, key, after=after)
            yield DependencySeen(Dependency("cargo", name, version if isinstance(version, str) else ""), place, extras)


def _code(sources: Sources, project: Project) -> Iterator[Seen]:
    routes: list[tuple[SourceText, str, int, str]] = []
    mounts: dict[str, str] = {}
    nested = False
    for path in project.code:
        source = sources.read(path, Style.RUST)
        if source is None:
            continue
        aside = is_aside(path, sources.root)
        for seen in _env(source):
            yield (
                EnvSeen(seen.name, seen.place, False, seen.default, seen.fallback, confidence=USUAL) if aside else seen
            )
        if aside:
            continue
        yield from _ports(source)
        nested = nested or _NESTS.search(source.code) is not None
        for match in source.found(_MOUNT):
            for name in re.findall(r"(?:\w+::)*(\w+)", match["names"]):
                mounts[name] = match["path"]
        for match in source.found(_ROUTE):
            routes.append((source, match["path"], match.start(), ""))
        for match in source.found(_ATTRIBUTE):
            routes.append((source, match["path"], match.start(), match["name"]))
    for source, path, offset, name in routes:
        if not is_health(path):
            continue
        if name and name in mounts:
            yield HealthSeen(joined(mounts[name], path), source.place(offset))
        elif not nested and (not name or "rocket" not in project.known):
            yield HealthSeen(path, source.place(offset))


def _env(source: SourceText) -> Iterator[EnvSeen]:
    for match in source.found(_VAR):
        after = match["after"]
        given = _DEFAULT.match(re.sub(r"^(?:\s*\.(?:ok|as_deref)\(\))+", "", after).lstrip())
        place = source.place(match.start())
        if given is not None:
            yield EnvSeen(match["name"], place, default=unquoted(given["value"]), fallback=True)
        else:
            chained = re.match(
                r"\s*(?:\.(?:map_err|context|with_context)\([^;]*?\))?\s*(?:\?|\.expect\(|\.unwrap\(\))", after
            )
            yield EnvSeen(match["name"], place, chained is not None)
    for match in source.found(_CLAP):
        given = _CLAP_DEFAULT.search(match["inside"])
        loose = "Option<" in match["field"] or ": bool" in match["field"] or "default_value" in match["inside"]
        default = unquoted(given["value"]) if given is not None else None
        yield EnvSeen(match["name"], source.place(match.start()), not loose, default, given is not None)


def _ports(source: SourceText) -> Iterator[PortSeen | SignSeen]:
    code = source.code
    for pattern, sign in ((_LISTENS, Sign.LISTENS), (_GRPC, Sign.GRPC_SERVER), (_LOOPS, Sign.LOOPS), (_S3, Sign.S3)):
        found = pattern.search(code)
        if found is not None:
            yield SignSeen(sign, source.place(found.start()))
    # An address is one to listen on only in a file that listens, and no default of a client.
    if _LISTENS.search(code) or _GRPC.search(code):
        for match in source.found(_ADDRESS, limit=20):
            port = port_number(match["port"])
            near = code[max(0, match.start() - 120) : match.start()]
            if port is not None and not re.search(
                r"(?i)redis|postgres|connect|nats|kafka|://", near.rpartition(";")[2]
            ):
                yield PortSeen(port, source.place(match.start()), "", LIKELY)
    for match in source.found(_PAIR, limit=20):
        port = port_number(match["port"])
        if port is not None:
            yield PortSeen(port, source.place(match.start()), "", LITERAL)


RUST = Ecosystem(
    name="cargo",
    language="rust",
    manifest=_MANIFEST,
    suffixes=(".rs",),
    image=re.compile(r"(?:.*/)?(?:rust|cargo-chef|rust-musl-builder)"),
    manifests=_manifests,
    code=_code,
)
