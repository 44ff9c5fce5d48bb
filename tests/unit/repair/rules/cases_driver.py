"""The driver's config as people from Docker and Compose write it, and what a container starts and where."""

from __future__ import annotations

from typing import Any

from desired.operations.operation import Kind, Operation
from observers.evidence import Evidence, ImageFacts
from observers.failures.failure_class import FailureClass as F
from tests.unit.observers.failures.failure_evidence import allocation, crashes, evidence, log
from tests.unit.repair.rules.rule_cases import (
    APP,
    CHOICE,
    NOTHING,
    RuleCase,
    changed,
    op,
    refused_config,
    unknown_keys,
    unrecoverable,
)

IMAGE = "registry.example/team/app:1.0"


def _config(**keys: Any) -> Evidence:
    """A task whose config has these keys besides image and ports, all of them refused."""
    pairs = [one for key, value in keys.items() for one in (f"task.Config.{key}", value)]
    return evidence(unknown_keys(*keys), body=changed(*pairs))


def _gone(key: str) -> Operation:
    return op(Kind.DRIVER_KEY, (*APP, key), key, None)


def _renamed(key: str, new: str) -> Operation:
    return op(Kind.DRIVER_KEY, (*APP, key), key, new)


def _key(name: str, expected: tuple[Operation, ...] | str, **keys: Any) -> RuleCase:
    return RuleCase(name, F.DRIVER_KEY_UNKNOWN, _config(**keys), expected, "driver-key")


def _wrong(key: str, value: Any, said: str, **other: Any) -> Evidence:
    words = f'Incorrect attribute value type: Inappropriate value for attribute "{key}": {said}'
    pairs = [one for name, told in other.items() for one in (name.replace("__", "."), told)]
    return evidence(refused_config(words), body=changed(f"task.Config.{key}", value, *pairs))


def _unknown_variable(name: str, **config: Any) -> Evidence:
    pairs = [one for key, value in config.items() for one in (f"task.Config.{key}", value)]
    said = f'Unknown variable: There is no variable named "{name}".'
    return evidence(refused_config(said), body=changed(*pairs))


def _driver_says(said: str, *pairs: Any, **other: Any) -> Evidence:
    return evidence(unrecoverable("Driver Failure", said, driver_error=said), body=changed(*pairs), **other)


def _no_program(program: str, *pairs: Any, image: ImageFacts | None = None) -> Evidence:
    said = (
        "Failed to start container 1: Error response from daemon: failed to create task for container: OCI runtime "
        f'create failed: exec: "{program}": executable file not found in $PATH: unknown'
    )
    return _driver_says(said, *pairs, images={} if image is None else {IMAGE: image})


def _no_directory(path: str, image: ImageFacts | None = None) -> Evidence:
    said = f"Error response from daemon: the working directory '{path}' is invalid, it needs to be an absolute path"
    if path.startswith("/"):
        said = (
            f'OCI runtime create failed: chdir to cwd ("{path}") set in config.json failed: no such file or directory'
        )
    return _driver_says(said, "task.Config.work_dir", path, images={} if image is None else {IMAGE: image})


_NGINX = ImageFacts(IMAGE, command=("nginx", "-g", "daemon off;"))
_NODE = ImageFacts(IMAGE, entrypoint=("/usr/local/bin/node",), command=("server.js",), working_dir="/app")
_LIST = "list of string required, but have string."

