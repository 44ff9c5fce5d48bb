"""What Nomad accepts and hands over wrong is told by names alone, and asked for no more often than it has to be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desired.app import AppKey
from desired.errors import Forbidden, Unavailable
from desired.objection import Objection
from desired.reasons import Reason
from desired.secret_traps import Rule
from observers.look_up import LookUp
from observers.secret_examiner import SecretExaminer
from observers.vault.standing import Mount, Secret, Standing

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = AppKey("prod", "web")
FIELD = '{{ with nomadVar "nomad/jobs/web" }}PW={{ .pasword }}{{ end }}'
OF_VAULT = '{{ with secret "secret/data/web/db" }}PW={{ .Data.data.pasword }}{{ end }}'


class Variables:
    """Names by path; an error in their place is raised."""

    def __init__(self, web: Sequence[str] | Exception | None = None) -> None:
        self.keys: dict[str, Any] = {"nomad/jobs/web": web}
        self.asked: list[str] = []

    async def variable_keys(self, namespace: str, path: str) -> Sequence[str] | None:
        self.asked.append(f"{namespace} {path}")
        found = self.keys.get(path)
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    async def variable_paths(self, namespace: str) -> Sequence[str]:
        return [path for path, found in self.keys.items() if found is not None]


class Vault:
    """One secret; what it hangs on never ends."""

    def __init__(self, *keys: str, hangs: bool = False) -> None:
        self.keys, self.hangs, self.asked = keys, hangs, 0

    async def look(self, path: str) -> Secret:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        return Secret(path, Standing.PRESENT, mount=Mount("secret", "kv", version=2), keys=self.keys)

    async def paths_near(self, path: str) -> Sequence[str]:
        return ()


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


def body(text: str) -> dict[str, Any]:
    task = {"Name": "app", "Vault": {}, "Templates": [{"EmbeddedTmpl": text, "Envvars": True}]}
    return {"ID": "web", "TaskGroups": [{"Name": "web", "Tasks": [task]}]}


def examiner(variables: Variables, clock: Clock | None = None, vault: Vault | None = None) -> SecretExaminer:
    places = LookUp(vault=vault, variables=variables)
    return SecretExaminer(places=places, now=clock or Clock(), deadline=timedelta(milliseconds=20))


async def test_a_field_that_the_variable_does_not_have_is_refused_with_what_was_meant() -> None:
    variables = Variables(web=("password", "user"))
    found = await examiner(variables).objections(KEY, body(FIELD))
    assert found == (
        Objection(
            "field-missing",
            "web/app: nomad/jobs/web has no field pasword: the program gets an empty value, without a word",
            "did you mean password?",
            ("group", "web", "task", "app", "template", "0", "data"),
            reason=Reason.VALUE_MISSING,
        ),
    )
    assert variables.asked == ["prod nomad/jobs/web"]


async def test_a_path_that_is_not_there_is_told_and_may_be_written_any_moment() -> None:
    (told,) = await examiner(Variables()).objections(KEY, body(FIELD))
    assert told.warning and told.rule == Rule.PATH_MISSING and not told.lasting


@pytest.mark.parametrize("keys", [("pasword",), Forbidden("no")], ids=["there", "may not be read"])
async def test_what_is_right_or_not_ours_to_read_is_not_told(keys: Any) -> None:
    assert await examiner(Variables(web=keys)).objections(KEY, body(FIELD)) == ()


async def test_who_is_away_is_said_and_asked_again() -> None:
    variables = Variables(web=Unavailable("Nomad is away"))
    asked = examiner(variables)
    with pytest.raises(Unavailable, match="Nomad is away"):
        await asked.objections(KEY, body(FIELD))
    variables.keys["nomad/jobs/web"] = ("password",)
    assert await asked.objections(KEY, body(FIELD))


async def test_what_was_wrong_is_not_right_because_nobody_can_tell_any_more() -> None:
    clock, variables = Clock(), Variables(web=("password",))
    asked = examiner(variables, clock)
    told = await asked.objections(KEY, body(FIELD))
    variables.keys["nomad/jobs/web"] = Unavailable("away")
    clock.now += timedelta(minutes=5)
    assert told and await asked.objections(KEY, body(FIELD)) == told


async def test_what_is_wrong_for_sure_is_told_while_another_is_away() -> None:
    variables = Variables(web=Unavailable("away"))
    (told,) = await examiner(variables, vault=Vault("password")).objections(KEY, body(FIELD + OF_VAULT))
    assert "secret/data/web/db has no field pasword" in told.message


async def test_a_service_that_hangs_holds_nobody_up_for_long() -> None:
    clock, vault = Clock(), Vault(hangs=True)
    asked = examiner(Variables(), clock, vault)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await asked.objections(KEY, body(OF_VAULT))
    assert vault.asked == 1
    clock.now += timedelta(seconds=30)
    vault.hangs, vault.keys = False, ("password",)
    assert await asked.objections(KEY, body(OF_VAULT))


async def test_a_job_that_reads_nothing_costs_no_request() -> None:
    variables = Variables()
    assert await examiner(variables).objections(KEY, body("PORT=80")) == ()
    assert not variables.asked


async def test_what_was_right_is_asked_once_and_what_is_wrong_again_until_somebody_has_mended_it() -> None:
    clock, variables = Clock(), Variables(web=("password",))
    asked = examiner(variables, clock)
    for _ in range(3):
        assert await asked.objections(KEY, body(FIELD))
    assert len(variables.asked) == 1
    variables.keys["nomad/jobs/web"] = ("pasword",)
    clock.now += timedelta(minutes=1)
    for _ in range(3):
        assert not await asked.objections(KEY, body(FIELD))
        clock.now += timedelta(hours=1)
    assert len(variables.asked) == 2


async def test_without_anybody_to_ask_the_job_itself_is_judged() -> None:
    asked = SecretExaminer(places=None, now=Clock())
    task = {"Name": "app", "Env": {"A": "${secret.db.pw}"}}
    (told,) = await asked.objections(KEY, {"TaskGroups": [{"Name": "web", "Tasks": [task]}]})
    assert told.rule == Rule.SECRET_UNKNOWN and not told.warning and told.lasting
