"""Scores that wait: sent together, tried a few times, bounded, and never waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from desired.errors import Forbidden, OperatorError, Unavailable
from nomad_operator.tracing.score_box import ScoreBox
from tests.conformance.langfuse.langfuse_target import Target
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, langfuse_double


class Scores:
    def __init__(self, *problems: OperatorError) -> None:
        self.problems = list(problems)
        self.batches: list[int] = []
        self.tries = 0
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def score(self, scores: Sequence[Mapping[str, Any]]) -> None:
        self.tries += 1
        await self.go_on.wait()
        if self.problems:
            raise self.problems.pop(0)
        self.batches.append(len(scores))


async def test_what_is_put_together_is_sent_together() -> None:
    scores = Scores()
    box = ScoreBox(to=scores)
    for number in range(250):
        box.put({"id": str(number)})
    await box.aclose(5.0)
    assert scores.batches == [100, 100, 50]
    box.put({"id": "late"})
    await box.aclose(5.0)
    assert scores.batches[-1] == 1


@pytest.mark.parametrize(
    ("problems", "tries", "sent"),
    [
        ([Unavailable("away")] * 2, 3, [1]), ([Unavailable("away")] * 9, 3, []), ([Forbidden("no")] * 9, 1, []),
    ],
)  # fmt: skip
async def test_what_passes_is_tried_again_and_then_lost(
    problems: list[OperatorError], tries: int, sent: list[int]
) -> None:
    scores = Scores(*problems)
    box = ScoreBox(to=scores, pause_seconds=0.0)
    box.put({"id": "1"})
    await box.aclose(5.0)
    assert (scores.tries, scores.batches) == (tries, sent)


async def test_where_nobody_takes_them_the_oldest_give_way_and_the_end_does_not_wait() -> None:
    scores = Scores()
    scores.go_on.clear()
    box = ScoreBox(to=scores)
    for number in range(5000):
        box.put({"id": str(number)})
    assert len(box._waiting) == 1000
    async with asyncio.timeout(5):
        await box.aclose(0.01)


async def test_langfuse_takes_them() -> None:
    with langfuse_double() as double:
        client = Target(double.address, PUBLIC_KEY, SECRET_KEY).client()
        box = ScoreBox(to=client)
        box.put({"id": "1", "traceId": "ab", "name": "healthy", "value": 1, "dataType": "BOOLEAN"})
        assert [one["name"] for one in await double.until_scores(1)] == ["healthy"]
        await box.aclose(5.0)
        await client.aclose()
