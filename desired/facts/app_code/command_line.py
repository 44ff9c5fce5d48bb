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


_PUT_IN = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w{0,60})(?P<default>:?[-+=?][^}]{0,200})?\}|(?P<bare>[A-Za-z_]\w{0,60}))"
)


def variables(line: str) -> tuple[str, ...]:
    """Names of the environment that a shell puts in, those with a default left out."""
    found = (match["braced"] or match["bare"] for match in _PUT_IN.finditer(line) if not match["default"])
    return tuple(dict.fromkeys(found))


def words(line: str) -> tuple[str, ...]:
    """The words, as a shell takes them apart, or a shell with the line where it puts something in.

    Nothing of a line that only a shell can run, or that cannot be read.
    """
    if len(line) > _LONGEST or re.search(r"[|;<>`\n]|&&|\$\(", line):
        return ()
    try:
        found = tuple(shlex.split(line))
    except ValueError:
        return ()
    # Nobody but a shell puts in what a variable holds.
    return ("sh", "-c", line) if _PUT_IN.search(line) else found


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
