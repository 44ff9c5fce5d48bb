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
        problems = {path: "; ".join(told) for path, told in found.items()}
        self._metrics.source_problems(len(problems))
        new = sorted(path for path, problem in problems.items() if self._open.get(path) != problem)
        for path in new[:_TOLD_AT_ONCE]:
            self._log.warning("file problem", path=path, problem=problems[path])
        if len(new) > _TOLD_AT_ONCE:
            self._log.warning("more file problems", files=len(new) - _TOLD_AT_ONCE, hint="`nomad-operator status`")
        gone = sorted(self._open.keys() - problems.keys())
        for path in gone[:_TOLD_AT_ONCE]:
            self._log.info("file problem gone", path=path)
        self._open = problems
