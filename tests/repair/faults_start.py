"""Families A, B and C: images, the driver's config, what is started, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.repair.case import End
from tests.repair.fault import F, Fault
from tests.repair.shapes import Broken

_S = 1_000_000_000


def _key(name: str, value: Any) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.config[name] = value

    return breaks


def _moved(old: str, new: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.config[new] = one.config.pop(old)

    return breaks


def _environment(one: Broken) -> None:
    one.config["environment"] = [dict(one.env)]
    one.task["Env"] = None


def _args_as_text(one: Broken) -> None:
    one.config["args"] = " ".join(one.config["args"])


def _ports_as_text(one: Broken) -> None:
    one.config["ports"] = one.config["ports"][0]


def _command_line(one: Broken) -> None:
    one.config["command"] = " ".join([one.config["command"], *one.config.pop("args")])


def _in_a_shell(one: Broken) -> None:
    one.config["command"] = "sh"
    one.config["args"] = ["-c", "exec /app/worker --home ${HOME}"]


def _no_home(one: Broken) -> None:
    one.config["args"] = ["--home", "${HOME}"]


def _renamed_variable(one: Broken) -> None:
    one.env["QUEUE_HSOT"] = one.env.pop("QUEUE_HOST")


def _no_variable(one: Broken) -> None:
    one.env.pop("QUEUE_HOST")


def _ends(**how: Any) -> Callable[[Broken], None]:
    """The app ends a second after its start."""

    def breaks(one: Broken) -> None:
        one.behaviour.update({"runs_for": "1s", **how})

    return breaks


def _registry(fault: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.world["registries"] = [{"images": [one.config["image"]], "fault": fault}]

    return breaks


def _new_tag(one: Broken) -> None:
    one.config["image"] = one.config["image"].rpartition(":")[0] + ":nope"
    one.world["registries"] = [{"images": ["*:nope"], "fault": "tag missing"}]


def _slow_pull(one: Broken) -> None:
    one.world["registries"] = [{"images": [one.config["image"]], "pull_takes": "70s"}]


def _impatient(one: Broken) -> None:
    """Gives up after one restart, while its database needs two minutes."""
    usual = one.behaviour
    refused = "dial tcp 10.0.0.9:5432: connect: connection refused\n"
    one.world["behaviours"] = [
        {**usual, "from_time": "120s"},
        {"image": usual["image"], "runs_for": "1s", "exit_code": 1, "stderr": refused},
        *one.world["behaviours"],
    ]
    one.group["ReschedulePolicy"] = {"Attempts": 0, "Unlimited": False}
    one.group["RestartPolicy"].update({"Attempts": 1, "Delay": 3 * _S, "Interval": 30 * _S})


FAULTS = (
    Fault("key-working-dir", _key("working_dir", "/srv"), (F.DRIVER_KEY_UNKNOWN,), ("web", "worker"),
          ("*/Config/work*dir",)),
    Fault("key-cmd", _moved("command", "cmd"), (F.DRIVER_KEY_UNKNOWN,), ("worker", "api"),
          ("*/Config/cmd", "*/Config/command")),
    Fault("key-restart", _key("restart", "always"), (F.DRIVER_KEY_UNKNOWN,), ("web",), ("*/Config/restart",)),
    Fault("key-container-name", _key("container_name", "web"), (F.DRIVER_KEY_UNKNOWN,), ("shop",),
          ("*/Config/container_name",)),
    Fault("key-misspelt", _moved("args", "agrs"), (F.DRIVER_KEY_UNKNOWN,), ("worker",), ("*/Config/a*",)),
    Fault("key-image-name", _moved("image", "image_name"), (F.DRIVER_KEY_UNKNOWN, F.DRIVER_KEY_MISSING), ("web",),
          ("*/Config/image*",)),
    Fault("key-memory-limit", _key("mem_limit", "256m"), (F.DRIVER_KEY_UNKNOWN,), ("web",),
          ("*/Config/mem_limit", "*/Resources/MemoryMB")),
    Fault("key-environment", _environment, (F.DRIVER_KEY_UNKNOWN,), ("worker", "api"),
          ("*/Config/environment*", "*/Env/*"), End.APPROVED),
    Fault("key-privileged-misspelt", _key("priviledged", True), (F.DRIVER_KEY_UNKNOWN,), ("web",), (), End.TOLD),
    Fault("key-nobody-knows", _key("frobnicate", "yes"), (F.DRIVER_KEY_UNKNOWN,), ("web",), (), End.TOLD),
    Fault("args-as-a-text", _args_as_text, (F.DRIVER_VALUE_WRONG,), ("worker",), ("*/Config/args",), End.APPROVED),
    Fault("ports-as-a-text", _ports_as_text, (F.DRIVER_VALUE_WRONG,), ("web", "shop"), ("*/Config/ports",),
          End.APPROVED),
    Fault("variable-of-the-shell", _in_a_shell, (F.DRIVER_VARIABLE_UNKNOWN,), ("worker",), ("*/Config/args",),
          End.APPROVED),
    Fault("variable-nobody-knows", _no_home, (F.DRIVER_VARIABLE_UNKNOWN,), ("worker",), (), End.TOLD),
    Fault("command-with-its-arguments", _command_line, (F.COMMAND_NOT_FOUND,), ("worker", "api"),
          ("*/Config/command", "*/Config/args"), End.APPROVED),
    Fault("work-dir-without-a-slash", _key("work_dir", "srv"), (F.WORK_DIR_INVALID,), ("web", "worker"), (), End.TOLD),
    Fault("command-that-is-not-there", _key("command", "/opt/nothing"), (F.COMMAND_NOT_FOUND,), ("worker",), (),
          End.TOLD),
    Fault("privileged-refused", _key("privileged", True), (F.PRIVILEGE_REFUSED,), ("web",), (), End.TOLD),
    Fault("capability-refused", _key("cap_add", ["sys_admin"]), (F.CAPABILITY_REFUSED,), ("web",), (), End.TOLD),
    Fault("image-reference-bad", _key("image", "team/web 1.4"), (F.IMAGE_REFERENCE_BAD,), ("web",), (), End.TOLD),
    Fault("image-tag-missing", _new_tag, (F.IMAGE_TAG_MISSING,), ("web", "worker"), (), End.TOLD),
    Fault("image-pulled-too-slowly", _slow_pull, (F.IMAGE_PULL_SLOW,), ("web",), (), End.TOLD, of_world=True),
    Fault("variable-missing", _no_variable, (F.CRASH_CONFIG_MISSING,), ("worker",), (), End.TOLD),
    Fault("variable-misspelt", _renamed_variable, (F.CRASH_CONFIG_MISSING,), ("worker",), ("*/Env/*",), End.APPROVED),
    Fault("ends-at-once", _ends(), (F.EXITED_EARLY,), ("worker",), (), End.TOLD, of_world=True),
    Fault("crashes", _ends(exit_code=1, stderr="Traceback (most recent call last):\nRuntimeError: no\n"), (F.CRASH,),
          ("worker", "web"), (), End.TOLD, of_world=True),
    Fault("segmentation-fault", _ends(exit_code=139), (F.CRASH_SIGNAL,), ("worker",), (), End.TOLD, of_world=True),
    Fault("gives-up-before-its-database", _impatient, (F.RESTARTS_EXHAUSTED,), ("worker", "billing", "web"),
          ("*/RestartPolicy/*", "*/ReschedulePolicy/*"), of_world=True),
)  # fmt: skip
