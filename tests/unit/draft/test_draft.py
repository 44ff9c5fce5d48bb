"""From facts to a manifest: what is taken, what is asked, and that the text says what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from desired.conventions import Conventions
from desired.draft.answers import read_answer
from desired.draft.drafting import Context, draft
from desired.draft.manifest_text import manifest_text
from desired.draft.port_label import port_labels
from desired.draft.settled import settled
from desired.draft.value import Draft, Value
from desired.draft.vault_role import with_role
from desired.errors import UsageError
from desired.facts.fact import Fact, Place
from desired.facts.facts import (
    ConstraintFact,
    EnvUse,
    Facts,
    HealthFact,
    PortFact,
    SecretRef,
    VolumeFact,
    WorkKind,
)
from desired.manifest_file import read_manifests
from desired.policy import Policy
from desired.question import Question

BARE = Context(Conventions())


def fact(value: Any, extractor: str = "compose", confidence: float = 0.7, line: int = 3) -> Fact[Any]:
    return Fact(value, extractor, confidence, Place("compose.yaml", line))


IMAGE = {"image_name": fact("shop"), "registry": fact("registry.example.org"), "image_tag": fact("1.2")}
WHOLE = Facts(
    **IMAGE,
    command=fact(("serve", "--all")),
    ports={8080: fact(PortFact(8080, static=80)), 9090: fact(PortFact(9090))},
    health=fact(HealthFact(path="/healthz", port=8080, interval=timedelta(seconds=15))),
    env={"LOG_LEVEL": fact("info"), "PATH_OF_IMAGE": fact("/x", "dockerfile")},
    secrets={"DB_PASSWORD": fact(SecretRef("secret/data/shop/db", "password"), "build_yaml", 0.95)},
    env_uses={"API_TOKEN": fact(EnvUse(required=True)), "THREADS": fact(EnvUse(required=False, default="4"))},
    memory=fact(512, confidence=0.4),
    gpu=fact(1),
    constraints={
        ConstraintFact("${attr.kernel.name}", "=", "linux"): fact(ConstraintFact("${attr.kernel.name}", "=", "linux"))
    },
    depends_on={"postgres": fact("postgres")},
)


def spec(facts: Facts, answers: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return draft("shop", facts, BARE, answers).spec


def asked(facts: Facts, answers: Mapping[str, Any] | None = None) -> dict[str, str]:
    return {question.id: question.default for question in draft("shop", facts, BARE, answers).questions}


def test_everything_found_stands_in_the_manifest_in_its_terms() -> None:
    found = draft("shop", WHOLE, BARE)
    assert found.questions == ()
    assert found.spec == {
        "image": "registry.example.org/shop:1.2",
        "command": "serve",
        "args": ["--all"],
        "ports": {"http": {"to": 8080}, "metrics": {"to": 9090}},
        "check": {"path": "/healthz", "interval": "15s"},
        "env": {
            "DB_PASSWORD": {"vault": "secret/data/shop/db#password"},
            "LOG_LEVEL": {"fixed": "info"},
            "API_TOKEN": {"vault": "secret/data/shop/api#token"},
        },
        "resources": {"memory": 512},
        "dependsOn": ["postgres"],
        "job": {
            "group": {"app": {"task": {"app": {"resources": {"device": {"nvidia/gpu": {"count": 1}}}}}}},
            "constraint": [{"attribute": "${attr.kernel.name}", "operator": "=", "value": "linux"}],
        },
    }


def test_the_manifest_is_one_that_the_operator_takes_and_every_line_has_its_source() -> None:
    text = manifest_text(draft("shop", WHOLE, BARE), namespace="default")
    file = read_manifests(text, "shop.yaml", defaults=Policy(), namespace="default")
    assert file.unreadable == ()
    (made,) = file.manifests
    assert made.source is not None
    assert "image" in made.source.text
    inside = [line for line in text.split("\n") if line.startswith("  ") and line.rstrip()[-1] != ":"]
    assert all("  # " in line for line in inside if not line.startswith("  name"))
    assert text == manifest_text(draft("shop", WHOLE, BARE), namespace="default")


def test_without_an_image_the_first_question_is_which() -> None:
    questions = draft("shop", Facts(env_uses={"X": fact(EnvUse(required=True))}), BARE).questions
    assert [question.id for question in questions] == ["image", "env.X"]


@pytest.mark.parametrize(
    ("name", "use", "default"),
    [
        ("LOG_LEVEL", EnvUse(required=True), ""),
        ("REDIS_URL", EnvUse(required=True), "consul: shop/config/redis_url"),
        ("STRIPE_KEY", EnvUse(required=True), "vault: secret/data/shop/stripe#key"),
    ],
)
def test_a_variable_that_nobody_is_sure_of_is_asked_about(name: str, use: EnvUse, default: str) -> None:
    assert asked(Facts(**IMAGE, env_uses={name: fact(use)})) == {f"env.{name}": default}


@pytest.mark.parametrize("use", [EnvUse(required=False), EnvUse(required=False, default="4")])
def test_what_the_code_does_without_is_left_to_the_code(use: EnvUse) -> None:
    facts = Facts(**IMAGE, env_uses={"THREADS": fact(use), "REDIS_URL": fact(use)})
    assert asked(facts) == {}
    assert "env" not in spec(facts)


def test_a_secret_with_a_default_in_the_code_is_no_secret_and_is_looked_up() -> None:
    facts = Facts(**IMAGE, env_uses={"ADMIN_PASSWORD": fact(EnvUse(required=False, default=""))})
    assert spec(facts)["env"] == {"ADMIN_PASSWORD": {"vault": "secret/data/shop/admin#password"}}


def test_a_literal_that_looked_like_a_secret_is_looked_up_and_told() -> None:
    facts = Facts(**IMAGE, secret_literals={"DB_PASSWORD": fact("DB_PASSWORD")})
    found = draft("shop", facts, BARE)
    assert found.spec["env"] == {"DB_PASSWORD": {"vault": "secret/data/shop/db#password"}}
    assert "compose.yaml:3 holds a secret in DB_PASSWORD" in " ".join(found.notes)


def test_what_was_seen_to_be_there_is_sure() -> None:
    facts = Facts(**IMAGE, env_uses={"REDIS_URL": fact(EnvUse(required=True))})
    found = draft("shop", facts, Context(Conventions(), frozenset({"shop/config/redis_url"})))
    assert found.questions == ()
    assert found.spec["env"] == {"REDIS_URL": {"consul": "shop/config/redis_url"}}


def test_an_answer_wins_over_everything_and_may_say_none() -> None:
    facts = Facts(
        **IMAGE,
        env={"MODE": fact("dev")},
        env_uses={"API_URL": fact(EnvUse(required=True))},
        volumes={"/data": fact(VolumeFact("/data", "data"))},
    )
    answers = {
        "image": "other:2",
        "env.MODE": {"fixed": "prod"},
        "env.API_URL": None,
        "volumes./data": {"csi": "pg", "mount": "/data"},
        "count": 2,
    }
    found = draft("shop", facts, BARE, answers)
    assert found.questions == ()
    assert found.spec == {
        "image": "other:2",
        "count": 2,
        "env": {"MODE": {"fixed": "prod"}},
        "volumes": [{"csi": "pg", "mount": "/data"}],
    }
    assert {value.source for value in found.values} == {"answer"}


SIBLINGS = {"redis": "redis", "postgres": "postgres", "kafka": "kafka", "kafka-2": "kafka-2", "my_db": "shop-db"}


@pytest.mark.parametrize(
    ("name", "text", "data"),
    [
        ("REDIS_URL", "redis://redis:6379/0", {"service": "redis://{redis}/0"}),
        ("REDIS_HOST", "redis", {"service": "{redis.host}"}),
        ("BROKERS", "kafka:9092,kafka-2:9092", {"service": "{kafka},{kafka-2}"}),
        ("DB", "postgres://app@postgres/app", {"service": "postgres://app@{postgres}/app"}),
        ("DSN", "mysql://my_db:3306/x", {"service": "mysql://{shop-db}/x"}),
        ("DB_ENGINE", "postgres", {"fixed": "postgres"}),
        ("TITLE", "redis and postgres", {"fixed": "redis and postgres"}),
        ("HOSTS", "my-redis:6379", {"fixed": "my-redis:6379"}),
        ("TEMPLATE", "{redis}", {"fixed": "{redis}"}),
        ("MODE", "prod", {"fixed": "prod"}),
    ],
)
def test_what_a_compose_file_calls_by_name_is_asked_of_the_catalog(name: str, text: str, data: Any) -> None:
    found = draft("shop", Facts(**IMAGE, env={name: fact(text)}), Context(siblings=SIBLINGS))
    assert found.spec["env"] == {name: data}


def test_the_port_beside_a_siblings_host_is_the_siblings() -> None:
    env = {"DB_HOST": fact("postgres"), "DB_PORT": fact("5432"), "APP_PORT": fact("80")}
    found = draft("shop", Facts(**IMAGE, env=env), Context(siblings=SIBLINGS)).spec["env"]
    assert found["DB_PORT"] == {"service": "{postgres.port}"}
    assert found["APP_PORT"] == {"fixed": "80"}


def test_work_by_a_schedule_is_a_periodic_batch_job() -> None:
    found = spec(Facts(**IMAGE, kind=fact(WorkKind.PERIODIC), schedule=fact("0 3 * * *")))
    assert found["type"] == "batch"
    assert found["job"]["periodic"] == {"crons": ["0 3 * * *"], "prohibit_overlap": True}


def test_a_check_on_another_port_names_it_and_one_by_command_is_told() -> None:
    ports = {8080: fact(PortFact(8080)), 9090: fact(PortFact(9090))}
    on_metrics = spec(Facts(**IMAGE, ports=ports, health=fact(HealthFact(path="/metrics", port=9090))))
    assert on_metrics["check"] == {"path": "/metrics"}
    assert next(iter(on_metrics["ports"])) == "metrics"
    by_command = draft("shop", Facts(**IMAGE, ports=ports, health=fact(HealthFact(command=("pg_isready",)))), BARE)
    assert "check" not in by_command.spec
    assert any("command" in note for note in by_command.notes)


@pytest.mark.parametrize(
    ("ports", "main", "labels"),
    [
        ([8080], 8080, ["http"]),
        ([5432], 5432, ["postgres"]),
        ([3000, 9090], 3000, ["http", "metrics"]),
        ([9090, 9100], None, ["metrics", "metrics-9100"]),
        ([4000, 4001], None, ["http", "port-4001"]),
    ],
)
def test_ports_are_called_as_people_call_them(ports: list[int], main: int | None, labels: list[str]) -> None:
    assert list(port_labels(ports, main).values()) == labels


@pytest.mark.parametrize(
    ("at", "text", "data"),
    [
        ("image", " shop:1 ", "shop:1"),
        ("count", "3", 3),
        ("env.X", "vault: secret/data/a#b", {"vault": "secret/data/a#b"}),
        ("env.X", "fixed: a: b", {"fixed": "a: b"}),
        ("env.X", "None", None),
        ("volumes./var/lib", "host: data", {"host": "data", "mount": "/var/lib"}),
        ("ports", "8080", {"http": {"to": 8080}}),
        ("ports", "http=80, metrics=9090", {"http": {"to": 80}, "metrics": {"to": 9090}}),
        ("routes", "a.cluster, b.cluster/x", [{"host": "a.cluster"}, {"host": "b.cluster", "path": "/x"}]),
    ],
)
def test_an_answer_is_read_as_a_person_writes_it(at: str, text: str, data: Any) -> None:
    assert read_answer(at, text) == data


@pytest.mark.parametrize(
    ("at", "text"), [("env.X", "hello"), ("env.X", "vault:"), ("count", "two"), ("image", ""), ("routes", "/x")]
)
def test_an_answer_that_says_nothing_is_refused_with_what_would(at: str, text: str) -> None:
    with pytest.raises(UsageError) as error:
        read_answer(at, text)
    assert at in error.value.message
    assert error.value.hint


@given(
    name=st.text(min_size=1, max_size=20),
    data=st.recursive(
        st.text(max_size=30) | st.integers() | st.booleans(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
    source=st.text(max_size=30),
    note=st.text(max_size=60),
)
def test_whatever_a_codebase_says_stays_in_its_place(name: str, data: Any, source: str, note: str) -> None:
    """Values come from files that anybody wrote: none breaks out of its line, and YAML reads back what was meant."""
    made = Draft(name, (Value(("env", "X"), data, source, 1.0, note),), (Question("q", note, (note,), note),), (note,))
    read = yaml.safe_load(manifest_text(made))
    assert read["spec"]["env"]["X"] == data
    assert read["metadata"]["name"] == name
    assert set(read) == {"apiVersion", "kind", "metadata", "spec"}


def test_policies_of_vault_are_a_question_for_a_role() -> None:
    """Nomad takes no policies any more; the default of the question is that Nomad's own default counts."""
    facts = Facts(**IMAGE, vault_policies=fact(("read-shop", "read-all")))
    asking = with_role(draft("shop", facts, BARE), facts, {})
    (question,) = asking.questions
    assert (question.id, question.default) == ("vault.role", "none")
    assert "read-shop, read-all" in question.text
    assert settled(asking).questions == ()
    answered = with_role(draft("shop", facts, BARE), facts, {"vault.role": "shop"})
    assert answered.questions == ()
    assert answered.spec["job"]["group"]["app"]["task"]["app"]["vault"] == {"role": "shop"}
    assert with_role(draft("shop", facts, BARE), facts, {"vault.role": None}).spec == {"image": asking.spec["image"]}


def test_what_was_said_in_words_gives_way_to_answers_alone() -> None:
    facts = Facts(**IMAGE, ports={8080: fact(PortFact(8080)), 9090: fact(PortFact(9090))}, count=fact(1))
    found = draft("shop", facts, BARE, {"count": 3}, prompted={"count": 2, "ports": {"http": {"to": 9000}}})
    assert (found.spec["count"], found.spec["ports"]) == (3, {"http": {"to": 9000}})
    assert {value.id: value.source for value in found.values if value.id != "image"} == {
        "count": "answer",
        "ports.http": "prompt",
    }


def test_without_ports_there_is_nothing_to_check() -> None:
    facts = Facts(**IMAGE, ports={8080: fact(PortFact(8080))}, health=fact(HealthFact(path="/x", port=8080)))
    assert "check" in spec(facts)
    assert spec(facts, {"ports": None}) == {"image": "registry.example.org/shop:1.2"}
    assert spec(facts, {"ports": {"web": {"to": 1}}})["check"] == {"path": "/x"}
