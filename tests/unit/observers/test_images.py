"""What an image says of itself is read from its registry; whatever goes wrong is "not known"."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from observers.evidence import ImageFacts
from observers.image_reference import ImageReference, reference
from observers.images import ImageRegistries
from tests.unit.observers.fake_registry import CONFIG, MANIFEST, FakeRegistry, digest
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

PINNED = "sha256:" + "0a" * 32


@asynccontextmanager
async def asking(answer: Callable[[httpx.Request], httpx.Response], **settings: Any) -> AsyncIterator[ImageRegistries]:
    registries = ImageRegistries(transport=httpx.MockTransport(answer), **settings)
    yield registries
    await registries.aclose()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", ("registry-1.docker.io", "library/nginx", "latest")),
        ("team/app:1.0", ("registry-1.docker.io", "team/app", "1.0")),
        ("docker.io/nginx:1", ("registry-1.docker.io", "library/nginx", "1")),
        ("https://ghcr.io/a/b/c:x_1.2-y", ("ghcr.io", "a/b/c", "x_1.2-y")),
        ("registry.cluster:5000/app", ("registry.cluster:5000", "app", "latest")),
        ("localhost/app:1", ("localhost", "app", "1")),
        ("[::1]:5000/app", ("[::1]:5000", "app", "latest")),
        (f"reg.io/app:1@{PINNED}", ("reg.io", "app", PINNED)),
        ("${var.image}:1", None), ("Nginx", None), ("", None), ("a b", None), ("reg.io/../x", None),
        ("reg.io/app:", None), ("reg.io/app@sha256:12", None), ("a" * 600, None), ("reg.io/app?x=1", None),
    ],
)  # fmt: skip
def test_a_reference_is_read_as_docker_reads_it(image: str, expected: tuple[str, str, str] | None) -> None:
    assert reference(image) == (expected and ImageReference(*expected))


@pytest.mark.parametrize(
    ("registry", "loopback"),
    [("localhost:5000", True), ("127.0.0.1:5000", True), ("[::1]:5000", True), ("127.9.9.9", True),
     ("localhost.example", False), ("10.0.0.1:5000", False), ("registry", False)],
)  # fmt: skip
def test_only_the_loopback_is_asked_without_tls_by_itself(registry: str, loopback: bool) -> None:
    assert ImageReference(registry, "app", "1").loopback is loopback


async def test_the_facts_of_an_image_are_those_of_its_configuration() -> None:
    registry = FakeRegistry()
    registry.image("team/app")
    async with asking(registry.answer) as registries:
        assert await registries.facts("registry.example/team/app") == ImageFacts(
            image="registry.example/team/app",
            ports=(8080, 9100),
            entrypoint=("/entry.sh",),
            command=("serve", "--now"),
            working_dir="/srv",
            user="app",
            platform="linux/amd64",
        )


async def test_of_many_platforms_the_nodes_own_is_read_and_none_is_guessed() -> None:
    registry = FakeRegistry()
    arm = registry.image("app", {**CONFIG, "architecture": "arm64"}, tag="arm")
    amd = registry.image("app", CONFIG, tag="amd")
    registry.index("app", ("unknown/unknown", PINNED), ("linux/arm64", arm), ("linux/amd64", amd), tag="both")
    registry.index("app", ("unknown/unknown", PINNED), ("linux/arm64", arm), tag="one")
    async with asking(registry.answer) as registries:
        for tag, platform, expected in (
            ("both", "linux/arm64", "linux/arm64"), ("both", "linux/amd64", "linux/amd64"),
            ("both", "linux/riscv64", None), ("one", "linux/amd64", "linux/arm64"),
        ):  # fmt: skip
            found = await registries.facts(f"registry.example/app:{tag}", platform=platform)
            assert (found and found.platform) == expected


async def test_a_registry_that_wants_a_token_gets_one_for_reading_this_repository_alone() -> None:
    registry = FakeRegistry(host="registry-1.docker.io", token="t0ken", blobs_at="https://cdn.example/data")
    registry.image("library/nginx")
    async with asking(registry.answer) as registries:
        found = await registries.facts("nginx")
    assert found is not None and found.ports == (8080, 9100)
    assert registry.scopes == ["repository:library/nginx:pull"]
    assert {host for host, _ in registry.authorized} == {"registry-1.docker.io"}


async def test_five_requests_are_the_most() -> None:
    registry = FakeRegistry(token="t0ken")
    registry.index("app", ("linux/amd64", registry.image("app", tag="amd")))
    async with asking(registry.answer) as registries:
        assert await registries.facts("registry.example/app") is not None
    assert len(registry.asked) == 5


async def test_a_registry_on_the_loopback_is_asked_over_a_real_socket() -> None:
    registry = FakeRegistry(token="t0ken")

    def answer(stub: Stub, exchange: Exchange) -> None:
        asked = exchange.asked
        url = f"http://{registry.host}{asked.path}"
        found = registry.answer(httpx.Request(asked.method, url, headers=asked.headers))
        headers = {name.replace("-", "_"): value for name, value in found.headers.items() if name != "content-length"}
        exchange.say(found.status_code, found.content, **{name.title(): value for name, value in headers.items()})

    with serve(answer) as stub:
        registry.host = stub.address.removeprefix("http://")
        registry.realm = f"{stub.address}/token"
        registry.image("app", tag="1")
        registries = ImageRegistries()
        found = await registries.facts(f"{registry.host}/app:1")
        assert await registries.facts(f"{registry.host}/app:2") is None
        await registries.aclose()
    assert found is not None and found.entrypoint == ("/entry.sh",)


def forged_blob(registry: FakeRegistry) -> None:
    registry.blobs = dict.fromkeys(registry.blobs, b'{"config": {"Cmd": ["evil"]}}')


def huge_blob(registry: FakeRegistry) -> None:
    raw = json.dumps({"x": "y" * (5 * 1024 * 1024)}).encode()
    registry.blobs[digest(raw)] = raw
    registry.manifest("app", "latest", MANIFEST, {"config": {"digest": digest(raw)}})


def path_for_a_digest(registry: FakeRegistry) -> None:
    registry.manifest("app", "latest", MANIFEST, {"config": {"digest": "../../../secret"}})


def no_config(registry: FakeRegistry) -> None:
    registry.manifest("app", "latest", MANIFEST, {"config": ["x"]})


def no_json(registry: FakeRegistry) -> None:
    registry.manifests["app:latest"] = (MANIFEST, b"<html>")


def realm_without_tls(registry: FakeRegistry) -> None:
    registry.token, registry.realm = "t0ken", "http://169.254.169.254/token"


def blobs_without_tls(registry: FakeRegistry) -> None:
    registry.blobs_at = "http://169.254.169.254/latest"


@pytest.mark.parametrize(
    "breaks",
    [forged_blob, huge_blob, path_for_a_digest, no_config, no_json, realm_without_tls, blobs_without_tls],
)
async def test_what_does_not_hold_is_not_known(breaks: Callable[[FakeRegistry], None]) -> None:
    registry = FakeRegistry()
    registry.image("app")
    breaks(registry)
    async with asking(registry.answer) as registries:
        assert await registries.facts("registry.example/app") is None
    assert not any("169.254" in one for one in registry.asked)
    assert all("/v2/app/" in one for one in registry.asked), "led elsewhere"


async def test_what_is_asked_again_is_not_read_again_while_it_lasts() -> None:
    registry, time = FakeRegistry(), [0.0]
    pinned = registry.image("app")
    async with asking(registry.answer, clock=lambda: time[0]) as registries:
        for image, later in ((f"app@{pinned}", False), ("app:latest", True), ("app:gone", True)):
            for seconds, expected in ((0, True), (500, False), (200, later)):
                time[0] += seconds
                before = len(registry.asked)
                await registries.facts(f"registry.example/{image}")
                assert (len(registry.asked) > before) is expected, (image, seconds)


@pytest.mark.parametrize("how", ["no way there", "not now", "too slow"])
async def test_a_registry_that_is_away_is_left_alone_for_a_while(how: str) -> None:
    registry, time, asked = FakeRegistry(), [0.0], list[str]()
    registry.image("app")

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.host == "registry.example" and time[0] < 100:
            if how == "no way there":
                raise httpx.ConnectError("no route to host", request=request)
            if how == "too slow":
                raise httpx.ReadTimeout("too slow", request=request)
            return httpx.Response(503)
        return registry.answer(request)

    async with asking(answer, clock=lambda: time[0], deadline=timedelta(seconds=1)) as registries:
        assert await registries.facts("registry.example/app") is None
        assert await registries.facts("registry.example/app:other") is None
        assert asked == ["registry.example"]
        time[0] = 400
        assert await registries.facts("registry.example/app") is not None


async def test_a_registry_that_drips_is_waited_for_no_longer_than_the_deadline() -> None:
    def answer(stub: Stub, exchange: Exchange) -> None:
        stub.released.wait(10)
        exchange.hang_up()

    with serve(answer) as stub:
        registries = ImageRegistries(deadline=timedelta(seconds=0.2))
        assert await registries.facts(f"{stub.address.removeprefix('http://')}/app") is None
        stub.released.set()
        await registries.aclose()
