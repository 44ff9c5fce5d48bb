"""Every recorded scenario, replayed against a real agent, where NOMAD_TEST_ADDR names one."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests import recordings_reader
from tests.conformance.nomad.deviations import Table
from tests.conformance.nomad.real import real
from tests.conformance.nomad.replay import Outcome, replay

SCENARIOS = recordings_reader.names()
ADDRESS = os.environ.get("NOMAD_TEST_ADDR", "")


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_real_nomad_answers_as_it_was_recorded(
    scenario: str, table: Table, tell: Callable[[str, Outcome], None]
) -> None:
    """The same on a real agent: the recordings, the way they are compared, and the agent agree."""
    if not ADDRESS:
        pytest.skip("NOMAD_TEST_ADDR names no agent")
    if why := table.skipped["real"].get(scenario):
        pytest.skip(why)
    recording = recordings_reader.read(scenario)
    async with real(ADDRESS, _jobs(recording)) as target:
        outcome = await replay(recording, target, table)
    tell("real", outcome)
    assert not outcome.problems, f"{len(outcome.problems)} new differences:\n" + "\n".join(outcome.problems[:40])


def _jobs(recording: recordings_reader.Recording) -> list[str]:
    """Every job that the scenario makes."""
    bodies = (exchange.request for exchange in recording.exchanges if exchange.path == "/v1/jobs")
    jobs = (body["Job"] for body in bodies if isinstance(body, dict) and isinstance(body.get("Job"), dict))
    return sorted({recording.name, *(str(job.get("ID")) for job in jobs if job.get("ID"))})
