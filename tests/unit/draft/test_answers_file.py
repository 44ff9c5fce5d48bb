"""Answers as text: what is read, what is refused, and that what was written is read as what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.draft.answers import answer_text, read_answer, sources_of
from desired.draft.answers_file import Answers, answers_text, read_answers
from desired.errors import InvalidDesired, UsageError

FILE = """\
# for everybody
dockerfile = docker/Dockerfile
count = 2

[shop]
image = registry.example.org/shop:1.2   
env.DB_PASSWORD = vault: secret/data/shop/db#password
env.QUERY = fixed: a = b
state = written
[redis]
volumes./data = csi: redis-data
"""  # noqa: W291


def test_a_file_has_answers_for_all_apps_and_for_each() -> None:
    found = read_answers(FILE, "shop.answers")
    assert found.common["dockerfile"] == "docker/Dockerfile"
    assert found.of("shop") == {
        "count": "2",
        "image": "registry.example.org/shop:1.2",
        "env.DB_PASSWORD": "vault: secret/data/shop/db#password",
        "env.QUERY": "fixed: a = b",
    }
    assert found.of("redis") == {"count": "2", "volumes./data": "csi: redis-data"}
    assert (found.state("shop"), found.state("redis")) == ("written", "")


def test_every_line_that_is_no_answer_is_told_by_its_number_and_no_secret_is_repeated() -> None:
    text = "image\nenv.DB_PASSWORD = fixed: hunter2hunter2\nimgae = x\ncount = two\n\nimage = a\nimage = b\n"
    with pytest.raises(InvalidDesired) as error:
        read_answers(text, "a.answers")
    assert [problem.line for problem in error.value.problems] == [1, 2, 3, 4, 7]
    assert "hunter2" not in error.value.message
    assert "did you mean `image`?" in error.value.message


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda word: not set("#=[]") & set(word)
)


@given(st.dictionaries(WORDS.map(lambda word: f"env.{word}"), WORDS), st.dictionaries(WORDS, st.just({"state": "x"})))
def test_what_is_kept_is_read_back(common: dict[str, str], apps: dict[str, dict[str, str]]) -> None:
    kept = Answers({"dockerfile": "a b"}, apps)
    assert read_answers(answers_text(kept, "kept\nhere"), "f") == kept
    text = answers_text(Answers({}, {"a": common}), "x")
    try:
        assert read_answers(text, "f").apps == ({"a": common} if common else {})
    except InvalidDesired as error:
        assert all(problem.line > 3 for problem in error.problems)


@pytest.mark.parametrize(
    ("at", "data", "text"),
    [
        ("image", "shop:1", "shop:1"),
        ("count", 3, "3"),
        ("env.X", {"vault": "secret/data/a#b"}, "vault: secret/data/a#b"),
        ("env.X", None, "none"),
        ("ports", {"http": {"to": 80}, "metrics": {"to": 9090}}, "http=80, metrics=9090"),
        ("ports.http", {"to": 80}, "80"),
        ("check", {"path": "/x"}, "/x"),
        ("check", {}, "tcp"),
        ("check", {"disable": True}, "none"),
        ("check", {"path": "/x", "interval": "9s"}, None),
        ("routes", [{"host": "a.cluster"}, {"host": "b.cluster", "path": "/x"}], "a.cluster, b.cluster/x"),
        ("args", ["-c", "a b"], "-c 'a b'"),
        ("dependsOn", ["redis", "db"], "redis, db"),
        ("files./run/secrets/x", {"vault": "a#b"}, "vault: a#b"),
        ("job.constraint", [{"attribute": "x"}], None),
        ("env.X", {"fixed": ""}, None),
    ],
)
def test_a_value_is_told_in_the_words_that_would_answer_it(at: str, data: Any, text: str | None) -> None:
    assert answer_text(at, data) == text


IDS = st.sampled_from(
    [
        "image",
        "count",
        "type",
        "ports",
        "check",
        "routes",
        "args",
        "dependsOn",
        "env.X",
        "files./a",
        "volumes./a",
        "job.a",
    ]
)
DATA = st.recursive(
    st.none() | st.text(max_size=12) | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["fixed", "vault", "to", "path", "host", "csi"]) | st.text(max_size=3), inner)
    ),
    max_leaves=5,
)


@given(IDS, DATA)
def test_whatever_the_value_its_words_say_it_or_there_are_none(at: str, data: Any) -> None:
    text = answer_text(at, data)
    assert text is None or read_answer(at, text) == data


@given(IDS, st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused_with_a_hint(at: str, text: str) -> None:
    try:
        read_answer(at, text)
    except UsageError as error:
        assert error.hint


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("env.DB_PASSWORD", "fixed: correct-horse-battery"),
        ("env.GREETING", f"fixed: {'gh' + 'p_'}0123456789abcdefghijABCDEFGHIJ012345"),
        ("args", "--password hunter22 --verbose"),
        ("command", "run --token=hunter2hunter2"),
        ("image", "postgres://me:hunter2hunter2@db/x"),
        ("prompt", "the password=hunter2hunter2 please"),
    ],
)
def test_a_secret_is_never_an_answer_and_never_repeated(at: str, text: str) -> None:
    with pytest.raises(UsageError) as error:
        read_answer(at, text)
    told = f"{error.value.message} {error.value.hint}"
    assert not [word for word in ("hunter2", "horse", "ghp_") if word in told]


def test_a_variable_named_like_a_secret_is_not_offered_as_a_text() -> None:
    assert "fixed" in sources_of("GREETING") and "fixed" in sources_of("TOKEN_URL")
    assert "fixed" not in sources_of("DB_PASSWORD") and "vault" in sources_of("DB_PASSWORD")
