"""Which variables JavaScript and TypeScript read: `process.env`, and the schemas that people check it with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.literals import QUOTED, unquoted
from desired.facts.app_code.seen import LIKELY, LITERAL, EnvSeen
from desired.facts.app_code.source_text import SourceText

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,120}"
# What may stand around a reading before its default: `Number(process.env.PORT) || 3000`.
_READ = bounded(
    rf"(?<![\w.$])(?:(?P<bun>Bun|Deno)|(?:globalThis\.)?process)\.env"
    rf"(?:\??\.(?:get\(\s*[\"'](?P<got>{_NAME})[\"']\s*\)|(?P<plain>{_NAME}))"
    rf"|(?:\?\.)?\[\s*[\"'`](?P<index>{_NAME})[\"'`]\s*\])"
    rf"(?P<after>!(?!=)|\s*\)?\s*,\s*10)?"
    rf"(?:\s*\)?\s*(?P<or>\?\?|\|\|)=?\s*(?P<default>{QUOTED}|-?\d[\d_.]*|true|false)?)?"
)
_WRITTEN = bounded(r"\s*=(?![=>])")
_TAKEN = bounded(r"(?:const|let|var)\s*\{(?P<names>[^{}=]*(?:=[^{}]*)?)\}\s*=\s*process\.env\b")
_ONE = bounded(
    rf"\s*(?P<name>{_NAME})\s*(?::\s*(?P<local>[\w$]+)\s*)?(?:=\s*(?P<default>{QUOTED}|-?\d+|true|false))?\s*(?:,|$)"
)
_CONFIG = bounded(
    rf"\b(?:config|configService|configservice|cfg|env)\.(?P<kind>get|getOrThrow)"
    rf"(?:<[\w\s|\[\]]{{1,40}}>)?\(\s*[\"'](?P<name>[A-Z][A-Z0-9_]{{1,120}})[\"']"
    rf"(?:\s*,\s*(?P<default>{QUOTED}|-?\d+|true|false))?"
)
# A schema's field, up to the end of its chain of calls.
_FIELD = bounded(r"^[ \t]*(?P<name>[A-Z][A-Z0-9_]{1,120})\s*:\s*(?P<rest>(?:z|Joi|joi|Yup|yup|v)\.[^\n]*)", re.M)
_ENVALID = bounded(
    r"^[ \t]*(?P<name>[A-Z][A-Z0-9_]{1,120})\s*:\s*(?:envalid\.)?(?:str|num|bool|port|url|host|email|json)\("
    r"(?P<rest>[^\n]*)",
    re.M,
)
_DEFAULT = bounded(rf"(?:\.default\(\s*|\b(?:default|devDefault)\s*:\s*)(?P<value>{QUOTED}|-?\d[\d_.]*|true|false)?")
_FAILS = bounded(r"throw\b|process\.exit\((?!\s*0\s*\))|\bexit\(\s*1")
_MISSING = bounded(
    rf"\bif\s*\(\s*(?:!\s*process\.env\.(?P<direct>{_NAME})|!\s*(?P<variable>[\w$]+)"
    rf"|process\.env\.(?P<compared>{_NAME})\s*={{2,3}}\s*(?:undefined|null|['\"]{{2}}))"
    rf"(?P<more>(?:\s*\|\|\s*!\s*(?:process\.env\.)?[\w$]+)*)\s*\)"
)
_HELD = bounded(
    rf"(?:const|let|var)\s+(?P<variable>[\w$]+)(?:\s*:\s*[\w|\s]+)?\s*=\s*process\.env\.(?P<name>{_NAME})\b"
)
# Put in while the app is built: nothing that the running app could still be told.
_MIXED = bounded(r"[a-z]+[A-Z]\w*")
_BUILD_TIME = ("VITE_", "REACT_APP_", "NEXT_PUBLIC_", "VUE_APP_", "GATSBY_", "EXPO_PUBLIC_", "STORYBOOK_", "npm_")


def read_env(source: SourceText) -> Iterator[EnvSeen]:
    """Every reading in the file, in the order of its kinds."""
    demanded = _demanded(source)
    for seen in _all(source):
        # What is written in mixed letters is a constant that a bundler puts in.
        if not seen.name.startswith(_BUILD_TIME) and not _MIXED.fullmatch(seen.name):
            required = seen.required or (seen.name in demanded and not seen.fallback)
            yield EnvSeen(seen.name, seen.place, required, seen.default, seen.fallback, confidence=seen.confidence)


def _all(source: SourceText) -> Iterator[EnvSeen]:
    code = source.code
    for match in source.found(_READ):
        name = match["got"] or match["plain"] or match["index"]
        if name in ("get", "has", "set", "toObject") or _WRITTEN.match(code, match.end()):
            continue
        fallback = match["or"] is not None
        default = unquoted(match["default"]) if fallback else None
        required = match["after"] == "!" and not fallback
        yield EnvSeen(name, source.place(match.start()), required, default, fallback, confidence=LITERAL)
    for match in source.found(_TAKEN):
        for one in _ONE.finditer(match["names"]):
            default = unquoted(one["default"])
            place = source.place(match.start("names") + one.start("name"))
            yield EnvSeen(one["name"], place, False, default, one["default"] is not None)
    for match in source.found(_CONFIG):
        default = unquoted(match["default"])
        required = match["kind"] == "getOrThrow"
        place = source.place(match.start())
        yield EnvSeen(match["name"], place, required, default, default is not None, confidence=LIKELY)
    yield from _schema(source)


def _schema(source: SourceText) -> Iterator[EnvSeen]:
    """Fields of zod, Joi, yup and envalid, in a file that checks the environment by them."""
    code = source.code
    if "process.env" not in code and "validationSchema" not in code and not re.search(r"\benv\b", source.stem):
        return
    for pattern in (_FIELD, _ENVALID):
        for match in source.found(pattern):
            rest = match["rest"] + _continued(code, match.end())
            given = _DEFAULT.search(rest)
            joi = rest.lower().startswith("joi.")
            loose = ".optional(" in rest or ".nullish(" in rest or (joi and ".required(" not in rest)
            required = given is None and not loose
            default = unquoted(given["value"]) if given is not None else None
            place = source.place(match.start("name"))
            yield EnvSeen(match["name"], place, required, default, given is not None, confidence=LIKELY)


def _continued(code: str, at: int) -> str:
    """The lines below that go on with the same chain of calls."""
    found = bounded(r"(?:\n[ \t]*\.[^\n]*){0,12}").match(code, at)
    return found[0] if found else ""


def _demanded(source: SourceText) -> set[str]:
    """Variables that the file refuses to go on without."""
    held = {match["variable"]: match["name"] for match in source.found(_HELD)}
    for taken in source.found(_TAKEN):
        held.update((one["local"] or one["name"], one["name"]) for one in _ONE.finditer(taken["names"]))
    names: set[str] = set()
    for match in source.found(_MISSING):
        if not _FAILS.search(source.code[match.end() : match.end() + 160].partition("}")[0]):
            continue
        wanted = [match["direct"] or match["compared"] or held.get(match["variable"] or "", "")]
        for part in re.findall(rf"!\s*(process\.env\.)?({_NAME})", match["more"]):
            wanted.append(part[1] if part[0] else held.get(part[1], ""))
        names.update(name for name in wanted if name)
    return names
