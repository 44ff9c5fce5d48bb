"""Each class from the words that Nomad, its drivers and services are cited with; facts are read out of them.

Source: nomad 2.0's sources and a run against OpenBao 2.6.2; what is recorded too stands here with other values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from desired.cause import Cause
from observers.evidence import Cluster, Evidence, ImageFacts, Usage
from observers.failures.failure_class import FailureClass
from observers.failures.table import TABLE, advice
from observers.running import PlacementFailure, TaskEvent
from tests.unit.observers.failures.failure_evidence import (
    NOW,
    allocation,
    check,
    cluster,
    crashes,
    deployment,
    driver_failure,
    ended,
    event,
    evidence,
    first,
    job,
    killing,
    log,
    placed,
    room,
    running,
    told,
)

F = FailureClass
PULL = "Failed to pull `registry.example/team/app:1.0`: "
DAEMON = "Error response from daemon: "
CREATE = 'Failed to create container configuration for image "x" ("sha256:1"): '
START = "Failed to start container 63057: " + DAEMON
RUNC = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
LOGIN = (
    "Vault: failed to derive vault token: failed to derive Vault token for identity vault_default: "
    "failed to login with JWT: Error making API request. URL: PUT http://vault/v1/auth/jwt-nomad/login "
)
GROUP = "1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* "
TASK = GROUP + "Task app validation failed: 1 error occurred:\n\t* "


@dataclass(frozen=True)
class Case:
    failure: FailureClass
    evidence: Evidence
    facts: Mapping[str, str] = field(default_factory=dict)
    cause: Cause | None = None
    conclusive: bool | None = None
    note: str = ""


def driver(failure: FailureClass, said: str, cause: Cause | None = None, **facts: str) -> Case:
    """Said by a task driver, twice."""
    return Case(failure, evidence(allocation([driver_failure(said), driver_failure(said, after=20)])), facts, cause)


def hook(failure: FailureClass, happened: TaskEvent, body: Mapping[str, object] | None = None, **facts: str) -> Case:
    return Case(failure, evidence(allocation([happened]), body=body), facts)


def refused(failure: FailureClass, words: str, cause: Cause | None = None, **facts: str) -> Case:
    return Case(failure, evidence(refusal=words), facts, cause)


def crash(failure: FailureClass, line: str, code: int = 1, **facts: str) -> Case:
    """It ends twice with this line last."""
    return Case(failure, evidence(allocation(crashes(code)), logs=(log(line),)), facts)


def nowhere(failure: FailureClass, reason: str, exhausted: bool = False, **facts: str) -> Case:
    return Case(failure, placed(reason, exhausted=exhausted), facts)


def setup(said: str) -> TaskEvent:
    return event("Setup Failure", "failed to setup alloc: pre-run hook " + said, fails_task="true")


def waits(missing: str, body: Mapping[str, object] | None = None, found: Cluster | None = None) -> Evidence:
    waiting = allocation([event("Template", f"Missing: {missing}", after=4)], state="pending", client_status="pending")
    return evidence(waiting, body=body, cluster=found or Cluster())


TEMPLATE = job(
    Vault={"Role": "web"},
    Templates=[
        {
            "DestPath": "secrets/db.env",
            "Envvars": True,
            "EmbeddedTmpl": '{{ with secret "secret/data/web/db" }}PW={{ .Data.data.pass }}{{ end }}',
        }
    ],
)
FILE_TEMPLATE = job(Templates=[{"DestPath": "local/app.conf", "EmbeddedTmpl": 'DATABASE_URL={{ key "app/url" }}'}])


def https_check() -> dict[str, object]:
    body = job()
    body["TaskGroups"][0]["Services"][0]["Checks"][0]["Protocol"] = "https"
    return body


CASES = [
    # A: images
    driver(F.IMAGE_TAG_MISSING, PULL + DAEMON + "manifest unknown", tag="1.0", repository="registry.example/team/app"),
    driver(F.IMAGE_TAG_MISSING, PULL + "manifest for registry.example/team/app:1.0 not found: manifest unknown"),
    driver(F.IMAGE_REPOSITORY_MISSING, PULL + DAEMON + "name unknown", Cause.EXTERNAL, registry="registry.example"),
    driver(
        F.IMAGE_REPOSITORY_MISSING,
        "Failed to pull `app:1`: " + DAEMON + "pull access denied for app, repository does not exist or may require "
        "'docker login'",
        registry="docker.io",
        repository="app",
    ),
    driver(F.IMAGE_UNAUTHORIZED, PULL + DAEMON + "unauthorized: incorrect username or password", Cause.EXTERNAL),
    driver(F.IMAGE_UNAUTHORIZED, 'Failed to find docker auth for repo "registry.example/team/app": exit status 1'),
    driver(F.IMAGE_RATE_LIMITED, PULL + DAEMON + "toomanyrequests: You have reached your pull rate limit.", Cause.TIME),
    driver(
        F.IMAGE_PLATFORM_WRONG,
        PULL + "no matching manifest for linux/arm64/v8 in the manifest list entries",
        platform="linux/arm64/v8",
    ),
    crash(F.IMAGE_PLATFORM_WRONG, "exec /usr/bin/app: exec format error"),
    driver(F.IMAGE_PULL_SLOW, PULL + "context deadline exceeded", timeout="5m"),
    driver(F.IMAGE_REFERENCE_BAD, 'unable to create local docker image "A B": does not match registry specification'),
    driver(
        F.REGISTRY_UNREACHABLE,
        PULL + DAEMON + 'Get "https://registry.example/v2/": dial tcp 10.0.0.1:443: i/o timeout',
        Cause.TIME,
        problem="i/o timeout",
    ),
    driver(F.REGISTRY_UNKNOWN, PULL + DAEMON + 'Get "https://r/v2/": dial tcp: lookup r on 1.1.1.1:53: no such host'),
    driver(F.NODE_DISK_FULL, PULL + "write /var/lib/docker/tmp/x: no space left on device", node="node-1"),
    driver(F.DRIVER_DOWN, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock", driver="docker"),
    # B: config and start
    hook(
        F.DRIVER_KEY_UNKNOWN,
        event(
            "Failed Validation",
            validation_error="2 errors occurred:\n\t* failed to parse config: \n\t* Invalid label: "
            'No argument or block type is named "workdir".\n\n',
        ),
        key="workdir",
        suggestion="work_dir",
    ),
    hook(
        F.DRIVER_KEY_UNKNOWN,
        event("Failed Validation", 'Invalid label: No argument or block type is named "mem_limit".'),
        elsewhere="resources/memory",
    ),
    hook(
        F.DRIVER_VALUE_WRONG,
        event(
            "Failed Validation",
            'Incorrect attribute value type: Inappropriate value for attribute "ports": list of string required, '
            "but have string.",
        ),
        key="ports",
        expected="list of string",
        found="string",
    ),
    hook(
        F.DRIVER_VARIABLE_UNKNOWN,
        event("Failed Validation", 'Unknown variable: There is no variable named "HOME". Did you mean "node"?'),
        job(Config={"image": "x", "args": ["-c", "echo ${HOME}"]}),
        variable="HOME",
        suggestion="node",
        key="args",
    ),
    hook(
        F.DRIVER_KEY_MISSING,
        event("Failed Validation", 'Missing required argument: The argument "image" is required, but no definition'),
        key="image",
    ),
    driver(
        F.COMMAND_NOT_FOUND,
        START + RUNC + 'exec: "ngins": executable file not found in $PATH: unknown',
        command="ngins",
    ),
    driver(
        F.COMMAND_NOT_FOUND,
        'failed to launch command with executor: rpc error: code = Unknown desc = binary "/x" could not be found',
        command="/x",
    ),
    driver(F.COMMAND_NOT_EXECUTABLE, START + RUNC + 'exec: "/app.sh": permission denied: unknown', command="/app.sh"),
    crash(F.SHELL_COMMAND_NOT_FOUND, "sh: 1: serv: not found", 127, command="serv", exit_code="127"),
    crash(F.COMMAND_NOT_EXECUTABLE, "sh: 1: /app: Permission denied", 126),
    driver(
        F.WORK_DIR_INVALID,
        "Failed to create container: " + DAEMON + "the working directory 'app' is invalid, it needs to be an absolute "
        "path",
        path="app",
    ),
    driver(F.CONTAINER_NAME_TAKEN, DAEMON + 'Conflict. The container name "/app-1" is already in use by container "2"'),
    driver(
        F.PRIVILEGE_REFUSED,
        CREATE + "Docker privileged mode is disabled on this Nomad agent",
        Cause.CLUSTER,
        key="privileged",
    ),
    driver(F.PRIVILEGE_REFUSED, CREATE + 'cannot apply "pid_mode" configuration "host": not allowed', key="pid_mode"),
    driver(
        F.CAPABILITY_REFUSED,
        CREATE + "driver does not allow the following capabilities: net_admin, sys_time",
        capabilities="net_admin, sys_time",
    ),
    driver(F.HOST_PATH_REFUSED, CREATE + 'volumes are not enabled; cannot mount host path: "/srv"', path="/srv"),
    driver(F.RUNTIME_REFUSED, CREATE + 'requested docker runtime "nvidia" was not found', runtime="nvidia"),
    driver(
        F.MOUNT_INVALID,
        "failed to create container: " + DAEMON + 'invalid mount config for type "bind": bind source path does not '
        "exist: /srv/x",
        path="/srv/x",
    ),
    driver(
        F.HOST_PORT_IN_USE,
        START + "driver failed programming external connectivity on endpoint web (1): Bind for 0.0.0.0:8080 failed: "
        "port is already allocated",
        port="8080",
    ),
    driver(F.DRIVER_PORT_UNDEFINED, CREATE + 'Port "htp" not found, check network block', label="htp", labels="http"),
    driver(
        F.DRIVER_LIMIT, CREATE + "task memory requirements exceed driver hard limit of 5 MB", key="memory", minimum="6"
    ),
    driver(F.DRIVER_NETWORK_MISSING, START + "network backend not found", network="backend"),
    driver(F.CONTAINER_START_FAILED, "something nobody has seen before", Cause.UNKNOWN),
    # C: run time
    Case(F.OOM_KILLED, evidence(allocation(crashes(137, oom=True))), {"limit": "64", "kills": "2"}, conclusive=True),
    Case(
        F.OOM_SUSPECTED,
        evidence(allocation(crashes(137)), usage={("web", "app"): Usage(memory=62)}),
        {"hint": "usage", "used": "62"},
        conclusive=True,
    ),
    Case(F.OOM_SUSPECTED, evidence(allocation(crashes(137))), conclusive=False),
    Case(F.CRASH_SIGNAL, evidence(allocation(crashes(137)), usage={("web", "app"): Usage(memory=9)}), {"signal": "9"}),
    Case(F.CRASH_SIGNAL, evidence(allocation(crashes(139))), {"name": "SIGSEGV"}, Cause.EXTERNAL, False),
    crash(F.CRASH, "panic: runtime error: index out of range [3] with length 2", 2, exit_code="2", crashes="2"),
    crash(F.CRASH_CONFIG_MISSING, "KeyError: 'DATABASE_URL'", name="DATABASE_URL", kind="variable"),
    crash(F.CRASH_CONFIG_MISSING, "Error: environment variable API_KEY is required", name="API_KEY"),
    crash(F.CRASH_CONFIG_MISSING, "sh: 1: REDIS_URL: parameter not set", 2, name="REDIS_URL"),
    crash(
        F.CRASH_CONFIG_MISSING,
        "open /etc/app/config.yaml: no such file or directory",
        name="/etc/app/config.yaml",
        kind="file",
    ),
    Case(
        F.CRASH_CONFIG_MISSING,
        evidence(allocation(crashes(1)), body=FILE_TEMPLATE, logs=(log("KeyError: 'DATABASE_URL'"),)),
        {"set": "not exported", "destination": "local/app.conf"},
    ),
    crash(
        F.CRASH_DEPENDENCY,
        "Error: dial tcp 10.0.0.7:5432: connect: connection refused",
        address="10.0.0.7:5432",
        problem="connection refused",
    ),
    crash(F.CRASH_DEPENDENCY, "Error: connect ECONNREFUSED 127.0.0.1:6379", problem="ECONNREFUSED"),
    crash(F.CRASH_PORT_PRIVILEGED, "listen tcp 0.0.0.0:80: bind: permission denied", port="80"),
    crash(F.CRASH_ADDRESS_IN_USE, "Error: listen EADDRINUSE: address already in use :::8080", port="8080"),
    Case(F.EXITED_EARLY, evidence(allocation(crashes(0))), {"exit_code": "0", "ran_seconds": "1"}, conclusive=True),
    Case(
        F.RESTARTS_EXHAUSTED,
        evidence(
            allocation(
                [
                    *crashes(1, 3),
                    event(
                        "Not Restarting",
                        restart_reason='Exceeded allowed attempts 2 in interval 30m0s and mode is "fail"',
                        after=9,
                    ),
                ]
            ),
            logs=(log("Error: connect ECONNREFUSED 10.0.0.7:5432"),),
        ),
        {"behind": "crash_dependency", "attempts": "2", "interval_seconds": "1800"},
        Cause.SPEC,
        True,
    ),
    hook(F.RUN_TIME_LIMIT, killing("task exceeded max_run_duration")),
    Case(
        F.CHECK_RESTARTS,
        evidence(
            running(
                event("Restart Signaled", restart_reason='healthcheck: check "alive" unhealthy', after=100),
                ended(137, after=105),
                event("Restarting", after=105),
                event("Started", after=106),
            )
        ),
        {"check": "alive", "grace_seconds": "5"},
        conclusive=False,
    ),
    # D: network
    nowhere(F.CNI_MISSING, "${attr.plugins.cni.version.bridge} semver >= 0.4.0", plugin="bridge"),
    hook(
        F.CNI_MISSING,
        setup(
            '"network" failed: plugin type="bridge" failed (add): failed to find plugin "bridge" in path [/opt/cni/bin]'
        ),
        plugin="bridge",
    ),
    nowhere(F.NETWORK_MODE_UNKNOWN, "missing network"),
    nowhere(F.HOST_NETWORK_MISSING, 'missing host network "public" for port "http"', network="public", label="http"),
    nowhere(F.STATIC_PORT_TAKEN, "network: reserved port collision http=8080", True, port="8080", label="http"),
    nowhere(F.PORT_RANGE_EXHAUSTED, "network: dynamic port selection failed", True),
    refused(F.PORT_INVALID, GROUP + "Port http (99999) cannot be greater than 65535", port="99999", label="http"),
    refused(
        F.PORT_DUPLICATE,
        GROUP + "Task group network validation failed: 1 error occurred:\n\t* Static port 80 already reserved by "
        "taskgroup network:a",
        twice="80",
    ),
    refused(
        F.SERVICE_PORT_UNDEFINED,
        TASK + 'port label "nope" referenced by services web does not exist',
        label="nope",
        labels="http",
        service="web",
    ),
    hook(
        F.SERVICE_PORT_UNDEFINED,
        setup(
            '"group_services" failed: unable to get address for service "web": '
            'invalid port "nope": port label not found'
        ),
        service="web",
        label="nope",
    ),
    refused(
        F.CHECK_PORT_MISSING,
        TASK + 'Check alive invalid: check requires a port but neither check nor service "web" have a port',
        check="alive",
        service="web",
    ),
    # E: placement
    nowhere(F.CPU_EXHAUSTED, "cpu", True, asked="100", of="app"),
    Case(
        F.MEMORY_EXHAUSTED,
        placed(
            "memory",
            exhausted=True,
            body=job(Resources={"MemoryMB": 9000}),
            cluster=cluster(room(memory=3000, memory_total=4096)),
        ),
        {"asked": "9000", "largest_free": "3000", "largest_total": "4096"},
        Cause.SPEC,
        True,
    ),
    Case(
        F.MEMORY_EXHAUSTED,
        placed(
            "memory",
            exhausted=True,
            body=job(Resources={"MemoryMB": 3500}),
            cluster=cluster(room(memory=3000, memory_total=4096)),
        ),
        cause=Cause.CLUSTER,
        conclusive=False,
        note="a node could hold it, were it not for its neighbours",
    ),
    nowhere(F.DISK_EXHAUSTED, "disk", True, asked="300"),
    Case(
        F.DISK_EXHAUSTED,
        placed("disk", exhausted=True, body=job(), cluster=cluster(room(disk=100, disk_total=250))),
        {"asked": "300", "largest_free": "100", "largest_total": "250"},
        Cause.SPEC,
        True,
    ),
    nowhere(F.CORES_EXHAUSTED, "cores", True),
    nowhere(F.DEVICE_MISSING, "missing devices"),
    Case(
        F.QUOTA_EXHAUSTED,
        evidence(placement={"web": PlacementFailure(nodes_evaluated=1, quota_exhausted=("memory exhausted (9 > 8)",))}),
    ),
    Case(
        F.DRIVER_MISSING,
        placed("missing drivers", body=job(Driver="podman"), cluster=cluster(room(drivers={"docker": True}))),
        {"driver": "podman", "available": "docker"},
        Cause.SPEC,
    ),
    Case(
        F.DRIVER_MISSING,
        placed("missing drivers", cluster=cluster(room(drivers={"docker": False, "raw_exec": True}))),
        {"driver": "docker", "unhealthy": "true"},
        Cause.CLUSTER,
    ),
    Case(
        F.DATACENTER_UNKNOWN,
        evidence(
            body={**job(), "Datacenters": ["dc9"]}, placement={"web": PlacementFailure()}, cluster=cluster(room())
        ),
        {"asked": "dc9", "present": "dc1"},
        Cause.SPEC,
        True,
    ),
    Case(
        F.NO_NODES,
        evidence(placement={"web": PlacementFailure()}, cluster=cluster(room(draining=True, eligible=False))),
        {"state": "draining"},
        Cause.CLUSTER,
        False,
    ),
    Case(F.NO_NODES, evidence(placement={"web": PlacementFailure()}), {"state": "unknown"}, Cause.UNKNOWN, False),
    Case(
        F.CONSTRAINT_UNSATISFIED,
        placed(
            "${meta.rack} = r9",
            body={**job(), "Constraints": [{"LTarget": "${meta.rack}", "Operand": "=", "RTarget": "r9"}]},
            cluster=cluster(room(meta={"rack": "r1"})),
        ),
        {"attribute": "${meta.rack}", "operator": "=", "value": "r9", "level": "job", "present": "r1"},
        Cause.SPEC,
        True,
    ),
    nowhere(F.CONSTRAINT_IMPLIED, "${attr.consul.version} semver >= 1.8.0", feature="consul"),
    nowhere(F.CONSTRAINT_IMPLIED, "${attr.nomad.service_discovery} = true", feature="nomad"),
    nowhere(
        F.DISTINCT_UNSATISFIED, "distinct_property: ${meta.rack}=r1 used by 1 allocs", operator="distinct_property"
    ),
    Case(F.PLAN_REJECTED, evidence(evaluation="maximum attempts reached (5)"), cause=Cause.TIME),
    nowhere(F.HOST_VOLUME_MISSING, "missing compatible host volumes"),
    nowhere(F.CSI_VOLUME_MISSING, "missing CSI volume(s) pgdata", volume="pgdata"),
    nowhere(
        F.CSI_VOLUME_BUSY,
        "CSI volume pgdata has exhausted its available writer claims and is claimed by a garbage collected allocation",
        volume="pgdata",
    ),
    # F: Vault, Consul, variables, templates
    refused(
        F.VAULT_NOT_ENABLED, '1 error occurred:\n\t* Vault "default" not enabled but used in the job', cluster="default"
    ),
    nowhere(F.VAULT_NOT_ON_NODE, "${attr.vault.version} semver >= 0.6.1"),
    refused(F.VAULT_BLOCK_MISSING, TASK + 'Secret "db" has provider "vault" but no vault block', secret="db"),
    Case(
        F.VAULT_BLOCK_MISSING, waits("vault.read(secret/data/web/db)"), {"path": "secret/data/web/db"}, Cause.SPEC, True
    ),
    hook(
        F.VAULT_IDENTITY_MISSING, killing("Vault: failed to derive vault token: no signed workload identity available")
    ),
    hook(
        F.VAULT_ROLE_REFUSED,
        killing(LOGIN + 'Code: 400. Errors:\n\n* role "wbe" could not be found'),
        role="wbe",
    ),
    hook(
        F.VAULT_ROLE_REFUSED,
        killing(
            LOGIN + "Code: 400. Errors:\n\n* error validating token: invalid audience (aud) claim: audience claim "
            "does not match any expected audience"
        ),
    ),
    hook(
        F.VAULT_UNREACHABLE, killing("Vault: failed to derive vault token: dial tcp 10.0.0.1:8200: connection refused")
    ),
    hook(F.VAULT_TOKEN_LOST, killing("Vault: failed to renew vault token")),
    Case(
        F.SECRET_MISSING,
        waits("vault.read(secret/web/db)", TEMPLATE, Cluster(kv_versions={"secret": 2})),
        {"path": "secret/web/db", "kv_version": "2", "mount": "secret"},
        Cause.SPEC,
        True,
    ),
    Case(
        F.SECRET_MISSING,
        waits("vault.read(secret/data/web/db)", TEMPLATE),
        {"path": "secret/data/web/db", "destination": "secrets/db.env"},
        Cause.EXTERNAL,
        False,
    ),
    Case(
        F.SECRET_FORBIDDEN,
        waits("vault.read(secret/data/web/db)", TEMPLATE, Cluster(secret_paths=("secret/web/db",))),
        {"path": "secret/data/web/db"},
        Cause.CLUSTER,
    ),
    hook(
        F.SECRET_FORBIDDEN,
        killing(
            "Template failed: vault.read(secret/data/web/db): Error making API request. Code: 403. Errors:\n\n"
            "* 1 error occurred:\n\t* permission denied"
        ),
        TEMPLATE,
        path="secret/data/web/db",
    ),
    hook(
        F.SECRET_MISSING,
        killing("Template failed: vault.read(secret/data/web/db): no secret exists at secret/data/web/db"),
        TEMPLATE,
        path="secret/data/web/db",
    ),
    Case(
        F.SECRET_FIELD_MISSING,
        evidence(
            allocation(
                [
                    killing(
                        'Template failed: (dynamic): execute: template: :1:50: executing "" at <.Data.data.pass>: '
                        'map has no entry for key "pass"'
                    )
                ]
            ),
            body=TEMPLATE,
            cluster=Cluster(secret_keys={"secret/data/web/db": ("passw", "user")}),
        ),
        {"field": "pass", "near": "passw", "path": "secret/data/web/db", "destination": "secrets/db.env"},
        Cause.SPEC,
    ),
    Case(
        F.SECRET_FIELD_MISSING,
        evidence(allocation(crashes(1)), body=TEMPLATE, cluster=Cluster(secret_keys={"secret/web/db": ("passwd",)})),
        {"field": "pass", "silent": "true"},
        note="Nomad rendered <no value> and started the task",
    ),
    Case(
        F.CONSUL_KEY_MISSING,
        waits(
            "kv.block(app/ur), kv.block(app/b), kv.block(app/c), and 2 more", found=Cluster(consul_keys=("app/url",))
        ),
        {"path": "app/ur", "paths": "app/ur, app/b, app/c", "more": "2", "near": "app/url"},
        Cause.SPEC,
        True,
    ),
    hook(
        F.CONSUL_FORBIDDEN,
        killing(
            "Template failed: kv.block(app/url): Unexpected response code: 403 (Permission denied: token with "
            "AccessorID '1' lacks permission 'key:read' on \"app/url\")"
        ),
        path="app/url",
    ),
    hook(F.CONSUL_IDENTITY, setup('"consul" failed: failed to derive Consul token for service web: ACL not found')),
    Case(
        F.VARIABLE_MISSING,
        waits("nomad.var.block(nomad/jobs/wbe@default.global)", found=Cluster(variables=("nomad/jobs/web",))),
        {"path": "nomad/jobs/wbe", "namespace": "default", "region": "global", "near": "nomad/jobs/web"},
        Cause.SPEC,
        True,
    ),
    hook(
        F.TEMPLATE_SYNTAX,
        killing('Template failed: (dynamic): parse: template: :3: function "nope" not defined'),
        line="3",
        function="nope",
    ),
    hook(
        F.TEMPLATE_EXECUTION,
        killing(
            'Template failed: (dynamic): execute: template: :1:9: executing "" at <parseJSON "{">: error calling '
            "parseJSON: unexpected end of JSON input"
        ),
        line="1",
        expression='parseJSON "{"',
    ),
    hook(
        F.TEMPLATE_ENV_BAD,
        killing(
            'Template failed to read environment variables: error parsing env template "/x/app/secrets/db.env": '
            "error on line 2: missing ="
        ),
        TEMPLATE,
        line="2",
        destination="secrets/db.env",
    ),
    refused(
        F.TEMPLATE_PATH_ESCAPES,
        TASK + "Template 1 validation failed: 1 error occurred:\n\t* destination escapes allocation directory",
    ),
    nowhere(F.SECRET_PLUGIN_MISSING, "${attr.plugins.secrets.my-plugin.version} is_set ", plugin="my-plugin"),
    refused(F.ENTERPRISE_ONLY, "multiple Vault namespaces requires Nomad Enterprise, Namespaces: team-a"),
    # G: health
    Case(
        F.CHECK_WRONG_PORT,
        evidence(running(), checks=(check('Get "http://x/": EOF'),), logs=(log("listening on :9090", "stdout"),)),
        {"expected": "8080", "listens_on": "9090", "said_by": "log", "label": "http"},
        conclusive=True,
    ),
    Case(
        F.CHECK_WRONG_PORT,
        evidence(
            running(),
            checks=(check("dial tcp 127.0.0.1:20000: connect: connection refused"),),
            images={"registry.example/team/app:1.0": ImageFacts("registry.example/team/app:1.0", ports=(80,))},
        ),
        {"listens_on": "80", "said_by": "image"},
    ),
    Case(
        F.CHECK_WRONG_PATH,
        evidence(
            running(),
            checks=(check("404 page not found", code=404),),
            logs=(log("health endpoint at /healthz", "stdout"),),
        ),
        {"path": "/health", "status": "404", "candidates": "/healthz", "method": "GET"},
    ),
    Case(
        F.CHECK_WRONG_PROTOCOL,
        evidence(running(), checks=(check("Client sent an HTTP request to an HTTPS server.", code=400),)),
        {"protocol": "http", "speaks": "https"},
    ),
    Case(
        F.CHECK_WRONG_PROTOCOL,
        evidence(
            running(),
            checks=(check('net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x00\\x00"'),),
        ),
        {"protocol": "http", "speaks": "other"},
    ),
    # Measured on Nomad 2.0.5 with servers of Python's own: one that speaks Redis, one without and one with TLS.
    Case(
        F.CHECK_WRONG_PROTOCOL,
        evidence(
            running(),
            checks=(
                check(
                    'nomad: Get "http://127.0.0.1:25816/": net/http: HTTP/1.x transport connection broken: malformed '
                    'HTTP status code "unknown"'
                ),
            ),
        ),
        {"speaks": "other"},
    ),
    Case(
        F.CHECK_WRONG_PROTOCOL,
        evidence(
            running(),
            body=https_check(),
            checks=(
                check('nomad: Get "https://127.0.0.1:27359/": tls: first record does not look like a TLS handshake'),
            ),
        ),
        {"protocol": "https", "speaks": "http"},
        conclusive=True,
    ),
    Case(
        F.CHECK_WRONG_PROTOCOL,
        evidence(
            running(),
            checks=(
                check('nomad: Get "http://127.0.0.1:22175/": read tcp 127.0.0.1:46968: read: connection reset by peer'),
            ),
            logs=(log("Listening on https://0.0.0.0:8080", "stdout"),),
        ),
        {"protocol": "http", "speaks": "https"},
    ),
    Case(
        F.CHECK_TOO_EARLY,
        evidence(
            running(
                event("Restart Signaled", restart_reason='healthcheck: check "alive" unhealthy', after=111),
                ended(0, after=111),
                event("Started", after=112),
            ),
            logs=(log("Started app in 42.5 seconds", "stdout"),),
        ),
        {"start_seconds": "42.5", "patience_seconds": "11"},
        conclusive=True,
    ),
    Case(
        F.CHECK_FAILING, evidence(running(), checks=(check("500 boom", code=500),)), {"status": "500"}, conclusive=False
    ),
    Case(
        F.DEADLINE_TOO_SHORT,
        evidence(
            running(
                event(
                    "Alloc Unhealthy",
                    "Task not running for min_healthy_time of 10s by healthy_deadline of 5m0s",
                    after=60,
                ),
                healthy=False,
            ),
            checks=(check(status="success"),),
        ),
        {"deadline": "healthy_deadline", "deadline_seconds": "300"},
    ),
    Case(
        F.SERVICE_NOT_REGISTERED,
        evidence(running(event("Alloc Unhealthy", "Services not healthy by deadline: web", after=60), healthy=False)),
        {"services": "web"},
    ),
    Case(F.PROGRESS_DEADLINE, evidence(deployment=deployment("failed", "Failed due to progress deadline"))),
    refused(
        F.PROVIDERS_MIXED,
        GROUP
        + "Task group service validation failed: 1 error occurred:\n\t* Multiple service providers used: task group "
        "services must use the same provider",
    ),
    # H: submission
    refused(
        F.HCL_INVALID,
        'Failed to parse job: input.hcl:9,9-12: Unsupported argument; An argument named "nme" is not expected here. '
        'Did you mean "name"?',
        line="9",
        column="9",
        name="nme",
        suggestion="name",
    ),
    refused(
        F.SPEC_INVALID, TASK + 'invalid check type ("htp"), must be one of tcp, http', subject="check_type", found="htp"
    ),
    refused(
        F.DEADLINES_INCONSISTENT,
        GROUP + "Healthy deadline must be less than progress deadline: 20m0s > 5m0s",
        lesser="healthy_deadline",
        greater="progress_deadline",
        found="20m0s",
        other="5m0s",
    ),
    refused(
        F.RESTART_POLICY_INVALID,
        GROUP + "Nomad can't restart the TaskGroup 5 times in an interval of 10s with a delay of 15s",
        policy="restart",
        attempts="5",
        interval="10s",
        delay="15s",
    ),
    refused(
        F.RESOURCES_BELOW_MINIMUM,
        TASK + "minimum MemoryMB value is 10; got 5",
        resource="memory",
        minimum="10",
        found="5",
    ),
    refused(
        F.LOG_STORAGE_TOO_LARGE,
        TASK + "log storage (400 MB) must be less than requested disk capacity (300 MB)",
        logs="400",
        disk="300",
    ),
    refused(F.NAME_DUPLICATE, TASK + 'check "alive" is duplicate', what="check", name="alive"),
    refused(F.VOLUME_UNDEFINED, TASK + "Volume Mount (0) references undefined volume data", volume="data"),
    refused(F.NAMESPACE_MISSING, 'job "web" is in nonexistent namespace "team"', Cause.CLUSTER, namespace="team"),
    refused(F.NODE_POOL_MISSING, 'job "web" is in nonexistent node pool "gpus"', pool="gpus"),
    refused(F.NAMESPACE_CAPABILITY, 'used task driver "raw_exec" is not allowed in namespace "team"', name="raw_exec"),
    refused(F.PERMISSION_DENIED, "Permission denied", Cause.CLUSTER),
    refused(
        F.REGISTRATION_DISABLED,
        "Job registration, dispatch, and scale are disabled by the scheduler configuration",
        Cause.TIME,
    ),
    refused(F.COUNT_TOO_HIGH, "total count was greater than configured job_max_count: 60000 > 50000", most="50000"),
    refused(F.TYPE_CHANGED, 'cannot update job from type "service" to "batch"', old="service", new="batch"),
    # I: the rest
    hook(
        F.ARTIFACT_MISSING,
        event(
            "Failed Artifact Download",
            download_error='failed to download artifact "http://x/a.tgz": getter subprocess failed: exit status 1: '
            "failed to download artifact: bad response code: 404",
        ),
        url="http://x/a.tgz",
    ),
    hook(
        F.ARTIFACT_UNREACHABLE,
        event(
            "Failed Artifact Download",
            download_error='failed to download artifact "http://x/a.tgz": getter subprocess failed: exit status 1: '
            'Get "http://x/a.tgz": dial tcp 1.2.3.4:80: connect: connection refused',
        ),
        problem="connection refused",
    ),
    driver(F.USER_REFUSED, 'running as user "root" is disallowed', user="root"),
    driver(
        F.USER_UNKNOWN,
        "Failed to start container 3f: " + DAEMON + "unable to find user nobdy: no matching entries in passwd file",
        user="nobdy",
    ),
    crash(F.TASK_DISK_FULL, "write /alloc/data/x: no space left on device", asked="300"),
    hook(
        F.RESTORE_FAILED,
        event("Failed Restoring Task", "failed to restore task; will not run until server is contacted"),
    ),
    Case(
        F.SIBLING_FAILED,
        evidence(
            allocation(
                [event("Started"), event("Sibling Task Failed", failed_sibling="db", after=2), ended(137, after=7)]
            )
        ),
        {"sibling": "db"},
        Cause.NONE,
    ),
    # never ours
    Case(
        F.SUPERSEDED,
        evidence(deployment=deployment("cancelled", "Cancelled due to newer version of job")),
        cause=Cause.NONE,
    ),
    Case(F.STOPPED, evidence(body={**job(), "Stop": True}), cause=Cause.NONE),
    Case(F.STOPPED, evidence(deployment=deployment("cancelled", "Cancelled because job is stopped")), cause=Cause.NONE),
    Case(
        F.DRAINED,
        evidence(
            allocation(client_status="complete", desired_status="stop", desired_description="alloc is being migrated")
        ),
        {"node": "node-1"},
        Cause.NONE,
    ),
    Case(
        F.NODE_LOST,
        evidence(
            allocation(
                client_status="lost", desired_status="stop", desired_description="alloc is lost since its node is down"
            )
        ),
        cause=Cause.NONE,
    ),
    Case(
        F.PREEMPTED,
        evidence(
            allocation(
                client_status="complete", desired_status="evict", desired_description="Preempted by alloc ID 12-34"
            )
        ),
        {"by": "12-34"},
        Cause.NONE,
    ),
    Case(F.UNKNOWN, evidence(allocation([event("Setup Failure", "nobody has ever read this")])), cause=Cause.UNKNOWN),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.failure.value)
def test_the_words_are_told_as_their_class_with_their_facts(case: Case) -> None:
    found = first(case.evidence)
    assert found.failure is case.failure
    assert {name: found.facts.get(name) for name in case.facts} == case.facts
    assert set(found.facts) <= set(TABLE[found.failure].facts)
    assert case.cause in (None, found.cause)
    assert case.conclusive in (None, found.conclusive)
    assert found.words and len(found.words) <= 300
    assert advice(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.failure.value)
def test_no_other_class_is_told_beside_it(case: Case) -> None:
    assert {one.failure for one in told(case.evidence, NOW)} == {case.failure}


def test_every_class_has_a_case() -> None:
    assert set(FailureClass) == {case.failure for case in CASES}