CASES = (
    _key(
        "environment-as-a-map",
        (op(Kind.ENV, (*APP, "A"), None, "b"), op(Kind.ENV, (*APP, "N"), None, "1"), _gone("environment")),
        environment={"A": "b", "N": 1},
    ),
    _key(
        "environment-as-a-block",
        (op(Kind.ENV, (*APP, "A"), None, "b"), _gone("env")),
        env=[{"A": "b"}],
    ),
    _key(
        "environment-as-a-list",
        (op(Kind.ENV, (*APP, "A"), None, "b=c"), _gone("environment")),
        environment=["A=b=c"],
    ),
    _key("environment-of-names-only", CHOICE, environment=["A"]),
    RuleCase(
        "environment-that-the-task-has-otherwise",
        F.DRIVER_KEY_UNKNOWN,
        evidence(
            unknown_keys("environment"),
            body=changed("task.Config.environment", {"A": "b"}, "task.Env", {"A": "other"}),
        ),
        CHOICE,
        "driver-key",
    ),
    _key("volume", (_renamed("volume", "volumes"),), volume=["data:/data"]),
    _key(
        "volume-as-a-text",
        (
            _renamed("volume", "volumes"),
            op(Kind.DRIVER_VALUE, (*APP, "volumes"), "data:/data", ("data:/data",)),
        ),
        volume="data:/data",
    ),
    RuleCase(
        "image-name",
        F.DRIVER_KEY_UNKNOWN,
        evidence(
            unknown_keys("image_name"), body=changed("task.Config.image", None, "task.Config.image_name", "busybox")
        ),
        (_renamed("image_name", "image"),),
        "driver-key",
    ),
    _key("image-name-beside-image", CHOICE, image_name="busybox"),
    _key("working-dir", (_renamed("working_dir", "work_dir"),), working_dir="/srv"),
    _key("camel-case", (_renamed("workDir", "work_dir"),), workDir="/srv"),
    _key("misspelt", (_renamed("entypoint", "entrypoint"),), entypoint=["/bin/sh"]),
    _key("cmd-as-a-text", (_renamed("cmd", "command"),), cmd="serve"),
    _key(
        "cmd-as-a-line",
        (
            _renamed("cmd", "command"),
            op(Kind.COMMAND, APP, "npm start", "npm"),
            op(Kind.ARGS, APP, None, ("start",)),
        ),
        cmd="npm start",
    ),
    _key("cmd-as-a-line-beside-args", CHOICE, cmd="npm start", args=["-v"]),
    _key("cmd-as-a-shell's-line", CHOICE, cmd="npm start && true"),
    _key("scale-is-a-count", CHOICE, scale=3),
    _key("cmd-as-a-list", CHOICE, cmd=["serve", "-v"]),
    _key("network-bridge", (_renamed("network", "network_mode"),), network="bridge"),
    _key("network-host-is-for-a-person", CHOICE, network="host"),
    _key("privileged-misspelt-is-for-a-person", CHOICE, priviledged=True),
    _key("restart-always", (_gone("restart"),), restart="always"),
    _key("restart-never-is-for-a-person", CHOICE, restart="no"),
    _key("container-name", (_gone("container_name"),), container_name="web"),
    _key("memory-that-fits-a-step", (op(Kind.MEMORY, APP, 64, 128), _gone("mem_limit")), mem_limit="128m"),
    _key("memory-that-is-there-already", (_gone("memory"),), memory=64),
    _key("memory-beyond-a-step", CHOICE, mem_limit="2g"),
    _key("cpus", CHOICE, cpus="0.5"),
    _key("healthcheck", CHOICE, healthcheck={"test": "curl -f http://localhost"}),
    _key("nobody-knows", CHOICE, frobnicate=True),
    _key(
        "several-at-once",
        (op(Kind.ENV, (*APP, "A"), None, "b"), _gone("environment"), _renamed("working_dir", "work_dir")),
        environment={"A": "b"},
        working_dir="/srv",
    ),
    _key("two-for-the-same-key", CHOICE, working_dir="/srv", workdir="/app"),
    RuleCase(
        "port-as-a-text",
        F.DRIVER_KEY_UNKNOWN,
        evidence(unknown_keys("port"), body=changed("task.Config.ports", None, "task.Config.port", "http")),
        (_gone("port"), op(Kind.DRIVER_PORTS, APP, None, ("http",))),
        "driver-key",
    ),
    RuleCase(
        "port-mapping",
        F.DRIVER_KEY_UNKNOWN,
        evidence(
            unknown_keys("port_mapping"),
            body=changed("task.Config.ports", None, "task.Config.port_mapping", {"http": 8080}),
        ),
        (_gone("port_mapping"), op(Kind.DRIVER_PORTS, APP, None, ("http",))),
        "driver-key",
    ),
    RuleCase(
        "key-of-docker-in-raw-exec",
        F.DRIVER_KEY_UNKNOWN,
        evidence(
            unknown_keys("image"),
            body=changed("task.Driver", "raw_exec", "task.Config", {"command": "/bin/app", "image": "x"}),
        ),
        CHOICE,
        "driver-key",
    ),
    RuleCase(
        "ports-as-a-text",
        F.DRIVER_VALUE_WRONG,
        _wrong("ports", "http", _LIST),
        (op(Kind.DRIVER_VALUE, (*APP, "ports"), "http", ("http",)),),
        "driver-value",
    ),
    RuleCase(
        "ports-as-a-map",
        F.DRIVER_VALUE_WRONG,
        _wrong(
            "ports",
            {"http": 80},
            "list of string required, but have map.",
        ),
        CHOICE,
        "driver-value",
    ),
    RuleCase(
        "args-as-a-text",
        F.DRIVER_VALUE_WRONG,
        _wrong("args", "--name 'a b' -v", _LIST),
        (op(Kind.DRIVER_VALUE, (*APP, "args"), "--name 'a b' -v", ("--name", "a b", "-v")),),
        "driver-value",
    ),
    RuleCase("args-as-a-shell's-text", F.DRIVER_VALUE_WRONG, _wrong("args", "a && b", _LIST), CHOICE, "driver-value"),
    RuleCase(
        "dns-servers-as-a-text",
        F.DRIVER_VALUE_WRONG,
        _wrong("dns_servers", "10.0.0.1", _LIST),
        (op(Kind.DRIVER_VALUE, (*APP, "dns_servers"), "10.0.0.1", ("10.0.0.1",)),),
        "driver-value",
    ),
    RuleCase(
        "capability-as-a-text-is-for-a-person",
        F.DRIVER_VALUE_WRONG,
        _wrong("cap_add", "net_admin", _LIST),
        CHOICE,
        "driver-value",
    ),
    RuleCase(
        "command-as-a-list",
        F.DRIVER_VALUE_WRONG,
        _wrong("command", ["npm", "start"], "string required."),
        (
            op(Kind.DRIVER_VALUE, (*APP, "command"), ("npm", "start"), "npm"),
            op(Kind.ARGS, APP, None, ("start",)),
        ),
        "driver-value",
    ),
    RuleCase(
        "variable-of-a-shell",
        F.DRIVER_VARIABLE_UNKNOWN,
        _unknown_variable("HOME", command="/bin/sh", args=["-c", "cd ${HOME} && serve ${NOMAD_PORT_http}"]),
        (
            op(
                Kind.ARGS,
                APP,
                ("-c", "cd ${HOME} && serve ${NOMAD_PORT_http}"),
                ("-c", "cd $${HOME} && serve ${NOMAD_PORT_http}"),
            ),
        ),
        "driver-variable",
    ),
    RuleCase(
        "variable-without-a-shell",
        F.DRIVER_VARIABLE_UNKNOWN,
        _unknown_variable("HOME", command="serve", args=["${HOME}"]),
        CHOICE,
        "driver-variable",
    ),
    RuleCase(
        "less-memory-than-docker-takes",
        F.DRIVER_LIMIT,
        _driver_says(
            "Failed to create container: Error response from daemon: Minimum memory limit allowed is 12MB",
            "task.Resources.MemoryMB",
            10,
        ),
        (op(Kind.MEMORY, APP, 10, 12),),
        "driver-limit",
    ),
    RuleCase(
        "more-memory-than-its-own-hard-limit",
        F.DRIVER_LIMIT,
        _driver_says(
            "Failed to create container configuration: task memory requirements exceed driver hard limit of 32 MB",
            "task.Config.memory_hard_limit",
            32,
        ),
        CHOICE,
        "driver-limit",
    ),
    RuleCase(
        "spaces-around-a-command",
        F.DRIVER_LIMIT,
        _driver_says('command contains extra white space: "serve "', "task.Config.command", "serve "),
        (op(Kind.COMMAND, APP, "serve ", "serve"),),
        "driver-limit",
    ),
    RuleCase(
        "docker-network-beside-the-group's",
        F.DRIVER_NETWORK_MISSING,
        _driver_says(
            "Failed to start container 1: Error response from daemon: network backend not found",
            "task.Config.network_mode",
            "backend",
            "group.Networks.0.Mode",
            "bridge",
        ),
        (_gone("network_mode"),),
        "driver-network",
    ),
    RuleCase(
        "docker-network-that-is-not-there",
        F.DRIVER_NETWORK_MISSING,
        _driver_says(
            "Failed to start container 1: Error response from daemon: network backend not found",
            "task.Config.network_mode",
            "backend",
        ),
        CHOICE,
        "driver-network",
    ),
    RuleCase(
        "command-line-as-a-command",
        F.COMMAND_NOT_FOUND,
        _no_program("npm start", "task.Config.command", "npm start", "task.Config.args", ["--prod"]),
        (
            op(Kind.COMMAND, APP, "npm start", "npm"),
            op(Kind.ARGS, APP, ("--prod",), ("start", "--prod")),
        ),
        "command-line",
    ),
    RuleCase(
        "shell's-line-as-a-command",
        F.COMMAND_NOT_FOUND,
        _no_program("a && b", "task.Config.command", "a && b"),
        CHOICE,
        "command-line",
    ),
    RuleCase(
        "command-misspelt",
        F.COMMAND_NOT_FOUND,
        _no_program("ngnix", "task.Config.command", "ngnix", "task.Config.args", ["-g", "daemon off;"], image=_NGINX),
        (op(Kind.COMMAND, APP, "ngnix", "nginx"),),
        "command",
    ),
    RuleCase(
        "command-in-another-folder",
        F.COMMAND_NOT_FOUND,
        _no_program("/usr/bin/node", "task.Config.command", "/usr/bin/node", image=_NODE),
        (op(Kind.COMMAND, APP, "/usr/bin/node", "/usr/local/bin/node"),),
        "command",
    ),
    RuleCase(
        "command-that-the-image-serves-by-itself",
        F.COMMAND_NOT_FOUND,
        _no_program("start-server", "task.Config.command", "start-server", image=_NGINX),
        (op(Kind.COMMAND, APP, "start-server", None),),
        "command",
    ),
    RuleCase(
        "command-with-args-that-the-image-does-not-serve",
        F.COMMAND_NOT_FOUND,
        _no_program("worker", "task.Config.command", "worker", "task.Config.args", ["-q"], image=_NGINX),
        CHOICE,
        "command",
    ),
    RuleCase(
        "entrypoint-that-the-image-serves-by-itself",
        F.COMMAND_NOT_FOUND,
        _no_program("/entry.sh", "task.Config.entrypoint", ["/entry.sh"], image=_NODE),
        (op(Kind.ENTRYPOINT, APP, ("/entry.sh",), None),),
        "command",
    ),
    RuleCase(
        "command-of-an-unknown-image",
        F.COMMAND_NOT_FOUND,
        _no_program("x", "task.Config.command", "x"),
        CHOICE,
        "command",
    ),
    RuleCase(
        "word-that-the-shell-does-not-find",
        F.SHELL_COMMAND_NOT_FOUND,
        evidence(
            allocation(crashes(127)),
            body=changed("task.Config.command", "/bin/sh", "task.Config.args", ["-c", "noed server.js"]),
            logs=(log("/bin/sh: 1: noed: not found"),),
            images={IMAGE: ImageFacts(IMAGE, command=("node", "server.js"))},
        ),
        (op(Kind.ARGS, APP, ("-c", "noed server.js"), ("-c", "node server.js")),),
        "command-in-shell",
    ),
    RuleCase(
        "word-of-a-script-that-the-shell-does-not-find",
        F.SHELL_COMMAND_NOT_FOUND,
        evidence(
            allocation(crashes(127)),
            logs=(log("/start.sh: line 3: noed: command not found"),),
            images={IMAGE: ImageFacts(IMAGE, command=("node", "server.js"))},
        ),
        NOTHING,
    ),
    RuleCase(
        "relative-directory-that-the-image-has",
        F.WORK_DIR_INVALID,
        _no_directory("app", _NODE),
        (op(Kind.WORK_DIR, APP, "app", "/app"),),
        "working-directory",
    ),
    RuleCase(
        "relative-directory-in-the-root",
        F.WORK_DIR_INVALID,
        _no_directory("srv", ImageFacts(IMAGE)),
        (op(Kind.WORK_DIR, APP, "srv", "/srv"),),
        "working-directory",
    ),
    RuleCase(
        "relative-directory-of-two-meanings",
        F.WORK_DIR_INVALID,
        _no_directory("src", _NODE),
        CHOICE,
        "working-directory",
    ),
    RuleCase(
        "relative-directory-of-an-unknown-image", F.WORK_DIR_INVALID, _no_directory("src"), CHOICE, "working-directory"
    ),
    RuleCase(
        "directory-misspelt",
        F.WORK_DIR_INVALID,
        _no_directory("/apps", _NODE),
        (op(Kind.WORK_DIR, APP, "/apps", "/app"),),
        "working-directory",
    ),
    RuleCase(
        "directory-that-is-not-there",
        F.WORK_DIR_INVALID,
        _no_directory("/srv/current", _NODE),
        (op(Kind.WORK_DIR, APP, "/srv/current", None),),
        "working-directory",
    ),
)
