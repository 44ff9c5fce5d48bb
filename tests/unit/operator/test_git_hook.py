"""Webhooks of git servers: who is believed, that a repetition does nothing, and that a storm costs a look a second."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from desired.errors import Unavailable
from nomad_operator.hook_proof import Delivery, Verdict
from nomad_operator.metrics import Metrics
from nomad_operator.schedule import Schedule
from nomad_operator.web import Web
from nomad_operator.web_hooks import Coalesced, GitHook, Seen
from tests import virtual_time

TOKEN = "a-token-that-is-long-enough"
SECRET = "webhook-secret"
KEY = bytes(range(32))
SIGNING_TOKEN = f"whsec_{base64.b64encode(KEY).decode()}"
BEARER = {"authorization": f"Bearer {TOKEN}"}
BODY = json.dumps({"ref": "refs/heads/main"}).encode()
NOW = 1_770_000_000


class Hook:
    """A web with a webhook, a clock that is set by hand, and what it counted."""

    def __init__(self, backend: Any, *, secret: str | None) -> None:
        self.backend = backend
        self.metrics = Metrics(version="0")
        self.seconds = 1000.0
        self.web = Web(
            backend=backend, metrics=self.metrics, api_token=SecretStr(TOKEN),
            webhook_secret=SecretStr(secret) if secret else None,
        )  # fmt: skip
        self.web._git_hook = GitHook(
            secret=SecretStr(secret) if secret else None, api_token=SecretStr(TOKEN), wake=backend.wake_source,
            counted=self.metrics, now=lambda: NOW, clock=lambda: self.seconds, read_seconds=0.5,
        )  # fmt: skip

    async def post(self, headers: dict[str, str], body: Any = BODY) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.web.application())
        told = {name: value.encode("latin-1") for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url="http://operator") as client:
            return await client.post("/hooks/git", content=body, headers=told)

    def counted(self) -> dict[tuple[str, str], float]:
        return {
            (sample.labels["server"], sample.labels["result"]): sample.value
            for family in self.metrics.registry.collect()
            if family.name == "nomad_operator_webhook_deliveries"
            for sample in family.samples
            if sample.name.endswith("_total")
        }


def digest(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard(body: bytes, *, at: int = NOW, key: bytes = KEY, id: str = "msg_1") -> dict[str, str]:
    """As GitLab signs with a signing token."""
    signed = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "X-Gitlab-Event": "Push Hook", "webhook-id": id, "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }  # fmt: skip


def is_refusal(response: httpx.Response) -> bool:
    answer = response.json()
    return set(answer) == {"error", "hint"} and bool(answer["error"]) and "\n" not in answer["error"] + answer["hint"]


@pytest.mark.parametrize(
    ("headers", "server"),
    [
        ({"X-Hub-Signature-256": f"sha256={digest(BODY)}", "X-GitHub-Event": "push"}, "github"),
        ({"X-Gitea-Signature": digest(BODY), "X-Gitea-Event": "push", "X-GitHub-Event": "push"}, "gitea"),
        ({"X-Forgejo-Signature": digest(BODY), "X-Forgejo-Event": "push", "X-Gitea-Event": "push"}, "forgejo"),
        ({"X-Gogs-Signature": digest(BODY), "X-Gogs-Event": "push"}, "gogs"),
        ({"X-Gitlab-Token": SECRET, "X-Gitlab-Event": "Push Hook"}, "gitlab"),
        ({"Authorization": f"Bearer {SECRET}"}, "other"),
        (BEARER, "other"),
    ],
)
async def test_whoever_knows_the_secret_wakes_the_source(backend: Any, headers: dict[str, str], server: str) -> None:
    hook = Hook(backend, secret=SECRET)
    response = await hook.post(headers)
    assert (response.status_code, backend.woken) == (202, 1)
    assert hook.counted() == {(server, "accepted"): 1}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {SECRET}"}, 401),
        ({"X-Hub-Signature": f"sha1={digest(BODY)}"}, 401),
        ({"X-Hub-Signature-256": f"sha256={digest(BODY + b' ')}"}, 403),
        ({"X-Hub-Signature-256": f"sha256={digest(BODY, 'other')}"}, 403),
        ({"X-Hub-Signature-256": digest(BODY)}, 403),
        ({"X-Hub-Signature-256": ""}, 403),
        ({"X-Gitea-Signature": ""}, 403),
        ({"X-Gitea-Signature": "é"}, 403),
        ({"X-Gitlab-Token": "other"}, 403),
        ({"X-Gitlab-Token": ""}, 403),
        ({"webhook-signature": ""}, 403),
        ({"webhook-signature": "v1,"}, 403),
        (standard(BODY), 403),  # the key is another one
    ],
)
async def test_an_unproven_webhook_is_refused_and_wakes_nobody(
    backend: Any, headers: dict[str, str], status: int
) -> None:
    hook = Hook(backend, secret=SECRET)
    response = await hook.post(headers)
    assert (response.status_code, backend.woken) == (status, 0)
    assert is_refusal(response)
    assert SECRET not in response.text
    assert list(hook.counted().values()) == [1] and not {"accepted", "repeated"} & {one for _, one in hook.counted()}


async def test_without_a_secret_a_webhook_needs_the_token(backend: Any) -> None:
    hook = Hook(backend, secret=None)
    assert (await hook.post({"X-Gitlab-Token": ""})).status_code == 401
    assert (await hook.post({"Authorization": "Bearer no"})).status_code == 401
    assert backend.woken == 0
    assert (await hook.post(BEARER)).status_code == 202
    assert backend.woken == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (standard(BODY), 202),
        (standard(BODY, at=NOW - 299), 202),
        (standard(BODY, at=NOW + 299), 202),
        ({**standard(BODY), "webhook-signature": "v1,bm8= " + standard(BODY)["webhook-signature"]}, 202),
        (standard(BODY, at=NOW - 301), 403),
        (standard(BODY, at=NOW + 301), 403),
        ({**standard(BODY), "webhook-timestamp": str(NOW + 1)}, 403),
        ({**standard(BODY), "webhook-id": "msg_2"}, 403),
        (standard(BODY + b" "), 403),
        (standard(BODY, key=b"another"), 403),
        ({**standard(BODY), "webhook-timestamp": "soon"}, 403),
    ],
)
async def test_a_signing_token_of_gitlab_proves_the_body_the_id_and_the_time(
    backend: Any, headers: dict[str, str], status: int
) -> None:
    """Source: Standard Webhooks: HMAC-SHA256 over id.timestamp.body, with what follows whsec_ as base64."""
    hook = Hook(backend, secret=SIGNING_TOKEN)
    response = await hook.post(headers)
    assert (response.status_code, backend.woken) == (status, int(status == 202))


def test_the_example_of_the_specification_is_proven() -> None:
    """Source: https://github.com/standard-webhooks/standard-webhooks, the test vector of its libraries."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }  # fmt: skip
    delivery = Delivery(headers=headers, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    delivery.feed(b'{"test": 2432232314}')
    assert delivery.verdict(now_seconds=1614265330) is Verdict.PROVEN
    assert delivery.verdict(now_seconds=1614265330 + 301) is Verdict.STALE


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # The same delivery.
        (
            {"X-Hub-Signature-256": f"sha256={digest(BODY)}", "X-GitHub-Delivery": "1"},
            {"X-Hub-Signature-256": f"sha256={digest(BODY)}", "X-GitHub-Delivery": "1"},
        ),
        # Somebody who heard it sends it again under another name.
        (
            {"X-Hub-Signature-256": f"sha256={digest(BODY)}", "X-GitHub-Delivery": "1"},
            {"X-Hub-Signature-256": f"sha256={digest(BODY)}", "X-GitHub-Delivery": "2"},
        ),
        ({"X-Gitea-Signature": digest(BODY)}, {"X-Forgejo-Signature": digest(BODY)}),
        (
            {"X-Gitlab-Token": SECRET, "X-Gitlab-Event-UUID": "1"},
            {"X-Gitlab-Token": SECRET, "X-Gitlab-Event-UUID": "1"},
        ),
        ({"X-Gitlab-Token": SECRET, "Idempotency-Key": "1"}, {"X-Gitlab-Token": SECRET, "Idempotency-Key": "1"}),
        ({**BEARER, "X-Gitea-Delivery": "1"}, {**BEARER, "X-Gitea-Delivery": "1"}),
    ],
)
async def test_a_delivery_that_is_sent_again_wakes_nobody(
    backend: Any, first: dict[str, str], second: dict[str, str]
) -> None:
    hook = Hook(backend, secret=SECRET)
    assert (await hook.post(first)).json() == {"accepted": True}
    hook.seconds += 5
    again = await hook.post(second)
    assert (again.status_code, again.json()) == (202, {"accepted": True, "repeated": True})
    assert backend.woken == 1
    assert sorted(result for _, result in hook.counted()) == ["accepted", "repeated"]


