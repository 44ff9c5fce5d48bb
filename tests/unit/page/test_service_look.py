"""Looking at services: never waited for, never more often than said, and only while somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from nomad_operator.doctor import Finding
from nomad_operator.service_look import ServiceLook

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Services:
    def __init__(self) -> None:
        self.asked = 0
        self.answer = asyncio.Event()
        self.clock = 0.0

    async def ask(self) -> Sequence[Finding]:
        self.asked += 1
        await self.answer.wait()
        return [Finding("vault", True, "http://v", f"answer {self.asked}")]

    def look(self) -> ServiceLook:
        return ServiceLook(ask=self.ask, now=lambda: NOW, clock=lambda: self.clock, every_seconds=60)


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_look_is_begun_and_not_waited_for() -> None:
    services = Services()
    look = services.look()
    seen = look.look()
    assert (seen.at, seen.under_way, len(seen.findings)) == (None, True, 0)
    for _ in range(50):
        look.look()
        await _turns()
    assert services.asked == 1
    services.answer.set()
    await _turns()
    seen = look.look()
    assert (seen.at, seen.under_way, seen.findings[0].found) == (NOW, False, "answer 1")


async def test_another_look_is_taken_when_the_last_is_old_and_somebody_asks() -> None:
    services = Services()
    services.answer.set()
    look = services.look()
    look.look()
    await _turns()
    for services.clock in (1.0, 30.0, 59.9):
        look.look()
        await _turns()
    assert services.asked == 1
    services.clock = 600.0
    await _turns()
    assert services.asked == 1, "nobody looked"
    assert look.look().findings[0].found == "answer 1", "the last one, while the next is under way"
    await _turns()
    assert services.asked == 2 and look.look().findings[0].found == "answer 2"


async def test_a_look_that_is_under_way_ends_with_the_process() -> None:
    services = Services()
    look = services.look()
    look.look()
    await _turns()
    await look.aclose()
    assert services.asked == 1
    await services.look().aclose()
