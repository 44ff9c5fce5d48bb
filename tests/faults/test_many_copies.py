"""Three copies as real processes: one is killed, one stands still, one is cut off. Who acts, how soon, and how often.

What was done is counted where it was done: by the versions of the jobs in Nomad. Each test prints its figures.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from nomad_operator.lease import taken_over_within
from tests.e2e.nomad_side import NomadSide, version_of
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import holds, until
from tests.integration.git.git_world import Upstream

TTL = timedelta(seconds=10)
BOUND = taken_over_within(TTL).total_seconds()
# What a new term needs besides: a look at the lock, records, git, and Nomad, on a machine that does other things too.
START = 15.0


class Copies:
    """Each with a way to Nomad of its own, which can be cut."""

    def __init__(self, *, folder: Path, nomad: NomadSide, upstream: Upstream) -> None:
        self.nomad = nomad
        self.place = f"test-copies/{uuid4().hex[:8]}"
        self.ways = [Proxy(nomad.address) for _ in range(3)]
        self.processes = [
            OperatorProcess(
                folder=folder / f"copy-{number}", nomad=way.address, git_url=f"file://{upstream.folder}",
                GIT_PATH="apps", STATE_URL=f"nomad://{self.place}", LEASE="nomad", PRUNE="false",
            )
            for number, way in enumerate(self.ways)
        ]  # fmt: skip

    def start(self) -> Copies:
        for one in self.processes:
            one.start(ready=False)
        until(self.acting, what="one copy acts", told=self.said, within=60)
        return self

    def said(self) -> str:
        return "\n---\n".join(one.said() for one in self.processes)

    def acting(self) -> list[int]:
        """Which copies say of themselves that they act. One that stands still says nothing."""
        return [number for number, one in enumerate(self.processes) if self.says(one)]

    def says(self, one: OperatorProcess) -> bool:
        if one.exit_code is not None:
            return False
        try:
            return "nomad_operator_leader 1.0" in one.get("/metrics").text
        except httpx.HTTPError:
            return False

    def registers(self, job: str) -> list[str]:
        """The versions that Nomad has taken from any copy, in order of each copy."""
        return [version_of(one.body["Job"]) for way in self.ways for one in way.registers(job)]

    def another(self, gone: int) -> OperatorProcess | None:
        """One that acts, and is not this."""
        return next((self.processes[number] for number in self.acting() if number != gone), None)

    def end(self) -> None:
        for one in self.processes:
            one.end()
        for way in self.ways:
            way.down()
        with httpx.Client(base_url=self.nomad.address) as client:
            for one in client.get("/v1/vars", params={"prefix": self.place}).json():
                if lock := one.get("Lock"):
                    client.put(f"/v1/var/{one['Path']}", params={"lock-release": ""}, json={"Lock": lock})
                client.delete(f"/v1/var/{one['Path']}")


@pytest.fixture
def copies(tmp_path: Path, nomad: NomadSide, upstream: Upstream) -> Iterator[Copies]:
    made = Copies(folder=tmp_path, nomad=nomad, upstream=upstream)
    yield made
    made.end()


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    def told(**values: object) -> None:
        with capsys.disabled():
            print("\n" + ", ".join(f"{name}={value}" for name, value in values.items()))

    return told


@pytest.mark.parametrize("fault", ["killed", "stands still", "cut off"])
def test_another_copy_takes_over_and_nothing_is_done_twice_or_missed(
    fault: str, copies: Copies, nomad: NomadSide, upstream: Upstream, figures: Callable[..., None]
) -> None:
    web, other = nomad.name("web"), nomad.name("other")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web), "apps/other.nomad.hcl": nomad.job_file(other)})
    copies.start()
    (first,) = copies.acting()
    old, way = copies.processes[first], copies.ways[first]
    any_other = copies.processes[(first + 1) % 3]
    for name in (web, other):
        any_other.until_app(name, ready="True", settled=True)

    began = time.monotonic()
    match fault:
        case "killed":
            old.kill()
        case "stands still":
            old.signal(signal.SIGSTOP)
        case "cut off":
            way.down()
    # While nobody acts: a version that fails, a change by hand, and a command.
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, task="bad", version="2")})
    nomad.edit(other, "by-hand")
    noted = any_other.post(f"/api/v1/apps/default/{web}/reconcile")
    assert noted.status_code == 202, noted.text
    stopped_after = 0.0
    if fault == "cut off":
        until(lambda: first not in copies.acting(), within=TTL.total_seconds() + 5, what="it stops acting")
        stopped_after = time.monotonic() - began
        assert copies.acting() == []
    second = until(lambda: copies.another(first), within=BOUND + START, what="another acts", told=copies.said)
    taken_over = time.monotonic() - began
    assert second is not None
    second.until_app(web, reason="RolledBack", settled=True, within=60)
    second.until_app(other, ready="True", settled=True)
    nomad.until_running(web, "1")
    nomad.until_running(other, "1")

    # The old one comes back: it does nothing more.
    written = len(way.writes())
    match fault:
        case "killed":
            old.start(ready=False)
        case "stands still":
            old.signal(signal.SIGCONT)
        case "cut off":
            way.up()
    holds(lambda: first not in copies.acting(), seconds=4, what="the old one does not act")
    locks = [one for one in way.writes()[written:] if not one.path.endswith("/lease")]
    assert [one for one in locks if one.status == 200] == []
    assert sorted(copies.registers(web)) == ["1", "1", "2"]
    assert copies.registers(other) == ["1", "1"]
    assert len(copies.acting()) == 1
    figures(
        nomad=nomad.address, fault=fault, bound_seconds=BOUND, taken_over_seconds=round(taken_over, 1),
        old_one_stopped_seconds=round(stopped_after, 1) or "-", double_actions=0, missed_failures=0,
    )  # fmt: skip


def test_a_clean_stop_hands_over_within_a_second(
    copies: Copies, nomad: NomadSide, upstream: Upstream, figures: Callable[..., None]
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    copies.start()
    (first,) = copies.acting()
    copies.processes[first].until_ready(web)
    assert copies.processes[first].stop() == 0
    second = until(lambda: copies.another(first), within=10, what="another acts", told=copies.said)
    assert second is not None
    gave_up = copies.processes[first].told("no longer leading")[-1]["timestamp"]
    has_it = second.told("leading")[-1]["timestamp"]
    passed = (datetime.fromisoformat(str(has_it)) - datetime.fromisoformat(str(gave_up))).total_seconds()
    assert passed < 1
    second.until_ready(web)
    assert copies.registers(web) == ["1"]
    figures(nomad=nomad.address, handed_over_seconds=round(passed, 3))


def test_any_copy_answers_and_takes_commands_and_webhooks(copies: Copies, nomad: NomadSide, upstream: Upstream) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    for one in copies.processes:
        one.environment["NOMAD_OPERATOR_GIT_POLL_SECONDS"] = "3600"
    copies.start()
    (first,) = copies.acting()
    copies.processes[first].until_ready(web)
    for number, one in enumerate(copies.processes):
        told = one.status()
        assert told["operator"]["leader"] is (number == first)
        assert [app["key"] for app in told["apps"]] == [f"default/{web}"]
        assert one.get("/readyz").status_code == 200
        series = [line for line in one.get("/metrics").text.splitlines() if line.startswith("nomad_operator_app_info{")]
        assert bool(series) is (number == first)
    follower = copies.processes[(first + 1) % 3]
    follower.ask(web, "suspend")
    copies.processes[first].until_app(web, reason="Suspended")
    assert follower.command("resume", web).returncode == 0
    assert follower.command("status", web).returncode == 0
    unknown = follower.post("/api/v1/apps/default/nope/suspend")
    assert unknown.status_code == 404 and "hint" in unknown.json()
    refused = httpx.post(f"{follower.status()['operator']['leaderAddress']}/api/v1/apps/default/{web}/suspend")
    assert refused.status_code == 401
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, version="2")})
    assert follower.post("/hooks/git").status_code == 202
    nomad.until_running(web, "2")
    once = follower.command("once")
    assert once.returncode == 1 and "another nomad-operator acts" in once.stderr
    assert follower.command("doctor").stdout.count("records: ") == 1
    with httpx.Client(base_url=nomad.address) as client:
        left = client.get("/v1/vars", params={"prefix": f"{copies.place}/d/request"}).json()
    assert left == []


def test_as_a_system_job_a_state_file_is_refused(
    tmp_path: Path, nomad: NomadSide, upstream: Upstream
) -> None:  # fmt: skip
    name = nomad.name("operator")
    nomad.register(nomad.job_file(name, type="system").replace("reschedule {", "meta {").replace(
        "attempts  = 0\n      unlimited = false", 'x = "y"'
    ))  # fmt: skip
    process = OperatorProcess(folder=tmp_path, nomad=nomad.address, git_url=f"file://{upstream.folder}")
    process.environment |= {"NOMAD_ALLOC_ID": str(uuid4()), "NOMAD_JOB_ID": name, "NOMAD_NAMESPACE": "default"}
    process.begin("run")
    assert process.wait() == 2
    assert "is a system job" in process.said() and "nomad://" in process.said()
