"""What the services beside tell before people are asked: names alone, at once, and never an end because one is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from desired.conventions import Conventions
from desired.draft.drafting import Context, draft
from desired.draft.value import Draft
from desired.errors import Forbidden, OperatorError, Unavailable
from desired.facts.fact import Fact, Place
from desired.facts.facts import EnvUse, Facts, SecretRef
from nomad_operator.interview.cluster import learn
from nomad_operator.interview.knowledge import Knowledge, missing
from nomad_operator.interview.options import options_for
from nomad_operator.interview.suggestions import informed, suggestions
from observers.fabio.client import Route
from observers.vault.standing import Mount

SECRETS = {"secret/data/shop/db": ("host", "password"), "secret/data/shop/app": ("session_key",)}


class Vault:
    """A store of version 2 and an engine that is none."""

    def __init__(self, secrets: Mapping[str, tuple[str, ...]] = SECRETS, fails: OperatorError | None = None) -> None:
        self.secrets, self.fails = secrets, fails

    async def mounts(self) -> Sequence[Mount]:
        if self.fails is not None:
            raise self.fails
        return [Mount("secret", "kv", 2), Mount("pki", "pki")]

    async def paths_under(self, folder: str, *, most: int = 200) -> tuple[str, ...]:
        assert folder == "secret"
        return tuple(self.secrets)

    async def keys_of(self, path: str) -> tuple[str, ...] | None:
        return self.secrets[path]


class Consul:
    def __init__(self, *, hangs: bool = False) -> None:
        self.hangs = hangs

    async def conventions(self) -> tuple[Conventions, tuple[str, ...]]:
        if self.hangs:
            await asyncio.Event().wait()
        return Conventions(hostname_suffix=".cluster"), ("Consul key x: not JSON",)

    async def keys(self, prefix: str) -> tuple[str, ...]:
        return ("shop/", "shop/config/redis_url")

    async def services(self) -> Mapping[str, tuple[str, ...]]:
        return {"redis": (), "consul": ("urlprefix-shop.cluster/",)}


class Nomad:
    async def variable_paths(self, namespace: str) -> tuple[str, ...]:
        return ("nomad/jobs/shop",)

    async def variable_keys(self, namespace: str, path: str) -> tuple[str, ...] | None:
        return ("mail_token",)

    async def service_names(self, namespace: str) -> tuple[str, ...]:
        return ("shop-redis", "web")


async def known(**services: Any) -> Knowledge:
    asked = {"vault": None, "consul": None, "nomad": None, **services}
    return await learn(**asked, namespace="default", deadline=timedelta(milliseconds=300))


async def test_everything_is_learned_by_name() -> None:
    found = await known(vault=Vault(), consul=Consul(), nomad=Nomad())
    assert (found.vault, found.stores) == (SECRETS, {"secret"})
    assert (found.keys, found.services) == ({"shop/config/redis_url"}, ("consul", "redis"))
    assert found.variables == {"nomad/jobs/shop": ("mail_token",)}
    assert found.catalog == ("shop-redis", "web")
    assert (found.conventions.hostname_suffix, found.away) == (".cluster", ())
    assert found.notes == ("Consul key x: not JSON",)
    assert found.hosts == {"shop.cluster"}
    assert {"secret/data/shop/db#password", "shop/config/redis_url", "nomad/jobs/shop#mail_token"} <= found.confirmed


@pytest.mark.parametrize("error", [Unavailable("Vault at http://x: refused"), Forbidden("the token is no good")])
async def test_one_that_fails_is_named_and_the_others_count(error: OperatorError) -> None:
    found = await known(vault=Vault(fails=error), consul=Consul())
    assert (found.vault, found.away) == ({}, (error.message,))
    assert found.keys == {"shop/config/redis_url"}


async def test_one_that_hangs_holds_nobody_up() -> None:
    found = await known(vault=Vault(), consul=Consul(hangs=True))
    assert found.away == ("Consul has not answered within 0.3 s",)
    assert found.vault == SECRETS


class Fabio:
    async def routes(self) -> Sequence[Route]:
        return (Route("legacy", "old.cluster", "/", "http://10.0.0.1:80/", 1.0, {}),)


@pytest.mark.parametrize(
    ("path", "there"), [("nomad/jobs/shop", True), ("nomad/jobs", True), ("nomad/jobs/web", False)]
)
def test_a_variable_that_another_job_alone_may_read_is_not_suggested(path: str, there: bool) -> None:
    words = suggestions("MAIL_TOKEN", "shop", FACTS, Draft("shop"), Knowledge(variables={path: ("mail_token",)}))
    assert any(one.word == f"nomad: {path}#mail_token" for one in words) is there


async def test_a_host_that_somebody_has_is_not_suggested() -> None:
    found = await known(consul=Consul(), fabio=Fabio())
    empty = Draft("shop")
    assert [one.word for one in options_for("routes", "shop", FACTS, empty, found)] == ["shop-2.cluster", "none"]
    assert [one.word for one in options_for("routes", "old", FACTS, empty, found)] == ["old-2.cluster", "none"]
    assert [one.word for one in options_for("routes", "new", FACTS, empty, found)] == ["new.cluster", "none"]
    assert [one.word for one in options_for("routes", "new", FACTS, empty, Knowledge())] == ["none"]


async def test_what_nobody_set_is_not_asked() -> None:
    assert await known() == Knowledge()


def fact(value: Any) -> Fact[Any]:
    return Fact(value, "app_code", 0.6, Place("main.py", 4))


USED = fact(EnvUse(required=True))
FACTS = Facts(
    image_name=fact("shop"),
    secrets={
        "OLD": fact(SecretRef("secret/data/shop/gone", "x")),
        "DB_PASSWORD": fact(SecretRef("secret/data/shop/db", "pw")),
    },
    env_uses={"SESSION_KEY": USED, "MAIL_TOKEN": USED, "DB_HOST": USED},
)


async def test_what_is_there_is_suggested_before_what_its_name_alone_suggests() -> None:
    knowledge = await known(vault=Vault(), consul=Consul(), nomad=Nomad())
    found = informed(draft("shop", FACTS, Context(confirmed=knowledge.confirmed)), FACTS, knowledge)
    suggested = {question.id: question.default for question in found.questions}
    assert suggested["env.SESSION_KEY"] == "vault: secret/data/shop/app#session_key"
    assert suggested["env.DB_HOST"] == "vault: secret/data/shop/db#host"
    assert found.suggestions["env.DB_HOST"].data == {"vault": "secret/data/shop/db#host"}
    # By its name alone it would be Vault's.
    assert found.spec["env"]["MAIL_TOKEN"] == {"nomad": "nomad/jobs/shop#mail_token"}
    assert informed(found, FACTS, knowledge) == found


async def test_what_is_looked_up_and_not_there_is_told_where_that_is_known() -> None:
    knowledge = await known(vault=Vault())
    told = list(missing(draft("shop", FACTS, Context()), knowledge))
    assert told[:2] == [
        "env.OLD: Vault has no secret/data/shop/gone",
        "env.DB_PASSWORD: secret/data/shop/db has no field pw; it has host, password",
    ]
    assert list(missing(draft("shop", FACTS, Context()), await known(vault=Vault(secrets={})))) == []
