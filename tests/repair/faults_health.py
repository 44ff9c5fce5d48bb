"""Family G: checks and deadlines."""

from __future__ import annotations

from collections.abc import Callable

from tests.repair.case import End
from tests.repair.fault import F, Fault
from tests.repair.shapes import Broken

_S = 1_000_000_000
_DEADLINES = ("*/Update/HealthyDeadline", "*/Update/ProgressDeadline")


def _check(name: str, value: object) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.check[name] = value

    return breaks


def _post(one: Broken) -> None:
    path = one.check["Path"]
    one.behaviour["health"] = [
        {"path": "*", "status": 404, "body": "not found\n"},
        {"path": path, "status": 405, "body": "method not allowed\n"},
        {"path": path, "methods": ["GET"], "status": 200},
    ]
    one.check["Method"] = "POST"


def _silent_path(one: Broken) -> None:
    one.behaviour["stdout"] = "up\n"
    one.check["Path"] = "/nothing"


def _by_environment(one: Broken) -> None:
    one.behaviour["stdout"] = "up\n"
    one.env["HEALTH_PATH"] = one.check["Path"]
    one.check["Path"] = "/"


def _speaks(what: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.behaviour["speaks"] = what

    return breaks


def _impatient(one: Broken) -> None:
    one.check["CheckRestart"]["Grace"] = 10 * _S


def _deadlines(healthy: int, progress: int) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.update["HealthyDeadline"] = healthy * _S
        one.update["ProgressDeadline"] = progress * _S

    return breaks


def _minimum(one: Broken) -> None:
    one.update["MinHealthyTime"] = 45 * _S


def _patient(one: Broken) -> None:
    """Up after 40 s, judged after 25."""
    one.check["CheckRestart"] = None
    _deadlines(25, 240)(one)


def _broken_inside(one: Broken) -> None:
    one.behaviour["health"] = [{"path": "*", "status": 500, "body": "internal error\n"}]


def _same_name(one: Broken) -> None:
    service = one.service
    service["Checks"].append(dict(one.check))
    # Only services of a task are looked at for it.
    one.task["Services"] = [service]
    one.group["Services"] = None


def _restarts(**policy: object) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.group["RestartPolicy"].update(policy)

    return breaks


FAULTS = (
    Fault("path-misspelt", lambda one: _check("Path", one.check["Path"][:-1])(one), (F.CHECK_WRONG_PATH,),
          ("web", "api"), ("*/Checks/*/Path",)),
    Fault("path-of-another-app", _check("Path", "/live"), (F.CHECK_WRONG_PATH,), ("web", "api"), ("*/Checks/*/Path",)),
    Fault("path-that-the-environment-names", _by_environment, (F.CHECK_WRONG_PATH,), ("web", "shop"),
          ("*/Checks/*/Path",), of_world=True),
    Fault("path-nobody-can-guess", _silent_path, (F.CHECK_WRONG_PATH,), ("shop",), (), End.TOLD, of_world=True),
    Fault("check-with-post", _post, (F.CHECK_WRONG_PATH,), ("web",), ("*/Checks/*/Method",), of_world=True),
    Fault("check-speaks-https", _check("Protocol", "https"), (F.CHECK_WRONG_PROTOCOL,), ("web", "shop"),
          ("*/Checks/*/Protocol",)),
    Fault("app-speaks-https", _speaks("https"), (F.CHECK_WRONG_PROTOCOL,), ("web", "pair"), ("*/Checks/*/Protocol",),
          of_world=True),
    Fault("app-speaks-no-http", _speaks("other"), (F.CHECK_WRONG_PROTOCOL,), ("gate",),
          ("*/Checks/*/Type", "*/Checks/*/Path"), End.TOLD, of_world=True),
    Fault("check-too-soon", _impatient, (F.CHECK_TOO_EARLY,), ("legacy",),
          ("*/CheckRestart/Grace", *_DEADLINES), of_world=True),
    Fault("healthy-deadline-too-short", _patient, (F.DEADLINE_TOO_SHORT,), ("legacy",), _DEADLINES, of_world=True),
    Fault("app-answers-500", _broken_inside, (F.CHECK_FAILING,), ("web",), (), End.TOLD, of_world=True),
    Fault("progress-before-healthy", _deadlines(90, 60), (F.DEADLINES_INCONSISTENT,), ("web", "worker"), _DEADLINES),
    Fault("healthy-before-minimum", _minimum, (F.DEADLINES_INCONSISTENT,), ("api", "shop"), _DEADLINES),
    Fault("check-type-misspelt", _check("Type", "htpp"), (F.SPEC_INVALID,), ("web", "mesh"), ("*/Checks/*/Type",)),
    Fault("check-interval-too-short", _check("Interval", _S // 2), (F.SPEC_INVALID,), ("web",),
          ("*/Checks/*/Interval",)),
    Fault("check-timeout-missing", _check("Timeout", 0), (F.SPEC_INVALID,), ("gate",), ("*/Checks/*/Timeout",)),
    Fault("check-path-as-an-address", lambda one: _check("Path", "http://web" + one.check["Path"])(one),
          (F.SPEC_INVALID,), ("web",), ("*/Checks/*/Path",)),
    Fault("check-method-misspelt", _check("Method", "HEDA"), (F.SPEC_INVALID,), ("shop",), ("*/Checks/*/Method",)),
    Fault("check-name-twice", _same_name, (F.NAME_DUPLICATE,), ("web", "pair"), ("*/Checks/*",)),
    Fault("attempts-that-do-not-fit", _restarts(Attempts=10, Delay=15 * _S, Interval=60 * _S),
          (F.RESTART_POLICY_INVALID,), ("web", "worker"), ("*/RestartPolicy/*",)),
    Fault("restart-mode-misspelt", _restarts(Mode="delya"), (F.RESTART_POLICY_INVALID,), ("shop",),
          ("*/RestartPolicy/*",)),
    Fault("restart-interval-too-short", _restarts(Attempts=1, Delay=_S, Interval=2 * _S),
          (F.RESTART_POLICY_INVALID,), ("billing",), ("*/RestartPolicy/*",)),
)  # fmt: skip
