"""Where a copy says that others reach it, and what of that can be believed."""

from __future__ import annotations

import pytest

from nomad_operator.copies.address import advertised, reachable
from nomad_operator.settings import Settings

LOOPBACK = "http://127.0.0.1:9650"


@pytest.mark.parametrize(
    ("given", "environment", "bound", "address"),
    [
        ("https://op.example/", {}, LOOPBACK, "https://op.example"),
        (None, {"NOMAD_HOST_ADDR_http": "10.0.0.5:21000"}, "http://0.0.0.0:9650", "http://10.0.0.5:21000"),
        (None, {"NOMAD_HOST_ADDR_a": "10.0.0.5:1", "NOMAD_HOST_ADDR_http": "10.0.0.5:2"}, LOOPBACK, "http://10.0.0.5:2"),
        (None, {"NOMAD_HOST_ADDR_web": "10.0.0.5:1"}, LOOPBACK, "http://10.0.0.5:1"),
        (None, {}, "http://10.0.0.5:9650", "http://10.0.0.5:9650"),
        (None, {}, "http://0.0.0.0:9650", ""),
        (None, {}, "http://[::]:9650", ""),
        (None, {}, LOOPBACK, LOOPBACK),
    ],
)  # fmt: skip
def test_the_address_for_others_is_given_nomads_or_the_one_listened_on(
    given: str | None, environment: dict[str, str], bound: str, address: str
) -> None:
    assert advertised(given=given, environment=environment, bound=bound) == address


@pytest.mark.parametrize(
    ("leader", "address"),
    [
        ({}, ""),
        ({"address": "", "host": "here"}, ""),
        ({"address": LOOPBACK, "host": "here"}, LOOPBACK),
        ({"address": LOOPBACK, "host": "there"}, ""),
        ({"address": "http://localhost:9650", "host": "there"}, ""),
        ({"address": "http://10.0.0.5:1", "host": "there"}, "http://10.0.0.5:1"),
    ],
)
def test_a_loopback_address_is_of_use_on_its_own_host_alone(leader: dict[str, str], address: str) -> None:
    assert reachable(leader, host="here") == address


@pytest.mark.parametrize(
    ("lease", "state", "works"),
    [
        (None, None, True), (None, "nomad://op", True), ("nomad", "nomad://op", True), ("none", None, True),
        ("nomad", None, False), ("nomad", "sqlite:////x/y.db", False), ("none", "nomad://op", False),
    ],
)  # fmt: skip
def test_the_lease_goes_with_a_state_that_others_can_read(lease: str | None, state: str | None, works: bool) -> None:
    given = {name: value for name, value in {"lease": lease, "state_url": state}.items() if value is not None}
    if works:
        assert Settings(**given).leased is (state is not None)  # type: ignore[arg-type]
        return
    with pytest.raises(ValueError, match="LEASE"):
        Settings(**given)  # type: ignore[arg-type]
