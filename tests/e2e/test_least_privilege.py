"""The policies in charts/ on a real Nomad with ACLs: they are enough, and each part of them is needed for something."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from desired.app import AppKey
from desired.errors import Forbidden, OperatorError
from desired.state import HclSource
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from observers.nomad.stream import EventStream
from observers.nomad.stream_items import Connected, StreamItem
from tests.e2e.acl_side import BLOCK, CAPABILITY, AclSide, without
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

pytestmark = [pytest.mark.real, pytest.mark.slow]

CHARTS = Path(__file__).parents[2] / "charts"
FULL = (CHARTS / "policy.hcl").read_text(encoding="utf-8")
MINIMAL = (CHARTS / "policy-minimal.hcl").read_text(encoding="utf-8")
# Nomad answers a token without a right to events with silence.
_SILENCE_SECONDS = 7.0

JOB = """job "{name}" {{
  type = "service"
  group "g" {{
    restart {{
      attempts = 0
      mode     = "fail"
    }}
    reschedule {{
      attempts  = 0
      unlimited = false
    }}
    update {{
      min_healthy_time  = "300ms"
      healthy_deadline  = "15s"
      progress_deadline = "0s"
    }}
    task "t" {{
      driver = "raw_exec"
      config {{
        command = "sh"
        args    = ["-c", "{shell}"]
      }}
      kill_timeout = "1s"
      resources {{
        cpu    = 10
        memory = 10
      }}
    }}
  }}
}}
"""


@pytest.fixture
def nomad() -> Iterator[AclSide]:
    address, token = os.environ.get("NOMAD_ACL_TEST_ADDR"), os.environ.get("NOMAD_ACL_TEST_TOKEN")
    if not address or not token:
        pytest.skip(
            "policies on a real Nomad with ACLs (NOMAD_ACL_TEST_ADDR, NOMAD_ACL_TEST_TOKEN: a management token)"
        )
    side = AclSide(address, token)
    yield side
    side.close()


async def failing(nomad: AclSide, token: str) -> set[str]:
    """What the operator does with Nomad and cannot do with this token, by what it is for."""
    web = AppKey("default", f"{nomad.prefix}web")
    connection = Connection(address=nomad.address, token=token)
    client = NomadClient(connection=connection, namespaces=("*",))
    (allocation,) = nomad.allocations(web.name)

    async def revive() -> bool:
        return bool(await client.revive(web))

    async def stop() -> bool:
        """Of a job that is not there: nothing happens, and whoever may not is told so."""
        await client.stop(AppKey("default", f"{nomad.prefix}none"))
        return True

    async def plan() -> bool:
        job = await NomadClient(connection=Connection(address=nomad.address, token=nomad.token)).job(web)
        assert job is not None
        return bool((await client.plan(web, job.body)).diff_type)

    async def register() -> bool:
        with suppress(OperatorError):
            job = await NomadClient(connection=Connection(address=nomad.address, token=nomad.token)).job(web)
            assert job is not None
            try:
                # On an index that it never had: refused for that by Nomad, unless it is refused before.
                await client.register(job.body, index=1, submission=None)
            except Forbidden:
                return False
        return True

    async def events() -> bool:
        stream = EventStream(connection=connection, namespaces=("*",))
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(_SILENCE_SECONDS),
                aclosing(cast(AsyncGenerator[StreamItem, None], stream.items())) as items,
            ):
                async for item in items:
                    if isinstance(item, Connected):
                        return True
        return False

    async def fleet() -> bool:
        entries = (await client.fleet({web})).entries
        return web in entries and bool(entries[web].counts)

    told: dict[str, Callable[[], Awaitable[Any]]] = {
        "list the fleet": fleet,
        "parse a job file": lambda: client.parse(HclSource(JOB.format(name="x", shell="true"))),
        "validate": lambda: client.validate({"ID": "x", "Name": "x", "Namespace": "default"}),
        "plan": plan,
        "register": register,
        "stop": stop,
        "have it placed anew": revive,
        "read a job": lambda: client.running(web),
        "hear events": events,
        "read a log": lambda: client.logs(allocation["ID"], "t", "stdout"),
        "see nodes": client.nodes,
        "see what is left on nodes": client.rooms,
        "see node pools": lambda: client.node_pools(),
        "see what a task uses": lambda: client.usage(allocation["ID"]),
        "list variables": lambda: client.variable_paths("default"),
        "see the keys of a variable": lambda: client.variable_keys("default", f"{nomad.prefix}config"),
        "list services": lambda: client.service_names("default"),
    }

    async def version() -> bool:
        return bool((await client.agent()).version)

    told["know Nomad's version"] = version
    failed = set()
    try:
        for what, work in told.items():
            try:
                found = await work()
            except Forbidden:
                failed.add(what)
            else:
                if not found and what not in ("see what a task uses", "list services"):
                    failed.add(what)
    finally:
        await client.aclose()
    return failed


def prepared(nomad: AclSide) -> None:
    """A job that runs and has said something, and a variable."""
    web = f"{nomad.prefix}web"
    nomad.register(JOB.format(name=web, shell="echo hello; sleep 600"))
    until(lambda: [one for one in nomad.allocations(web) if one["ClientStatus"] == "running"], what="it runs")
    nomad.call("PUT", f"/v1/var/{nomad.prefix}config", {"Items": {"url": "x"}})


# Without the right on the left, the operator cannot do what stands on the right.
NEEDED: dict[str, set[str]] = {
    "list-jobs": {"list the fleet"},
    "read-job": {
        "list the fleet", "read a job", "validate", "hear events", "see what is left on nodes", "see what a task uses",
        "list services",
    },
    "submit-job": {"parse a job file", "plan", "register", "stop", "have it placed anew"},
    "read-logs": {"read a log"},
    "variables": {"list variables", "see the keys of a variable"},
    "node": {"see nodes", "see what is left on nodes", "know Nomad's version"},
    "node_pool": {"see node pools"},
}  # fmt: skip


async def test_with_the_policy_everything_can_be_done(nomad: AclSide) -> None:
    prepared(nomad)
    assert await failing(nomad, nomad.token_with(FULL)) == set()


@pytest.mark.parametrize("right", NEEDED)
async def test_without_any_part_of_the_policy_something_cannot_be_done(nomad: AclSide, right: str) -> None:
    prepared(nomad)
    assert await failing(nomad, nomad.token_with(without(FULL, right))) == NEEDED[right]


def test_no_part_of_the_policy_is_left_out_here() -> None:
    rights = {*CAPABILITY.findall(FULL), *BLOCK.findall(FULL)} - {"namespace", "path"}
    assert rights == set(NEEDED)


async def test_the_minimal_policy_is_enough_for_the_loop(nomad: AclSide) -> None:
    prepared(nomad)
    assert await failing(nomad, nomad.token_with(MINIMAL)) == (
        NEEDED["read-logs"] | NEEDED["variables"] | NEEDED["node"] | NEEDED["node_pool"]
    )


@pytest.mark.parametrize(
    "policies",
    [("policy.hcl",), ("policy-minimal.hcl",), ("policy.hcl", "policy-state.hcl")],
    ids=["full", "minimal", "state in Nomad"],
)
def test_the_operator_lives_by_exactly_this_policy(
    nomad: AclSide, policies: tuple[str, ...], upstream: Upstream, tmp_path: Path
) -> None:
    """A job is deployed, put right by an event, one that fails is named, and one that is withdrawn is stopped.

    With a file as its state, and with Nomad's variables.
    """
    web, bad = f"{nomad.prefix}web", f"{nomad.prefix}bad"
    in_nomad = "policy-state.hcl" in policies
    state = {"STATE_URL": f"nomad://{nomad.prefix}operator/state"} if in_nomad else {}
    process = OperatorProcess(
        folder=tmp_path / "operator", nomad=nomad.address, git_url=f"file://{upstream.folder}", GIT_PATH="apps", **state
    )
    rules = [(CHARTS / policy).read_text(encoding="utf-8") for policy in policies]
    # Nothing but the place: other operators may keep their state on the agent of a test.
    rules = [one.replace("nomad-operator/state/*", f"{nomad.prefix}operator/state/*") for one in rules]
    process.environment["NOMAD_TOKEN"] = nomad.token_with(*rules)
    dies = "echo 'fatal: KeyError: PORT_TO_LISTEN' >&2; exit 1"
    upstream.commit({"apps/web.nomad.hcl": JOB.format(name=web, shell="sleep 600")})
    try:
        process.start()
        process.until_ready(web)
        nomad.call("DELETE", f"/v1/job/{web}")
        until(lambda: not nomad.call("GET", f"/v1/job/{web}")["Stop"], what="it is put right", told=process.said)
        process.until_ready(web)
        upstream.commit({"apps/bad.nomad.hcl": JOB.format(name=bad, shell=dies)})
        app = process.until_app(bad, ready="False", settled=True)
        evidence = str(process.get(f"/api/v1/explain/default/{bad}").json())
        # The log is what the minimal policy cannot read.
        assert ("KeyError: PORT_TO_LISTEN" in evidence) is ("policy.hcl" in policies), (app, evidence)
        upstream.git("rm", "-q", "apps/web.nomad.hcl")
        upstream.git("commit", "-qm", "gone")
        until(lambda: nomad.call("GET", f"/v1/job/{web}")["Stop"], what="it is stopped", told=process.said)
        assert process.stop() == 0
        assert "Permission denied" not in process.said()
    finally:
        process.end()
