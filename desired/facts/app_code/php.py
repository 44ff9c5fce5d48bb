"""PHP: composer.json, variables and health routes of Laravel, Symfony and Slim, by careful patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.blocks import around, block_end
from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.json_text import inner, read_object, strings
from desired.facts.app_code.line_search import first_line, section
from desired.facts.app_code.literals import QUOTED, unquoted
from desired.facts.app_code.seen import (
    LIKELY,
    LITERAL,
    USUAL,
    DependencySeen,
    EnvSeen,
    HealthSeen,
    Seen,
    Sign,
    SignSeen,
)
from desired.facts.app_code.source_text import SourceText, Style
from desired.facts.app_code.sources import Sources, is_aside
from desired.facts.facts import Dependency
from desired.problem import Problem

_MANIFEST = bounded(r"composer\.json")
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,120}"
_VALUE = rf"{QUOTED}|-?\d[\d.]*|true|false|null"
_ENV = bounded(
    rf"(?<![\w>$:])(?:Env::get|env)\(\s*[\"'](?P<name>{_NAME})[\"']\s*(?:,\s*(?P<more>(?P<default>{_VALUE})?)|\))"
)
_ENV_OR_FAIL = bounded(rf"\bEnv::getOrFail\(\s*[\"'](?P<name>{_NAME})[\"']")
_GETENV = bounded(
    rf"(?<![\w>$:])getenv\(\s*[\"'](?P<name>{_NAME})[\"'][^()]{{0,20}}\)\s*\)?\s*(?:\?[:?]\s*(?P<default>{_VALUE}|throw|die|exit)?)?"
)
_ARRAY = bounded(
    rf"\$_ENV\[\s*[\"'](?P<name>{_NAME})[\"']\s*\](?P<written>\s*=(?!=))?(?:\s*\)?\s*\?[:?]\s*(?P<default>{_VALUE}|throw|die|exit)?)?"
)
_SYMFONY = bounded(rf"%env\((?P<kinds>(?:[\w-]+:)*)(?P<name>{_NAME})\)%")
_SYMFONY_DEFAULT = bounded(rf"^\s*env\((?P<name>{_NAME})\)\s*:\s*(?P<value>.*?)\s*$", re.MULTILINE)
# Up to the next key at the left.
_ONLY_WHEN = re.compile(r"^when@(?:dev|test)\s*:[^\n]*(?:\n(?![^\s#])[^\n]*)*", re.MULTILINE)
_DEVELOPMENT = bounded(r"config/packages/(?:(?:dev|test)/|debug\.yaml|web_profiler\.yaml)")
_ROUTE = bounded(
    rf"(?:\bRoute::|\$(?:app|router|group|r)->)(?:get|any|match)\(\s*(?:\[[^\]]*\]\s*,\s*)?(?P<path>{QUOTED})"
)
_GROUP = bounded(
    rf"\bprefix\(\s*(?P<path>{QUOTED})\s*\)[^;{{]{{0,300}}?->group\(\s*(?:static\s+)?function\s*\([^)]*\)[^{{]{{0,60}}\{{"
    rf"|[\"']prefix[\"']\s*=>\s*(?P<listed>{QUOTED})[^{{;]{{0,200}}?function\s*\([^)]*\)[^{{]{{0,60}}\{{"
    rf"|\$\w+->group\(\s*(?P<slim>{QUOTED})\s*,\s*function\s*\([^)]*\)[^{{]{{0,60}}\{{"
)
_LARAVEL_UP = bounded(rf"\bhealth:\s*(?P<path>{QUOTED})")
_ATTRIBUTE = bounded(rf"(?:#\[|@)Route\(\s*(?:path\s*[:=]\s*)?(?P<path>{QUOTED})")
_S3 = bounded(r"\bnew\s+S3Client\(")
_LOOPS = bounded(r"while\s*\(\s*(?:true|1)\s*\)", re.IGNORECASE)


def _manifests(sources: Sources, project: Project) -> Iterator[Seen]:
    for path in project.manifests:
        source = sources.read(path)
        data = read_object(source) if source is not None else None
        if isinstance(data, Problem):
            yield data
        elif source is not None and data is not None:
            after = section(source, "require")
            for name, version in strings(inner(data, "require")).items():
                # What has no vendor is PHP itself and its extensions.
                if "/" in name:
                    place = first_line(source, name, key=True, after=after)
                    yield DependencySeen(Dependency("composer", name.lower(), version), place)


def _code(sources: Sources, project: Project) -> Iterator[Seen]:
    defaults: dict[str, str] = {}
    used: list[EnvSeen] = []
    for path in project.code:
        if path.endswith((".yaml", ".yml")) and "config/" not in path:
            continue
        source = sources.read(path, Style.PHP if path.endswith(".php") else Style.HASH)
        if source is None:
            continue
        if not path.endswith(".php"):
            for match in source.found(_SYMFONY_DEFAULT):
                defaults[match["name"]] = match["value"].strip("\"'")
        used += [] if _DEVELOPMENT.search(path) else _symfony(source)
        aside = is_aside(path, sources.root)
        for seen in _env(source, laravel="laravel/framework" in project.known):
            yield (
                EnvSeen(seen.name, seen.place, False, seen.default, seen.fallback, confidence=USUAL) if aside else seen
            )
        if not aside and path.endswith(".php"):
            yield from _routes(source)
            for pattern, sign in ((_S3, Sign.S3), (_LOOPS, Sign.LOOPS)):
                found = pattern.search(source.code)
                if found is not None:
                    yield SignSeen(sign, source.place(found.start()))
    if "symfony/framework-bundle" in project.known:
        defaults = {**_dotenv(sources, project.folder), **defaults}
    for seen in used:
        given = seen.name in defaults
        yield EnvSeen(
            seen.name, seen.place, seen.required and not given, defaults.get(seen.name), seen.fallback or given
        )


def _dotenv(sources: Sources, folder: str) -> dict[str, str]:
    """Symfony's `.env`, which is committed on purpose: the defaults of every variable.

    Source: symfony.com/doc, "Configuring Environment Variables in .env Files"
    """
    path = f"{folder}/.env" if folder else ".env"
    source = sources.read(path) if sources.has(path) else None
    if source is None:
        return {}
    found = re.finditer(rf"^(?P<name>{_NAME})=(?P<value>.*)$", source.text, re.MULTILINE)
    return {match["name"]: match["value"].strip().strip("\"'") for match in found}


def _env(source: SourceText, *, laravel: bool) -> Iterator[EnvSeen]:
    for match in source.found(_ENV):
        default = unquoted(match["default"])
        fallback = bool(match["more"]) and default != "null"
        # Source: Laravel's encrypter, MissingAppKeyException
        required = laravel and match["name"] == "APP_KEY" and not fallback
        place = source.place(match.start())
        yield EnvSeen(match["name"], place, required, default if fallback else None, fallback)
    for match in source.found(_ENV_OR_FAIL):
        yield EnvSeen(match["name"], source.place(match.start()), True)
    for pattern in (_GETENV, _ARRAY):
        for match in source.found(pattern):
            if "written" in match.groupdict() and match["written"]:
                continue
            default = unquoted(match["default"])
            fails = default in ("throw", "die", "exit")
            shown = None if fails or default == "null" else default
            yield EnvSeen(match["name"], source.place(match.start()), fails, shown, shown is not None)


def _symfony(source: SourceText) -> Iterator[EnvSeen]:
    """What the container's configuration reads, without the blocks that only count in development."""
    left_out = [match.span() for match in source.found(_ONLY_WHEN, limit=20)]
    for match in source.found(_SYMFONY):
        if any(start <= match.start() < end for start, end in left_out):
            continue
        optional = "default:" in match["kinds"]
        yield EnvSeen(match["name"], source.place(match.start()), not optional, None, optional)


