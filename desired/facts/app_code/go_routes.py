"""Go's health routes: net/http, gin, echo, fiber, chi, gorilla; groups and sub-routers followed within a file."""

from __future__ import annotations

from collections.abc import Iterator

from desired.facts.app_code.blocks import around, block_end
from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.seen import LIKELY, LITERAL, HealthSeen
from desired.facts.app_code.source_text import SourceText

_ROUTE = bounded(
    r"\b(?P<owner>[A-Za-z_][\w.]*)\.(?P<call>HandleFunc|Handle|GET|Get|Any|Path)\(\s*\"(?:GET\s+)?(?P<path>/[^\"\s]*)\""
)
_GROUP = bounded(
    r"\b(?P<name>[A-Za-z_]\w*)\s*:?=\s*(?P<owner>[A-Za-z_][\w.]*)\.(?:Group|PathPrefix)\(\s*\"(?P<path>[^\"]*)\""
)
_NESTED = bounded(r"\.(?:Route|Group)\(\s*(?:\"(?P<path>[^\"]*)\"\s*,\s*)?func\s*\([^)]*\)[^{]{0,40}\{")
_MOUNTED = bounded(r"\.Mount\(\s*\"(?P<path>/[^\"]+)\"|http\.StripPrefix\(\s*\"")
_TAKES_ROUTER = bounded(
    r"func\s*(?:\([^)]*\)\s*)?\w+\([^)]*\b(?P<name>\w+)\s+(?:\*?(?:gin|echo|fiber)\.(?:RouterGroup|Group|Router)|fiber\.Router|chi\.Router|\*mux\.Router)"
)
_DEEPEST = 6


def read_routes(source: SourceText) -> Iterator[HealthSeen]:
    """The routes whose whole path the file tells; a router handed in by another file may have any prefix."""
    code = source.code
    groups = {match["name"]: (match["owner"], match["path"]) for match in source.found(_GROUP)}
    handed = {match["name"] for match in source.found(_TAKES_ROUTER)}
    nested = [
        (match.end(), block_end(code, match.end()), match["path"] or "") for match in source.found(_NESTED, limit=50)
    ]
    for match in source.found(_ROUTE):
        if not is_health(match["path"]):
            continue
        prefix, top = "", match["owner"]
        for _ in range(_DEEPEST):
            if top not in groups:
                break
            top, more = groups[top]
            prefix = joined(more, prefix) if prefix else more
        outside = around(nested, match.start())
        if top in handed and not outside:
            continue
        confidence = LIKELY if _MOUNTED.search(code) else LITERAL
        yield HealthSeen(joined(*outside, prefix, match["path"]), source.place(match.start()), confidence)
