"""What stands in files of a Node project that are no code: Prisma's schema, and routes that are files (Next.js)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.address_kinds import driver_kind
from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Project
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.seen import LIKELY, EnvSeen, HealthSeen, Seen, TalksSeen
from desired.facts.app_code.source_text import Style
from desired.facts.app_code.sources import Sources
from desired.facts.fact import Place

_PROVIDER = bounded(r"datasource\s+\w+\s*\{[^{}]*?\bprovider\s*=\s*\"(?P<provider>[\w-]+)\"", re.DOTALL)
_VARIABLE = bounded(r"\b(?:url|directUrl)\s*=\s*env\(\s*\"(?P<name>[A-Za-z_]\w{0,120})\"\s*\)")
_APP_ROUTE = bounded(r"(?:^|/)(?:src/)?app/(?P<path>.+)/route\.[jt]sx?$")
_PAGE_ROUTE = bounded(r"(?:^|/)(?:src/)?pages/(?P<path>api/.+?)(?:/index)?\.[jt]sx?$")
_BASE_PATH = bounded(r"\bbasePath\s*:")


def read_prisma(sources: Sources, project: Project) -> Iterator[Seen]:
    """The database of a Prisma schema, and the variable that leads to it."""
    for path in sources.under(project.folder):
        if not path.endswith(".prisma"):
            continue
        source = sources.read(path, Style.SCRIPT)
        provider = _PROVIDER.search(source.code) if source is not None else None
        if source is None or provider is None:
            continue
        kind = driver_kind(provider["provider"])
        if kind is not None:
            yield TalksSeen(kind, source.place(provider.start("provider")))
        for match in source.found(_VARIABLE, limit=5):
            required = source.code[: match.end()].rpartition("\n")[2].strip().startswith("url")
            yield EnvSeen(match["name"], source.place(match.start()), required, confidence=LIKELY)


def read_file_routes(sources: Sources, project: Project) -> Iterator[HealthSeen]:
    """Next.js's health routes, by where their files stand; nothing where everything has a prefix."""
    if "next" not in project.known:
        return
    start = f"{project.folder}/" if project.folder else ""
    for name in ("next.config.js", "next.config.mjs", "next.config.ts"):
        config = sources.read(f"{start}{name}", Style.SCRIPT) if sources.has(f"{start}{name}") else None
        if config is not None and _BASE_PATH.search(config.code):
            return
    for path in project.code:
        match = _APP_ROUTE.search(path) or _PAGE_ROUTE.search(path)
        if match is None:
            continue
        # A folder in parentheses groups files, and is no part of the address.
        parts = [part for part in match["path"].split("/") if not part.startswith("(")]
        route = joined(*parts)
        if is_health(route):
            yield HealthSeen(route, Place(path))
