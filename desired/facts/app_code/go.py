"""Go: variables, ports, health routes and the main package, by careful patterns, comments left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.go_manifests import MANIFEST, read_manifests
from desired.facts.app_code.go_routes import read_routes
from desired.facts.app_code.literals import QUOTED, unquoted
from desired.facts.app_code.seen import LIKELY, LITERAL, USUAL, EnvSeen, PortSeen, Seen, Sign, SignSeen, port_number
from desired.facts.app_code.source_text import SourceText, Style
from desired.facts.app_code.sources import Sources, is_aside

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,120}"
_WORTH = bounded(
    r"[Gg]et[Ee]nv|LookupEnv|`[^`]*env|BindEnv|Listen|\.Run\(|\.Start\(|Addr|health|ready|live|ping|for \{"
)
_GETENV = bounded(
    rf"(?:\b(?P<held>[A-Za-z_]\w*)\s*(?:,\s*(?P<ok>[A-Za-z_]\w*)\s*)?:?=\s*)?"
    rf"\bos\.(?P<call>Getenv|LookupEnv)\(\s*\"(?P<name>{_NAME})\"\s*\)"
)
# A function of the app's own with the usual name; with two texts the second is the default.
_OWN = bounded(
    rf"\b(?P<call>(?:\w+\.)?(?:[gG]et)?[eE](?:nv|NV)\w{{0,30}}|(?:\w+\.)?(?:must|lookup|fetch|read|require)\w{{0,10}}[eE]nv\w{{0,12}})"
    rf"\(\s*\"(?P<name>[A-Z][A-Z0-9_]{{1,120}})\"\s*(?:,\s*(?P<default>{QUOTED}|-?\d[\d_]*|true|false))?\s*[,)]"
)
_TAG = bounded(rf"`[^`\n]*\benv(?P<config>config)?:\"(?P<name>{_NAME})(?P<options>[^\"\n]*)\"[^`\n]*`")
_TAG_DEFAULT = bounded(r"\b(?:envDefault|env-default|default):\"(?P<value>[^\"\n]*)\"")
_TAG_REQUIRED = bounded(r"\b(?:required|env-required):\"true\"")
_BOUND = bounded(rf"\bBindEnv\(\s*\"[^\"]*\"\s*,\s*\"(?P<name>{_NAME})\"")
_FAILS = bounded(
    r"\blog\.(?:Fatal|Panic)\w*\(|\bpanic\(|\bos\.Exit\(\s*[1-9]|\.Fatal\w*\(|\breturn\b[^\n]*(?:[eE]rr|errors\.)"
)
_ADDRESS = r"\"(?:[\w.*-]*|\[::\]):(?P<port>\d{2,5})\""
_LISTEN = bounded(
    rf"(?:\.|\b)(?:ListenAndServe(?:TLS)?|Listen|Run|Start|StartServer|ListenTLS)\(\s*(?:\"tcp[46]?\"\s*,\s*)?{_ADDRESS}"
)
_ADDR = bounded(rf"\bAddr\s*:\s*{_ADDRESS}")
_LISTEN_NAMED = bounded(
    r"(?:ListenAndServe(?:TLS)?|\.Listen|\.Run|\.Start|\bAddr\s*:)\s*\(?\s*(?:\"tcp[46]?\"\s*,\s*)?"
    r"(?:(?:\w+\s*\+\s*)?\"[\w.]*:\"\s*\+\s*(?P<joined>[A-Za-z_]\w*)|fmt\.Sprintf\(\s*\"[\w.]*:%[sdv]\"\s*,\s*(?P<format>[A-Za-z_]\w*)"
    r"|(?P<whole>[A-Za-z_]\w*))\b(?!\s*[.(])"
)
_NET_HTTP = bounded(r"\bhttp\.(?:ListenAndServe(?:TLS)?|Serve)\(|\bhttp\.Server\{")
_GRPC = bounded(r"\bgrpc\.NewServer\(")
_FLAG = bounded(
    r"\bflag\.(?:Int|String)\(\s*\"(?:port|addr|listen|http)[\w.-]*\"\s*,\s*\"?(?:[\w.]*:)?(?P<port>\d{2,5})\"?\s*,"
)
_LOOPS = bounded(
    r"(?:^|\s)for\s*\{|\btime\.NewTicker\(|\.Consume\(|\.Subscribe\(|ReadMessage\(|signal\.Notify\(|select\s*\{\s*\}"
)
_S3 = bounded(r"\bs3\.New(?:FromConfig)?\(|\bminio\.New\(")


def _code(sources: Sources, project: Project) -> Iterator[Seen]:
    for path in project.code:
        source = sources.read(path, Style.GO)
        if source is None or _WORTH.search(source.text) is None or source.text.startswith("// Code generated"):
            continue
        aside = is_aside(path, sources.root) and not path.rpartition("/")[2].startswith("main")
        for seen in _env(source):
            yield (
                EnvSeen(seen.name, seen.place, False, seen.default, seen.fallback, confidence=USUAL) if aside else seen
            )
        if not aside:
            yield from _ports(source)
            yield from read_routes(source)


def _env(source: SourceText) -> Iterator[EnvSeen]:
    code = source.code
    for match in source.found(_GETENV):
        default, required = _afterwards(code, match)
        place = source.place(match.start("name"))
        yield EnvSeen(match["name"], place, required, default, default is not None)
    for match in source.found(_OWN):
        call = match["call"].rpartition(".")[2].lower()
        if match["call"] in ("os.Getenv", "os.Setenv", "t.Setenv") or "set" in call.removeprefix("get"):
            continue
        default = unquoted(match["default"])
        required = default is None and call.startswith(("must", "require"))
        yield EnvSeen(match["name"], source.place(match.start("name")), required, default, default is not None)
    for match in source.found(_TAG):
        given = _TAG_DEFAULT.search(match[0])
        default = given["value"] if given else None
        demanded = re.search(r",\s*(?:required|notEmpty)\b", match["options"]) or _TAG_REQUIRED.search(match[0])
        place = source.place(match.start("name"))
        yield EnvSeen(match["name"], place, bool(demanded) and default is None, default, default is not None)
    for match in source.found(_BOUND):
        yield EnvSeen(match["name"], source.place(match.start("name")), confidence=LIKELY)


def _afterwards(code: str, match: re.Match[str]) -> tuple[str | None, bool]:
    """What the next lines make of a missing value: the default they take, or that they give up."""
    held, ok = match["held"], match["ok"]
    if held is None:
        return None, False
    after = code[match.end() : match.end() + 260]
    tests = [rf"{re.escape(held)}\s*==\s*\"\"", rf"len\(\s*{re.escape(held)}\s*\)\s*==\s*0"]
    if ok and ok != "_":
        tests.append(rf"!\s*{re.escape(ok)}\b")
    found = re.match(rf"[\s;)]*(?:if\s+)?(?:{'|'.join(tests)})\s*\{{(?P<body>[^{{}}]*)\}}?", after)
    if found is None:
        return None, False
    taken = re.match(rf"\s*{re.escape(held)}\s*=\s*(?P<default>{QUOTED})", found["body"])
    if taken is not None:
        return unquoted(taken["default"]), False
    return None, _FAILS.search(found["body"]) is not None


def _ports(source: SourceText) -> Iterator[PortSeen | SignSeen]:
    code = source.code
    for pattern, sign in ((_NET_HTTP, Sign.NET_HTTP), (_GRPC, Sign.GRPC_SERVER), (_LOOPS, Sign.LOOPS), (_S3, Sign.S3)):
        found = pattern.search(code)
        if found is not None:
            yield SignSeen(sign, source.place(found.start()))
    for pattern in (_LISTEN, _ADDR, _FLAG):
        for match in source.found(pattern, limit=20):
            port = port_number(match["port"])
            if port is not None and not re.search(
                r"\bredis|Dial|Client", code[max(0, match.start() - 60) : match.start()]
            ):
                yield PortSeen(port, source.place(match.start()), "", LITERAL if pattern is not _FLAG else LIKELY)
    for match in source.found(_LISTEN_NAMED, limit=20):
        yield from _named(source, match["joined"] or match["format"] or match["whole"])
    if "gin-gonic/gin" in code:
        # Source: gin's Engine.Run: without an address it takes PORT, else 8080
        run = re.search(r"\b\w+\.Run\(\s*\)", code)
        if run is not None:
            yield PortSeen(8080, source.place(run.start()), "what gin's Run() takes", LIKELY)
            yield SignSeen(Sign.LISTENS, source.place(run.start()))


def _named(source: SourceText, name: str, depth: int = 0) -> Iterator[PortSeen]:
    """The port that a variable of the same file was given, or takes where it is empty."""
    quoted = re.escape(name)
    for pattern in (
        rf"\b{quoted}\s*(?::=|=)\s*\"(?:[\w.]*:)?(?P<port>\d{{2,5}})\"",
        rf"\b{quoted}\s*(?::=|=)\s*(?P<port>\d{{2,5}})\s",
        rf"\b{quoted}\s*(?::=|=)\s*\w*[eE]nv\w*\(\s*\"\w+\"\s*,\s*\"?(?:[\w.]*:)?(?P<port>\d{{2,5}})\"?\s*\)",
    ):
        match = re.search(pattern, source.code)
        port = port_number(match["port"]) if match else None
        if match is not None and port is not None:
            yield PortSeen(port, source.place(match.start()), f"what `{name}` holds", LITERAL)
            return
    other = re.search(rf"\b{quoted}\s*:=\s*(?P<other>[A-Za-z_]\w*)\s*\n", source.code)
    if other is not None and other["other"] != name and depth < 3:
        yield from _named(source, other["other"], depth + 1)


GO = Ecosystem(
    name="golang",
    language="go",
    manifest=MANIFEST,
    suffixes=(".go",),
    image=re.compile(r"(?:.*/)?(?:golang|go)"),
    manifests=read_manifests,
    code=_code,
)
