"""The Fabios that the client is held to: as recorded after each change in Consul, and a real one on a real Consul."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from desired.fabio_tag import Severity, fabio_routes, service_problems
from observers.fabio.client import FabioClient
from observers.reach.address import Reach

ADDRESS = os.environ.get("FABIO_TEST_ADDR", "")
CONSUL = os.environ.get("CONSUL_TEST_ADDR", "")
RECORDED = Path(__file__).parents[2] / "recordings" / "fabio-1.7.3" / "exchanges.jsonl"


def client(address: str, transport: httpx.BaseTransport | None = None) -> FabioClient:
    reach = Reach(service="Fabio", setting="NOMAD_OPERATOR_FABIO_URL", address=address)
    return FabioClient(reach=reach, transport=transport)


def recorded(path: str, body: Any, status: int = 200) -> FabioClient:
    """A Fabio that answers one path."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET" and request.url.path == path
        return httpx.Response(status, text=body if path.endswith("version") else json.dumps(body))

    return client("http://fabio", httpx.MockTransport(answer))


def moments() -> Iterator[tuple[dict[str, list[str]], Any]]:
    """Each recorded table with the services, by name with their tags, that were healthy in Consul by then."""
    services: dict[str, list[str]] = {}
    failing: set[str] = set()
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        path = one["path"]
        if path.endswith("/service/register"):
            services[one["request"]["Name"]] = one["request"]["Tags"]
        elif "/service/deregister/" in path:
            services.pop(path.rpartition("/")[2], None)
        elif "/check/fail/" in path:
            failing.add(path.rpartition("service:")[2])
        elif path == "/api/routes" and not one["query"]:
            yield {name: tags for name, tags in services.items() if name not in failing}, one["body"]


def expected(services: dict[str, list[str]]) -> set[tuple[str, str, str]] | None:
    """Service, host and path of every route; None where a tag keeps Fabio from following."""
    if any(one.severity is Severity.ERROR for tags in services.values() for one in service_problems(tags)):
        return None
    return {(name, route.host, route.path) for name, tags in services.items() for route in fabio_routes(tags)}
