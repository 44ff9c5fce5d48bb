"""The doctor against a real Nomad: every probe is answered, and nothing is left behind."""

from __future__ import annotations

import json
import os
import time

import pytest

from desired.app import AppKey
from nomad_operator.doctor import Doctor
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from observers.nomad.stream import EventStream

ADDRESS = os.environ.get("NOMAD_TEST_ADDR", "")


@pytest.mark.real
@pytest.mark.skipif(not ADDRESS, reason="the doctor on a real Nomad (NOMAD_TEST_ADDR)")
async def test_every_probe_is_answered_and_no_job_is_left() -> None:
    way = Connection(address=ADDRESS, token=os.environ.get("NOMAD_TEST_TOKEN"))
    doctor = Doctor(timeout_seconds=10, clock=time.monotonic)
    client = NomadClient(connection=way)
    try:
        findings = await doctor.nomad(client, address=way.shown, namespaces=["default"], parsed_in="default")
        findings.append(await doctor.stream(EventStream(connection=way), address=way.shown, subscriptions=1))
        assert [finding.name for finding in findings if finding.failed] == [], json.dumps(
            [(finding.name, finding.found) for finding in findings]
        )
        assert await client.job(AppKey("default", "nomad-operator-doctor")) is None
    finally:
        await client.aclose()
