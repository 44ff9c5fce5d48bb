"""Go's go.mod: the modules that are required directly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Project
from desired.facts.app_code.seen import DependencySeen, Seen
from desired.facts.app_code.sources import Sources
from desired.facts.fact import Place
from desired.facts.facts import Dependency

MANIFEST = bounded(r"go\.mod")
_REQUIRED = bounded(r"\s*(?:require\s+)?(?P<name>[\w.~-]+(?:/[\w.~!-]+)*)\s+(?P<version>v\d\S*)\s*(?P<note>//.*)?")
_MOST = 2_000


def read_manifests(sources: Sources, project: Project) -> Iterator[Seen]:
    """The direct requirements; what they bring themselves is marked `// indirect`."""
    for source in sources.all_texts(project.manifests):
        inside, number_seen = "", 0
        for number, line in source.lines():
            opened = re.match(r"\s*(\w+)\s*\(", line)
            if opened:
                inside = opened[1]
            elif line.strip() == ")":
                inside = ""
            elif inside == "require" or (not inside and line.lstrip().startswith("require ")):
                match = _REQUIRED.match(line)
                if match and "indirect" not in (match["note"] or "") and number_seen < _MOST:
                    number_seen += 1
                    found = Dependency("golang", match["name"], match["version"])
                    yield DependencySeen(found, Place(source.path, number))
