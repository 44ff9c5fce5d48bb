"""The table, the outcomes of this session, and the summary at its end."""

from __future__ import annotations

import pytest

from tests.conformance.nomad import deviations
from tests.conformance.nomad.deviations import Table
from tests.conformance.nomad.replay import Outcome

_OUTCOMES = pytest.StashKey[dict[tuple[str, str], Outcome]]()
_TABLE = pytest.StashKey[Table]()


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Table:
    """One table for the session: it remembers which of its entries explained something."""
    return request.config.stash.setdefault(_TABLE, deviations.load())


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[tuple[str, str], Outcome]:
    """By target and scenario: a scenario is replayed once a session."""
    return request.config.stash.setdefault(_OUTCOMES, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was compared, what is not implemented on purpose, what differs on purpose."""
    outcomes = config.stash.get(_OUTCOMES, {})
    table = config.stash.get(_TABLE, None)
    for target in sorted({target for target, _ in outcomes}):
        mine = [outcome for (where, _), outcome in outcomes.items() if where == target]
        used = {entry for entry, _ in table.used} if table else set()
        deviating = len(used & set(table.deviations)) if table else 0
        terminalreporter.write_line(
            f"Nomad conformance, {target}: {len(mine)} scenarios,"
            f" {sum(o.compared for o in mine)} exchanges compared,"
            f" {sum(o.not_used for o in mine)} with endpoints that are not used,"
            f" {sum(o.explained for o in mine)} differences by {deviating} deviations,"
            f" {sum(bool(o.problems) for o in mine)} scenarios with new differences"
        )
