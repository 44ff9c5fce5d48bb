"""The interview about one app: what is asked, what an answer does, and that no line that can be typed breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.draft.answers_file import Answers, answers_text, read_answers
from desired.draft.manifest_text import manifest_text
from desired.facts.fact import Fact, Place
from desired.facts.facts import Backend, EnvUse, Facts, PortFact, VolumeFact
from nomad_operator.commands.table import Style
from nomad_operator.interview.asked import Asked, Option, chosen
from nomad_operator.interview.found_app import FoundApp
from nomad_operator.interview.interview import answered, asked, stage_of
from nomad_operator.interview.knowledge import Knowledge
from nomad_operator.interview.state import Interview, Stage
from nomad_operator.interview.summary import rows, table


def fact(value: Any, extractor: str = "compose", confidence: float = 0.7) -> Fact[Any]:
    return Fact(value, extractor, confidence, Place("compose.yaml", 3))


NEEDED = fact(EnvUse(required=True))
SHOP = Facts(
    image_name=fact("shop"),
    ports={8080: fact(PortFact(8080))},
    env={"MODE": fact("prod")},
    env_uses={"DB_HOST": NEEDED, "API_KEY": NEEDED, "REDIS_URL": NEEDED},
    volumes={"/data": fact(VolumeFact("/data", "shop-data"))},
    backends={"redis": fact(Backend("redis", ("REDIS_URL",)))},
)
KNOWN = Knowledge(
    vault={"secret/data/shop/db": ("host", "password"), "secret/data/other": ("api_key",)},
    variables={"nomad/jobs/shop": ("api_key",)},
    keys=frozenset({"shop/config/redis_url", "shop/db_host"}),
    services=("redis", "web"),
    catalog=("shop-redis",),
)


def begin(facts: Facts = SHOP, knowledge: Knowledge = KNOWN, **changes: Any) -> Interview:
    return Interview(app=FoundApp("shop", facts), target="apps/shop.yaml", knowledge=knowledge, **changes)


def after(*answers: str, state: Interview | None = None) -> Interview:
    state = state or begin()
    for text in answers:
        state = answered(state, text)
    return state


def put(state: Interview) -> Asked:
    question = asked(state)
    assert question is not None
    return question


def questions(state: Interview) -> list[str]:
    """The ids that are asked for while everything is taken as it is suggested, or set."""
    ids: list[str] = []
    while (question := put(state)).id not in ("values", "review"):
        ids.append(question.id)
        state = answered(state, "" if question.default else "fixed: x")
    return ids


def test_only_what_is_open_is_asked_and_then_everything_is_looked_at_and_reviewed() -> None:
    assert questions(begin()) == ["env.DB_HOST", "env.API_KEY", "env.REDIS_URL", "volumes./data"]
    done = after("", "", "", "", "", "")
    assert done.stage is Stage.WRITTEN
    assert asked(done) is None
    assert answered(done, "anything") == done


def test_what_is_there_is_suggested_first_and_nothing_is_suggested_twice() -> None:
    words = [one.word for one in put(begin()).options]
    assert words[:2] == ["consul: shop/db_host", "vault: secret/data/shop/db#host"] or words[:2] == [
        "vault: secret/data/shop/db#host",
        "consul: shop/db_host",
    ]
    assert len(words) == len(set(words))
    redis = put(after("", ""))
    assert "consul: shop/config/redis_url" in [one.word for one in redis.options]
    assert "fixed: redis://redis.service.consul:6379" in [one.word for one in redis.options]
    assert "service: redis://{shop-redis}" in [one.word for one in redis.options]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (["1"], None),
        (["vault: secret/data/x#y"], "vault: secret/data/x#y"),
        (["secret/data/x#y"], "vault: secret/data/x#y"),
        (["db.cluster:5432"], "fixed: db.cluster:5432"),
        (["fixed", "db.cluster"], "fixed: db.cluster"),
        (["VAULT", "secret/data/x", "y"], "vault: secret/data/x#y"),
        (["vau", "secret/data/x#y"], "vault: secret/data/x#y"),
        (["nomad", "nomad/jobs/shop", "2", "1"], "nomad: nomad/jobs/shop#api_key"),
        (["consul", "a/b"], "consul: a/b"),
        (["none"], "none"),
        (["service", "{redis.host}"], "service: {redis.host}"),
        (["service", "redis", "{redis.host}"], "service: {redis.host}"),
        (["vault", "back", "none"], "none"),
    ],
)
def test_an_answer_may_be_a_number_a_word_or_the_whole(typed: Sequence[str], kept: str | None) -> None:
    state = after(*typed)
    assert state.answers["env.DB_HOST"] == (kept or put(begin()).options[0].word)
    assert put(state).id == "env.API_KEY"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("99", "holds a secret"),
        ("fixed", "has to come from somewhere else"),
        ("fixed: correct-horse-battery", "holds a secret"),
        ("correct-horse-battery", "holds a secret"),
        ("valut: x#y", "names no source"),
        ("vault: x", "path and a field"),
    ],
)
def test_what_makes_no_sense_is_told_and_asked_again_without_being_repeated(typed: str, problem: str) -> None:
    before = after("")
    state = answered(before, typed)
    assert problem in put(state).problem
    assert put(state).id == "env.API_KEY"
    assert state.answers == before.answers
    assert "horse" not in put(state).problem


def test_a_question_may_be_left_open_and_stands_in_the_manifest_as_one() -> None:
    state = after("later", "later", "", "")
    assert stage_of(state) is Stage.VALUES
    text = manifest_text(after("", state=state).draft)
    assert "# open: env.DB_HOST" in text
    assert put(answered(state, "env.DB_HOST")).id == "env.DB_HOST"


def test_a_value_is_changed_by_its_number_or_its_name_and_enter_leaves_it() -> None:
    state = after("", "", "", "")
    number = [row.id for row in rows(state.draft)].index("env.MODE") + 1
    for typed in (str(number), "env.MODE"):
        asking = answered(state, typed)
        assert put(asking).id == "env.MODE"
        assert answered(asking, "").answers == state.answers
        changed = answered(asking, "fixed: dev")
        assert changed.answers["env.MODE"] == "fixed: dev"
        assert stage_of(changed) is Stage.VALUES
    added = after("count", "3", "routes", "shop.cluster", "env.NEW", "fixed: 1", state=state)
    assert added.draft.spec["count"] == 3
    assert added.draft.spec["env"]["NEW"] == {"fixed": "1"}
    assert "neither a number" in put(answered(state, "imgae")).problem
    assert "neither a number" in put(answered(state, "99")).problem


def test_the_variables_are_looked_at_one_by_one() -> None:
    state = after("", "", "", "", "v")
    seen = []
    while put(state).id.startswith("env."):
        seen.append(put(state).id)
        state = answered(state, "fixed: dev" if put(state).id == "env.MODE" else "")
    assert seen == ["env.MODE", "env.DB_HOST", "env.API_KEY", "env.REDIS_URL"]
    assert state.draft.spec["env"]["MODE"] == {"fixed": "dev"}


def test_a_manifest_that_the_operator_would_not_take_cannot_be_written() -> None:
    state = after("", "", "", "", "ports", "none", "routes", "shop.cluster", "")
    assert "needs a port" in put(state).problem
    assert "write" not in [one.word for one in put(state).options]
    assert answered(state, "write").stage is Stage.REVIEW
    mended = after("change", "routes", "none", "", "write", state=state)
    assert mended.stage is Stage.WRITTEN


def test_answers_that_were_kept_are_not_asked_for_again() -> None:
    kept = MappingProxyType({"env.DB_HOST": "fixed: db", "volumes./data": "none"})
    assert questions(begin(answers=kept)) == ["env.API_KEY", "env.REDIS_URL"]


def test_a_number_of_a_table_that_does_not_fit_is_shown_in_two_lines_with_the_whole_source() -> None:
    found = rows(begin().draft)
    wide, narrow = table(found, Style(color=False, width=300)), table(found, Style(color=False, width=60))
    assert len(narrow) == 2 * len(found) and len(wide) == len(found) + 1
    assert all(any(row.source in line for line in narrow) for row in found)


def test_a_word_is_known_by_its_beginning_where_no_other_begins_so() -> None:
    question = Asked("x", "", (Option("vault"), Option("values"), Option("none")), numbered=True)
    assert [chosen(question, text) for text in ("va", "vau", "N", "3", "4", "", "vault: x")] == [
        None, Option("vault"), Option("none"), Option("none"), None, None, None,
    ]  # fmt: skip


LINES = st.one_of(
    st.sampled_from(
        [
            "", "1", "2", "3", "7", "back", "later", "take", "variables", "change", "write", "skip", "vault", "fixed",
            "consul", "nomad", "service", "none", "yes", "csi", "count", "env.NEW", "ports", "check", "http", "/health",
            "secret/data/a#b", "fixed: x", "image", "routes", "a.cluster", "type", "batch", "command",
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(LINES, max_size=25))
def test_whatever_is_typed_the_interview_goes_on_and_its_answers_can_be_kept(lines: list[str]) -> None:
    """No line raises, every answer is one that is read back from the file that keeps it, and it can always be ended."""
    state = begin()
    for line in lines:
        state = answered(state, line)
        kept = dict(state.answers)
        assert read_answers(answers_text(Answers({}, {"shop": kept}), "x"), "f").of("shop") == kept
        assert state.draft is not None
    for _ in range(200):
        question = asked(state)
        if question is None:
            break
        state = answered(state, "" if question.default and not question.problem else "skip")
        if question.id not in ("values", "review"):
            state = answered(state, "later")
    assert state.done


@settings(max_examples=100)
@given(st.lists(LINES, max_size=12), LINES)
def test_back_undoes_whatever_was_taken(lines: list[str], last: str) -> None:
    state = after(*lines)
    following = answered(state, last)
    if following.before is not None and following.before == state and not following.problem and not following.done:
        assert answered(following, "back") == state
