"""What a store of notes promises, held to Qdrant in a folder and, where there is one, to a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from prompts.memory.note import Note
from reconcilers.repair.experience import Notes

OOM = Note("a", "the task was killed for want of memory", {"cluster": "one", "signature": "s1", "failure": "oom"})
PORT = Note("b", "the check asks a port where nobody listens", {"cluster": "one", "signature": "s2", "failure": "port"})
OTHER = Note("c", "the task was killed for want of memory", {"cluster": "two", "signature": "s1", "failure": "oom"})


async def fill(notes: Notes, *which: Note) -> None:
    for one in which or (OOM, PORT, OTHER):
        await notes.put(one)


async def test_an_empty_store_holds_nothing(notes: Notes) -> None:
    assert await notes.where({}) == ()
    assert await notes.like("anything", {}, limit=5) == ()
    assert await notes.remove(["a"]) == 0


async def test_a_note_comes_back_as_it_was(notes: Notes) -> None:
    odd = Note("k/1 ü", 'text with «secret:1», quotes " and\nlines', {"cluster": "ü", "empty": "", "json": '["a", 1]'})
    await notes.put(odd)
    assert await notes.where({"cluster": "ü"}) == (odd,)


async def test_notes_are_found_by_all_of_the_fields_that_are_asked_for(notes: Notes) -> None:
    await fill(notes)
    assert set(map(key, await notes.where({"cluster": "one"}))) == {"a", "b"}
    assert await notes.where({"cluster": "two", "signature": "s1"}) == (OTHER,)
    assert await notes.where({"key": "b"}) == (PORT,)
    assert await notes.where({"cluster": "three"}) == ()


async def test_more_notes_than_any_page_are_found(notes: Notes) -> None:
    for number in range(130):
        await notes.put(Note(f"n{number}", "much of the same", {"cluster": "one"}))
    assert len(await notes.where({"cluster": "one"})) == 130
    assert len(await notes.where({"cluster": "one"}, limit=7)) == 7


async def test_a_note_takes_the_place_of_one_with_its_key(notes: Notes) -> None:
    await fill(notes, OOM)
    changed = Note("a", "the task was killed for want of memory", {**OOM.fields, "outcome": "durable"})
    await notes.put(changed)
    assert await notes.where({}) == (changed,)
    await notes.put(OOM)
    assert await notes.where({}) == (OOM,)


async def test_the_same_note_twice_is_one(notes: Notes) -> None:
    await fill(notes, OOM, OOM)
    assert await notes.where({}) == (OOM,)


async def test_what_is_most_alike_comes_first(notes: Notes) -> None:
    await fill(notes, OOM, PORT)
    found = await notes.like("a task that was killed: no memory", {"cluster": "one"}, limit=5)
    assert found[0].note == OOM
    assert all(0 <= one.similarity <= 1 for one in found)
    assert (await notes.like(OOM.text, {}, limit=1))[0].similarity == pytest.approx(1.0, abs=1e-3)


async def test_what_is_alike_has_the_fields_that_were_asked_for(notes: Notes) -> None:
    await fill(notes)
    found = await notes.like(OOM.text, {"cluster": "two"}, limit=5)
    assert [one.note for one in found] == [OTHER]


@pytest.mark.parametrize("text", ["", " ", "\n"])
async def test_a_text_without_a_word_is_like_nothing_and_no_error(notes: Notes, text: str) -> None:
    await fill(notes, OOM)
    await notes.put(Note("e", text, {"cluster": "one"}))
    assert len(await notes.like(text, {"cluster": "one"}, limit=5)) <= 2


async def test_removed_is_removed(notes: Notes) -> None:
    await fill(notes)
    assert await notes.remove(["a", "c", "nobody"]) == 2
    assert await notes.where({}) == (PORT,)


async def test_what_was_put_is_there_after_a_restart(reopen: Callable[[], Awaitable[Notes]]) -> None:
    await fill(await reopen())
    again = await reopen()
    assert set(map(key, await again.where({}))) == {"a", "b", "c"}
    await again.remove(["a"])
    assert set(map(key, await (await reopen()).where({}))) == {"b", "c"}


async def test_many_at_once_do_not_get_into_each_others_way(notes: Notes) -> None:
    """Qdrant in a folder stands no two threads: of eight at once, writes were lost and reads failed."""

    async def one(number: int) -> None:
        await notes.put(Note(f"n{number}", f"failure number {number}", {"cluster": "one", "signature": f"s{number}"}))
        assert len(await notes.where({"signature": f"s{number}"})) == 1
        await notes.like("failure", {"cluster": "one"}, limit=3)

    await asyncio.gather(*(one(number) for number in range(40)))
    assert len(await notes.where({"cluster": "one"})) == 40


def key(note: Note) -> str:
    return note.key
