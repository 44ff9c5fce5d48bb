"""What no rule can decide, and a person who reads the evidence would: an app that names the setting it lacks while the
job holds the value, a mistake told in the app's own words, several paths of which the words single out one, a
cause that hides another. And what reads as if the job could mend it, and is not so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from desired.job.hcl_write import to_hcl
from tests.repair.case import Case, End, Part
from tests.repair.fault import F
from tests.repair.shapes import Broken

_LACKS = (F.CRASH_CONFIG_MISSING, F.CRASH, F.RESTARTS_EXHAUSTED)
_CRASHES = (F.CRASH, F.UNKNOWN, F.RESTARTS_EXHAUSTED, F.CRASH_DEPENDENCY, F.CRASH_CONFIG_MISSING)
_PLACES = {"pair": "pair/main"}


def _case(
    name: str, shape: str, breaks: Callable[[Broken], None], *says: F, answers: tuple[Mapping[str, Any], ...] = (),
    may: tuple[str, ...] = (), becomes: tuple[tuple[str, tuple[Any, ...]], ...] = (), ends: End = End.APPROVED,
    faults: int = 1,
) -> Case:  # fmt: skip
    one = Broken(shape)
    breaks(one)
    return Case(
        name=name, part=Part.READ, fault=name, app=shape, world=one.world, text=to_hcl(one.job), ends=ends,
        says=frozenset(says), may_change=may, becomes=becomes, answers=answers, faults=faults,
    )  # fmt: skip


def _op(kind: str, path: str, to: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, "to": to}


def _task(shape: str) -> str:
    return _PLACES.get(shape, f"{shape}/app" if shape == "web" else f"{shape}/{shape}")


# ---- a setting that the app names, whose value the job holds


def _lacking(shape: str, name: str, value: str, words: str, *, was: str = "",
             also: Callable[[Broken], None] | None = None, says: tuple[F, ...] = _LACKS,
             may: tuple[str, ...] = (), more: str = "", faults: int = 1,
             answers: tuple[Mapping[str, Any], ...] = ()) -> Case:  # fmt: skip
    """`was` is the name under which the job says the value: the app reads it no more."""

    def breaks(one: Broken) -> None:
        if was and was not in one.env:
            one.env[was] = value
        one.behaviour["needs_env"] = [name]
        one.behaviour["stderr"] = words
        if also is not None:
            also(one)

    answer = _op("env", f"{_task(shape)}/{name}", value)
    return _case(
        f"lacks-{name.lower().replace('_', '-')}{more}:{shape}", shape, breaks, *says, answers=(answer, *answers),
        may=(f"*/Env/{name}", *may), becomes=((f"*/Env/{name}", (value,)),), faults=faults,
    )  # fmt: skip


def _settings() -> list[Case]:
    return [
        _lacking("worker", "AMQP_HOST", "mq.internal", "fatal: AMQP_HOST is not set (QUEUE_HOST is read no more)\n"),
        _lacking("worker", "BROKER_ADDRESS", "mq.internal", "BROKER_ADDRESS must be set: where the queue is\n"),
        _lacking("worker", "JOB_QUEUE", "orders", "JOB_QUEUE is required; the flag --queue goes away\n"),
        _lacking("api", "POSTGRES_HOST", "db.internal",
                 "missing required environment variable: POSTGRES_HOST (since 7.0, before: DATABASE_HOST)\n"),
        _lacking("api", "METRICS_PORT", "9100", "METRICS_PORT is not set: where is /metrics to be served?\n"),
        _lacking("web", "LISTEN_PORT", "8080", "environment variable LISTEN_PORT is required\n"),
        _lacking("shop", "HTTP_PORT", "8000", "shop: HTTP_PORT is not set\n"),
        _lacking("gate", "BIND_PORT", "8081", "gate: BIND_PORT must be set to the port inside\n"),
        _lacking("mesh", "SERVER_PORT", "7000", "SERVER_PORT is missing\n"),
        _lacking("legacy", "SERVER_PORT", "8090", "SERVER_PORT is required since the embedded server has no default\n"),
        _lacking("pair", "MAIN_PORT", "5000", "main: MAIN_PORT is not set\n"),
        # In words that no pattern knows.
        _lacking("worker", "QUEUE_ADDRESS", "mq.internal",
                 "cannot start: nothing tells me where the queue is. I look at QUEUE_ADDRESS\n", says=_CRASHES),
        _lacking("api", "PG_HOST", "db.internal", "panic: config{PG_HOST: \"\"} makes no sense\n", says=_CRASHES),
        _lacking("web", "WEB_PORT", "8080", "I do not know what to listen on, give me WEB_PORT\n", says=_CRASHES),
        _lacking("mesh", "MESH_BIND", "7000", "bind: got an empty port from MESH_BIND, giving up\n", says=_CRASHES),
    ]  # fmt: skip


# ---- arguments that the app refuses in its own words


def _refusing(shape: str, args: list[str], when: str, words: str, right: list[str] | None, *, name: str, task: int = 0,
              also: Callable[[Broken], None] | None = None, says: tuple[F, ...] = _CRASHES,
              may: tuple[str, ...] = (), faults: int = 1) -> Case:  # fmt: skip
    """`when` is a pattern of the command line that the app refuses."""
    one = Broken(shape)
    at = f"{one.group['Name']}/{one.group['Tasks'][task]['Name']}"

    def breaks(one: Broken) -> None:
        config = one.group["Tasks"][task]["Config"]
        config["args"] = args
        if also is not None:
            also(one)
        whom = {"image": config["image"]} if "image" in config else {"job": "tool*"}
        one.world["behaviours"].insert(
            0, {**whom, "command": when, "runs_for": "1s", "exit_code": 2, "stderr": words}
        )  # fmt: skip

    pattern = f"*/Tasks/{at.rpartition('/')[2]}/Config/args"
    meant = (tuple(right),) if right else ()
    return _case(
        f"{name}:{shape}", shape, breaks, *says, answers=(_op("args", at, right),), may=(pattern, *may),
        becomes=((pattern, meant),), faults=faults,
    )  # fmt: skip


def _arguments() -> list[Case]:
    return [
        _refusing("worker", ["--queue", "orders", "--legacy"], "--legacy", "unknown flag: --legacy\n",
                  ["--queue", "orders"], name="flag-that-is-gone"),
        _refusing("api", ["--quiet", "--no-color"], "--no-color",
                  "usage: api-server [--quiet]\napi-server: error: unrecognized arguments: --no-color\n", ["--quiet"],
                  name="argument-unknown"),
        _refusing("tool", ["serve", "--fork"], "--fork", "serve: --fork is no option any more, we stay in front\n",
                  ["serve"], name="flag-no-option-any-more"),
        _refusing("worker", ["--queue=orders"], "--queue=", "--queue=orders: give the value as a word of its own\n",
                  ["--queue", "orders"], name="value-as-a-word-of-its-own"),
        _refusing("worker", ["orders", "--queue"], "orders --queue", "flag needs an argument: --queue\n",
                  ["--queue", "orders"], name="argument-before-its-flag"),
        _refusing("api", ["api-server", "--quiet"], "api-server api-server",
                  "api-server: there is no subcommand api-server\n", ["--quiet"], name="command-said-twice"),
        _refusing("pair", ["--to-stdout"], "--to-stdout", "flag provided but not defined: -to-stdout\n", None, task=1,
                  name="flag-of-the-sidecar"),
    ]  # fmt: skip


# ---- a check that asks at the wrong place, while the app names several


def _several_paths(shape: str, words: str, path: str) -> Case:
    def breaks(one: Broken) -> None:
        one.behaviour["stdout"] = words
        one.check["Path"] = "/nowhere"

    one = Broken(shape)
    at = f"{one.group['Name']}/{one.service['Name']}/{one.check['Name']}"
    return _case(
        f"one-path-of-several:{shape}", shape, breaks, F.CHECK_WRONG_PATH, answers=(_op("check_path", at, path),),
        may=("*/Checks/*/Path",), becomes=(("*/Checks/*/Path", (path,)),),
    )  # fmt: skip


def _places() -> list[Case]:
    return [
        _several_paths("web", "GET /livez, GET /healthz, GET /metrics\nbalancers ask GET /healthz\n", "/healthz"),
        _several_paths("api", "mounted /metrics\nmounted /status (checks)\nmounted /rpc\n", "/status"),
        _several_paths("shop", "mounted /admin\nmounted /up (health)\nmounted /cart\n", "/up"),
        _several_paths("gate", "readiness: /ready\nliveness, only from inside: /alive\n", "/ready"),
        _several_paths("mesh", "endpoints: /stats /ok /config_dump\nhealth checks belong at /ok\n", "/ok"),
        _several_paths("pair", "health of the queue: /queue\nhealth of all: /health\n", "/health"),
    ]  # fmt: skip


# ---- two causes, of which one hides the other


def _hungry(one: Broken) -> None:
    one.resources["MemoryMB"] = int(one.behaviour["needs_memory"] * 0.6)


def _lost_path(one: Broken) -> None:
    one.check["Path"] = one.check["Path"].replace("t", "tt", 1)


_MEMORY = ("*/Resources/MemoryMB",)
_PATH = ("*/Checks/*/Path",)


def _hidden() -> list[Case]:
    both = (*_LACKS, F.OOM_KILLED)
    return [
        _lacking("worker", "AMQP_HOST", "mq.internal", "AMQP_HOST is not set (before: QUEUE_HOST)\n", also=_hungry,
                 says=both, may=_MEMORY, more="-and-memory", faults=2),
        _lacking("api", "PG_HOST", "db.internal", "PG_HOST is not set (before: DATABASE_HOST)\n", also=_hungry,
                 says=both, may=_MEMORY, more="-and-memory", faults=2),
        _lacking("mesh", "SERVER_PORT", "7000", "SERVER_PORT is missing\n", also=_hungry, says=both, may=_MEMORY,
                 more="-and-memory", faults=2),
        _lacking("web", "LISTEN_PORT", "8080", "LISTEN_PORT is not set\n", also=_lost_path,
                 says=(*_LACKS, F.CHECK_WRONG_PATH), may=_PATH, more="-and-a-path", faults=2),
        _refusing("api", ["--quiet", "--no-color"], "--no-color", "unrecognized arguments: --no-color\n", ["--quiet"],
                  name="argument-unknown-and-memory", also=_hungry, says=(*_CRASHES, F.OOM_KILLED), may=_MEMORY,
                  faults=2),
    ]  # fmt: skip


# ---- what reads as if the job could mend it


def _ending(words: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.behaviour.update({"runs_for": "1s", "exit_code": 1, "stderr": words, "needs_env": []})

    return breaks


def _nobodys(name: str, shape: str, words: str) -> Case:
    return _case(f"not-the-job:{name}", shape, _ending(words), *_CRASHES, ends=End.TOLD)


def _secret_elsewhere(shape: str, name: str, held: str, words: str) -> Case:
    """The value is there, and it is a secret: a person moves it."""

    def breaks(one: Broken) -> None:
        one.env[held] = "correct-horse-battery-7f3a"
        one.behaviour.update({"needs_env": [name], "stderr": words})

    return _case(
        f"secret-under-another-name:{shape}", shape, breaks, *_LACKS, ends=End.TOLD,
        answers=(_op("env", f"{_task(shape)}/{name}", "«secret:1»"),),
    )  # fmt: skip


def _others() -> list[Case]:
    return [
        _nobodys("licence", "worker", "licence expired on 2025-12-31, ask sales@vendor.example\n"),
        _nobodys("stack-trace", "web", "java.lang.NullPointerException\n\tat App.main(App.java:7)\n"),
        _nobodys("migration", "api", "schema is at version 41, this release needs 42: run the migration first\n"),
        _nobodys("bucket", "worker", "upload failed: the bucket's quota is exceeded\n"),
        _nobodys("clock", "web", "certificate is not yet valid: is the clock of this machine right?\n"),
        _nobodys("assertion", "gate", "assertion failed: len(routes) > 0, this is a bug, please report it\n"),
        _nobodys("data", "worker", "row 7 of orders.csv has 3 columns, 4 are expected\n"),
        _nobodys("tenant", "api", "tenant 12 is suspended\n"),
        _secret_elsewhere("worker", "AMQP_PASSWORD", "QUEUE_PASSWORD", "AMQP_PASSWORD is not set\n"),
        _secret_elsewhere("api", "PG_PASSWORD", "DATABASE_PASSWORD", "PG_PASSWORD is not set\n"),
    ]  # fmt: skip


def cases() -> list[Case]:
    return [*_settings(), *_arguments(), *_places(), *_hidden(), *_others()]
