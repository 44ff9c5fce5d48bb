"""That an image is not there is believed only of a registry that shows what it has; all else is unknown."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from desired.app import AppKey
from desired.reasons import Reason
from observers.image_examiner import ImageExaminer
from observers.images import ImageRegistries, ImageStanding
from observers.registry_credentials import RegistryCredentials
from tests.unit.observers.fake_registry import FakeRegistry

PASSWORD = "Hunter2Geheim"
KEY = AppKey("default", "web")


@asynccontextmanager
async def asking(registry: FakeRegistry, **settings: Any) -> AsyncIterator[ImageRegistries]:
    registries = ImageRegistries(transport=httpx.MockTransport(registry.answer), **settings)
    yield registries
    await registries.aclose()


def holding(**settings: Any) -> FakeRegistry:
    registry = FakeRegistry(**settings)
    for tag in ("1.4.1", "1.4.2", "stable"):
        registry.image("team/app", tag=tag)
    return registry


@pytest.mark.parametrize(
    ("image", "standing"),
    [
        ("registry.example/team/app:1.4.2", ImageStanding(there=True)),
        ("registry.example/team/app:stabel", ImageStanding(there=False, near=("stable",))),
        ("registry.example/team/app:1.4.3", ImageStanding(there=False, near=("1.4.2", "1.4.1"))),
        (f"registry.example/team/app@sha256:{'0a' * 32}", ImageStanding(there=False)),
        ("registry.example/team/ap:1", ImageStanding()),
        ("registry.example/team/app:${TAG}", ImageStanding()),
    ],
)
async def test_a_tag_or_digest_is_there_or_not(image: str, standing: ImageStanding) -> None:
    async with asking(holding()) as registries:
        assert await registries.standing(image) == standing


async def test_a_registry_that_shows_no_tags_may_hide_the_image_as_well() -> None:
    async with asking(holding(hides_tags=True)) as registries:
        assert await registries.standing("registry.example/team/app:2") == ImageStanding()


@pytest.mark.parametrize(
    "answer", [httpx.Response(500), httpx.Response(403), httpx.Response(405), httpx.ConnectError("x")]
)
async def test_who_cannot_be_asked_says_nothing(answer: httpx.Response | Exception) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    registries = ImageRegistries(transport=httpx.MockTransport(broken))
    assert await registries.standing("registry.example/team/app:2") == ImageStanding()
    await registries.aclose()


async def test_what_was_not_there_is_not_there_because_its_registry_is_away() -> None:
    now, registry, away = [0.0], holding(), [False]

    def answer(request: httpx.Request) -> httpx.Response:
        if away[0]:
            raise httpx.ConnectError("x")
        return registry.answer(request)

    registries = ImageRegistries(transport=httpx.MockTransport(answer), clock=lambda: now[0])
    image = "registry.example/team/app:1.5"
    assert (await registries.standing(image)).there is False
    away[0], now[0] = True, 60.0
    assert (await registries.standing(image)).there is False
    assert (await registries.standing("registry.example/team/app:1.6")).there is None
    away[0], now[0] = False, 400.0
    registry.image("team/app", tag="1.5")
    assert (await registries.standing(image)).there is True
    await registries.aclose()


def logged_in(folder: Path, registry: str = "registry.example") -> tuple[RegistryCredentials, str]:
    told = base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry: {"auth": told}}}))
    return RegistryCredentials(folder=folder), f"Basic {told}"


async def test_what_is_private_is_seen_with_what_docker_login_has_written(tmp_path: Path) -> None:
    credentials, basic = logged_in(tmp_path)
    registry = holding(token="t0k", user=basic)
    async with asking(registry) as registries:
        assert await registries.standing("registry.example/team/app:2") == ImageStanding()
    async with asking(registry, credentials=credentials) as registries:
        assert (await registries.standing("registry.example/team/app:2")).there is False
        assert (await registries.standing("registry.example/team/app:1.4.2")).there is True


async def test_a_password_leaves_for_its_own_registry_alone(tmp_path: Path) -> None:
    credentials, basic = logged_in(tmp_path, "other.example")
    registry = holding(token="t0k", user=basic)
    async with asking(registry, credentials=credentials) as registries:
        assert await registries.standing("registry.example/team/app:2") == ImageStanding()
    assert basic not in [given for _, given in registry.authorized]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"auths": 3}', '{"auths": {"registry.example": {"auth": "%%"}}}',
             '{"auths": {"registry.example": {}}, "credsStore": "desktop"}'],
)  # fmt: skip
def test_a_file_of_any_shape_is_no_credentials(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    assert RegistryCredentials(folder=tmp_path).of("registry.example") is None
    assert RegistryCredentials(folder=tmp_path / "nowhere").of("registry.example") is None


@pytest.mark.parametrize("name", ["registry.example", "https://registry.example", "https://registry.example/"])
def test_a_registry_is_known_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    found = logged_in(tmp_path, name)[0].of("registry.example")
    assert found is not None and found.password == PASSWORD and PASSWORD not in repr(found)
    hub = logged_in(tmp_path, "https://index.docker.io/v1/")[0]
    assert hub.of("registry-1.docker.io") is not None and hub.of("registry.example") is None


class Lost:
    """A registry that has nothing."""

    async def standing(self, image: str) -> ImageStanding:
        return ImageStanding(there=False, near=("1.4.2",))


def job(image: str, driver: str = "docker", **config: Any) -> dict[str, Any]:
    task = {"Name": "main", "Driver": driver, "Config": {"image": image, **config}}
    return {"ID": "web", "TaskGroups": [{"Name": "web", "Tasks": [task]}]}


HOSTED = "registry.example/team/app:1"


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        (job(HOSTED), [False]),
        (job(HOSTED, driver="podman"), [False]),
        (job(HOSTED, driver="exec"), []),
        # Docker runs what was loaded on the node, and people load what has no registry's name.
        (job("app:1"), [True]),
        (job("team/app:1"), [True]),
        (job("app:1", force_pull=True), [False]),
        (job("app"), [False]),
        (job("registry.example/app:${TAG}"), []),
    ],
)
async def test_what_no_node_could_have_is_refused(body: dict[str, Any], warnings: list[bool]) -> None:
    found = await ImageExaminer(registries=Lost(), ran_with=lambda key: ()).objections(KEY, body)
    assert [one.warning for one in found] == warnings
    for one in found:
        assert one.reason is Reason.IMAGE_MISSING and "1.4.2" in one.fix and one.at[-1] == "image"


async def test_what_the_app_has_run_with_is_only_told_when_a_registry_has_lost_it() -> None:
    (told,) = await ImageExaminer(registries=Lost(), ran_with=lambda key: {HOSTED}).objections(KEY, job(HOSTED))
    assert told.warning