async def test_another_delivery_and_one_that_nothing_names_are_no_repetition(backend: Any) -> None:
    hook = Hook(backend, secret=SECRET)
    for body in (BODY, BODY + b" "):
        await hook.post({"X-Hub-Signature-256": f"sha256={digest(body)}"}, body)
        hook.seconds += 5
    for _ in range(2):
        await hook.post(BEARER, b"")
        hook.seconds += 5
    assert backend.woken == 4


async def test_what_could_not_be_done_may_be_sent_again(backend: Any) -> None:
    hook = Hook(backend, secret=SECRET)
    wake, failed = backend.wake_source, []

    async def fail_once() -> None:
        if not failed:
            failed.append(True)
            raise Unavailable("the state cannot be written")
        await wake()

    hook.web._git_hook._wakes._wake = fail_once
    headers = {"X-Hub-Signature-256": f"sha256={digest(BODY)}", "X-GitHub-Delivery": "1"}
    assert (await hook.post(headers)).status_code == 503
    hook.seconds += 5
    assert (await hook.post(headers)).json() == {"accepted": True}
    assert backend.woken == 1


def test_what_was_seen_is_bounded_in_time_and_number() -> None:
    seconds = [0.0]
    seen = Seen(clock=lambda: seconds[0])
    seen.note(["a"])
    seconds[0] = 3599
    assert seen.before(["b", "a"])
    seconds[0] = 3601
    assert not seen.before(["a"])
    for number in range(100_000):
        seen.note([f"{number}"])
    assert len(seen._marks) <= 5000
    assert seen.before(["99999"])


