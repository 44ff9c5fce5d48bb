"""A real agent as the target, named by NOMAD_TEST_ADDR. Only for agents without ACLs.

Jobs of the scenario's name are purged before and after. What would change the agent itself is not replayed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from tests.conformance.nomad.target import Answer

_TOPICS = ("Job", "Evaluation", "Allocation", "Deployment", "Node", "Service")


class Real:
    """Wall-clock time; the event stream is read in the background."""

    name = "real"
    paced = False

    def __init__(self, *, http: httpx.AsyncClient, index: int) -> None:
        self._http = http
        self._index = index
        self._began = time.monotonic()
        self._events: list[Mapping[str, Any]] = []

    def now(self) -> float:
        return time.monotonic() - self._began

    async def wait_until(self, time: float) -> None:
        await asyncio.sleep(max(0.0, time - self.now()))

    async def send(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Answer:
        content = body if isinstance(body, str) else None
        answer = await self._http.request(
            method, path, params=dict(query), json=None if content is not None else body, content=content
        )
        found = read(answer)
        if path.endswith("/evaluations") and isinstance(found, list):
            # Those of a purged job stay for an hour: an earlier replay's are not this one's.
            found = [evaluation for evaluation in found if evaluation["CreateIndex"] > self._index]
        return Answer(status=answer.status_code, headers=dict(answer.headers), body=found)

    async def read_stream(self, query: Mapping[str, Any], seconds: float) -> Answer:
        lines: list[str] = []
        status, ended = 0, False
        try:
            # What the server ends by itself was read in no time; here it may take a little.
            async with asyncio.timeout(max(seconds, 1.0)):
                async with self._http.stream("GET", "/v1/event/stream", params=dict(query)) as stream:
                    status = stream.status_code
                    async for line in stream.aiter_lines():
                        lines.append(line)
                    ended = True
        except TimeoutError:
            pass
        return Answer(status=status or 200, lines=tuple(lines), ended=ended)

    def events(self) -> list[Mapping[str, Any]]:
        return list(self._events)

    async def follow(self, index: int, subscribed: asyncio.Event) -> None:
        """Collect events for ever; where the server ends the stream, go on behind the last one seen."""
        last = index
        while True:
            # Events of one index may come in several lines, so only what came before this connection is left out.
            seen = last
            query: dict[str, Any] = {"topic": list(_TOPICS), "namespace": "*", "index": seen + 1}
            async with self._http.stream("GET", "/v1/event/stream", params=query) as stream:
                async for line in stream.aiter_lines():
                    subscribed.set()
                    found = [event for event in json.loads(line).get("Events") or () if event["Index"] > seen]
                    self._events += found
                    last = max([last, *(event["Index"] for event in found)])


def read(answer: httpx.Response) -> Any:
    """The body as the recordings hold it."""
    try:
        return answer.json()
    except ValueError:
        return answer.text


@asynccontextmanager
async def real(address: str, jobs: list[str]) -> AsyncIterator[Real]:
    """The agent at `address`, without jobs of these names."""
    async with httpx.AsyncClient(base_url=address, timeout=70) as http:
        await _purge(http, jobs)
        paths = ("/v1/jobs", "/v1/evaluations", "/v1/allocations", "/v1/deployments", "/v1/nodes")
        answers = [await http.get(path, params={"namespace": "*"}) for path in paths]
        index = max(int(answer.headers["X-Nomad-Index"]) for answer in answers)
        target, subscribed = Real(http=http, index=index), asyncio.Event()
        following = asyncio.create_task(target.follow(index, subscribed))
        try:
            async with asyncio.timeout(20):
                await subscribed.wait()
            yield target
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await following
            await _purge(http, jobs)


async def _purge(http: httpx.AsyncClient, jobs: list[str]) -> None:
    for name in jobs:
        answer = await http.get("/v1/jobs", params={"prefix": name, "namespace": "*"})
        for job in answer.json():
            if job["ID"] == name or job["ID"].startswith(f"{name}/"):
                query = {"purge": "true", "namespace": job["Namespace"]}
                await http.delete(f"/v1/job/{job['ID']}", params=query)
