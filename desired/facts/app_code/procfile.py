"""Procfiles: how people say what runs, one line a process, for any language."""

from __future__ import annotations

from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.command_line import port_in, variables, words
from desired.facts.app_code.seen import LIKELY, EnvSeen, PortSeen, Seen, StartSeen
from desired.facts.app_code.sources import Sources
from desired.facts.fact import Place

_LINE = bounded(r"\s*(?P<role>[A-Za-z0-9_-]{1,60})\s*:\s*(?P<command>\S.*?)\s*")


def read_procfile(sources: Sources, folder: str) -> Iterator[Seen]:
    """The processes of `Procfile` in a folder; the variants for development are nobody's."""
    path = f"{folder}/Procfile" if folder else "Procfile"
    source = sources.read(path) if sources.has(path) else None
    if source is None:
        return
    for number, line in source.lines():
        match = _LINE.fullmatch(line) if len(line) < 1_000 else None
        if match is None or match["role"] == "release":
            continue
        place = Place(path, number)
        command = words(match["command"])
        if command and match["role"] in ("web", "worker"):
            yield StartSeen(command, place, match["role"])
            yield from (EnvSeen(name, place, required=True, shell=True) for name in variables(match["command"]))
        port = port_in(match["command"])
        if port is not None and match["role"] == "web":
            yield PortSeen(port, place, "the Procfile's web process", LIKELY)
