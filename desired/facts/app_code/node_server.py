"""What JavaScript and TypeScript serve: ports, and health routes of Express, Fastify, Koa, Hono and Nest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.literals import QUOTED, unquoted
from desired.facts.app_code.seen import LIKELY, LITERAL, HealthSeen, PortSeen, Sign, SignSeen, port_number
from desired.facts.app_code.source_text import SourceText

_ENV = r"process\.env(?:\.\w+|\[['\"]\w+['\"]\])"
_CALL = r"(?:Number|parseInt|\+|normalizePort|String)?\(?\s*"
_DEFAULTED = rf"{_CALL}{_ENV}!?\s*(?:,\s*10\s*)?\)?\s*(?:\|\||\?\?)\s*['\"]?(?P<env>\d{{2,5}})\b"
_LISTEN = bounded(
    rf"\.listen\(\s*(?:\{{[^{{}}]*?\bport\s*:\s*)?"
    rf"(?:{_DEFAULTED}|['\"]?(?P<plain>\d{{2,5}})\b(?!\.)|(?P<name>[A-Za-z_$][\w$]*)\b(?!\s*[.(]))"
)
_SERVE = bounded(
    rf"\b(?:serve|Bun\.serve|Deno\.serve)\(\s*\{{[^{{}}]*?\bport\s*:\s*"
    rf"(?:{_DEFAULTED}|(?P<plain>\d{{2,5}})\b|(?P<name>[A-Za-z_$][\w$]*)\b(?!\s*[.(]))"
)
_GIVEN = (
    rf"(?:const|let|var)\s+NAME(?:\s*:\s*[\w|\s]+?)?\s*=\s*"
    rf"(?:{_DEFAULTED}|['\"]?(?P<plain>\d{{2,5}})['\"]?\s*(?:;|\n|,|$))"
)
_CONFIG_PORT = bounded(
    r"\.listen\(\s*(?:\w+\.)*(?:get|getOrThrow)(?:<\w+>)?\(\s*['\"](?:PORT|port)['\"]\s*,\s*(?P<port>\d{2,5})"
)
_LISTENS = bounded(r"\.listen\(|\.bindAsync\(|\bBun\.serve\(|\bDeno\.serve\(|@hono/node-server")
_LOOPS = bounded(
    r"\bsetInterval\(|\bwhile\s*\(\s*true\s*\)|\bfor\s*\(\s*;\s*;\s*\)|\bnew Worker\(|\.process\(|\.schedule\("
)
_GRPC = bounded(r"\.bindAsync\(")
_S3 = bounded(r"\bnew\s+S3(?:Client)?\(|@aws-sdk/client-s3|\bnew\s+AWS\.S3\(")

_ROUTE = bounded(rf"(?<![\w$.])(?P<owner>[A-Za-z_$][\w$]*)\s*\.\s*(?:get|all|use)\(\s*(?P<path>{QUOTED})")
_FASTIFY = bounded(rf"\.route\(\s*\{{(?=[^{{}}]*method\s*:\s*['\"]GET['\"])[^{{}}]*?\burl\s*:\s*(?P<path>{QUOTED})")
_ROUTER = bounded(
    r"\b(?P<name>[A-Za-z_$][\w$]*)\s*=\s*(?:new\s+)?(?:express\.)?(?:Router|KoaRouter|Hono|PromiseRouter)(?:<[^>]*>)?\("
)
_PREFIX = bounded(rf"\bnew\s+\w*Router\(\s*\{{[^{{}}]*?\bprefix\s*:\s*(?P<path>{QUOTED})")
_APP = bounded(
    r"\b(?P<name>[A-Za-z_$][\w$]*)\s*=\s*(?:await\s+)?(?:new\s+)?"
    r"(?:express|fastify|Fastify|restify\.createServer|polka|new Hono|Elysia)\("
)
_MOUNT = bounded(
    rf"\.(?:use|route|register)\(\s*(?P<path>{QUOTED})\s*,\s*(?:[\w$.()]+\s*,\s*)*?(?:require\(\s*(?P<required>{QUOTED})\s*\)|(?P<name>[A-Za-z_$][\w$]*))"
)
_IMPORT = bounded(
    rf"(?:import\s+(?:\*\s+as\s+)?\{{?\s*(?P<name>[\w$]+)[^;\n]*?from\s*(?P<path>{QUOTED})"
    rf"|(?:const|let|var)\s+\{{?\s*(?P<held>[\w$]+)\s*\}}?\s*=\s*require\(\s*(?P<required>{QUOTED}))"
)
_CONTROLLER = bounded(rf"@Controller\(\s*(?P<path>{QUOTED})?[^)]*\)")
_GET = bounded(rf"@Get\(\s*(?P<path>{QUOTED})?\s*\)")
_GLOBAL = bounded(rf"\.setGlobalPrefix\(\s*(?P<path>{QUOTED})?\s*(?P<more>,)?")
_PLUGIN = bounded(r"\.register\([^;]{0,400}?\bprefix\s*:", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Route:
    """A health route; `router` is the file's stem where it stands on a router of its own, "" on the app."""

    path: str
    source: SourceText
    offset: int
    router: str
    controller: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """A prefix, and the last part of the module that is mounted there ("" where that is not seen)."""

    prefix: str
    module: str


@dataclass(frozen=True, slots=True)
class GlobalPrefix:
    """Nest's prefix of every route; None where it is not a plain text or has exceptions."""

    prefix: str | None


