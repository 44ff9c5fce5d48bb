"""How a service is asked: all its questions at once, within one time limit; what rests on an answer that did not come
counts as not tried."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from desired.errors import OperatorError
from nomad_operator.doctor import Finding
from observers.reach.breaks import Failure, failure_of

Question = Callable[[], Awaitable["Told"]]


@dataclass(frozen=True, slots=True)
class Told:
    """What came back, in words. `ok` is False where it came, and is not what is needed."""

    found: str
    ok: bool = True
    hint: str = ""
    version: str = ""
    required: bool = True
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One service; `clock` is monotonic, in seconds."""

    service: str
    address: str
    timeout_seconds: float
    clock: Callable[[], float]

    async def first(self, question: Question, *rest: tuple[str, Question]) -> list[Finding]:
        """The service itself, and beside it what it answers to our credentials, each by its name."""
        answer, *others = await asyncio.gather(
            self._ask(self.service, question),
            *(self._ask(f"{self.service}: {name}", one) for name, one in rest),
        )
        return [answer, *(others if answer.ok else self._not_tried(answer, others))]

    def _not_tried(self, answer: Finding, others: Sequence[Finding]) -> list[Finding]:
        told = f"not tried: {self.service} cannot be used"
        return [
            other if other.ok else replace(other, ok=None, found=told, hint="", failure="", seconds=0.0)
            for other in others
        ]

    async def _ask(self, name: str, question: Question) -> Finding:
        started = self.clock()
        try:
            async with asyncio.timeout(self.timeout_seconds):
                told = await question()
        except OperatorError as error:
            told = Told(error.message, ok=False, hint=error.hint, failure=failure_of(error))
        except TimeoutError:
            told = Told(
                f"no answer in {self.timeout_seconds:g} s", ok=False, failure=Failure.TIMED_OUT,
                hint="check the address, and what stands between: a firewall drops silently",
            )  # fmt: skip
        return Finding(
            name, told.ok, self.address, told.found, told.hint, required=told.required,
            seconds=self.clock() - started, version=told.version, failure=told.failure,
        )  # fmt: skip


def not_set(service: str, setting: str) -> Finding:
    """A service that nobody told us of: nothing is wrong with that."""
    return Finding(service, None, "", f"not set ({setting})", required=False)
