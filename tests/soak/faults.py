"""What goes wrong in a night: each begins, lasts a while, and is over. Which one is next is drawn from a seed."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.process import Process
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.proxy import Exchange, Proxy, answers, lost_on_the_way_back, passed_on

_SLOW_SECONDS = 1.5
_EXPIRED = "ACL token expired"


@dataclass(frozen=True, slots=True)
class Copy:
    """One operator, and its own way to Nomad."""

    process: OperatorProcess
    way: Proxy


@dataclass(frozen=True, slots=True)
class Fault:
    """`ends` undoes it; None where it is over at once."""

    name: str
    seconds: float
    ends: Callable[[], None] | None


class Faults:
    """The first copy is never killed, so that what it holds can be measured over the whole time."""

    def __init__(self, *, copies: list[Copy], nomad: Process | None, repository: Path, draw: random.Random) -> None:
        self._copies = copies
        self._nomad = nomad
        self._repository = repository
        self._draw = draw
        self._kinds = [
            self._killed, self._stands_still, self._cut_off, self._slow, self._lost, self._git_away,
            self._token_expired,
            *([self._nomad_stands_still] if nomad is not None else []),
        ]  # fmt: skip

    def begin(self) -> Fault:
        return self._draw.choice(self._kinds)()

    def _any(self) -> Copy:
        return self._draw.choice(self._copies)

    def _for(self, least: float, most: float) -> float:
        return self._draw.uniform(least, most)

    def _killed(self) -> Fault:
        one = self._draw.choice(self._copies[1:])
        one.process.kill()
        return Fault("a copy is killed", self._for(1, 30), lambda: _begin(one.process))

    def _stands_still(self) -> Fault:
        one = self._any()
        one.process.signal(signal.SIGSTOP)
        return Fault("a copy stands still", self._for(2, 35), lambda: one.process.signal(signal.SIGCONT))

    def _cut_off(self) -> Fault:
        one = self._any()
        one.way.down()
        return Fault("a copy is cut off", self._for(2, 35), one.way.up)

    def _slow(self) -> Fault:
        one = self._any()
        rule = one.way.rule("*", r"/v1/(?!event/).*", _slowly)
        return Fault("answers are slow", self._for(5, 25), lambda: one.way.heal(rule))

    def _lost(self) -> Fault:
        one = self._any()
        rule = one.way.rule("POST", "/v1/jobs", lost_on_the_way_back, times=2)
        return Fault("answers to registers are lost", self._for(5, 20), lambda: one.way.heal(rule))

    def _token_expired(self) -> Fault:
        one = self._any()
        rule = one.way.rule("*", r"/v1/(?!status/).*", answers(403, _EXPIRED))
        one.way.cut()
        return Fault("a token has expired", self._for(3, 25), lambda: one.way.heal(rule))

    def _git_away(self) -> Fault:
        away = self._repository.with_name("away")
        self._repository.rename(away)
        return Fault("git is away", self._for(3, 20), lambda: _back(away, self._repository))

    def _nomad_stands_still(self) -> Fault:
        nomad = self._nomad
        assert nomad is not None
        nomad.signal(signal.SIGSTOP)
        return Fault("Nomad stands still", self._for(2, 12), lambda: nomad.signal(signal.SIGCONT))


def _begin(process: OperatorProcess) -> None:
    process.begin("run")


def _back(away: Path, place: Path) -> None:
    away.rename(place)


def _slowly(exchange: Exchange) -> None:
    time.sleep(_SLOW_SECONDS)
    passed_on(exchange)
