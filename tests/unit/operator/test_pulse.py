"""A Nomad that hangs is found by the least that can be asked, and nothing else is taken for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from desired.errors import DeadlineExceeded, Forbidden, OperatorError, Unavailable
from nomad_operator.pulse import TICK_SECONDS, Pulse
from tests.virtual_time import run

_SILENCE = DeadlineExceeded("ask who leads: no complete answer within 5 s")
_NO_CONNECTION = Unavailable("ask who leads: connection refused")
_REFUSED = Forbidden("ask who leads: 403")


@dataclass
class _Nomad:
    """Answers with `does`: None is an answer; silence takes the five seconds of its deadline."""

    does: OperatorError | None = None
    asked: int = 0
    told: list[OperatorError] = field(default_factory=list)
    looks: int = 0

    async def leader(self) -> str:
        self.asked += 1
        does = self.does
        if does is _SILENCE:
            await asyncio.sleep(5)
        if does is not None:
            raise does
        return "10.0.0.1:4647"

    def look(self) -> None:
        self.looks += 1


def _pulse(nomad: _Nomad) -> Pulse:
    return Pulse(
        nomad=nomad, silent=nomad.told.append, look=nomad.look, clock=lambda: asyncio.get_running_loop().time()
    )


async def _ticks(pulse: Pulse, number: int, between: Callable[[], None] = lambda: None) -> None:
    for _ in range(number):
        await asyncio.sleep(TICK_SECONDS)
        between()
        await pulse.feel()


def test_silence_is_told_once_within_fifteen_seconds_and_its_end_has_the_lists_read() -> None:
    async def story() -> None:
        nomad = _Nomad()
        pulse = _pulse(nomad)
        await _ticks(pulse, 1)
        nomad.does = _SILENCE
        began = asyncio.get_running_loop().time()
        await _ticks(pulse, 1)
        assert nomad.told == [_SILENCE]
        assert asyncio.get_running_loop().time() - began <= 15
        assert nomad.looks == 1
        await _ticks(pulse, 3)
        assert nomad.told == [_SILENCE]
        nomad.does = None
        await _ticks(pulse, 2)
        assert nomad.looks == 2

    run(story())


@pytest.mark.parametrize("first", [None, _REFUSED])
def test_any_answer_counts_a_refusal_too(first: OperatorError | None) -> None:
    async def story() -> None:
        nomad = _Nomad(does=first)
        pulse = _pulse(nomad)
        await _ticks(pulse, 2)
        assert not nomad.told
        nomad.does = _SILENCE
        await _ticks(pulse, 1)
        assert nomad.told

    run(story())


@pytest.mark.parametrize("never", [_SILENCE, _NO_CONNECTION])
def test_what_never_answered_this_is_not_taken_for_silent(never: OperatorError) -> None:
    """A gateway that lets other paths through, or an address where nobody is: the lists tell that."""

    async def story() -> None:
        nomad = _Nomad(does=never)
        pulse = _pulse(nomad)
        await _ticks(pulse, 2)
        nomad.does = _SILENCE
        await _ticks(pulse, 2)
        assert not nomad.told

    run(story())


def test_one_slow_answer_is_no_silence() -> None:
    async def story() -> None:
        nomad = _Nomad()
        pulse = _pulse(nomad)
        await _ticks(pulse, 1)
        nomad.does = _SILENCE
        asyncio.get_running_loop().call_later(TICK_SECONDS + 2, lambda: setattr(nomad, "does", None))
        await _ticks(pulse, 2)
        assert not nomad.told

    run(story())


def test_whoever_else_is_answered_meanwhile_counts_and_then_nothing_more_is_asked() -> None:
    async def story() -> None:
        nomad = _Nomad()
        pulse = _pulse(nomad)
        await _ticks(pulse, 1)
        asked, nomad.does = nomad.asked, _SILENCE
        await _ticks(pulse, 3, pulse.heard)
        assert nomad.asked == asked
        asyncio.get_running_loop().call_later(TICK_SECONDS + 7, pulse.heard)
        await _ticks(pulse, 1)
        assert not nomad.told

    run(story())
