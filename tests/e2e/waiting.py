"""Waiting for what another process does: a condition with a deadline, asked often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(found: Callable[[], T], *, within: float = 30, what: str = "", told: Callable[[], object] | None = None) -> T:
    """The first true value of `found`; fails after `within` seconds, and says what `told` knows by then."""
    deadline = time.monotonic() + within
    while not (value := found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}\n{told() if told else value}")
        time.sleep(0.03)
    return value


def holds(found: Callable[[], object], *, seconds: float, what: str = "") -> None:
    """It is true all the time: for what must *not* happen, which no condition can announce. Keep `seconds` short."""
    until_then = time.monotonic() + seconds
    while time.monotonic() < until_then:
        assert found(), what
        time.sleep(0.03)
