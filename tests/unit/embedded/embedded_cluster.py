"""An embedded Nomad on virtual time, and the few calls that its tests are written in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.messages import Request, Response, Streaming, Waiting
from nomad_operator.embedded.world import World

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = 1_000_000_000


class Cluster:
    """`nomad` is the thing itself."""

    def __init__(self, **world: Any) -> None:
        self.nomad = EmbeddedNomad(world=World.model_validate(world), start=START, seed=1)

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "", **query: str) -> tuple[int, Any]:
        """Status and body, as JSON where it is JSON."""
        response = self.raw(method, path, body, token=token, **query)
        assert isinstance(response, Response)
        try:
            return response.status, json.loads(response.body)
        except ValueError:
            return response.status, response.body.decode()

    def raw(
        self, method: str, path: str, body: Any = None, *, token: str = "", **query: str
    ) -> Response | Waiting | Streaming:
        encoded = b"" if body is None else json.dumps(body).encode()
        asked = {name.replace("_", "-") if name.startswith("lock") else name: [value] for name, value in query.items()}
        return self.nomad.handle(Request(method, path, asked, encoded, token))

    def get(self, path: str, **query: str) -> Any:
        status, body = self.ask("GET", path, **query)
        assert status == 200, body
        return body

    def post(self, path: str, body: Any = None, **query: str) -> Any:
        status, answer = self.ask("POST", path, body, **query)
        assert status == 200, answer
        return answer

    def register(self, body: Mapping[str, Any], **more: Any) -> Any:
        return self.post("/v1/jobs", {"Job": body, **more})

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.nomad.advance(self.nomad.now + timedelta(seconds=seconds))

    def allocations(self, job: str = "web") -> list[dict[str, Any]]:
        """Oldest first."""
        return sorted(self.get(f"/v1/job/{job}/allocations"), key=lambda one: (one["CreateIndex"], one["Name"]))

    def deployment(self, job: str = "web") -> Any:
        return self.get(f"/v1/job/{job}/deployment")

    def listen(self, *topics: str, token: str = "", **query: str) -> Streaming:
        asked: dict[str, list[str]] = {"topic": list(topics)} | {name: [value] for name, value in query.items()}
        found = self.nomad.handle(Request("GET", "/v1/event/stream", asked, b"", token))
        assert isinstance(found, Streaming)
        return found


def told(streaming: Streaming) -> list[Any]:
    """What has come since the last time."""
    lines = [json.loads(line) for line in streaming.subscription.lines]
    streaming.subscription.lines.clear()
    return lines


def types(allocation: Mapping[str, Any], task: str = "app") -> list[str]:
    return [event["Type"] for event in allocation["TaskStates"][task]["Events"]]


def said(allocation: Mapping[str, Any], task: str = "app") -> list[str]:
    return [event["DisplayMessage"] for event in allocation["TaskStates"][task]["Events"]]


def job(name: str = "web", *, image: str = "app:1", count: int = 1, checked: bool = True, **changes: Any) -> Any:
    """A small service in the API's shape, quick to judge. `task`, `group`: changes of those."""
    task: dict[str, Any] = {"Name": "app", "Driver": "docker", "Config": {"image": image, "ports": ["http"]},
            "Resources": {"CPU": 100, "MemoryMB": 64}, **changes.pop("task", {})}  # fmt: skip
    service: dict[str, Any] = {"Name": name, "Provider": "nomad", "PortLabel": "http"}
    if checked:
        service["Checks"] = [{"Type": "http", "Path": "/", "Interval": SECOND, "Timeout": SECOND}]
    group: dict[str, Any] = {
        "Name": "web",
        "Count": count,
        "Networks": [{"DynamicPorts": [{"Label": "http", "To": 8080}]}],
        "Services": [service],
        "Update": {"MinHealthyTime": SECOND, "HealthyDeadline": 10 * SECOND, "ProgressDeadline": 15 * SECOND},
        "RestartPolicy": {"Attempts": 1, "Delay": SECOND, "Interval": 30 * SECOND, "Mode": "fail"},
        "ReschedulePolicy": {"Attempts": 0, "Unlimited": False},
        "Tasks": [task],
    }
    given = dict(changes.pop("group", {}))
    group["Update"] = {**group["Update"], **given.pop("Update", {})}
    return {"ID": name, "Name": name, "Type": "service", "TaskGroups": [{**group, **given}], **changes}
