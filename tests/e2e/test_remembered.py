"""What a repair taught is there after a kill, is told with and without a daemon, and stays forgotten when it was."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mem0") is None, reason="the extra memory is not installed")


def remembered(process: OperatorProcess) -> list[dict[str, Any]]:
    told = process.command("memory", "list", "--json")
    assert told.returncode == 0, told.stderr
    memories: list[dict[str, Any]] = json.loads(told.stdout)["memories"]
    return memories


def test_what_a_repair_taught_survives_and_what_was_forgotten_does_not_come_back(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web).replace("memory = 10", "memory = 1")})
    process = operator().start()
    process.until_told("episode over", outcome="repaired")
    process.kill()
    process.start()
    until(lambda: remembered(process), what="it is remembered, from the record")
    (one,) = remembered(process)
    assert (one["class"], one["outcome"]) == ("resources_below_minimum", "verified")
    assert one["app"].endswith(web)
    process.stop()
    # Nobody has it open now: the command opens it.
    assert remembered(process) == [one]
    assert "forgotten: 1" in process.command("memory", "forget", "--all").stdout
    process.start()
    assert remembered(process) == []
    assert not process.told("dependency down", service="qdrant")
    process.stop()
    assert remembered(process) == []
