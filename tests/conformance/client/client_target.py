"""A Nomad that the client is held to: a way to it, and the patience that it takes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import requests

from desired.app import AppKey
from desired.state import HclSource, JobBody
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from observers.nomad.stream import EventStream
from tests import recordings_reader


@dataclass(slots=True)
class Target:
    """One Nomad and a client for it. `requests` holds endpoint and method of everything that was asked."""

    connection: Connection
    session: requests.Session | None = None
    transport: httpx.AsyncBaseTransport | None = None
    requests: list[tuple[str, str]] = field(default_factory=list)
    prefix: str = field(default_factory=lambda: f"obs-{uuid.uuid4().hex[:8]}")
    keys: list[AppKey] = field(default_factory=list)

    def client(self) -> NomadClient:
        return NomadClient(
            connection=self.connection,
            session=self.session,
            on_request=lambda endpoint, method, status, seconds: self.requests.append((endpoint, method)),
        )

    def stream(self) -> EventStream:
        return EventStream(connection=self.connection, transport=self.transport)

    def key(self, name: str) -> AppKey:
        """A job of this test alone; it is purged at the end."""
        key = AppKey("default", f"{self.prefix}-{name}")
        self.keys.append(key)
        return key

    async def until(self, happened: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> None:
        """Wait for something that Nomad does by itself; fails if it does not come."""
        deadline = time.monotonic() + seconds
        while not await happened():
            assert time.monotonic() < deadline, "it never happened"
            await asyncio.sleep(0.1)


async def parsed(client: NomadClient, key: AppKey, recorded: str, **replaced: str) -> JobBody:
    """The job of a recorded scenario under another name; `replaced` are words of its text and what stands for them."""
    text = recordings_reader.read(recorded).jobs["job.nomad.hcl"]
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    body = dict(await client.parse(HclSource(text)))
    return body | {"ID": key.name, "Name": key.name}