async def test_a_webhook_that_is_too_large_is_refused_before_it_is_read(backend: Any) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 1024 * 1024

    hook = Hook(backend, secret=SECRET)
    hook.web._git_hook._read_seconds = 60
    response = await hook.post({"X-Gitlab-Token": SECRET}, endless())
    assert (response.status_code, backend.woken) == (413, 0)
    assert sent <= 27
    assert is_refusal(response)
    told = await hook.post({"X-Gitlab-Token": SECRET, "Content-Length": str(2**60)}, b"x")
    assert (told.status_code, backend.woken) == (413, 0)


async def test_a_body_that_does_not_come_is_not_waited_for(backend: Any) -> None:
    async def stalls() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    hook = Hook(backend, secret=SECRET)
    hook.web._git_hook._read_seconds = 0.05
    response = await hook.post({"X-Gitlab-Token": SECRET}, stalls())
    assert (response.status_code, backend.woken) == (408, 0)
    assert hook.counted() == {("other", "too_slow"): 1}


def test_a_signature_is_over_the_whole_body_however_it_arrives() -> None:
    delivery = Delivery(headers={"x-hub-signature-256": f"sha256={digest(BODY)}"}, secret=SECRET)
    for byte in BODY:
        delivery.feed(bytes([byte]))
    assert delivery.verdict(now_seconds=NOW) is Verdict.PROVEN


def test_a_storm_of_deliveries_costs_a_look_a_second_and_the_last_one_is_seen() -> None:
    looks: list[float] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()

        async def look() -> None:
            looks.append(loop.time())

        wakes = Coalesced(wake=look, clock=loop.time)
        for _ in range(500):
            await wakes.ask()
            await asyncio.sleep(0.01)
        last = loop.time()
        await asyncio.sleep(10)
        assert looks[-1] >= last - 0.01

    virtual_time.run(story())
    assert looks[0] == 0, "the first one is not kept waiting"
    assert len(looks) <= 7
    assert all(later - earlier >= 0.999 for earlier, later in itertools.pairwise(looks))


async def test_the_schedule_sets_events_again_and_again_until_it_is_stopped() -> None:
    schedule, due = Schedule(), asyncio.Event()
    schedule.every(0.01, due)
    schedule.start()
    for _ in range(3):
        await asyncio.wait_for(due.wait(), 10)
        due.clear()
    schedule.stop()
    await asyncio.sleep(0)
    due.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(due.wait(), 0.1)
