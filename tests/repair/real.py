"""Some cases on a real agent with Docker, beside the embedded Nomad: where do they differ?

Real time, so a short soak and no half hour afterwards. The jobs are `corpus-…`, and are purged in the end. The image is
`busybox:local`, which has to be there.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from desired.job.hcl_write import to_hcl
from desired.policy import Policy, Verify
from nomad_operator.embedded.messages import Request, Response
from reconcilers.requests import Verb
from tests.repair.case import Case, End, Part
from tests.repair.fault import F
from tests.repair.shapes import read_job
from tests.repair.stage import Stage
from tests.repair.verdict import judge

_POLICY = Policy(verify=Verify(soak=timedelta(seconds=2), timeout=timedelta(seconds=60)))
_AT_MOST = timedelta(seconds=100)
_SAYS = "echo listening on port 8080; echo health endpoint: /index.html; echo ok > index.html; exec httpd -f -p 8080"
_NO_DATABASE = "dial tcp 10.0.0.9:5432: connect: connection refused"
# Stands for a moment soon after the job is committed, in seconds since 1970.
_SOON = "@SOON@"
_TEXT = """job "NAME" {
  datacenters = ["*"]
  group "web" {
    update {
      min_healthy_time  = "2s"
      healthy_deadline  = "25s"
      progress_deadline = "40s"
    }
    restart {
      attempts = 1
      delay    = "2s"
      interval = "30s"
      mode     = "fail"
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name     = "NAME"
      port     = "http"
      provider = "nomad"
      check {
        name     = "alive"
        type     = "http"
        path     = "/index.html"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "app" {
      driver = "docker"
      config {
        image   = "busybox:local"
        command = "sh"
        args    = ["-c", "SCRIPT"]
        ports   = ["http"]
      }
      resources {
        cpu    = 50
        memory = 64
      }
    }
  }
}
"""


class RemoteNomad:
    """A real agent in the place of an embedded one. Time passes by itself, and everything may have changed."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def handle(self, request: Request) -> Response:
        query = urllib.parse.urlencode([(name, one) for name, values in request.query.items() for one in values])
        url = f"{self._address}{urllib.parse.quote(request.path)}" + (f"?{query}" if query else "")
        asked = urllib.request.Request(url, method=request.method, data=request.body or None)
        try:
            with urllib.request.urlopen(asked, timeout=30) as found:
                return _response(found.status, found.read(), found.headers)
        except urllib.error.HTTPError as error:
            return _response(error.code, error.read(), error.headers)

    def advance(self, to: datetime) -> None:
        time.sleep(max(0.0, (to - datetime.now(UTC)).total_seconds()))

    def next_due(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=1)

    @property
    def raft_index(self) -> int:
        return time.monotonic_ns()


def _response(status: int, body: bytes, headers: Any) -> Response:
    kept = {name: value for name, value in headers.items() if name.lower().startswith("x-nomad")}
    return Response(status, body, headers.get("Content-Type", ""), kept)


class RealStage(Stage):
    """The same loop on a real agent."""

    def __init__(self, address: str, app: str) -> None:
        super().__init__({}, app)
        remote = RemoteNomad(address)
        self.cluster.nomad = remote  # type: ignore[assignment]
        self._handle = remote.handle  # type: ignore[assignment]
        remote.handle = self._spied  # type: ignore[method-assign]
        self.cluster.now = self._due = datetime.now(UTC)
        self.cluster.restart()

    def _pass(self) -> None:
        self.cluster.now = datetime.now(UTC)
        super()._pass()

    @property
    def quiet(self) -> bool:
        """Here every moment may bring news: what counts is that the last look left nothing to do."""
        record = self.cluster.records.get(self.key)
        waits = record.episode is not None and record.episode.waiting is not None
        return self.settled and record.attempt is None and (record.episode is None or waits)


@dataclass(slots=True)
class Outcome:
    """What came of a case on one of the two."""

    verdict: str = ""
    outcome: str = ""
    fixed: bool = False
    attempts: int = 0
    seconds: float = 0.0
    story: list[str] = field(default_factory=list)


def cases() -> list[Case]:
    def one(
        name: str, breaks: Callable[[dict[str, Any]], None], ends: End, *says: F, may: tuple[str, ...] = (),
        script: str = _SAYS, behaviour: dict[str, Any] | None = None, before: tuple[dict[str, Any], ...] = (),
    ) -> Case:  # fmt: skip
        app = f"corpus-{name}"
        job = dict(read_job(_TEXT.replace("NAME", app).replace("SCRIPT", script)))
        breaks(job)
        usual = {"listens": [8080], "stdout": "listening on port 8080\nhealth endpoint: /index.html\n",
                 "health": [{"path": "*", "status": 404, "body": "not found\n"}, {"path": "/index.html"}],
                 "programs": ["sh"]}  # fmt: skip
        world = {
            "nodes": [{"name": "node-1", "cpu": 8000, "memory": 8192}],
            "behaviours": [{**usual, **(behaviour or {})}, *before],
        }
        return Case(
            name=app, part=Part.BROKEN, fault=name, app=app, world=world, text=to_hcl(job), ends=ends,
            says=frozenset(says), may_change=may, policy=_POLICY,
        )  # fmt: skip

    def group(job: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = job["TaskGroups"][0]
        return found

    def task(job: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = group(job)["Tasks"][0]
        return found

    def check(job: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = group(job)["Services"][0]["Checks"][0]
        return found

    def at_admin(job: dict[str, Any]) -> None:
        """The service and its check are where nothing listens, and are updated in place."""
        group(job)["Networks"][0]["DynamicPorts"].append({"Label": "admin", "To": 9090})
        task(job)["Config"]["ports"] = ["http", "admin"]
        group(job)["Services"][0].update(PortLabel="admin")

    def gives_up(job: dict[str, Any]) -> None:
        group(job)["ReschedulePolicy"] = {"Attempts": 0, "Unlimited": False}

    quiet = "echo ok > index.html; exec httpd -f -p 8080"
    hungry = "set -e; dd if=/dev/zero of=/dev/null bs=60M count=1; " + _SAYS
    port = ("*Ports/*",)
    return [
        one("healthy", lambda job: None, End.HEALTHY),
        one("memory", lambda job: task(job)["Resources"].update(MemoryMB=40), End.FIXED, F.OOM_KILLED,
            may=("*/MemoryMB",), script=hungry, behaviour={"needs_memory": 60}),
        one("to-wrong", lambda job: group(job)["Networks"][0]["DynamicPorts"][0].update(To=80), End.FIXED,
            F.CHECK_WRONG_PORT, may=port),
        one("service-port", at_admin, End.FIXED, F.CHECK_WRONG_PORT, may=("*/PortLabel",), script=quiet,
            behaviour={"stdout": ""}),
        one("service-port-by-the-log", at_admin, End.APPROVED, F.CHECK_WRONG_PORT, may=("*/PortLabel",),
            script="p=8080; echo listening on port $p; " + quiet.replace("8080", "$p")),
        one("shell-command", lambda job: None, End.TOLD, F.SHELL_COMMAND_NOT_FOUND, script="sleep 1; curll -V",
            behaviour={"runs_for": "1s", "exit_code": 127, "stdout": "", "stderr": "sh: curll: not found\n"}),
        one("path", lambda job: check(job).update(Path="/index.htm"), End.FIXED, F.CHECK_WRONG_PATH,
            may=("*/Checks/*/Path",)),
        one("https", lambda job: check(job).update(Protocol="https"), End.FIXED, F.CHECK_WRONG_PROTOCOL,
            may=("*/Checks/*/Protocol",)),
        one("label", lambda job: group(job)["Services"][0].update(PortLabel="htpp"), End.FIXED,
            F.SERVICE_PORT_UNDEFINED, may=("*/PortLabel",)),
        one("published", lambda job: task(job)["Config"].update(ports=["htttp"]), End.FIXED,
            F.DRIVER_PORT_UNDEFINED, may=("*/Config/ports",)),
        one("not-published", lambda job: task(job)["Config"].pop("ports"), End.FIXED, F.CHECK_WRONG_PORT,
            may=("*/Config/ports",)),
        one("working-dir", lambda job: task(job)["Config"].update(working_dir="/tmp"), End.FIXED,
            F.DRIVER_KEY_UNKNOWN, may=("*/Config/work*",)),
        one("interval", lambda job: check(job).update(Interval=500_000_000), End.FIXED, F.SPEC_INVALID,
            may=("*/Checks/*/Interval",)),
        one("deadlines", lambda job: group(job)["Update"].update(HealthyDeadline=50_000_000_000), End.FIXED,
            F.DEADLINES_INCONSISTENT, may=("*/Update/*",)),
        one("datacenter", lambda job: job.update(Datacenters=["dc-1"]), End.FIXED, F.DATACENTER_UNKNOWN,
            may=("Datacenters",)),
        one("cpu", lambda job: task(job)["Resources"].update(CPU=900_000), End.FIXED, F.CPU_EXHAUSTED,
            may=("*/Resources/CPU",)),
        one("docker-network", lambda job: task(job)["Config"].update(network_mode="brigde"), End.FIXED,
            F.DRIVER_NETWORK_MISSING, may=("*/Config/network_mode",)),
        one("work-dir-without-a-slash", lambda job: task(job)["Config"].update(work_dir="srv"), End.TOLD,
            F.WORK_DIR_INVALID),
        one("command-misspelt", lambda job: task(job)["Config"].update(command="servce"), End.TOLD,
            F.COMMAND_NOT_FOUND),
        one("given-up-too-early", gives_up, End.FIXED, F.RESTARTS_EXHAUSTED, may=("*/RestartPolicy/*", "*/Resched*"),
            script=f"sleep 1; [ $(date +%s) -gt {_SOON} ] || {{ echo {_NO_DATABASE} >&2; exit 1; }}; {quiet}",
            behaviour={"stdout": "", "from_time": "25s"}, before=(
                {"runs_for": "1s", "exit_code": 1, "stderr": f"{_NO_DATABASE}\n", "programs": ["sh"]},)),
        one("command", lambda job: task(job)["Config"].update(command="/opt/nothing"), End.TOLD,
            F.COMMAND_NOT_FOUND),
        one("crash", lambda job: None, End.TOLD, F.CRASH, script="sleep 1; echo boom >&2; exit 3",
            behaviour={"runs_for": "1s", "exit_code": 3, "stdout": "", "stderr": "boom\n"}),
    ]  # fmt: skip


def _on_embedded(case: Case) -> Outcome:
    found = judge(case)
    return Outcome(found.verdict.split(", ")[0], found.outcome, found.fixed, found.attempts,
                   found.seconds_to_healthy or 0.0, found.story)  # fmt: skip


def _on_real(case: Case, address: str) -> Outcome:
    stage = RealStage(address, case.app)
    began = stage.cluster.now
    try:
        stage.commit_text(case.text.replace(_SOON, str(int(time.time()) + 25)), case.policy)
        healthy = False
        while stage.cluster.now < began + _AT_MOST:
            stage.live(stage.cluster.now + timedelta(seconds=2))
            healthy = stage.healthy()
            episode = stage.cluster.records.get(stage.key).episode
            if case.ends is End.APPROVED and episode is not None and episode.waiting is not None:
                stage.ask(Verb.APPROVE)
                continue
            if stage.quiet and stage.cluster.now > began + timedelta(seconds=6):
                break
        episodes = list(stage.seen.episodes.values())
        last = episodes[-1] if episodes else None
        return Outcome(
            verdict=episodes[0].diagnosis.failure.value if episodes else "",
            outcome=last.outcome.value if last is not None and last.outcome is not None else "open" if last else "",
            fixed=healthy and bool(episodes),
            attempts=sum(episode.attempts for episode in episodes),
            seconds=(stage.cluster.now - began).total_seconds(),
            story=[
                f"{(at - began).total_seconds():8.1f} s  {reason}: {words}" for at, reason, words in stage.seen.reasons
            ]
            + stage.seen.errors,
        )
    finally:
        stage.http("DELETE", f"/v1/job/{case.app}", purge="true")


def main(address: str, wanted: list[str]) -> int:
    """A line for each case and what it came to on both; ends with 1 where they differ."""
    differing = 0
    print(f"{'':<32}{'on ' + address:<46}on the embedded Nomad")
    for case in cases():
        if wanted and not any(name in case.name for name in wanted):
            continue
        real, embedded = _on_real(case, address), _on_embedded(replace(case))
        same = (real.verdict, real.outcome, real.fixed) == (embedded.verdict, embedded.outcome, embedded.fixed)
        differing += not same
        print(f"{case.name:<32}{_told(real):<46}{_told(embedded):<46}{'' if same else 'DIFFERENT'}", flush=True)
        if wanted or not same:
            print(
                "\n".join(
                    [*(f"    real {line}" for line in real.story), *(f"    here {line}" for line in embedded.story)]
                )
            )
    print(f"{differing} differ")
    return 1 if differing else 0


def _told(one: Outcome) -> str:
    return f"{one.verdict or '-'}, {one.outcome or '-'}, {one.attempts}×, {one.seconds:.0f} s"
