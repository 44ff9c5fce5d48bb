"""The store in Nomad's variables: kills between any two of its writes, what errors mean, where documents lie."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import (
    Conflict,
    DeadlineExceeded,
    Forbidden,
    LeaseLost,
    OperatorError,
    StateUnavailable,
    StateUnusable,
    Unavailable,
    Unsupported,
)
from nomad_operator.nomad_store import NomadStore
from nomad_operator.settings import Settings
from nomad_operator.variable_names import VariablePlace, encoded
from observers.nomad.calls import Fence
from observers.nomad.connection import Connection
from observers.nomad.variables import PATH_PATTERN, NomadVariables
from tests.e2e.nomads import EmbeddedServer

_NUMBERS = itertools.count(1)
LARGE = "x" * 130_000


class Killed(Exception):
    """The process is gone."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = EmbeddedServer()
    yield server.address
    server.stop()


@pytest.fixture
def place() -> VariablePlace:
    return VariablePlace(f"test/{next(_NUMBERS)}")


def variables(address: str, fence: Fence | None = None) -> NomadVariables:
    return NomadVariables(connection=Connection(address=address), fence=fence)


def store(address: str, place: VariablePlace, fence: Fence | None = None) -> NomadStore:
    return NomadStore(
        variables=variables(address, fence), place=place, new_id=lambda: f"write{next(_NUMBERS)}"
    )  # fmt: skip


def killed_before(write: int) -> Fence:
    """The process ends right before it sends this write, counted from 1, and all later ones."""
    sent = itertools.count(1)

    def fence() -> None:
        if next(sent) >= write:
            raise Killed

    return fence


async def _left(address: str, place: VariablePlace) -> set[str]:
    reading = variables(address)
    try:
        return set((await reading.under(f"{place.path}/")).indexes)
    finally:
        await reading.aclose()


@pytest.mark.parametrize(("before", "after"), [("", LARGE), (LARGE, LARGE + "y"), (LARGE, "small"), ("small", LARGE)])
async def test_a_kill_before_any_write_leaves_the_old_document_or_the_new_one(
    address: str, place: VariablePlace, before: str, after: str
) -> None:
    for write in itertools.count(1):
        at = VariablePlace(f"{place.path}/{write}")
        first = store(address, at)
        old = await first.put("n", {"text": before}, expected=0)
        await first.close()
        mortal, died = store(address, at, killed_before(write)), False
        await mortal.load()
        try:
            await mortal.put("n", {"text": after}, expected=old)
        except Killed:
            died = True
        await mortal.close()

        next_one = store(address, at)
        found = (await next_one.load())["n"]
        assert found.document["text"] in (before, after)
        assert (found.revision == old) == (found.document["text"] == before)
        # Whatever the dead one left behind goes with the next large write.
        revision = await next_one.put("n", {"text": LARGE + "z"}, expected=found.revision)
        assert (await next_one.load())["n"].document["text"] == LARGE + "z"
        await next_one.delete("n", expected=revision)
        await next_one.close()
        assert await _left(address, at) == set()
        if not died:
            break
    assert write > 1


async def test_who_loses_leaves_nothing_behind(address: str, place: VariablePlace) -> None:
    one = store(address, place)
    revision = await one.put("n", {"text": "small"}, expected=0)
    with pytest.raises(Conflict):
        await one.put("n", {"text": LARGE}, expected=revision + 1000)
    await one.close()
    assert await _left(address, place) == {place.document("n")}


async def test_a_document_without_one_of_its_parts_is_unusable_and_named(address: str, place: VariablePlace) -> None:
    one, raw = store(address, place), variables(address)
    await one.put("app:default/web", {"text": LARGE}, expected=0)
    path, index = next(iter((await raw.under(place.parts("app:default/web"))).indexes.items()))
    await raw.delete(path, expected=index)
    with pytest.raises(StateUnusable, match="lacks parts of app:default/web"):
        await one.load()
    await one.close()
    await raw.aclose()


@pytest.mark.parametrize(
    "items", [{"format": "2", "name": "n", "body": "{}"}, {"body": "{}"}, {"format": "1", "name": "n", "body": "{"}]
)
async def test_what_cannot_be_understood_is_unusable(
    address: str, place: VariablePlace, items: dict[str, str]
) -> None:  # fmt: skip
    one, raw = store(address, place), variables(address)
    await raw.write(place.document("n"), items, expected=0)
    with pytest.raises(StateUnusable) as caught:
        await one.load()
    assert caught.value.hint
    await one.close()
    await raw.aclose()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (Unavailable("no leader"), StateUnavailable),
        (DeadlineExceeded("no complete answer"), StateUnavailable),
        (Unsupported("what is this"), StateUnusable),
        (Forbidden("Permission denied", hint="`variables:write`"), Forbidden),
        (LeaseLost("the lease is over"), LeaseLost),
        (Conflict("not as expected"), Conflict),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else type(one).__name__,
)
async def test_what_nomad_says_is_told_as_what_it_means_for_the_state(
    address: str, said: OperatorError, meant: type[OperatorError]
) -> None:
    def fence() -> None:
        raise said

    one = store(address, VariablePlace("test/errors"), fence)
    with pytest.raises(meant) as caught:
        await one.put("n", {}, expected=0)
    assert type(caught.value) is meant
    if meant is Forbidden:
        assert 'path "test/errors/*"' in caught.value.hint and "variables:write" in caught.value.hint
    await one.close()


async def test_a_nomad_that_is_away_is_a_state_that_is_away() -> None:
    one = store("http://127.0.0.1:1", VariablePlace("test/away"))
    for asked in (one.load(), one.get("n"), one.put("n", {}, expected=0), one.delete("n", expected=1)):
        with pytest.raises(StateUnavailable):
            await asked
    await one.close()


async def test_two_places_do_not_see_each_other(address: str) -> None:
    one, other = store(address, VariablePlace("test/a")), store(address, VariablePlace("test/a2"))
    await one.put("n", {}, expected=0)
    assert dict(await other.load()) == {}
    await one.close()
    await other.close()


@given(
    names=st.lists(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=200), unique=True, max_size=5)
)
def test_any_name_has_a_path_of_its_own_that_nomad_takes(names: list[str]) -> None:
    place = VariablePlace("p" * 40)
    paths = [place.document(name) for name in names] + [f"{place.parts(name)}{'i' * 12}/999" for name in names]
    assert len(set(paths)) == len(paths)
    assert all(re.fullmatch(PATH_PATTERN, path) and "//" not in path for path in paths)


def test_a_name_can_be_read_in_its_path() -> None:
    assert encoded("app:default/web-1") == "app~3Adefault~2Fweb-1"


@pytest.mark.parametrize(
    ("url", "path", "namespace"),
    [
        ("nomad://nomad-operator/state", "nomad-operator/state", "default"),
        ("nomad://op?namespace=infra", "op", "infra"),
    ],
)
def test_the_url_names_a_path_and_perhaps_a_namespace(url: str, path: str, namespace: str) -> None:
    assert Settings(state_url=url).state_variables == VariablePlace(path, namespace)


@pytest.mark.parametrize(
    "url",
    [
        "nomad://", "nomad:///x", "nomad://a.b", "nomad://a//b", "nomad://a/", "nomad://nomad/jobs/web", "nomad://nomad",
        "nomad://a?ns=b", "nomad://a?namespace=", "nomad://a#b", f"nomad://{'a' * 41}", "nomad:a",
    ],
)  # fmt: skip
def test_a_place_that_nomad_would_not_take_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ValueError, match="state_url"):
        Settings(state_url=url)
