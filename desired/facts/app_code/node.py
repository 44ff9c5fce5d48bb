"""Node: JavaScript and TypeScript by careful patterns, comments left out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.node_env import read_env
from desired.facts.app_code.node_files import read_file_routes, read_prisma
from desired.facts.app_code.node_manifests import MANIFEST, read_manifests
from desired.facts.app_code.node_server import GlobalPrefix, Mount, Route, health_routes, read_ports, read_routes
from desired.facts.app_code.seen import USUAL, EnvSeen, Seen, StartSeen
from desired.facts.app_code.source_text import Style
from desired.facts.app_code.sources import Sources, is_aside
from desired.facts.fact import Place

_WORTH = bounded(
    r"process\.env|import\.meta|\.listen\(|serve\(|[Rr]outer|express|fastify|@Controller|setGlobalPrefix|configService"
    r"|\bconfig\.get|setInterval|\.process\(|\.schedule\(|client-s3|S3|bindAsync|while\s*\(|Joi|\benv\b"
)
# Health routes and mounts of one app.
_MOST = 1_000
_MAINS = ("server.js", "index.js", "app.js", "main.js", "src/server.js", "src/index.js", "src/app.js", "src/main.js")


def _code(sources: Sources, project: Project) -> Iterator[Seen]:
    items: list[Route | Mount | GlobalPrefix] = []
    started = False
    prefix = f"{project.folder}/" if project.folder else ""
    for path in project.code:
        source = sources.read(path, Style.SCRIPT)
        if source is None or _WORTH.search(source.text) is None:
            continue
        aside = is_aside(path, sources.root)
        for seen in read_env(source):
            yield (
                EnvSeen(seen.name, seen.place, False, seen.default, seen.fallback, confidence=USUAL) if aside else seen
            )
        if not aside:
            yield from read_ports(source)
            items += itertools.islice(read_routes(source), _MOST - len(items))
    yield from health_routes(items)
    yield from read_prisma(sources, project)
    yield from read_file_routes(sources, project)
    inside = {path.removeprefix(prefix): path for path in project.code}
    for name in _MAINS:
        if name in inside and not started:
            started = True
            reason = "the file is called as what is run"
            yield StartSeen(("node", name), Place(inside[name]), "guess", USUAL, reason)


NODE = Ecosystem(
    name="npm",
    language="javascript",
    manifest=MANIFEST,
    suffixes=(".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", ".jsx", ".tsx"),
    image=re.compile(r"(?:.*/)?(?:node|bun|deno|nodejs\S*)"),
    manifests=read_manifests,
    code=_code,
)
