"""Ruby's Gemfile, and its lock for the versions that the Gemfile leaves open."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Project
from desired.facts.app_code.seen import DependencySeen, Seen
from desired.facts.app_code.source_text import SourceText
from desired.facts.app_code.sources import Sources
from desired.facts.fact import Place
from desired.facts.facts import Dependency

MANIFEST = bounded(r"Gemfile|gems\.rb")
_GEM = bounded(r"^\s*gem\s*\(?\s*[\"'](?P<name>[\w.-]+)[\"'](?P<rest>[^#]*)")
_VERSION = bounded(r"^\s*,\s*[\"'](?P<version>[^\"']*)[\"'](?:\s*,\s*[\"'](?P<second>[^\"']*)[\"'])?")
_GROUP = bounded(r"^\s*group\s*\(?(?P<names>[^#]*?)\)?\s+do\b")
_OPENS = bounded(r"\bdo\b(?:\s*\|[^|]*\|)?\s*$|^\s*(?:if|unless|case|begin)\b")
_LOCKED = bounded(r"^    (?P<name>[\w.-]+) \((?P<version>[^)]+)\)$")
_LEFT_OUT = bounded(r":(?:development|test|ci|lint|doc|docs)\b|\"(?:development|test)\"|'(?:development|test)'")
_ENDS = bounded(r"^\s*end\b")


def read_manifests(sources: Sources, project: Project) -> Iterator[Seen]:
    """The gems outside of the groups for development and tests."""
    for path in project.manifests:
        source = sources.read(path)
        if source is not None:
            lock = path.removesuffix(".rb") + ".lock"
            locked = _locked(sources.read(lock)) if sources.has(lock) else {}
            yield from _gems(source, locked)


def _locked(source: SourceText | None) -> dict[str, str]:
    if source is None:
        return {}
    matches = (_LOCKED.match(line) for _, line in source.lines())
    return {match["name"]: match["version"] for match in matches if match is not None}


def _gems(source: SourceText, locked: dict[str, str]) -> Iterator[DependencySeen]:
    # For each open block whether what stands in it is left out.
    blocks: list[bool] = []
    for number, line in source.lines():
        group = _GROUP.match(line)
        if group is not None:
            blocks.append(_only_left_out(group["names"]))
        elif _OPENS.search(line.partition("#")[0]):
            blocks.append(False)
        elif _ENDS.match(line) and blocks:
            blocks.pop()
        match = _GEM.match(line)
        if match is None or any(blocks):
            continue
        grouped = re.search(r"\bgroups?(?::|\s*=>)\s*(?P<names>\[[^\]]*\]|[:\"']\w+[\"']?)", match["rest"])
        if grouped is not None and _only_left_out(grouped["names"]):
            continue
        written = _VERSION.match(match["rest"])
        version = ", ".join(part for part in written.groups() if part) if written is not None else ""
        found = Dependency("gem", match["name"], version or locked.get(match["name"], ""))
        yield DependencySeen(found, Place(source.path, number))


def _only_left_out(names: str) -> bool:
    """Whether every group that is named is one that the running app goes without."""
    return _LEFT_OUT.sub("", names).strip(" ,[]%iw()") == ""
