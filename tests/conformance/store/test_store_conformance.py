"""What every adapter of the store port must do."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desired.errors import Conflict
from reconcilers.store import Store

Reopen = Callable[[], Awaitable[Store]]
WRITER = Path(__file__).with_name("store_adapters.py")
ROOT = Path(__file__).parents[3]


async def test_a_new_store_is_empty(store: Store) -> None:
    assert dict(await store.load()) == {}
    assert await store.get("app:default/web") is None


async def test_what_was_put_is_read_back_whole(store: Store) -> None:
    document = {"a": [1, 2.5, None, True], "ü\u2028": {"": "a\nb\x00"}, "big": "x" * 100_000, "n": 2**60}
    revision = await store.put("app:default/web", document, expected=0)
    one = await store.get("app:default/web")
    assert one is not None
    assert (one.document, one.revision) == (document, revision)
    assert (await store.load())["app:default/web"] == one


async def test_what_was_put_is_there_after_a_restart(reopen: Reopen) -> None:
    revision = await (await reopen()).put("n", {"v": 1}, expected=0)
    one = await (await reopen()).get("n")
    assert one is not None
    assert (one.document, one.revision) == ({"v": 1}, revision)


async def test_a_write_at_another_revision_is_a_conflict_and_changes_nothing(store: Store) -> None:
    revision = await store.put("n", {"v": 1}, expected=0)
    for wrong in (0, revision + 1, revision - 1):
        with pytest.raises(Conflict):
            await store.put("n", {"v": 2}, expected=wrong)
        with pytest.raises(Conflict):
            await store.delete("n", expected=wrong)
    one = await store.get("n")
    assert one is not None
    assert (one.document, one.revision) == ({"v": 1}, revision)


async def test_a_write_that_expects_a_document_where_there_is_none_is_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.put("n", {}, expected=7)
    assert await store.get("n") is None


async def test_deleting_what_is_not_there_is_no_error(store: Store) -> None:
    await store.delete("n", expected=0)
    await store.delete("n", expected=5)
    revision = await store.put("n", {}, expected=0)
    await store.delete("n", expected=revision)
    await store.delete("n", expected=revision)
    assert dict(await store.load()) == {}


async def test_revisions_grow_across_a_delete_and_a_restart(reopen: Reopen) -> None:
    """A writer that slept through a delete and a new document of the same name must lose."""
    store = await reopen()
    first = await store.put("n", {"v": 1}, expected=0)
    await store.delete("n", expected=first)
    store = await reopen()
    assert await store.get("n") is None
    second = await store.put("n", {"v": 2}, expected=0)
    assert second > first
    with pytest.raises(Conflict):
        await store.put("n", {"v": 3}, expected=first)


async def test_of_many_writers_at_one_revision_one_wins(store: Store) -> None:
    revision = await store.put("n", {}, expected=0)
    outcomes = await asyncio.gather(
        *(store.put("n", {"writer": number}, expected=revision) for number in range(10)), return_exceptions=True
    )
    winners = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, int)]
    assert len(winners) == 1
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if not isinstance(outcome, int))
    one = await store.get("n")
    assert one is not None
    assert one.document == {"writer": winners[0]}


async def test_a_conflict_does_not_harm_the_writes_beside_it(store: Store) -> None:
    outcomes = await asyncio.gather(
        store.put("a", {}, expected=0),
        store.put("b", {}, expected=3),
        store.put("c", {}, expected=0),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], Conflict)
    assert sorted(await store.load()) == ["a", "c"]


async def test_a_cancelled_write_leaves_the_old_document_or_the_new_one(store: Store) -> None:
    revision = await store.put("n", {"v": 1}, expected=0)
    writing = asyncio.create_task(store.put("n", {"v": 2}, expected=revision))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    one = await store.get("n")
    assert one is not None
    if one.document == {"v": 1}:
        assert one.revision == revision
    else:
        assert one.document == {"v": 2} and one.revision > revision
    await store.put("n", {"v": 3}, expected=one.revision)


async def test_closing_waits_for_the_writes_that_are_under_way(reopen: Reopen) -> None:
    store = await reopen()
    writes = [asyncio.create_task(store.put(f"n{number}", {}, expected=0)) for number in range(20)]
    await asyncio.sleep(0)
    store = await reopen()
    assert len(await asyncio.gather(*writes)) == 20
    assert len(await store.load()) == 20


async def test_names_may_hold_anything(store: Store) -> None:
    long = "app:" + "n" * 100
    names = ["app:default/web.v1", "app:default/web~2Ev1", "ü", "a/b", "a~2Fb", "a b", "A", "a", f"{long}1", f"{long}2"]
    for number, name in enumerate(names):
        await store.put(name, {"number": number}, expected=0)
    assert {name: one.document["number"] for name, one in (await store.load()).items()} == {
        name: number for number, name in enumerate(names)
    }


async def test_a_document_may_grow_and_shrink(reopen: Reopen) -> None:
    store, revision = await reopen(), 0
    for size in (10, 200_000, 70_000, 10, 130_000, 0):
        revision = await store.put("n", {"text": "x" * size}, expected=revision)
        store = await reopen()
        one = await store.get("n")
        assert one is not None
        assert (one.document, one.revision) == ({"text": "x" * size}, revision)
    await store.delete("n", expected=revision)
    assert dict(await store.load()) == {}


async def test_of_many_writers_of_large_documents_one_wins_whole(store: Store) -> None:
    revision = await store.put("n", {}, expected=0)
    documents = [{"writer": number, "text": str(number) * 100_000} for number in range(4)]
    outcomes = await asyncio.gather(
        *(store.put("n", document, expected=revision) for document in documents), return_exceptions=True
    )
    winners = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, int)]
    assert len(winners) == 1
    one = await store.get("n")
    assert one is not None
    assert one.document == documents[winners[0]]


async def test_a_document_that_is_read_while_it_is_written_is_always_whole(store: Store) -> None:
    async def write() -> None:
        revision = 0
        for number in range(12):
            text = str(number % 10) * (140_000 if number % 2 else 100)
            revision = await store.put("n", {"number": number, "text": text}, expected=revision)

    writing = asyncio.create_task(write())
    while not writing.done():
        one = await store.get("n")
        if one is not None:
            assert set(one.document["text"]) == {str(one.document["number"] % 10)}
        await asyncio.sleep(0)
    await writing


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_it_behaves_like_a_dictionary_with_revisions(reopen: Reopen, data: st.DataObject) -> None:
    """Any sequence of puts, deletes and restarts leaves exactly what the writes that were accepted say."""
    store = await reopen()
    model = {name: (dict(one.document), one.revision) for name, one in (await store.load()).items()}
    for _ in range(data.draw(st.integers(1, 12))):
        name = data.draw(st.sampled_from(["a", "b", "c"]))
        current = model[name][1] if name in model else 0
        action = data.draw(st.sampled_from(["put", "stale", "delete", "restart"]))
        if action == "put":
            document = {"v": data.draw(st.integers())}
            model[name] = (document, await store.put(name, document, expected=current))
            assert model[name][1] > current
        elif action == "stale":
            with pytest.raises(Conflict):
                await store.put(name, {}, expected=current + 1)
        elif action == "delete":
            await store.delete(name, expected=current)
            model.pop(name, None)
        else:
            store = await reopen()
        assert {key: (one.document, one.revision) for key, one in (await store.load()).items()} == model


def _killed_while_writing(adapter: str, location: str) -> dict[str, tuple[int, int]]:
    """The last number and revision of each document that the store had called durable when its process was killed."""
    path = os.pathsep.join([str(ROOT / "operator"), str(ROOT)])
    with subprocess.Popen(
        [sys.executable, str(WRITER), adapter, location],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
    ) as writer:  # fmt: skip
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(random.randint(20, 200))]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    assert writer.returncode == -signal.SIGKILL
    told = [line.split() for line in lines if line.endswith("\n")]
    return {name: (int(number), int(revision)) for name, number, revision in told}


@pytest.mark.parametrize("round_", range(3))
async def test_a_kill_in_the_middle_of_writes_loses_nothing_that_was_acknowledged(
    adapter: str, location: str, reopen: Reopen, round_: int
) -> None:
    acknowledged = await asyncio.to_thread(_killed_while_writing, adapter, location)
    documents = await (await reopen()).load()
    assert acknowledged.keys() <= documents.keys()
    for name, one in documents.items():
        number, revision = acknowledged.get(name, (0, 0))
        assert one.document["number"] == one.document["again"]
        assert one.document["number"] - number in (0, 1)
        assert one.revision == revision if one.document["number"] == number else one.revision > revision
