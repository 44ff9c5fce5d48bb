"""The first signal to stop is heard; after it, signals do again what they do to any process."""

from __future__ import annotations

import os
import signal

import pytest

from nomad_operator.signals import StopSignals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_is_heard_and_a_second_one_does_not_wait(number: signal.Signals) -> None:
    with StopSignals() as signals:
        assert signals.name == ""
        os.kill(os.getpid(), number)
        assert await signals.wait() == number.name
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
