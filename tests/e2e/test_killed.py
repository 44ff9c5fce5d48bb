"""SIGKILL: at a register, at random moments, and while a deployment is under way. It converges, and repeats nothing."""

from __future__ import annotations

import random
import signal

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.proxy import Exchange, Proxy, passed_on
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_a_register_it_registers_exactly_once(
    moment: str, nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    process = operator().start()

    def kill(exchange: Exchange) -> None:
        if moment == "after":
            exchange.ask()
        process.signal(signal.SIGKILL)
        if moment == "after":
            # Nomad's answer is lost, but the register counts.
            exchange.status = 200
        exchange.hang_up()

    proxy.rule("*", "/v1/jobs", lambda exchange: kill(exchange) if exchange.method != "GET" else passed_on(exchange))
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    assert process.wait() == -signal.SIGKILL
    proxy.heal()
    process.start()
    process.until_ready(web)
    assert nomad.runs(web)
    assert len(proxy.registers(web)) == 1


def test_restarted_while_a_deployment_is_under_way_it_goes_on_watching_it(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    slow = nomad.job_file(web).replace('min_healthy_time  = "300ms"', 'min_healthy_time  = "3s"')
    upstream.commit({"apps/web.nomad.hcl": slow})
    process = operator().start(ready=False)
    process.until_app(web, step="Verifying")
    process.kill()
    process.start()
    process.until_app(web, ready="Unknown")
    process.until_ready(web)
    assert len(proxy.registers(web)) == 1
    assert process.app(web)["lastGood"] is not None


def test_killed_at_random_moments_it_converges_with_one_register_for_each_spec(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    moments = random.Random(seed)
    names = [nomad.name(short) for short in "abc"]
    process = operator(VERIFY_SOAK_SECONDS="0")
    for version in ("1", "2", "3"):
        files = {f"apps/{name}.nomad.hcl": nomad.job_file(name, version=version) for name in names}
        upstream.commit(files)
        process.start(ready=False)
        asked = len(proxy.seen) + moments.randrange(60)
        until(
            lambda asked=asked: len(proxy.seen) >= asked or _all_ready(process, names),
            what="the moment",
            told=process.said,
        )
        process.kill()
    process.start()
    process.until_ready(*names)
    for name in names:
        assert nomad.runs(name, "3")
        versions = [one.body["Job"]["TaskGroups"][0]["Tasks"][0]["Env"]["VERSION"] for one in proxy.registers(name)]
        assert versions == sorted(set(versions)), f"seed {seed}: {name} {versions}"
    assert proxy.stops() == []


def _all_ready(process: OperatorProcess, names: list[str]) -> bool:
    apps = {one["key"]: one for one in process.status()["apps"]}
    return all(apps.get(f"default/{name}", {}).get("ready") == "True" for name in names)
