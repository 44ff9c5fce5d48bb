"""Java and Kotlin: variables, ports and health routes in code, by careful patterns, comments left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.blocks import around, block_end
from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.java_manifests import MANIFEST, read_manifests
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
from desired.facts.app_code.spring_config import SpringConfig, is_config, read_config

_UPPER = r"[A-Z][A-Z0-9_]{1,120}"
_GETENV = bounded(
    rf"(?P<before>(?:requireNonNull|ofNullable|requireNotNull|checkNotNull)\(\s*)?\bSystem\.getenv\(\s*\"(?P<name>\w{{1,120}})\"\s*\)"
    rf"(?P<after>\s*!!|\s*\)?\s*(?:\?:|\.orElse\w*\()\s*(?:(?P<default>{QUOTED}|-?\d+)|(?P<fails>throw|error\(|\w*\s*->\s*(?:new|throw)|\)|[\w:]*::new))?)?"
)
_MAP = bounded(
    rf"\bSystem\.getenv\(\)\s*(?:\.getOrDefault\(\s*\"(?P<name>{_UPPER})\"\s*,\s*(?P<default>{QUOTED})?|(?:\.get\(|\[)\s*\"(?P<plain>{_UPPER})\")"
)
_VALUE = bounded(rf"@Value\(\s*(?:value\s*=\s*)?[\"']\\?\$\{{(?P<name>{_UPPER})(?P<colon>:(?P<default>[^}}\"']*))?\}}")
_PROPERTY = bounded(
    rf"@ConfigProperty\(\s*name\s*=\s*\"(?P<name>{_UPPER})\"(?:\s*,\s*defaultValue\s*=\s*(?P<default>{QUOTED}))?"
)
_TERNARY = bounded(
    rf"System\.getenv\(\s*\"(?P<name>{_UPPER})\"\s*\)\s*!=\s*null\s*\?[^:;]*:\s*(?P<default>{QUOTED}|-?\d+)"
)
_PORTS = (
    bounded(r"\bnew\s+InetSocketAddress\(\s*(?:\"[^\"]*\"\s*,\s*)?(?P<port>\d{2,5})\s*\)"),
    bounded(r"\bInetSocketAddress\(\s*(?P<port>\d{2,5})\s*\)"),
    bounded(r"\bJavalin\.create\([^;]{0,800}?\.start\(\s*(?P<port>\d{2,5})\s*\)", re.DOTALL),
    bounded(r"\bembeddedServer\([^{;]{0,200}?\bport\s*=\s*(?P<port>\d{2,5})\b", re.DOTALL),
    bounded(r"\bnew\s+ServerSocket\(\s*(?P<port>\d{2,5})\s*\)"),
    bounded(r"\bServerBuilder\.forPort\(\s*(?P<port>\d{2,5})\s*\)"),
    bounded(r"\.createHttpServer\([^;]{0,600}?\.listen\(\s*(?P<port>\d{2,5})\b", re.DOTALL),
)
_MAPPING = bounded(
    rf"@GetMapping\(\s*(?:(?:value|path)\s*=\s*)?\{{?\s*(?P<path>{QUOTED})|@RequestMapping\(\s*(?:(?:value|path)\s*=\s*)?(?P<any>{QUOTED})"
)
_CLASS = bounded(r"\b(?:class|interface)\s+\w+")
_CLASS_MAPPING = bounded(rf"@(?:RequestMapping|Controller)\(\s*(?:(?:value|path)\s*=\s*)?\{{?\s*(?P<path>{QUOTED})")
_RESOURCE = bounded(rf"@Path\(\s*(?P<path>{QUOTED})\s*\)")
_DSL_BLOCK = bounded(rf"\b(?:route|path)\(\s*(?P<path>{QUOTED})\s*(?:\)\s*\{{|,\s*\(\)\s*->\s*\{{)")
_DSL_GET = bounded(rf"(?:^|[\s.])get\(\s*(?P<path>{QUOTED})")
_LOOPS = bounded(
    r"while\s*\(\s*true\s*\)|@Scheduled\(|@KafkaListener|@RabbitListener|@JmsListener|@SqsListener|@Incoming\("
)
_GRPC = bounded(r"\b(?:Netty)?ServerBuilder\s*\.forPort\(|@GrpcService")
_S3 = bounded(r"\bS3Client\b|\bAmazonS3\b|\bMinioClient\b")
_WORTH = bounded(
    r"getenv|@Value|@ConfigProperty|Port|port|Socket|Mapping|@Path|route|\bget\(|true|@Scheduled|Listener|S3|Minio|Grpc|@Incoming"
)


def _code(sources: Sources, project: Project) -> Iterator[Seen]:
    config = SpringConfig()
    for path in _configs(sources, project):
        source = sources.read(path)
        if source is not None:
            yield from read_config(source, config, project.known)
    routes: list[HealthSeen] = []
    for path in project.code:
        source = sources.read(path, Style.CURLY)
        if source is None or _WORTH.search(source.text) is None:
            continue
        aside = is_aside(path, sources.root)
        for seen in _env(source):
            yield (
                EnvSeen(seen.name, seen.place, False, seen.default, seen.fallback, confidence=USUAL) if aside else seen
            )
        if not aside:
            yield from _ports(source)
            routes += _routes(source)
    yield from config.health(project.known)
    for route in routes:
        yield HealthSeen(joined(config.context, route.path), route.place, route.confidence)


def _configs(sources: Sources, project: Project) -> list[str]:
    start = f"{project.folder}/" if project.folder else ""
    code = {path.rpartition("/src/main/")[0] for path in project.code if "/src/main/" in f"/{path}"}
    inside = [path for path in sources.paths if is_config(path) and path.startswith(start)]
    return [p for p in inside if p.startswith(f"{start}src/main/") or p.rpartition("/src/main/")[0] in code]


def _env(source: SourceText) -> Iterator[EnvSeen]:
    defaults = {match["name"]: unquoted(match["default"]) for match in source.found(_TERNARY)}
    for match in source.found(_GETENV):
        after = match["after"] or ""
        default = unquoted(match["default"]) or defaults.get(match["name"])
        fails = after.strip() == "!!" or bool(match["fails"]) or "orElseThrow" in after
        demanded = (match["before"] or "").startswith(("requireNonNull", "requireNotNull", "checkNotNull"))
        fallback = default is not None or ("orElse" in after and not fails)
        required = (fails or demanded) and default is None
        yield EnvSeen(match["name"], source.place(match.start()), required, default, fallback)
    for match in source.found(_MAP):
        name = match["name"] or match["plain"]
        yield EnvSeen(name, source.place(match.start()), False, unquoted(match["default"]), match["name"] is not None)
    for match in source.found(_VALUE):
        default = match["default"]
        yield EnvSeen(match["name"], source.place(match.start()), default is None, default, default is not None)
    for match in source.found(_PROPERTY):
        default = unquoted(match["default"])
        place = source.place(match.start())
        optional = re.compile(r"[^;]{0,80}\bOptional<").match(source.code, match.end()) is not None
        yield EnvSeen(match["name"], place, default is None and not optional, default, default is not None)


def _ports(source: SourceText) -> Iterator[PortSeen | SignSeen]:
    for pattern, sign in ((_LOOPS, Sign.LOOPS), (_S3, Sign.S3), (_GRPC, Sign.GRPC_SERVER)):
        found = pattern.search(source.code)
        if found is not None:
            yield SignSeen(sign, source.place(found.start()))
    for pattern in _PORTS:
        for match in source.found(pattern, limit=10):
            port = port_number(match["port"])
            if port is not None and "connect" not in source.code[max(0, match.start() - 40) : match.start()].lower():
                yield PortSeen(port, source.place(match.start()), "", LITERAL)


def _routes(source: SourceText) -> Iterator[HealthSeen]:
    """Spring's mappings with their class's, JAX-RS resources, and the DSLs of Ktor and Javalin."""
    code = source.code
    declared = _CLASS.search(code)
    start = declared.start() if declared else 0
    above = _CLASS_MAPPING.search(code, 0, start)
    prefix = (unquoted(above["path"]) or "") if above else ""
    for match in source.found(_MAPPING):
        path = joined(prefix, unquoted(match["path"] or match["any"]) or "")
        if match.start() >= start and is_health(path):
            yield HealthSeen(path, source.place(match.start()))
    resource = _RESOURCE.search(code, 0, start)
    if resource is not None and "@ApplicationPath" not in code and "@GET" in code:
        path = joined(unquoted(resource["path"]) or "")
        if is_health(path) and _RESOURCE.search(code, start) is None:
            yield HealthSeen(path, source.place(resource.start()), LIKELY)
    if "io.ktor" in code or "io.javalin" in code:
        blocks = [
            (match.end(), block_end(code, match.end()), unquoted(match["path"]) or "")
            for match in source.found(_DSL_BLOCK, limit=50)
        ]
        for match in source.found(_DSL_GET):
            path = joined(*around(blocks, match.start()), unquoted(match["path"]) or "")
            if is_health(path):
                yield HealthSeen(path, source.place(match.start("path")))


JAVA = Ecosystem(
    name="maven",
    language="java",
    manifest=MANIFEST,
    suffixes=(".java", ".kt"),
    image=re.compile(
        r"(?:.*/)?(?:maven|gradle|openjdk|eclipse-temurin|amazoncorretto|temurin|java\S*|ibm-semeru\S*|tomcat|sapmachine|zulu\S*"
        r"|distroless/java\S*|ubi\d?/openjdk\S*)"
    ),
    manifests=read_manifests,
    code=_code,
)