def read_ports(source: SourceText) -> Iterator[PortSeen | SignSeen]:
    """Where the file's code listens, and what else it shows."""
    code = source.code
    listens = _LISTENS.search(code)
    if listens is not None:
        yield SignSeen(Sign.LISTENS, source.place(listens.start()))
    for pattern, sign in ((_LOOPS, Sign.LOOPS), (_S3, Sign.S3), (_GRPC, Sign.GRPC_SERVER)):
        found = pattern.search(code)
        if found is not None:
            yield SignSeen(sign, source.place(found.start()))
    for pattern in (_LISTEN, _SERVE):
        for match in source.found(pattern, limit=20):
            yield from _port(source, match)
    for match in source.found(_CONFIG_PORT, limit=5):
        port = port_number(match["port"])
        if port is not None:
            yield PortSeen(port, source.place(match.start()), "", LITERAL)


def _port(source: SourceText, match: re.Match[str]) -> Iterator[PortSeen]:
    port = port_number(match["env"] or match["plain"])
    reason = "the default of a variable" if match["env"] else ""
    if port is not None:
        yield PortSeen(port, source.place(match.start()), reason, LITERAL)
    elif match["name"]:
        given = bounded(_GIVEN.replace("NAME", re.escape(match["name"]))).search(source.code)
        port = port_number(given["env"] or given["plain"]) if given is not None else None
        if given is not None and port is not None:
            yield PortSeen(port, source.place(given.start()), "the default of a variable" if given["env"] else "")


def read_routes(source: SourceText) -> Iterator[Route | Mount | GlobalPrefix]:
    """The health routes of a file, what it mounts where, and prefixes for everything."""
    routers = {match["name"] for match in source.found(_ROUTER)}
    apps = {match["name"] for match in source.found(_APP)} - routers
    own = _PREFIX.search(source.code)
    prefix = (unquoted(own["path"]) or "") if own is not None else ""
    for match in source.found(_ROUTE):
        path = unquoted(match["path"]) or ""
        if not path.startswith("/") or not is_health(path):
            continue
        if match["owner"] in routers:
            yield Route(joined(prefix, path), source, match.start(), _module(source.path))
        elif match["owner"] in apps or match["owner"] in ("app", "server", "fastify"):
            plugin = match["owner"] not in apps and re.search(r"export\b|module\.exports", source.code) is not None
            yield Route(path, source, match.start(), _module(source.path) if plugin else "")
    for match in source.found(_FASTIFY, limit=50):
        path = unquoted(match["path"]) or ""
        if is_health(path) and path.startswith("/"):
            yield Route(path, source, match.start(), "" if apps else _module(source.path))
    yield from _mounts(source)
    yield from _nest(source)


def _mounts(source: SourceText) -> Iterator[Mount | GlobalPrefix]:
    imports: dict[str, str] = {}
    for match in source.found(_IMPORT):
        path = unquoted(match["path"] or match["required"]) or ""
        imports[match["name"] or match["held"]] = _module(path) if path.startswith((".", "@/", "~/")) else ""
    for match in source.found(_MOUNT):
        path = unquoted(match["path"]) or ""
        required = unquoted(match["required"])
        module = _module(required) if required else imports.get(match["name"] or "", "")
        yield Mount(path.rstrip("/"), module)
    if _PLUGIN.search(source.code):
        yield Mount("\0", "")
    for match in source.found(_GLOBAL, limit=5):
        everywhere = unquoted(match["path"])
        yield GlobalPrefix(None if match["more"] else everywhere)


def _nest(source: SourceText) -> Iterator[Route]:
    """The `@Get` routes of each `@Controller`."""
    controllers = list(source.found(_CONTROLLER, limit=50))
    for number, controller in enumerate(controllers):
        end = controllers[number + 1].start() if number + 1 < len(controllers) else len(source.code)
        prefix = unquoted(controller["path"]) or ""
        if re.search(r"\bversion\s*:", controller[0]):
            continue
        for match in _GET.finditer(source.code, controller.end(), end):
            path = joined(prefix, unquoted(match["path"]) or "")
            if is_health(path):
                yield Route(path, source, match.start(), "", controller=True)


def _module(path: str) -> str:
    """What an import and the file that it means have in common: the last name, the folder for an index."""
    parts = [part for part in re.sub(r"\.[cm]?[jt]sx?$", "", path).split("/") if part not in ("", ".", "..")]
    if len(parts) > 1 and parts[-1] == "index":
        parts.pop()
    return parts[-1] if parts else ""


def health_routes(items: list[Route | Mount | GlobalPrefix]) -> Iterator[HealthSeen]:
    """The routes whose whole path is known."""
    mounts = [item for item in items if isinstance(item, Mount)]
    globals_ = [item.prefix for item in items if isinstance(item, GlobalPrefix)]
    for route in items:
        if not isinstance(route, Route):
            continue
        place = route.source.place(route.offset)
        if route.controller:
            if len(globals_) > 1 or None in globals_:
                continue
            yield HealthSeen(joined(*(prefix or "" for prefix in globals_), route.path), place)
        elif not route.router:
            yield HealthSeen(route.path, place)
        else:
            prefixes = {mount.prefix for mount in mounts if mount.module == route.router}
            if len(prefixes) == 1 and "\0" not in prefixes:
                yield HealthSeen(joined(prefixes.pop(), route.path), place)
            elif not prefixes and not any(mount.prefix for mount in mounts):
                yield HealthSeen(route.path, place, LIKELY)
