"""Ruby: variables, ports and health routes of Rails, Sinatra and Puma, by careful patterns, comments left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.literals import QUOTED, unquoted
from desired.facts.app_code.ruby_manifests import MANIFEST, read_manifests
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

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,120}"
_VALUE = rf"{QUOTED}|-?\d[\d_.]*|true|false|nil"
_INDEX = bounded(
    rf"\bENV\[\s*[\"'](?P<name>{_NAME})[\"']\s*\](?P<written>\s*(?:\|\|)?=(?![=~>]))?(?:\s*\|\|\s*(?P<default>{_VALUE}))?"
)
_FETCH = bounded(
    rf"\bENV\.fetch\(?\s*[\"'](?P<name>{_NAME})[\"']\s*(?P<more>,\s*(?P<default>{_VALUE})?|\)?\s*(?:\{{|do\b)\s*(?P<block>{_VALUE})?)?"
)
_PORTS = (
    bounded(r"^\s*port\s+(?P<port>\d{2,5})\b", re.MULTILINE),
    bounded(r"\bset\s+:port\s*,\s*(?P<port>\d{2,5})\b"),
    bounded(r"^\s*bind\s+[\"']tcp://[\w.\[\]:]*?:(?P<port>\d{2,5})[\"']", re.MULTILINE),
)
_ROUTE = bounded(r"^\s*(?:get|match)\s*\(?\s*[\"'](?P<path>[^\"'#{}]+)[\"']")
_BLOCK = bounded(
    r"^\s*(?P<kind>namespace|scope|resources?|authenticate|constraints|devise_scope|draw|member|collection|concern|mount|direct|root|get|post)?\b(?P<rest>[^#]*?)\bdo\b(?:\s*\|[^|]*\|)?\s*(?:#.*)?$"
)
_NAMED = bounded(r"^\s*\(?\s*(?::(?P<symbol>\w+)|[\"'](?P<text>[^\"']+)[\"'])")
_PATH = bounded(r"\bpath:\s*[\"'](?P<path>[^\"']*)[\"']")
_LOOPS = bounded(r"^\s*loop\s+do\b|while\s+true\b", re.MULTILINE)
_S3 = bounded(r"\bAws::S3::(?:Client|Resource)\b|^\s*service:\s*S3\s*$", re.MULTILINE)
_DEVELOPMENT = bounded(r"(?:^|/)config/environments/(?!production)\w+\.rb$|\.rake$|(?:^|/)lib/tasks/")


def _code(sources: Sources, project: Project) -> Iterator[Seen]:
    paths = [path for path in project.code if not path.endswith((".yml", ".erb")) or "config/" in path]
    for path in paths:
        if _DEVELOPMENT.search(path):
            continue
        source = sources.read(path, Style.HASH)
        if source is None:
            continue
        # In YAML only what ERB puts in is Ruby.
        aside = is_aside(path, sources.root)
        for seen in _env(source):
            yield (
                EnvSeen(seen.name, seen.place, False, seen.default, seen.fallback, confidence=USUAL) if aside else seen
            )
        if not aside:
            yield from _ports(source)
            yield from _routes(source)
    if "rails" in project.known or "railties" in project.known:
        yield from _rails(sources, project)


def _rails(sources: Sources, project: Project) -> Iterator[EnvSeen]:
    """What Rails itself does not start without in production.

    Source: Rails guides, "Securing Rails Applications": the key for credentials, or else the base of all keys.
    """
    start = f"{project.folder}/" if project.folder else ""
    credentials = f"{start}config/credentials.yml.enc"
    application = f"{start}config/application.rb"
    if sources.has(credentials):
        yield EnvSeen("RAILS_MASTER_KEY", Place(credentials), True, confidence=LIKELY)
    elif sources.has(application):
        yield EnvSeen("SECRET_KEY_BASE", Place(application), True, confidence=LIKELY)


def _env(source: SourceText) -> Iterator[EnvSeen]:
    tested = {
        match["name"]
        for match in re.finditer(rf"\bENV\.(?:key|has_key|include)\?\(\s*[\"'](?P<name>{_NAME})", source.code)
    }
    for match in source.found(_INDEX):
        if match["written"] and "||" not in match["written"]:
            continue
        default = unquoted(match["default"])
        given = None if default == "nil" else default
        yield EnvSeen(match["name"], source.place(match.start()), False, given, given is not None)
    for match in source.found(_FETCH):
        fallback = match["more"] is not None
        default = unquoted(match["default"] or match["block"])
        required = not fallback and match["name"] not in tested
        shown = None if default == "nil" else default
        yield EnvSeen(match["name"], source.place(match.start()), required, shown, fallback and default != "nil")


def _ports(source: SourceText) -> Iterator[PortSeen | SignSeen]:
    for pattern, sign in ((_LOOPS, Sign.LOOPS), (_S3, Sign.S3)):
        found = pattern.search(source.code)
        if found is not None:
            yield SignSeen(sign, source.place(found.start()))
    if source.path.endswith(("puma.rb", "unicorn.rb", "config.ru")) or "sinatra" in source.code:
        for pattern in _PORTS:
            for match in source.found(pattern, limit=5):
                port = port_number(match["port"])
                if port is not None:
                    yield PortSeen(port, source.place(match.start("port")), "", LITERAL)


def _routes(source: SourceText) -> Iterator[HealthSeen]:
    """Rails's routes with the blocks around them, and Sinatra's."""
    rails = source.path.endswith("config/routes.rb")
    if not rails and "sinatra" not in source.code.lower():
        return
    blocks: list[str] = []
    for number, line in enumerate(source.code.split("\n"), 1):
        block = _BLOCK.match(line)
        route = _ROUTE.match(line)
        if route is not None and is_health(route["path"]):
            yield HealthSeen(joined(*blocks, route["path"]), Place(source.path, number))
        if block is not None:
            blocks.append(_prefix(block["kind"], block["rest"]))
        elif re.match(r"^\s*end\b", line) and blocks:
            blocks.pop()


def _prefix(kind: str | None, rest: str) -> str:
    """What a block puts before the routes in it."""
    if kind not in ("namespace", "scope"):
        return ""
    path = _PATH.search(rest)
    if path is not None:
        return path["path"]
    named = _NAMED.match(rest)
    return (named["symbol"] or named["text"] or "") if named is not None else ""


RUBY = Ecosystem(
    name="gem",
    language="ruby",
    manifest=MANIFEST,
    suffixes=(".rb", ".ru", ".yml", ".erb"),
    image=re.compile(r"(?:.*/)?(?:ruby|jruby|rails|passenger-ruby\S*)"),
    manifests=read_manifests,
    code=_code,
)
