"""What a case is worth: guard, plan, health and half an hour decide, never the words of an answer."""

from __future__ import annotations

import itertools
from dataclasses import fields

import pytest

from nomad_operator.optimize.outcome import WORTH, Ending, Played, Seen, ending_of, played_from

NONE = {field.name: False for field in fields(Seen)}

TABLE = [
    # (what was seen, how it ended)
    ("", Ending.NOT_ASKED),
    ("due", Ending.NOT_ASKED),
    ("due asked answered", Ending.GAVE_UP),
    ("due asked unanswered", Ending.UNANSWERED),
    ("due asked late", Ending.LATE),
    ("due asked answered turned_down", Ending.REFUSED),
    ("due asked answered tried", Ending.VALID),
    ("due asked answered tried turned_down", Ending.VALID),
    ("due asked answered tried healthy", Ending.VALID),
    ("due asked answered tried healthy repaired", Ending.VERIFIED),
    ("due asked answered tried healthy repaired durable", Ending.DURABLE),
    ("due asked answered tried healthy repaired durable turned_down", Ending.DURABLE),
    ("due asked answered tried repaired durable", Ending.VALID),  # and broken again in the end
    ("due asked answered tried healthy repaired durable wrong", Ending.WRONG),
    ("asked answered", Ending.LEFT_ALONE),
    ("asked answered healthy", Ending.LEFT_ALONE),
    ("asked answered unanswered", Ending.UNANSWERED),
    ("asked unanswered", Ending.UNANSWERED),
    ("asked late", Ending.LATE),
    ("asked answered turned_down", Ending.REFUSED),
    ("asked answered tried", Ending.NEEDLESS),
    ("asked answered waits", Ending.NEEDLESS),
    ("asked answered tried healthy repaired durable", Ending.NEEDLESS),
    ("asked answered wrong", Ending.WRONG),
]


@pytest.mark.parametrize(("seen", "ending"), TABLE)
def test_how_it_ends(seen: str, ending: Ending) -> None:
    assert ending_of(Seen(**{**NONE, **dict.fromkeys(seen.split(), True)})) is ending


def test_nothing_wrong_is_ever_worth_anything() -> None:
    for values in itertools.product((False, True), repeat=len(NONE)):
        seen = Seen(**dict(zip(NONE, values, strict=True)))
        worth = WORTH.get(ending_of(seen), 0.0)
        assert 0.0 <= worth <= 1.0
        if seen.wrong or (not seen.due and (seen.tried or seen.waits or seen.turned_down)):
            assert worth == 0.0
        if worth == 1.0 and seen.due:
            assert seen.healthy and seen.repaired and seen.durable


def test_what_was_played_is_read_as_it_was_written() -> None:
    one = Played(case="a", failure="crash", ending=Ending.WRONG, wrong=("x",), questions=2, tokens=7, seconds=0.5)
    assert played_from(one.as_json) == one
