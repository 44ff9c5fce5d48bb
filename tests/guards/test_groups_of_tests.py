"""Tests that share something outside of them are run by one worker: the plugin and pytest have to agree on how."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("groups-of-tests")
def test_a_worker_knows_the_group_of_a_test(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("needs --dist loadgroup, as `make test` has it")
    assert request.node.nodeid.endswith("@groups-of-tests")
