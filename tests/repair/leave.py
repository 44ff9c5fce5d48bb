"""What must not be touched: causes outside the job, causes that pass, and apps with which nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable

from desired.job.hcl_write import to_hcl
from tests.repair.case import Case, End, Event, Part, Stage
from tests.repair.fault import F
from tests.repair.shapes import Broken

_S = 1_000_000_000
_GREEDY = """job "greedy" {
  datacenters = ["dc1"]
  type = "system"
  group "greedy" {
    task "greedy" {
      driver = "docker"
      config {
        image = "team/other:1"
      }
      resources {
        cpu    = 3950
        memory = 100
      }
    }
  }
}
"""


def _case(
    name: str, shape: str, ends: End, *says: F, breaks: Callable[[Broken], None] | None = None,
    events: tuple[Event, ...] = (), good: bool = False, part: Part = Part.LEAVE, later: tuple[str, ...] = (),
) -> Case:  # fmt: skip
    one = Broken(shape)
    before = to_hcl(one.job) if good else ""
    if breaks is not None:
        breaks(one)
    return Case(
        name=name, part=part, fault=name, app=shape, world=one.world, text=to_hcl(one.job), ends=ends,
        says=frozenset(says), events=events, good=before, others=tuple(one.others), later=later,
    )  # fmt: skip


def _registry(fault: str, until: str | None = None) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.world["registries"] = [
            {"images": [one.config["image"]], "fault": fault, **({"until": until} if until else {})}
        ]
        one.group["RestartPolicy"].update({"Attempts": 20, "Delay": 10 * _S, "Interval": 600 * _S})

    return breaks


def _without(until: str, words: str, code: int = 1, attempts: int = 20) -> Callable[[Broken], None]:
    """Ends after a second until that time, saying these words."""

    def breaks(one: Broken) -> None:
        usual = one.behaviour
        one.world["behaviours"].insert(
            0, {"image": usual["image"], "runs_for": "1s", "exit_code": code, "stderr": words}
        )
        one.world["behaviours"].insert(0, {**usual, "from_time": until})
        one.group["RestartPolicy"].update({"Attempts": attempts, "Delay": 5 * _S, "Interval": 600 * _S})

    return breaks


def _once(one: Broken) -> None:
    usual = one.behaviour
    one.world["behaviours"].insert(0, {**usual, "from_attempt": 1})
    usual.update({"runs_for": "1s", "exit_code": 1, "stderr": "cannot get the lock\n"})


def _says(stdout: str, stderr: str = "") -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        # What an app that needs a variable says on stderr is said when it is missing.
        one.behaviour["stdout"] = one.behaviour.get("stdout", "") + stdout + stderr

    return breaks


def _slow(seconds: int) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.behaviour["ready_after"] = f"{seconds}s"

    return breaks


def _canary(one: Broken) -> None:
    one.update["Canary"] = 1
    one.env["VERSION"] = "2"


def _late_variable(one: Broken) -> None:
    one.world["variables"] = []


def _put_variable(stage: Stage) -> None:
    stage.http(
        "PUT", "/v1/var/nomad/jobs/shop",
        {"Namespace": "default", "Path": "nomad/jobs/shop", "Items": {"db_host": "db", "db_user": "shop"}},
    )  # fmt: skip


def _other_variable(one: Broken) -> None:
    one.template(0, "nomad/jobs/shop", "elsewhere/settings")


def _other_key(one: Broken) -> None:
    one.template(1, "billing/endpoint", "rates/table")


def _no_secret(one: Broken) -> None:
    one.world["vault_paths"] = {}


def _batch(code: int, words: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.behaviour.update({"runs_for": "5s", "exit_code": code, "stderr": words})

    return breaks


def _full(one: Broken) -> None:
    one.others.append(_GREEDY)


def _driver_down(one: Broken) -> None:
    for node in one.world["nodes"]:
        node["drivers"] = {"docker": {"healthy": False}, "exec": {}}


def _artifact(error: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        source = "https://files.internal/data.tgz"
        one.task["Artifacts"] = [{"GetterSource": source, "RelativeDest": "local/"}]
        one.world["downloads"] = [{"source": source, "error": error}]

    return breaks


def _lost_label(one: Broken) -> None:
    one.service["PortLabel"] = "htpp"


def _none(one: Broken) -> None:
    one.group["Count"] = 0


def _two_of_api(one: Broken) -> None:
    one.group["Count"] = 4


def _superseded() -> Case:
    """A version that cannot come up is replaced by the next commit while it is being verified."""
    one = Broken("web")
    good = to_hcl(one.job)
    one.env["LOG_LEVEL"] = "debug"
    one.behaviour["ready_after"] = "20s"
    slow = to_hcl(one.job)
    one.env["LOG_LEVEL"] = "warn"
    later = to_hcl(one.job)
    return Case(
        name="superseded-while-it-comes-up", part=Part.LEAVE, fault="superseded", app="web", world=one.world, text=slow,
        ends=End.HEALTHY, later=(later, good), events=(Event(8, lambda stage: stage.commit_text(later)),),
    )  # fmt: skip


def _stopped(stage: Stage) -> None:
    stage.http("DELETE", "/v1/job/web")


_REFUSED = "dial tcp 10.0.0.9:5432: connect: connection refused\n"


def cases() -> list[Case]:
    return [
        _case("registry-down-then-up", "web", End.HEALS, F.REGISTRY_UNREACHABLE, breaks=_registry("refused", "100s")),
        _case("registry-broken-then-well", "worker", End.HEALS, F.REGISTRY_UNREACHABLE,
              breaks=_registry("broken", "150s")),
        _case("registry-rate-limits", "web", End.HEALS, F.IMAGE_RATE_LIMITED, breaks=_registry("rate limited", "200s")),
        _case("registry-down-for-good", "shop", End.WAITS, F.REGISTRY_UNREACHABLE, breaks=_registry("refused")),
        _case("registry-nobody-knows", "web", End.WAITS, F.REGISTRY_UNKNOWN, breaks=_registry("unknown host")),
        _case("registry-wants-a-login", "web", End.WAITS, F.IMAGE_UNAUTHORIZED, breaks=_registry("unauthorized")),
        _case("repository-denied", "worker", End.WAITS, F.IMAGE_REPOSITORY_MISSING, breaks=_registry("denied")),
        _case("repository-missing", "api", End.WAITS, F.IMAGE_REPOSITORY_MISSING,
              breaks=_registry("repository missing")),
        _case("dependency-up-after-40-seconds", "worker", End.HEALS, F.CRASH_DEPENDENCY,
              breaks=_without("40s", _REFUSED)),
        _case("dependency-up-after-two-minutes", "web", End.HEALS, F.CRASH_DEPENDENCY,
              breaks=_without("120s", "could not connect to server: no route to host\n")),
        _case("crashes-once", "web", End.HEALS, F.CRASH, breaks=_once),
        _case("crashes-for-a-minute-and-says-memory", "worker", End.HEALS, F.CRASH, F.CRASH_SIGNAL, F.UNKNOWN,
              breaks=_without("60s", "java.lang.OutOfMemoryError is what we feared\nlost the leader, leaving\n")),
        _case("healthy-and-noisy", "web", End.HEALTHY,
              breaks=_says("ERROR cannot reach cache, going on\nFATAL: not really\n" * 10)),
        _case("healthy-and-talks-of-memory", "api", End.HEALTHY,
              breaks=_says("OOM Killed\nOut of memory: Killed process 1\n")),
        _case("healthy-and-talks-of-ports", "web", End.HEALTHY,
              breaks=_says("listening on port 9999\nbind: address already in use\n")),
        _case("healthy-and-talks-of-variables", "worker", End.HEALTHY,
              breaks=_says("KeyError: 'DATABASE_URL'\nDATABASE_URL is not set\n")),
        _case("slow-and-healthy-start", "web", End.HEALTHY, breaks=_slow(25)),
        _case("slow-start-within-its-grace", "legacy", End.HEALTHY, breaks=_slow(70)),
        _case("canary-waits-for-a-person", "web", End.WAITS, breaks=_canary, good=True),
        _case("variable-appears-late", "shop", End.HEALS, F.VARIABLE_MISSING, breaks=_late_variable,
              events=(Event(50, _put_variable),)),
        _case("variable-of-another-team", "shop", End.WAITS, F.VARIABLE_MISSING, breaks=_other_variable),
        _case("consul-key-nobody-wrote", "billing", End.WAITS, F.CONSUL_KEY_MISSING, breaks=_other_key),
        _case("secret-nobody-wrote", "billing", End.WAITS, F.SECRET_MISSING, breaks=_no_secret),
        _case("batch-fails-by-its-own-code", "report", End.WAITS, F.CRASH, F.UNKNOWN, F.RESTARTS_EXHAUSTED,
              breaks=_batch(3, "no data for today\n")),
        _case("batch-fails-and-blames-the-memory", "report", End.WAITS, F.CRASH, F.UNKNOWN, F.RESTARTS_EXHAUSTED,
              breaks=_batch(2, "not enough memory credits left in the account\n")),
        _case("cluster-is-full", "web", End.WAITS, F.CPU_EXHAUSTED, breaks=_full),
        _case("docker-is-down", "worker", End.WAITS, F.DRIVER_MISSING, F.DRIVER_DOWN, breaks=_driver_down),
        _case("artifact-gone", "worker", End.WAITS, F.ARTIFACT_MISSING, breaks=_artifact("bad response code: 404")),
        _case("artifact-server-down", "worker", End.WAITS, F.ARTIFACT_UNREACHABLE,
              breaks=_artifact("Get \"https://files.internal\": dial tcp 10.0.0.7:443: connect: connection refused")),
        _case("label-lost-by-an-update", "shop", End.HEALTHY, breaks=_lost_label, good=True),
        _case("count-of-zero", "web", End.WAITS, breaks=_none),
        _case("scaled-up-by-a-commit", "api", End.HEALTHY, breaks=_two_of_api, good=True),
        _case("segmentation-fault", "web", End.WAITS, F.CRASH_SIGNAL, breaks=_without("9h", "", 139, 1)),
        _superseded(),
        _case("stopped-by-a-person", "web", End.HEALTHY, events=(Event(120, _stopped),)),
    ]  # fmt: skip
