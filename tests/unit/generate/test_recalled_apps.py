"""Apps that run healthy, remembered in relative form, and what they say for another app of their kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.draft.value import BY_PERSON, Draft, Value
from desired.facts.fact import Fact
from desired.facts.facts import EnvUse, Facts
from desired.question import Question
from reconcilers.generate.lived import Alike, Lived, Said, about, alike, concrete, relative, said_by
from reconcilers.generate.model_draft import with_suggestions
from reconcilers.generate.recalled_apps import AppsRecalled, suggested
from reconcilers.repair.preferences import Decided, preferences
from reconcilers.repair.remembered import Learned

AWS = "AKIA" + "IOSFODNN7EXAMPLE"
AT = datetime(2026, 11, 23, tzinfo=UTC)
FLASK = frozenset({"type service", "language python", "framework flask", "reads REDIS_URL"})


def app(name: str, *, about: frozenset[str] = FLASK, days: int = 0, **said: str) -> Lived:
    told = {at.replace("__", "."): Said(answer, "person") for at, answer in said.items()}
    return Lived(f"default/{name}", "global", about, MappingProxyType(told), AT + timedelta(days=days), "1")


def asks(*ids: str, name: str = "cart", default: str = "") -> Draft:
    return Draft(name, questions=tuple(Question(at, f"What is {at}?", default=default) for at in ids))


def recalled(*apps: Lived) -> AppsRecalled:
    return AppsRecalled(tuple(Alike(one, 0.8) for one in apps))


def fact(value: Any) -> Fact[Any]:
    return Fact(value, "app_code", 0.6)


def test_a_note_is_read_back_as_it_was() -> None:
    one = app("shop", env__REDIS_URL="consul: {app}/redis", resources__memory="256")
    assert Lived.of(one.note()) == one
    assert one.key == "app-global/default/shop" != app("cart").key


@pytest.mark.parametrize("field", ["about", "said", "at", "form"])
def test_a_note_that_cannot_be_read_is_none(field: str) -> None:
    note = app("shop").note()
    for broken in ("", "[1", "9"):
        assert Lived.of(type(note)(note.key, note.text, {**note.fields, field: broken})) is None


def test_what_an_app_is_says_its_language_its_framework_and_what_it_reads() -> None:
    facts = Facts(
        language=fact("python"), framework=fact("flask"), env_uses={"REDIS_URL": fact(EnvUse(True))},
        backends={"redis": fact("redis")},
    )  # fmt: skip
    assert about(facts, "service") == {*FLASK, "needs redis"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vault: secret/data/shop/db#password", "vault: secret/data/{app}/db#password"),
        ("vault: shop/data/shop#shop", "vault: shop/data/{app}#{app}"),
        ("consul: shop/config/url", "consul: {app}/config/url"),
        ("nomad: nomad/jobs/shop#url", "nomad: nomad/jobs/{app}#url"),
        ("consul: workshop/shop-old/url", "consul: workshop/shop-old/url"),
        ("fixed: info", "fixed: info"),
    ],
)
def test_the_apps_own_name_is_taken_out_of_places(text: str, found: str) -> None:
    assert relative(text, "shop") == found
    assert concrete(found, "shop") == text


@given(st.text(alphabet="shop/-:#.{}a ", max_size=40))
def test_what_was_made_relative_is_the_same_again_for_the_same_app(text: str) -> None:
    if "{app}" not in text:
        assert concrete(relative(text, "shop"), "shop") == text


SECRET = "Zx81kQpLw9vB2nM4tok"


@pytest.mark.parametrize(
    "value",
    [
        Value(("env", "API_TOKEN"), {"fixed": SECRET}, BY_PERSON, 1.0),
        Value(("env", "DSN"), {"fixed": f"postgres://u:{SECRET}@db/x"}, BY_PERSON, 1.0),
        Value(("env", "AWS"), {"fixed": AWS}, BY_PERSON, 1.0),
        Value(("command",), SECRET, BY_PERSON, 1.0),
        Value(("prompt",), SECRET, BY_PERSON, 1.0),
        Value(("image",), "registry/shop:1", BY_PERSON, 1.0),
        Value(("routes",), [{"host": "shop.cluster"}], BY_PERSON, 1.0),
    ],
)
def test_what_may_be_secret_or_is_an_apps_own_is_not_remembered(value: Value) -> None:
    kept = Value(("env", "LEVEL"), {"fixed": "info"}, "dockerfile: Dockerfile:3", 0.6)
    found = said_by([value, kept], "shop")
    assert found == {"env.LEVEL": Said("fixed: info", "dockerfile: Dockerfile:3")}


def test_the_most_alike_come_first_and_never_the_app_itself() -> None:
    others = [
        app("same"), app("other", about=frozenset({"type service", "language go"})),
        app("near", about=FLASK | {"reads DEBUG"}), app("cart"),
    ]  # fmt: skip
    found = alike(FLASK, others, app="default/cart")
    assert [one.lived.app for one in found] == ["default/same", "default/near"]
    assert found[0].similarity == 1.0 > found[1].similarity > 0.25


def test_an_open_question_is_suggested_what_most_of_them_say() -> None:
    known = recalled(
        app("one", env__REDIS_URL="fixed: redis://local"),
        app("two", env__REDIS_URL="consul: {app}/redis"),
        app("three", env__REDIS_URL="consul: {app}/redis"),
    )
    value = suggested(asks("env.REDIS_URL", "image"), known)
    assert value.keys() == {"env.REDIS_URL"}
    found = value["env.REDIS_URL"]
    assert (found.data, found.source) == ({"consul": "cart/redis"}, "memory: default/two")
    assert found.reason == "2 of 3 apps like it say so" and found.confidence < 0.5


def test_a_suggestion_that_is_there_is_left_alone_and_at_a_tie_the_most_alike_counts() -> None:
    known = recalled(app("one", check="/ready"), app("two", check="/healthz"))
    found = suggested(asks("check"), known)
    assert found["check"].data == {"path": "/ready"}
    taken = asks("check", default="/x")
    assert with_suggestions(taken, found) == taken


@pytest.mark.parametrize(("source", "confidence", "gives_way"), [
    ("name REDIS_URL", 0.4, True), ("name DB_PASSWORD", 0.5, False), ("app_code: app.py:3", 0.4, False),
])  # fmt: skip
def test_only_a_guess_by_a_name_gives_way_to_it(source: str, confidence: float, gives_way: bool) -> None:
    guess = Value(("env", "A"), {"consul": "cart/config/a"}, source, confidence)
    made = replace(asks("env.A", default="consul: cart/config/a"), suggestions={"env.A": guess})
    found = with_suggestions(made, suggested(made, recalled(app("one", env__A="consul: {app}/a"))))
    assert found.questions[0].default == ("consul: cart/a" if gives_way else "consul: cart/config/a")


@pytest.mark.parametrize("answer", ["rm -rf /", "vault: nothing", "", "none", f"fixed: {AWS}"])
def test_what_somebody_wrote_into_the_store_is_judged_as_what_a_person_types(answer: str) -> None:
    assert suggested(asks("env.REDIS_URL"), recalled(app("one", env__REDIS_URL=answer))) == {}


def test_an_answer_rests_on_an_app_only_where_it_says_the_same() -> None:
    known = recalled(app("one", env__REDIS_URL="consul: {app}/redis"))
    good = known.value("default/one", "env.REDIS_URL", "consul: cart/redis", name="cart")
    assert good is not None and good.source == "memory: default/one"
    for who, at, text in (
        ("default/one", "env.REDIS_URL", "consul: other/redis"), ("default/two", "env.REDIS_URL", "consul: cart/redis"),
        ("default/one", "env.OTHER", "consul: cart/redis"),
    ):  # fmt: skip
        assert known.value(who, at, text, name="cart") is None


def test_in_words_it_is_bounded_and_says_what_people_said() -> None:
    many = {f"env__V{number}": "fixed: x" for number in range(200)}
    words = AppsRecalled((Alike(app("one", **many), 0.5),), ("they took back, of a/b: memory",)).in_words()
    assert words.count("\n") < 30 and "(a person said so)" in words and "they took back" in words
    assert AppsRecalled().in_words() == "nothing is known"


def test_preferences_are_what_people_decided_and_nothing_else() -> None:
    repairs = [
        Decided("memory: 200 %", Learned.REVERTED, False, "default/a"),
        Decided("cpu: 200 %", Learned.DURABLE, True, "default/b"),
        Decided("disk: 200 %", Learned.DURABLE, False, "default/c"),
        Decided("port: 8080", Learned.REJECTED, False, "default/d"),
        Decided("image: x", Learned.FAILED, True, "default/e"),
    ]
    assert preferences(repairs) == (
        "they took back, of default/a: memory: 200 %",
        "they approved, of default/b: cpu: 200 %",
        "they turned down, of default/d: port: 8080",
    )
    assert len(preferences([Decided(str(n), Learned.REVERTED, False, "x") for n in range(50)])) == 10
