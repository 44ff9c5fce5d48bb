"""Whatever code says, the manifest that is made of it is one that the operator takes, and what is left out is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desired.draft.drafting import Context, draft
from desired.draft.manifest_text import manifest_text
from desired.draft.settled import settled
from desired.facts.fact import Fact, Place
from desired.facts.facts import EnvUse, Facts, HealthFact, PortFact, SecretRef, VolumeFact, WorkKind
from desired.manifest_file import read_manifests
from desired.policy import Policy

TEXT = st.text(max_size=12) | st.sampled_from(
    ["a", "shop", "redis", "/x", "0", "*/5 * * * *", "@daily", "a b", "${x}", "{{x}}", "redis:6379", "x" * 100]
)
NAMES = (
    "A",
    "DB_PASSWORD",
    "PORT",
    "my-var",
    "a.b",
    "1X",
    "REDIS_URL",
    "AWS_SECRET_KEY",
    "CACHE_HOST",
    "X_PORT",
)
NAME = st.sampled_from(NAMES) | st.text(min_size=1, max_size=6)
TIMES = st.none() | st.timedeltas(timedelta(0), timedelta(hours=1))
SIZE = st.integers(1, 9000)


def found(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    confidence = st.sampled_from([0.4, 0.6, 0.95])
    return st.builds(Fact, value, st.sampled_from(["compose", "dockerfile"]), confidence, st.just(Place("f", 1)))


def maybe(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | found(value)


def several(names: st.SearchStrategy[str], value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(names, found(value), max_size=3)


def port(number: int) -> st.SearchStrategy[Any]:
    return found(
        st.builds(PortFact, st.just(number), st.none() | st.integers(1, 65535), st.sampled_from(["tcp", "udp"]))
    )


PORTS = st.lists(st.integers(1, 65535), max_size=4, unique=True).flatmap(
    lambda numbers: st.fixed_dictionaries({number: port(number) for number in numbers})
)
WORDS = st.lists(TEXT, max_size=3).map(tuple)
FACTS = st.builds(
    Facts,
    image_name=maybe(st.sampled_from(["shop", "a/b"])),
    registry=maybe(st.sampled_from(["r:5000", "registry.example.org/"])),
    image_tag=maybe(st.sampled_from(["1", "sha256:" + "a" * 64])),
    entrypoint=maybe(WORDS),
    command=maybe(WORDS),
    user=maybe(TEXT),
    kind=maybe(st.sampled_from(list(WorkKind))),
    schedule=maybe(TEXT),
    count=maybe(st.integers(0, 5)),
    cpu=maybe(SIZE),
    memory=maybe(SIZE),
    memory_max=maybe(SIZE),
    disk=maybe(SIZE),
    gpu=maybe(st.integers(0, 2)),
    health=maybe(
        st.builds(HealthFact, st.none() | TEXT, st.just(()), st.none() | st.integers(1, 65535), TIMES, TIMES, TIMES)
    ),
    ports=PORTS,
    env=several(NAME, TEXT),
    env_uses=several(NAME, st.builds(EnvUse, st.booleans(), st.none() | TEXT)),
    secrets=several(NAME, st.builds(SecretRef, st.just("secret/data/a"), st.sampled_from(["k", "a-b"]))),
    secret_literals=several(NAME, st.just("")),
    volumes=several(st.sampled_from(["/data", "/a b"]), st.builds(VolumeFact, st.just("/data"), TEXT, st.booleans())),
    depends_on=several(st.sampled_from(["redis", "db"]), st.just("redis")),
)


@settings(max_examples=100, deadline=None)
@given(FACTS)
def test_whatever_code_says_the_manifest_is_taken(facts: Facts) -> None:
    made = draft("shop", facts, Context(siblings={"redis": "redis"}))
    for one in (made, settled(made)):
        # An image that nobody names is the one question without which there is no job.
        text = manifest_text(one).replace("\nspec: {}", "\nspec:", 1)
        text = text.replace("\nspec:", "\nspec:\n  source: {path: .}", 1)
        file = read_manifests(text, "shop.yaml", defaults=Policy(), namespace="default")
        problems = [each for unreadable in file.unreadable for each in unreadable.problems if each.question is None]
        assert problems == [], text


def fact(value: Any) -> Fact[Any]:
    return Fact(value, "compose", 0.7, Place("compose.yaml", 3))


def test_what_no_manifest_takes_is_left_out_alone_and_told() -> None:
    facts = Facts(
        image_name=fact("shop"),
        ports={8080: fact(PortFact(8080))},
        health=fact(HealthFact(path="no path")),
        env={"MODE": fact("prod"), "DB_PASSWORD": fact("correct-horse-battery")},
    )
    made = draft("shop", facts, Context())
    assert made.spec == {"image": "shop", "ports": {"http": {"to": 8080}}, "env": {"MODE": {"fixed": "prod"}}}
    told = " ".join(made.notes)
    assert "compose: compose.yaml:3: check was left out" in told
    assert "env.DB_PASSWORD was left out" in told
    assert "horse" not in told


def test_what_people_say_is_never_left_out() -> None:
    made = draft("shop", Facts(image_name=fact("shop")), Context(), {"routes": [{"host": "a.cluster"}]})
    assert made.spec["routes"] == [{"host": "a.cluster"}]
