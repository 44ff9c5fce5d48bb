"""What Nomad accepts and hands over wrong is told by names alone, and asked for no more often than it has to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desired.errors import Forbidden, Unavailable
from reconcilers.foretold import Foretelling
from reconcilers.spec import Spec

START = datetime(2026, 1, 1, tzinfo=UTC)


class Variables:
    """Names by path; an error in their place is raised."""

    def __init__(self, **keys: Sequence[str] | Exception | None) -> None:
        self.keys: dict[str, Any] = {f"nomad/jobs/{name}": found for name, found in keys.items()}
        self.asked: list[str] = []

    async def variable_keys(self, namespace: str, path: str) -> Sequence[str] | None:
        self.asked.append(f"{namespace} {path}")
        found = self.keys.get(path)
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


def spec(text: str) -> Spec:
    task = {"Name": "app", "Templates": [{"EmbeddedTmpl": text, "DestPath": "secrets/app.env", "Envvars": True}]}
    return Spec.of({"ID": "web", "TaskGroups": [{"Name": "web", "Tasks": [task]}]}, text="", format="json")


WITH = '{{ with nomadVar "nomad/jobs/web" }}PW={{ .pasword }}{{ end }}'


async def test_a_field_that_the_variable_does_not_have_is_told_with_what_was_meant() -> None:
    variables = Variables(web=("password", "user"))
    (told,) = await Foretelling(variables=variables, now=Clock()).of("prod", spec(WITH))
    assert told == (
        "web/app: nomad/jobs/web has no field pasword: the program gets an empty value, without a word; "
        "did you mean password?"
    )
    assert variables.asked == ["prod nomad/jobs/web"]


@pytest.mark.parametrize(
    "keys",
    [("pasword",), None, Forbidden("no"), Unavailable("away")],
    ids=["there", "no variable", "may not be read", "away"],
)
async def test_what_is_right_or_not_known_is_not_told(keys: Any) -> None:
    assert await Foretelling(variables=Variables(web=keys), now=Clock()).of("prod", spec(WITH)) == ()


async def test_a_job_that_reads_nothing_costs_no_request() -> None:
    variables = Variables()
    assert await Foretelling(variables=variables, now=Clock()).of("prod", spec("PORT=80")) == ()
    assert not variables.asked


async def test_what_was_right_is_asked_once_and_what_is_wrong_again_until_somebody_has_mended_it() -> None:
    clock, variables = Clock(), Variables(web=("password",))
    foretelling = Foretelling(variables=variables, now=clock)
    for _ in range(3):
        assert await foretelling.of("prod", spec(WITH))
    assert len(variables.asked) == 1
    variables.keys["nomad/jobs/web"] = ("pasword",)
    clock.now += timedelta(minutes=1)
    for _ in range(3):
        assert not await foretelling.of("prod", spec(WITH))
        clock.now += timedelta(hours=1)
    assert len(variables.asked) == 2


async def test_a_variable_that_is_not_there_yet_is_asked_for_again_at_once() -> None:
    variables = Variables(web=None)
    foretelling = Foretelling(variables=variables, now=Clock())
    assert not await foretelling.of("prod", spec(WITH))
    variables.keys["nomad/jobs/web"] = ("password",)
    assert await foretelling.of("prod", spec(WITH))
