"""The table and the outcomes of this session, and how a test tells its numbers to the summary."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.nomad import deviations
from tests.conformance.nomad.deviations import Table
from tests.conformance.nomad.replay import Outcome
from tests.conformance.nomad.summary import PROPERTY, numbers

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


@pytest.fixture
def tell(table: Table, record_property: Callable[[str, object], None]) -> Callable[[str, Outcome], None]:
    """For the summary at the end of the run."""
    return lambda target, outcome: record_property(PROPERTY, numbers(target, outcome, table))
