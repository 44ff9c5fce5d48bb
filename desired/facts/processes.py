"""The extractor `procfile`: what runs besides the web process of a Procfile that names several: apps of their own.

All run the same image, so that only the command differs; what the code says of ports and health is the web process's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from desired.facts.app_code.command_line import words
from desired.facts.codebase import Codebase, Component
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact, Place
from desired.facts.facts import Facts
from desired.facts.read_once import path_set

NAME = "procfile"
# What a Dockerfile starts by itself is the web process.
PRIORITY = 0.65
WEB = "web"
_OF_THE_IMAGE = "dockerfile"
# Runs before a deployment, once: no process that stays.
_ONCE = frozenset({"release", "predeploy", "postdeploy", "setup"})
_LINE = re.compile(r"[ \t]{0,20}([A-Za-z][A-Za-z0-9_-]{0,40})[ \t]{0,20}:[ \t]{0,20}(\S.{0,900})")
_MOST = 8


def processes(codebase: Codebase, root: str) -> Mapping[str, tuple[tuple[str, ...], Place]]:
    """The commands by the names of their processes, in the file's order; empty where there is no Procfile."""
    path = f"{root}/Procfile" if root else "Procfile"
    text = codebase.text(path) if path in path_set(codebase) else None
    found: dict[str, tuple[tuple[str, ...], Place]] = {}
    for number, line in enumerate((text or "").splitlines()[:200], 1):
        match = _LINE.fullmatch(line.rstrip())
        command = words(match[2]) if match is not None else ()
        if match is not None and command and match[1] not in _ONCE:
            found.setdefault(match[1], (command, Place(path, number)))
    return dict(list(found.items())[:_MOST])


def extract(codebase: Codebase, component: Component) -> Extraction:
    found = processes(codebase, component.root).get(component.process) if component.process else None
    if found is None:
        return Extraction()
    command, place = found
    return Extraction(Facts(command=Fact(command, NAME, PRIORITY, place)))


def of_process(facts: Facts, component: Component) -> Facts:
    """Without what only the web process does; what the image itself starts with stays."""
    if not component.process:
        return facts
    entrypoint = facts.entrypoint
    by_image = entrypoint is not None and entrypoint.extractor == _OF_THE_IMAGE
    return replace(facts, ports={}, health=None, entrypoint=entrypoint if by_image else None)


extractor = Extractor(NAME, PRIORITY, extract)
