"""What an optimizer made is asked with only where it was measured, as it is, and worse in nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomad_operator.optimize.measure import digest
from nomad_operator.optimize.promotion import NotPromoted, check_promotion
from prompts.catalog import FilePrompts
from prompts.model.question import Message
from prompts.prompt_text import PromptText

BASE = replace(FilePrompts().texts["repair"], version=4)
TEXT = replace(BASE, messages=(Message("system", "Better."), BASE.messages[-1]), version=5)


def note(**changed: Any) -> dict[str, Any]:
    told = {
        "digest": digest(TEXT), "before": {"digest": digest(BASE), "wrong": 0, "score": 0.5},
        "after": {"wrong": 0, "score": 0.75},
        "classes": {"crash": {"cases": 4, "before": 0.5, "after": 1.0}, "oom_killed": {"before": 0.5, "after": 0.5}},
    }  # fmt: skip
    return {**told, **changed}


def noted(text: PromptText = TEXT, **changed: Any) -> PromptText:
    return replace(text, config={**text.config, "optimized": note(**changed)})


def test_what_is_nowhere_worse_may_be_asked_with() -> None:
    check_promotion(noted(), BASE)


def test_what_a_person_wrote_is_theirs() -> None:
    check_promotion(TEXT, BASE)


REFUSED: list[tuple[str, Callable[[], PromptText], PromptText, str]] = [
    ("worse on one class, better in all", lambda: noted(classes={
        "crash": {"before": 0.1, "after": 1.0}, "check_wrong_path": {"before": 1.0, "after": 0.75},
    }), BASE, r"worse on check_wrong_path \(1\.00 before, 0\.75 with it\)"),
    ("one more wrong change", lambda: noted(after={"wrong": 1}), BASE, "changed what it must not in 1 cases"),
    ("another text than was measured", lambda: replace(noted(), messages=(Message("system", "x"), BASE.messages[-1])),
     BASE, "not the text that was measured"),
    ("other settings than were measured", lambda: replace(noted(), config={**noted().config, "temperature": 1}),
     BASE, "not the text that was measured"),
    ("measured against something else", noted, replace(BASE, messages=(Message("system", "y"), BASE.messages[-1])),
     "measured against another text than version 4"),
    ("no classes", lambda: noted(classes={}), BASE, "cannot be read"),
    ("half a class", lambda: noted(classes={"crash": {"before": 1}}), BASE, "cannot be read"),
    ("a class in words", lambda: noted(classes={"crash": {"before": 0, "after": "1"}}), BASE, "cannot be read"),
    ("no number", lambda: noted(classes={"crash": {"before": 0, "after": float("nan")}}), BASE, "cannot be read"),
    ("no end", lambda: noted(after=None), BASE, "cannot be read"),
    ("no note at all", lambda: replace(TEXT, config={"optimized": True}), BASE, "cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "production", "told"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_is_not_promoted_and_why(made: Callable[[], PromptText], production: PromptText, told: str) -> None:
    with pytest.raises(NotPromoted, match=told):
        check_promotion(made(), production)


def test_going_back_is_not_bound_to_what_is_asked_with_now_but_to_its_own_numbers() -> None:
    now = replace(BASE, messages=(Message("system", "z"), BASE.messages[-1]), version=9)
    check_promotion(noted(), now)
    with pytest.raises(NotPromoted):
        check_promotion(noted(classes={"crash": {"before": 1, "after": 0}}), now)


scores = st.integers(0, 20).map(lambda number: number / 20)


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.tuples(scores, scores), min_size=1))
def test_one_class_that_is_worse_is_enough(classes: dict[str, tuple[float, float]]) -> None:
    made = noted(classes={name: {"before": before, "after": after} for name, (before, after) in classes.items()})
    if any(after < before for before, after in classes.values()):
        with pytest.raises(NotPromoted):
            check_promotion(made, BASE)
    else:
        check_promotion(made, BASE)
