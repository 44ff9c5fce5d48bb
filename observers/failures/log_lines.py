"""What a log may add to an end that Nomad has already told: the line that names the cause, or nothing. Pure.

An app's words are the weakest evidence. Only the last lines count, from the last upwards, a stack trace passed over; a
line that another serious line follows was not the end of it, and a warning or a retry is no reason to exit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from observers.evidence import LogTail
from observers.failures.row import Row, Where
from observers.failures.sighting import read

_LINES = 60
_TELLING = 5
_WIDTH = 500
# Parts of a stack trace, of a printed error object, and rules: they come after the line that matters.
_TRACE = re.compile(
    r"^(?:\s+\S|goroutine \d+|Traceback |During handling|The above exception|[{}\])]+[;,]?$|\w+\(.*\)$|[-=*#_]{3,}"
    r"|Node\.js v|exit status \d+|npm (?:ERR!|error)|Caused by: \S+$|main\.\w+|runtime\.\w+|created by )"
)
_MILD = re.compile(
    r"(?i)\b(?:debug|trace|info|notice|warn(?:ing)?|deprecated|deprecation|retrying|will retry|try(?:ing)? again)\b"
)
_SERIOUS = re.compile(r"(?i)\b(?:fatal|panic|error|exception|critical|crit|emerg|abort(?:ed|ing)?|failed|cannot)\b")


@dataclass(frozen=True, slots=True)
class Telling:
    """A line, and the row and facts it is read as; `row` is None where it is serious and means nothing known."""

    line: str
    stream: str
    row: Row | None = None
    facts: dict[str, str] | None = None


def lines(tails: Iterable[LogTail], allocation: str, task: str) -> Iterator[tuple[str, str]]:
    """(stream, line) of a task, stderr first, the last line first; those of others where it has none."""
    mine = [tail for tail in tails if tail.task == task]
    own = [tail for tail in mine if tail.allocation == allocation] or mine
    for tail in sorted(own, key=lambda one: one.stream != "stderr"):
        for line in reversed([line for line in tail.text.splitlines() if line.strip()][-_LINES:]):
            yield tail.stream, line.rstrip()[:_WIDTH]


def telling(tails: Iterable[LogTail], allocation: str, task: str) -> Telling | None:
    """The line that tells most of why the task ended; None where no line does."""
    serious: Telling | None = None
    last: Telling | None = None
    passed = {"stderr": 0, "stdout": 0}
    closed: set[str] = set()
    for stream, line in lines(tails, allocation, task):
        if stream in closed or _TRACE.match(line) or passed.get(stream, 0) >= _TELLING:
            continue
        if _MILD.search(line) and not re.search(r"(?i)\b(?:fatal|panic|critical)\b", line):
            continue
        passed[stream] = passed.get(stream, 0) + 1
        if found := read(Where.LOG, line):
            row, facts = found
            return Telling(line.strip(), stream, row, facts)
        last = last or Telling(line.strip(), stream)
        if _SERIOUS.search(line):
            # What stands above was not the last word of this stream.
            serious = serious or Telling(line.strip(), stream)
            closed.add(stream)
    return serious or last


_LISTENS = re.compile(
    r"(?i)\b(?:listen(?:ing|s)?|serving|bound|running|started|start(?:ing)?|ready|available|accepting)\b"
    r"(?P<between>[^\n]{0,80}?)(?:\bport\b\s*[:=(]?\s*|(?:\[?[\w.*]*(?:::)?\]?|\*)?:(?=\d))(?P<port>\d{2,5})\b(?!\.\d)"
)
_NOT_LISTENING = re.compile(
    r"(?i)\b(?:fail(?:ed|ing)?|error|cannot|unable|refused|in use|denied|connect(?:ing|ed)? to|upstream|peer|proxying"
    r"|debugger|metrics|admin|pprof|not listening|stopped|would|should|please|must|set|change|instead|fix"
    r"|internal|management|actuator|telemetry|prometheus|profil(?:er|ing)|gossip|raft|replication)\b"
    r"|\b(?:health|liveness|readiness)(?:[ -](?:checks?|probes?|server|endpoints?)){0,2}(?: is)? (?:listening|bound)\b"
)


def listening(tails: Iterable[LogTail], allocation: str, task: str) -> tuple[int, ...]:
    """Ports on which the app says that it listens, the first said first."""
    found: dict[int, None] = {}
    for _, line in reversed(list(lines(tails, allocation, task))):
        if _NOT_LISTENING.search(line):
            continue
        if told := _LISTENS.search(line):
            port = int(told["port"])
            if 0 < port < 65536:
                found[port] = None
    return tuple(found)


_TLS = re.compile(r"(?i)https://|\b(?:https|tls|ssl)\b")
_NO_TLS = re.compile(r"(?i)\b(?:http://|disabled|without|no tls|plain)\b")


def listens_with_tls(tails: Iterable[LogTail], allocation: str, task: str) -> bool:
    """The app says that it listens, and every line that says so names TLS."""
    told = [
        line for _, line in lines(tails, allocation, task) if _LISTENS.search(line) and not _NOT_LISTENING.search(line)
    ]
    return bool(told) and all(_TLS.search(line) and not _NO_TLS.search(line) for line in told)


_STARTING = re.compile(
    r"(?i)\b(?:starting|loading|warming|warm-?up|initiali[sz]ing|migrat(?:ing|ion)s?|booting|preparing|compiling"
    r"|still starting|not ready|waiting)\b"
)
_UP = re.compile(
    r"(?i)\b(?:started|ready|listening|up)\b[^\n]{0,60}?\b(?:in|after|took)\s+(?P<number>\d+(?:\.\d+)?)\s*"
    r"(?P<unit>ms|s|secs?|seconds?|m|min(?:utes?)?)\b"
)


def starting(tails: Iterable[LogTail], allocation: str, task: str) -> bool:
    """The last thing that the app says is that it is still on its way up."""
    newest = next(lines(tails, allocation, task), None)
    return newest is not None and bool(_STARTING.search(newest[1]))


def start_seconds(tails: Iterable[LogTail], allocation: str, task: str) -> float | None:
    """How long the app says that its start took."""
    for _, line in lines(tails, allocation, task):
        if told := _UP.search(line):
            unit = told["unit"].lower()
            return float(told["number"]) * (0.001 if unit == "ms" else 60 if unit.startswith("m") else 1)
    return None


_HEALTH_PATH = re.compile(
    r"(?i)(?:health|ready|readiness|live|liveness|status)[^\n]{0,40}?(?:\bat|\bon|:|=|->|endpoint|path|route)\s*"
    r"[\"'`]?(?:\w+://[^/\s]+)?(?P<path>/[\w./-]+)"
    r"|(?:\b(?:GET|HEAD)\s+|(?:route|endpoint|mapped|handler|registered)[^\n/]{0,40})[\"'`]?"
    r"(?P<path_2>/[\w./-]*(?:health|ready|live|status|ping)[\w./-]*)"
)


def health_paths(tails: Iterable[LogTail], allocation: str, task: str, asked: str) -> tuple[str, ...]:
    """Paths that the app itself names as its health's. Lines that tell of the check's own request do not count."""
    found: dict[str, None] = {}
    for _, line in reversed(list(lines(tails, allocation, task))):
        if re.search(r"\b(?:404|405|410)\b", line) or (asked and asked != "/" and f"{asked} " in f"{line} "):
            continue
        if told := _HEALTH_PATH.search(line):
            path = (told["path"] or told["path_2"]).rstrip(".")
            if path != asked:
                found[path] = None
    return tuple(found)
