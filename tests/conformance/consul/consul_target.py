"""The Consuls that the client is held to: the one that was recorded, and a real one with keys and services of ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import requests

from observers.consul.client import ConsulClient
from observers.reach.address import Reach
from tests.service_replay import Asked, Replay, Reply

ADDRESS = os.environ.get("CONSUL_TEST_ADDR", "")
TOKEN = os.environ.get("CONSUL_TEST_TOKEN")
RECORDED = Path(__file__).parents[2] / "recordings" / "consul-1.21.4" / "exchanges.jsonl"

# What the recording holds, and what a real one is given.
FOLDER = "operator"
KEYS = {"operator/record": "two", "operator/other/deep": "x"}
SERVICE = "consul-service"
TAGS = ("urlprefix-/foo", "urlprefix-foo.cluster/ strip=/foo")


def _client(address: str, adapter: requests.adapters.BaseAdapter | None, token: str | None) -> ConsulClient:
    reach = Reach(service="Consul", setting="CONSUL_HTTP_ADDR", address=address)
    return ConsulClient(reach=reach, token=token, adapter=adapter)


class RecordedConsul:
    """Answers a read as it was answered last. Lists of names were recorded with a separator only: they are made of
    the recorded keys."""

    version = "1.21.4"

    def __init__(self) -> None:
        self._answers: dict[tuple[str, frozenset[str]], dict[str, Any]] = {}
        for line in RECORDED.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            if one["method"] == "GET":
                self._answers[one["path"], frozenset(one["query"])] = one
        self.replay = Replay(self._find)

    def client(self) -> ConsulClient:
        return _client("http://consul", self.replay, "a-token")

    def _find(self, asked: Asked) -> Reply:
        query = frozenset(parse_qs(asked.query, keep_blank_values=True))
        if "keys" in query:
            prefix = asked.path.removeprefix("/v1/kv/")
            keys = sorted(key for key in KEYS if key.startswith(prefix))
            rest = [key.removeprefix(prefix).partition("/") for key in keys]
            found = keys if query == {"keys"} else sorted({f"{prefix}{first}{slash}" for first, slash, _ in rest})
            return Reply(200 if found else 404, found or "", {"X-Consul-Index": "1"})
        if asked.path == "/v1/agent/self":
            return Reply(200, {"Config": {"Version": "1.21.4", "Datacenter": "dc1"}})
        one = self._answers.get((asked.path, query))
        if one is None:
            return Reply(404, "", {"X-Consul-Index": "1"})
        # A text that is JSON was recorded as what it says.
        body = json.dumps(one["body"]) if one["status"] == 200 else one["body"]
        return Reply(one["status"], body, one["headers"])


class RealConsul:
    """Writes what it needs, by HTTP, and takes it away."""

    def __init__(self) -> None:
        self.version = str(self._do("GET", "agent/self").json()["Config"]["Version"])

    def client(self) -> ConsulClient:
        return _client(ADDRESS, None, TOKEN)

    def build(self) -> None:
        self.take_away()
        for key, value in KEYS.items():
            self._do("PUT", f"kv/{key}", data=value.encode())
        self._do(
            "PUT", "agent/service/register",
            json={
                "ID": SERVICE, "Name": SERVICE, "Address": "127.0.0.1", "Port": 21495, "Tags": list(TAGS),
                "Check": {"Name": 'service: "consul-service" check', "TTL": "10m", "Status": "passing"},
            },
        )  # fmt: skip

    def take_away(self) -> None:
        self._do("DELETE", f"kv/{FOLDER}/?recurse")
        if SERVICE in self._do("GET", "agent/services").json():
            self._do("PUT", f"agent/service/deregister/{SERVICE}")

    def put(self, key: str, value: str) -> None:
        self._do("PUT", f"kv/{key}", data=value.encode())

    def delete(self, key: str) -> None:
        self._do("DELETE", f"kv/{key}")

    def _do(self, method: str, path: str, **named: Any) -> requests.Response:
        headers = {"X-Consul-Token": TOKEN} if TOKEN else {}
        answer = requests.request(method, f"{ADDRESS}/v1/{path}", headers=headers, timeout=10, **named)
        assert answer.ok, answer.text
        return answer
