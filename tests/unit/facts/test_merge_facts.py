"""Of the same thing the surest source counts, and nothing that was found is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.facts.analyze import analyze
from desired.facts.fact import Fact, Place
from desired.facts.facts import EnvUse, Facts, HealthFact, PortFact, SecretRef, Size, WorkKind
from desired.facts.merge import merged
from desired.facts.whole import fitting
from desired.facts.withheld import withheld
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase

NAMES = ["build_yaml", "compose", "dockerfile", "app_code"]
PRIORITIES = {"build_yaml": 0.95, "compose": 0.7, "dockerfile": 0.6, "app_code": 0.5}
SINGLE = {
    "name": st.sampled_from(["a", "b"]),
    "image_name": st.sampled_from(["x", "y/z"]),
    "memory": st.integers(1, 3),
    "entrypoint": st.sampled_from([("a",), ("b", "c")]),
    "command": st.sampled_from([("d",), ("e", "f")]),
    "kind": st.sampled_from(WorkKind),
    "size": st.sampled_from(Size),
    "health": st.sampled_from([HealthFact(path="/a"), HealthFact(port=1)]),
}
SEVERAL: dict[str, st.SearchStrategy[Any]] = {
    "env": st.sampled_from(["1", "2"]),
    "env_uses": st.sampled_from([EnvUse(required=True), EnvUse(required=False, default="x")]),
    "ports": st.sampled_from([PortFact(1), PortFact(1, 2)]),
    "secrets": st.sampled_from([SecretRef("p", "f"), SecretRef("q", "f")]),
}
KEYS = {"ports": [1, 2]}


@st.composite
def found(draw: st.DrawFn, extractor: str) -> Facts:
    def fact(value: Any) -> Fact[Any]:
        place = Place(f"{extractor}.txt", draw(st.integers(1, 3)))
        return Fact(value, extractor, draw(st.sampled_from([0.3, PRIORITIES[extractor]])), place)

    one = {name: fact(draw(values)) for name, values in SINGLE.items() if draw(st.booleans())}
    several = {
        name: {key: fact(draw(values)) for key in KEYS.get(name, ["A", "B"]) if draw(st.booleans())}
        for name, values in SEVERAL.items()
    }
    return Facts(**one, **several)  # type: ignore[arg-type]


extractions = st.fixed_dictionaries({name: found(name) for name in NAMES}).map(lambda held: held.items())


def all_facts(facts: Facts) -> dict[str, Fact[Any]]:
    held: dict[str, Fact[Any]] = {}
    for one in fields(Facts):
        value = getattr(facts, one.name)
        if isinstance(value, Mapping):
            held |= {f"{one.name}.{key}": fact for key, fact in value.items()}
        elif value is not None:
            held[one.name] = value
    return held


@given(extractions)
def test_the_highest_priority_that_names_a_thing_wins_and_gaps_are_filled(found: list[tuple[str, Facts]]) -> None:
    together = all_facts(merged((PRIORITIES[name], facts) for name, facts in found))
    apart = [(PRIORITIES[name], all_facts(facts)) for name, facts in found]
    named = {key for _, facts in apart for key in facts}
    assert named - {"command"} == set(together) - {"command"}
    for key, fact in together.items():
        best = max((one for one in apart if key in one[1]), key=lambda one: one[0])
        assert fact == best[1][key]


@given(extractions)
def test_no_other_value_is_lost_and_the_heaviest_comes_first(found: list[tuple[str, Facts]]) -> None:
    together = all_facts(merged((PRIORITIES[name], facts) for name, facts in found))
    for key, fact in together.items():
        others = [all_facts(facts)[key] for _, facts in found if key in all_facts(facts)]
        assert {one.value for one in (fact, *fact.overruled)} == {one.value for one in others}
        weights = [PRIORITIES[one.extractor] for one in fact.overruled]
        assert weights == sorted(weights, reverse=True)
        assert fact.value not in [one.value for one in fact.overruled]
        assert all(one.place is not None and not one.overruled for one in fact.overruled)


@given(extractions)
def test_the_order_of_the_extractors_does_not_matter(found: list[tuple[str, Facts]]) -> None:
    told = [(PRIORITIES[name], facts) for name, facts in found]
    assert repr(merged(told)) == repr(merged(reversed(told)))


@given(extractions)
def test_what_fits_still_fits_and_what_may_be_shown_may_be_shown(found: list[tuple[str, Facts]]) -> None:
    together = fitting(merged((PRIORITIES[name], facts) for name, facts in found))
    assert fitting(together) == together
    shown, warnings = withheld(together)
    assert shown == together and warnings == ()


def fact(value: Any, extractor: str) -> Fact[Any]:
    return Fact(value, extractor, PRIORITIES[extractor])


def process(*found: tuple[str, Facts]) -> list[str | None]:
    facts = merged((PRIORITIES[name], facts) for name, facts in found)
    return [one and " ".join(one.value) for one in (facts.entrypoint, facts.command)]


IMAGE = ("dockerfile", Facts(entrypoint=fact(("init",), "dockerfile"), command=fact(("serve",), "dockerfile")))


def test_a_new_entrypoint_forgets_the_command_of_the_image() -> None:
    assert process(IMAGE, ("compose", Facts(entrypoint=fact(("other",), "compose")))) == ["other", None]


def test_a_new_command_keeps_the_entrypoint_of_the_image() -> None:
    assert process(IMAGE, ("compose", Facts(command=fact(("work",), "compose")))) == ["init", "work"]


def test_both_together_are_taken_together() -> None:
    own = Facts(entrypoint=fact(("a",), "compose"), command=fact(("b",), "compose"))
    assert process(IMAGE, ("compose", own)) == ["a", "b"]


def whole(**held: Any) -> Facts:
    return fitting(Facts(**held))


def test_a_worker_serves_nothing_whatever_its_image_exposes() -> None:
    ports, health = {80: fact(PortFact(80), "dockerfile")}, fact(HealthFact(path="/"), "dockerfile")
    for words in (
        ("celery", "-A", "x", "worker"),
        ("bundle", "exec", "sidekiq"),
        ("php", "artisan", "queue:work"),
        ("node", "worker.js"),
    ):
        facts = whole(command=fact(words, "compose"), ports=ports, health=health)
        assert (dict(facts.ports), facts.health) == ({}, None), words
    for words in (
        ("gunicorn", "-k", "uvicorn.workers.UvicornWorker"),
        ("npm", "start"),
        ("gunicorn", "--workers=2", "a"),
    ):
        facts = whole(command=fact(words, "compose"), ports=ports, health=health)
        assert (dict(facts.ports), facts.health) == (ports, health), words


def test_a_worker_whose_own_source_names_a_port_has_it() -> None:
    ports = {9540: fact(PortFact(9540), "compose"), 80: fact(PortFact(80), "dockerfile")}
    assert list(whole(command=fact(("celery", "worker"), "compose"), ports=ports).ports) == [9540]


def test_a_port_that_code_suggests_counts_where_nothing_says_one() -> None:
    suggested, said = fact(PortFact(8000), "app_code"), fact(PortFact(80), "dockerfile")
    assert list(whole(ports={8000: suggested}).ports) == [8000]
    assert list(whole(ports={80: said, 8000: suggested}).ports) == [80]


def test_what_speaks_fastcgi_is_not_asked_over_http() -> None:
    health = fact(HealthFact(path="/up"), "app_code")
    assert whole(command=fact(("php-fpm",), "dockerfile"), health=health).health is None
    assert whole(command=fact(("apache2-foreground",), "dockerfile"), health=health).health == health


SECRETS: dict[str, Facts] = {
    "a flag": Facts(command=fact(("app", "--password", "hunter2"), "compose")),
    "a flag with its value": Facts(command=fact(("app", "--api-key=hunter2"), "compose")),
    "a text for a shell": Facts(entrypoint=fact(("/bin/sh", "-c", "exec app --token 'hunter2'"), "dockerfile")),
    "a short option of a program": Facts(
        health=fact(HealthFact(command=("mysqladmin", "ping", "-phunter2")), "compose")
    ),
    "another": Facts(health=fact(HealthFact(command=("redis-cli -a hunter2 ping",)), "compose")),
    "a user with a password": Facts(health=fact(HealthFact(command=("curl", "-u", "me:hunter2", "x")), "compose")),
    "an address": Facts(health=fact(HealthFact(path="/x?next=http://me:hunter2@h/"), "compose")),
    "a variable": Facts(env={"DB_PASSWORD": fact("hunter2", "compose")}),
    "a default": Facts(env_uses={"API_KEY": fact(EnvUse(required=False, default="hunter2"), "app_code")}),
    "a place of a secret": Facts(secrets={"A": fact(SecretRef("http://me:hunter2@vault/x", "f"), "build_yaml")}),
    "a value that is known": Facts(command=fact(("app", "hunter2"), "compose")),
}


def test_a_secret_is_in_no_fact_whoever_found_it() -> None:
    for case, facts in SECRETS.items():
        known = {"hunter2"} if "known" in case else set[str]()
        shown, warnings = withheld(facts, known)
        assert "hunter2" in repr(facts) and "hunter2" not in repr(shown), case
        assert len(warnings) == 1 and "hunter2" not in str(warnings[0]), case
        assert withheld(shown, known) == (shown, ())
    hidden, _ = withheld(SECRETS["a variable"])
    assert list(hidden.secret_literals) == ["DB_PASSWORD"]


def test_what_a_shell_puts_in_itself_is_no_secret() -> None:
    for words in (
        ("mysqladmin", "ping", "-p$MYSQL_ROOT_PASSWORD"),
        ('mysqladmin ping --password="$(cat /run/secrets/db)"',),
        ("redis-cli", "-a", "$REDIS_PASSWORD", "ping"),
        ("app", "--token-file", "/run/token"),
    ):
        facts = Facts(health=fact(HealthFact(command=words), "compose"))
        assert withheld(facts) == (facts, ()), words


@pytest.mark.parametrize(
    ("command", "hidden"),
    [
        (("run", "-u", "bob:hunter2xyz"), True),
        (("run", "--url", "http://x.y/?api_key=Zk3jfj38fjf"), True),
        (("sh", "-c", "run --login bob:hunter2xyz"), True),
        (("run", "-u", "1000:1000"), False),
        (("run", "-u", "app:app"), False),
        (("run", "-u", "bob:$PASSWORD"), False),
    ],
)
def test_a_command_with_who_and_a_password_in_one_is_left_out(command: tuple[str, ...], hidden: bool) -> None:
    shown, warnings = withheld(Facts(command=fact(command, "compose")))
    assert (shown.command is None, bool(warnings)) == (hidden, hidden)


@pytest.mark.parametrize(
    ("user", "hidden"),
    [("app:hunter2pass", True), ("1000:1000", False), ("app:users", False), ("www-data:docker1", False)],
)
def test_a_user_with_a_password_for_a_group_is_left_out(user: str, hidden: bool) -> None:
    assert (withheld(Facts(user=fact(user, "compose")))[0].user is None) == hidden


def test_what_a_build_argument_holds_is_known_again_as_a_variable() -> None:
    text = "FROM x\nARG BUILD_PASSWORD=Tr0ub4dor\nENV THING=$BUILD_PASSWORD\nENV NAME=shop\n"
    (app,) = analyze(MemoryCodebase({"Dockerfile": text}, "shop")).apps
    assert app.facts.env.keys() == {"NAME"} and app.facts.secret_literals.keys() == {"THING"}
