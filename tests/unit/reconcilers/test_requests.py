"""Whoever asks for something is answered, whatever becomes of the pass that would note it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from desired.app import AppKey
from desired.errors import Conflict, StateUnavailable, Unavailable
from reconcilers.requests import Request, Requests, Verb

WEB = AppKey("default", "web")


async def test_a_request_is_answered_when_it_is_durable() -> None:
    requests = Requests()
    answer = requests.ask(WEB, Verb.SUSPEND)
    with requests.taken(WEB) as asked:
        assert asked == [Request(Verb.SUSPEND)]
        assert not answer.done()
    await answer
    with requests.taken(WEB) as asked:
        assert asked == []


@pytest.mark.parametrize("error", [StateUnavailable("the disk is full"), ValueError("a bug")])
async def test_what_cannot_be_noted_is_told_to_who_asked(error: Exception) -> None:
    requests = Requests()
    answer = requests.ask(WEB, Verb.SUSPEND)
    with pytest.raises(type(error)), requests.taken(WEB):
        raise error
    with pytest.raises(type(error)):
        await answer
    with requests.taken(WEB) as asked:
        assert asked == []


@pytest.mark.parametrize("error", [asyncio.CancelledError(), Conflict("another writer")])
async def test_a_pass_that_is_cut_off_leaves_its_requests_to_the_next_one_in_their_order(error: BaseException) -> None:
    requests = Requests()
    first = requests.ask(WEB, Verb.SUSPEND)
    with contextlib.suppress(type(error)), requests.taken(WEB):
        second = requests.ask(WEB, Verb.RESUME)
        raise error
    assert not first.done() and not second.done()
    with requests.taken(WEB) as asked:
        assert [one.verb for one in asked if isinstance(one, Request)] == [Verb.SUSPEND, Verb.RESUME]
    await asyncio.gather(first, second)


async def test_a_deadline_in_the_middle_of_the_write_leaves_nobody_without_an_answer() -> None:
    requests = Requests()
    answer = requests.ask(WEB, Verb.ADOPT)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            with requests.taken(WEB):
                await asyncio.Event().wait()
    with requests.taken(WEB) as asked:
        assert asked == [Request(Verb.ADOPT)]
    await answer


async def test_when_no_pass_will_come_any_more_everybody_is_told() -> None:
    requests = Requests()
    before = requests.ask(WEB, Verb.RECONCILE)
    requests.close()
    for answer in (before, requests.ask(WEB, Verb.RECONCILE)):
        with pytest.raises(Unavailable, match="stopping"):
            await answer
