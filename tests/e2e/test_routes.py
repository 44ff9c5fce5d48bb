"""Routes, with the real process: a tag that stops Fabio is kept out, and on a real Consul and Fabio a route is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

CONSUL, FABIO = os.environ.get("CONSUL_TEST_ADDR", ""), os.environ.get("FABIO_TEST_ADDR", "")


def routed(nomad: NomadSide, name: str, tag: str) -> str:
    """A job with a service in Consul. Its check never runs: it is of the kind that others update."""
    service = f"""service {{
      name     = "{name}"
      provider = "consul"
      address  = "127.0.0.1"
      port     = "9"
      tags     = ["{tag}"]
      check {{
        type     = "tcp"
        port     = "{CONSUL.rpartition(":")[2] or 9}"
        interval = "1s"
        timeout  = "1s"
      }}
    }}
    task "t" {{"""
    return nomad.job_file(name).replace('task "t" {', service, 1)


class RealRoutes:
    """Somebody else's service in Consul, and what Fabio makes of all of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._http = httpx.Client(timeout=10, trust_env=False)

    def register(self, tag: str) -> None:
        check = {"TTL": "10m", "Status": "passing"}
        body = {"ID": self.name, "Name": self.name, "Address": "127.0.0.1", "Port": 9, "Tags": [tag], "Check": check}
        assert self._http.put(f"{CONSUL}/v1/agent/service/register", json=body).is_success

    def deregister(self) -> None:
        self._http.put(f"{CONSUL}/v1/agent/service/deregister/{self.name}")

    def served_by(self, host: str) -> set[str]:
        """The services that Fabio sends requests for this host to."""
        return {one["service"] for one in self._http.get(f"{FABIO}/api/routes").json() or () if one["host"] == host}

    def close(self) -> None:
        self.deregister()
        self._http.close()


@pytest.fixture
def outside(nomad: NomadSide) -> Iterator[RealRoutes]:
    real = nomad.address == os.environ.get("NOMAD_TEST_ADDR")
    if not (real and CONSUL and FABIO and nomad.attribute("consul.version")):
        pytest.skip(
            "routes on a real Consul and Fabio (CONSUL_TEST_ADDR, FABIO_TEST_ADDR, and a Nomad with that Consul)"
        )
    made = RealRoutes(nomad.name("legacy"))
    yield made
    made.close()


def test_a_tag_that_stops_fabio_never_reaches_nomad(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    text = routed(nomad, web, "urlprefix-web.example/ weight=much")
    upstream.commit({"apps/web.nomad.hcl": text})
    process = operator().start()
    told = process.until_app(web, reason="DesiredInvalid", settled=True)["message"]
    line = 1 + text[: text.index("tags ")].count("\n")
    assert f"web.nomad.hcl:{line}:" in told and "[routes.tag]" in told
    assert proxy.registers(web) == [] and nomad.job(web) is None
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process.until_ready(web)


@pytest.mark.real
@pytest.mark.timeout(240)
def test_a_route_is_kept_by_who_has_it_and_taken_once_it_is_free(
    outside: RealRoutes, nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, api, host = nomad.name("web"), nomad.name("api"), f"{nomad.name('shop')}.example"
    outside.register(f"urlprefix-{host}/")
    until(lambda: outside.served_by(host) == {outside.name}, what="Fabio routes to the service that was there")
    upstream.commit({"apps/web.nomad.hcl": routed(nomad, web, f"urlprefix-{host}/")})
    process = operator(FABIO_URL=FABIO, FABIO_STRICT="true")
    process.environment["CONSUL_HTTP_ADDR"] = CONSUL
    process.start()
    told = process.until_app(web, reason="RouteConflict", settled=True)
    assert outside.name in told["message"] and f"{web}.example is free" in told["message"]
    assert proxy.registers(web) == []
    outside.deregister()
    # Nobody tells; it is looked at again each minute.
    process.until_ready(web, within=120)
    until(lambda: outside.served_by(host) == {web}, what="Fabio routes to the app")
    # Another app that asks for it as well is held back, although its key comes first.
    upstream.commit({"apps/api.nomad.hcl": routed(nomad, api, f"urlprefix-{host}/")})
    assert f"default/{web}" in process.until_app(api, reason="RouteConflict")["message"]
    process.until_ready(web)
    assert outside.served_by(host) == {web} and proxy.registers(api) == []


@pytest.mark.real
@pytest.mark.timeout(300)
def test_two_apps_swap_their_routes_on_a_real_fabio(
    outside: RealRoutes, nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    names = nomad.name("api"), nomad.name("web")
    hosts = [f"{name}.example" for name in names]

    def commit(first: str, second: str) -> None:
        texts = (routed(nomad, name, f"urlprefix-{host}/") for name, host in zip(names, (first, second), strict=True))
        upstream.commit({f"apps/{name}.nomad.hcl": text for name, text in zip(names, texts, strict=True)})

    def routed_to(name: str, host: str) -> None:
        what = f"Fabio routes {host} to {name}"
        until(lambda: outside.served_by(host) == {name}, what=what, within=150)

    commit(*hosts)
    process = operator(FABIO_URL=FABIO, FABIO_STRICT="true")
    process.environment["CONSUL_HTTP_ADDR"] = CONSUL
    process.start()
    for name, host in zip(names, hosts, strict=True):
        process.until_ready(name)
        routed_to(name, host)
    commit(*reversed(hosts))
    told = process.until_app(names[1], reason="RouteConflict")["message"]
    assert f"is still with app default/{names[0]}, which moves away from it" in told
    for name, host in zip(names, reversed(hosts), strict=True):
        routed_to(name, host)
        process.until_ready(name, within=120)
    assert [len(proxy.registers(name)) for name in names] == [2, 2]
