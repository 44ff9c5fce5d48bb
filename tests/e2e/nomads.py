"""The Nomads that these tests run on: a real agent where NOMAD_TEST_ADDR names one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.nomad_side import NomadSide

NOMADS = [pytest.param("real", marks=pytest.mark.real)]

# mock_driver does what its config says and takes nothing; an agent started with -dev has it.
_MOCKED = {
    "good": 'driver = "mock_driver"\n      config {\n        run_for = "24h"\n      }',
    "bad": 'driver = "mock_driver"\n      config {\n        run_for = "10ms"\n        exit_code = 1\n      }',
    "done": 'driver = "mock_driver"\n      config {\n        run_for = "10ms"\n      }',
}


@contextmanager
def nomad_side(kind: str) -> Iterator[NomadSide]:
    """An agent of this kind, without the jobs of the test at the end."""
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("the operator's process on a real Nomad (NOMAD_TEST_ADDR)")
    side = NomadSide(address, **_MOCKED)
    try:
        yield side
    finally:
        side.purge()
        side.close()