def _routes(source: SourceText) -> Iterator[HealthSeen]:
    if source.path.endswith("bootstrap/app.php"):
        for match in source.found(_LARAVEL_UP, limit=1):
            yield HealthSeen(unquoted(match["path"]) or "/up", source.place(match.start()))
    blocks = [
        (
            match.end(),
            block_end(source.code, match.end()),
            unquoted(match["path"] or match["listed"] or match["slim"]) or "",
        )
        for match in source.found(_GROUP, limit=50)
    ]
    # Laravel puts everything of this file below /api.
    base = ("api",) if source.path.endswith("routes/api.php") else ()
    for match in source.found(_ROUTE):
        path = unquoted(match["path"]) or ""
        if is_health(path):
            whole = joined(*base, *around(blocks, match.start()), path)
            yield HealthSeen(whole, source.place(match.start()), LIKELY if base else LITERAL)
    declared = re.search(r"\bclass\s+\w+", source.code)
    if declared is not None:
        above = _ATTRIBUTE.search(source.code, 0, declared.start())
        prefix = (unquoted(above["path"]) or "") if above else ""
        for match in _ATTRIBUTE.finditer(source.code, declared.start()):
            path = joined(prefix, unquoted(match["path"]) or "")
            if is_health(path):
                yield HealthSeen(path, source.place(match.start()))


PHP = Ecosystem(
    name="composer",
    language="php",
    manifest=_MANIFEST,
    suffixes=(".php", ".yaml", ".yml"),
    image=re.compile(r"(?:.*/)?(?:php|composer|frankenphp|php-fpm\S*|\S*php\S*)"),
    manifests=_manifests,
    code=_code,
)
