"""Every recorded scenario, replayed against the embedded Nomad in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests import recordings_reader
from tests.conformance.nomad.deviations import Table
from tests.conformance.nomad.embedded import embedded
from tests.conformance.nomad.replay import Outcome, replay
from tests.recordings_reader import MORE, NOMAD

FOLDERS = {name: folder for folder in (NOMAD, MORE) for name in recordings_reader.names(folder)}
SCENARIOS = sorted(FOLDERS)
# One worker runs them all: the last test needs every scenario's outcome.
pytestmark = pytest.mark.xdist_group("embedded-nomad-conformance")


async def outcome_of(scenario: str, table: Table, outcomes: dict[tuple[str, str], Outcome]) -> Outcome:
    """Replayed once a session, whichever test comes first."""
    if ("embedded", scenario) not in outcomes:
        async with embedded(scenario) as target:
            recording = recordings_reader.read(scenario, FOLDERS[scenario])
            outcomes["embedded", scenario] = await replay(recording, target, table)
    return outcomes["embedded", scenario]


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_embedded_nomad_answers_as_a_real_one_did(
    scenario: str,
    table: Table,
    outcomes: dict[tuple[str, str], Outcome],
    tell: Callable[[str, Outcome], None],
) -> None:
    """Status, shape and words of every answer, and the story of every thing; but for what the table explains."""
    if why := table.skipped["embedded"].get(scenario):
        pytest.skip(f"{scenario} on the embedded Nomad: {why}")
    outcome = await outcome_of(scenario, table, outcomes)
    tell("embedded", outcome)
    assert not outcome.problems, f"{len(outcome.problems)} new differences:\n" + "\n".join(outcome.problems[:40])


@pytest.mark.slow
async def test_no_deviation_is_out_of_date(table: Table, outcomes: dict[tuple[str, str], Outcome]) -> None:
    """Every entry about the embedded Nomad still explains something, in every scenario that it names."""
    replayed = [name for name in SCENARIOS if name not in table.skipped["embedded"]]
    for scenario in replayed:
        await outcome_of(scenario, table, outcomes)
    assert table.outdated("embedded", replayed) == []
    assert sorted(table.skipped["embedded"].keys() - set(SCENARIOS)) == []
