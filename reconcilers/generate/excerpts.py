"""What a model is shown of a codebase: the files that say most, numbered, without secrets, within a budget. Pure.

Every text of a codebase is somebody else's: it stands between marks that it cannot know, and is data, not instructions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from desired.facts.codebase import Codebase, Component
from desired.facts.possible_secret import may_be_secret

_HIDDEN = "«hidden»"
_MOST_LINES = 300
_LONGEST_LINE = 300
_MOST_FILES = 24
_SETTING = re.compile(
    r"([A-Za-z_][\w.-]{0,60})(\\?[\"']?\s{0,4}(?::=|[:=]|=>)\s{0,4}\\?[\"']?)([^\s\"',;)}\]\\]{1,400})"
)
# The first row that matches says how much a file tells; what matches none is shown last, if at all.
_TELLING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:.*/)?(?:[^/]*\.)?(?:dockerfile|containerfile)[^/]*|(?:.*/)?procfile",
        r"(?:.*/)?(?:main|app|server|index|manage|wsgi|asgi|run|cli|program)\.[a-z]{1,5}",
        r"(?:.*/)?(?:readme|install)[^/]*|docs/(?:deploy|install|config|operat)[^/]*",
        r"(?:.*/)?(?:package\.json|pyproject\.toml|requirements\.txt|go\.mod|cargo\.toml|pom\.xml|gemfile|composer\.json"
        r"|mix\.exs|build\.gradle(?:\.kts)?|[^/]*\.csproj|deno\.json|build\.sbt|rebar\.config|shard\.yml|pubspec\.yaml)",
        r"(?:.*/)?(?:config|settings|configuration|application|env)[^/]*\.[a-z]{1,10}|(?:.*/)?makefile",
        r".*\.(?:sh|ya?ml|toml|ini|conf|properties|exs?|erl|cr|nim|dart|scala|clj|hs|lua|pl|swift|kts?|zig|jl|r)",
        r".*\.(?:py|js|ts|go|rs|java|rb|php|cs|c|cc|cpp)",
    )
)
_NOT_THE_APP = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|testdata|fixtures|examples?|benchmarks?|locales?|assets|static|public|migrations)/"
    r"|(?:^|/)(?:[^/]*[._-])?(?:test|spec)[._-]|\.lock$|-lock\.|\.min\.|\.svg$|\.csv$|\.snap$|(?:^|/)licen[cs]e",
    re.IGNORECASE,
)

Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Excerpts:
    """`text` is what a question holds; `lines` what was shown of each file, the first of them being line 1."""

    text: str
    lines: Mapping[str, tuple[str, ...]]


def excerpts(codebase: Codebase, component: Component, *, redact: Redact, budget: int = 24_000) -> Excerpts:
    """`budget` counts characters of the files. `redact` takes out what has the form of a secret anywhere."""
    lines: dict[str, tuple[str, ...]] = {}
    left = budget
    for path in _chosen(codebase, component):
        text = codebase.text(path)
        if text is None or not text.strip():
            continue
        shown = tuple(_within(redact(_without_settings(text[: 4 * left])).splitlines(), min(left, budget // 3)))
        if shown:
            lines[path] = shown
            left -= sum(len(line) + 1 for line in shown)
        if left <= 0 or len(lines) == _MOST_FILES:
            break
    return Excerpts(_fenced(lines), lines)


def _chosen(codebase: Codebase, component: Component) -> list[str]:
    own = [path for path in codebase.paths if component.holds(path) or path == component.dockerfile]
    telling = [path for path in own if _NOT_THE_APP.search(path) is None]
    return sorted(telling, key=lambda path: (_rank(path), path.count("/"), path))


def _rank(path: str) -> int:
    return next((rank for rank, pattern in enumerate(_TELLING) if pattern.fullmatch(path)), len(_TELLING))


def _without_settings(text: str) -> str:
    """Whatever is assigned to a name that sounds like a secret is no business of a model."""
    return _SETTING.sub(lambda m: f"{m[1]}{m[2]}{_HIDDEN}" if may_be_secret(m[1], m[3]) else m[0], text)


def _within(lines: list[str], budget: int) -> Iterator[str]:
    for line in lines[:_MOST_LINES]:
        shown = line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
        budget -= len(shown) + 1
        if budget < 0:
            return
        yield shown


def _fenced(lines: Mapping[str, tuple[str, ...]]) -> str:
    # Whoever wrote one of the files cannot know what all of them come to.
    mark = hashlib.sha256(repr(sorted(lines.items())).encode()).hexdigest()[:16]
    parts = []
    for path, shown in lines.items():
        numbered = "\n".join(f"{number}: {line}" for number, line in enumerate(shown, 1))
        parts.append(f"<file-{mark} path={path!r}>\n{numbered}\n</file-{mark}>")
    return "\n".join(parts)
