"""The one table of failures: exactly one row for every `FailureClass`, in the order in which words are tried.

Where words may mean two failures, the row that says more comes first; what matches anything stands last.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from types import MappingProxyType

from desired.cause import Cause
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.failures.row import Row, Where, Words
from observers.failures.rows import health, images, network, placement, rest, runtime, secrets, start, submission

ROWS: tuple[Row, ...] = (
    *network.ROWS,
    *secrets.ROWS,
    *images.ROWS,
    *start.ROWS,
    *runtime.ROWS,
    *placement.ROWS,
    *health.ROWS,
    *submission.ROWS,
    *rest.ROWS,
    start.ANYTHING_ELSE,
    rest.ANYTHING_ELSE,
)
TABLE: Mapping[FailureClass, Row] = MappingProxyType({row.failure: row for row in ROWS})


@cache
def words_of(where: Where) -> tuple[tuple[Row, Words], ...]:
    """What is tried, in order, on words that stand there."""
    return tuple((row, words) for row in ROWS for words in row.words if words.where is where)


_CAME_LATE = "{path} was not there in time and is by now: there is nothing to do, what runs is watched"


def cause_of(row: Row, facts: Mapping[str, str], lasted: timedelta) -> Cause:
    """Who can mend it, with what is known and after that time."""
    if any(facts.get(name) for name in row.spec_with):
        return Cause.SPEC
    if row.lasting is not None and lasted > row.lasting.after:
        return row.lasting.cause
    return row.cause


def advice(diagnosis: Diagnosis) -> str:
    """What a person is told: who must act, on what. A fact that is not known is described, or left as `?`."""
    if diagnosis.facts.get("late"):
        return _CAME_LATE.format_map(_Known(diagnosis.facts))
    known = {
        **{name: getattr(diagnosis, name) for name in ("group", "task", "service", "check", "port")},
        **diagnosis.facts,
    }
    told = {name: value for name, value in known.items() if value}
    return TABLE[diagnosis.failure].advice.format_map(_Known(_SILENT.get(diagnosis.failure, {}) | told))


# What reads well in the place of a name that nobody told.
_UNNAMED = {"command": "what it is to run"}
_SILENT = {
    FailureClass.CRASH: {"line": "nothing that tells why"},
    FailureClass.SECRET_FIELD_MISSING: {"path": "where it is read from"},
}


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return _UNNAMED.get(key, "?")
