"""A command line as a manifest or Procfile has it: its words, and the port that it names."""

from __future__ import annotations

import re
import shlex

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.seen import port_number

_LONGEST = 2_000
_FLAG = bounded(
    r"(?:^|\s)(?:--(?:server[.-])?(?:http[.-])?port|-p|--listen|-l|--bind|-b|--host|--address|-S|-o)"
    r"(?:\s+|=)(?P<value>[^\s\"']+)"
)
_RUNSERVER = bounded(r"\b(?:runserver(?:_plus)?|http\.server)(?:\s+-[^\s]+)*\s+(?P<value>[\w.:\[\]]*\d)\b")
_ASSIGNED = bounded(r"(?:^|\s)(?:PORT|ASPNETCORE_HTTP_PORTS|SERVER_PORT)=(?P<value>\d{1,5})(?=\s|$)")
# Where `-p` or `-o` mean something else.
_OTHER_P = bounded(r"^(?:npx\s+)?(?:mkdir|cp|docker|tsc|celery|lerna|nx|yarn workspace)\b")
_PORT = bounded(r"(?:^|:)(?:\$\{\w+:-(?P<default>\d{1,5})\}|(?P<plain>\d{1,5}))$")


def words(line: str) -> tuple[str, ...]:
    """The words, as a shell takes them apart; nothing of a line that only a shell can run, or that cannot be read."""
    if len(line) > _LONGEST or re.search(r"[|;<>`\n]|&&|\$\(", line):
        return ()
    try:
        return tuple(shlex.split(line))
    except ValueError:
        return ()


def port_in(line: str) -> int | None:
    """The port that a command line says it listens on."""
    if len(line) > _LONGEST or _OTHER_P.match(line):
        return None
    for pattern in (_FLAG, _RUNSERVER, _ASSIGNED):
        for match in pattern.finditer(line):
            found = _PORT.search(match["value"])
            port = port_number(found["default"] or found["plain"]) if found else None
            if port is not None:
                return port
    return None
