"""Files that could not be turned into an app, told as they come and go: one of them holds back all pruning.

A file without a recognisable app has no report and no app's line; without this only `status` would know of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from desired.state import DesiredState
from nomad_operator import status
from nomad_operator.log import Log
from nomad_operator.metrics import Metrics

# A broken merge may hit every file; the rest stands in `status`.
_TOLD_AT_ONCE = 20


def held_up(state: DesiredState) -> str:
    """What keeps files from being parsed that may be fine; empty if nothing does."""
    waiting = [file for file in state.unreadable if file.transient and file.code is None]
    if not waiting:
        return ""
    first = str(waiting[0].problems[0]) if waiting[0].problems else waiting[0].path
    return first if len(waiting) == 1 else f"{first}, and {len(waiting) - 1} more files"


class SourceProblems:
    """`read` is told of every revision that comes into force."""

    def __init__(self, *, log: Log, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics
        self._open: Mapping[str, str] = {}

    def read(self, state: DesiredState) -> None:
        found: dict[str, list[str]] = {}
        for one in status.sources(state):
            found.setdefault(one["path"], []).append(one["problem"])
        self._metrics.source_problems(len(found))
        # Files that only the server's parser holds up are one outage, and not a line each.
        waiting = {file.path for file in state.unreadable if file.transient}
        problems = {path: "; ".join(told) for path, told in found.items() if path not in waiting}
        new = sorted(path for path, problem in problems.items() if self._open.get(path) != problem)
        for path in new[:_TOLD_AT_ONCE]:
            self._log.warning("file problem", path=path, problem=problems[path])
        if len(new) > _TOLD_AT_ONCE:
            self._log.warning("more file problems", files=len(new) - _TOLD_AT_ONCE, hint="`nomad-operator status`")
        gone = sorted(self._open.keys() - problems.keys())
        for path in gone[:_TOLD_AT_ONCE]:
            self._log.info("file problem gone", path=path)
        self._open = problems
