"""The last line of a plan: only what would be written counts as a change."""

from __future__ import annotations

import pytest

from nomad_operator.commands.plan import lines, summary
from nomad_operator.plan import Change, Planned

CREATE, UPDATE, STOP, ADOPT = Change.CREATE, Change.UPDATE, Change.STOP, Change.ADOPT
NOTHING, BLOCKED, FAILED = Change.NOTHING, Change.BLOCKED, Change.FAILED


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([], "no apps"),
        ([CREATE], "1 app: 1 to create"),
        ([ADOPT] * 6, "6 apps: 6 to adopt unchanged"),
        ([FAILED] * 6, "6 apps: 6 not planned"),
        ([NOTHING, BLOCKED, NOTHING], "3 apps: 2 without a change, 1 held back"),
        ([STOP, UPDATE, CREATE, CREATE], "4 apps: 2 to create, 1 to update, 1 to stop"),
    ],
)
def test_the_summary_counts_what_becomes_of_the_apps(changes: list[Change], told: str) -> None:
    assert summary(changes) == told


def test_every_change_has_words() -> None:
    assert summary(list(Change)).count(" 1 ") == len(Change)


def test_nothing_that_a_job_or_a_file_says_can_steer_the_terminal() -> None:
    told = lines([Planned("default/a\u202eb", CREATE, "R", "one\x1b[2J\ntwo", "+ x\x07\n  - y", "do\rthis")])
    assert all(line.isprintable() for line in told)
    assert [line.rstrip() for line in told[1:3]] == ["    + x", "      - y"]
