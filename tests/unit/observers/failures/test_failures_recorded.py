"""Every recorded scenario of a real Nomad gets the verdict that people gave it; the confusion matrix is printed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from observers.failures.diagnose import diagnose
from observers.failures.failure_class import FailureClass
from observers.failures.table import TABLE
from tests.recorded_evidence import moments
from tests.recordings_reader import MORE, NOMAD, names
from tests.unit.observers.failures.confusion import PROPERTY

F = FailureClass

# What a person who reads the recording says is wrong; a scenario that is not named here has nothing wrong with it.
EXPECTED: dict[str, FailureClass] = {
    "acl": F.PERMISSION_DENIED,
    "alloc-restart-stop": F.DRAINED,
    "artifact-missing": F.ARTIFACT_MISSING,
    "artifact-refused": F.ARTIFACT_UNREACHABLE,
    "auto-revert": F.CHECK_WRONG_PORT,
    "batch-failing": F.CRASH,
    "bind-source-missing": F.MOUNT_INVALID,
    "bridge-without-cni": F.CNI_MISSING,
    "canary-failing": F.CHECK_WRONG_PORT,
    "capability-refused": F.CAPABILITY_REFUSED,
    "check-failing": F.CHECK_WRONG_PORT,
    "check-fails-later": F.CHECK_WRONG_PATH,
    "check-restart": F.CHECK_RESTARTS,
    "cni-network-missing": F.NETWORK_MODE_UNKNOWN,
    "command-in-shell-not-found": F.SHELL_COMMAND_NOT_FOUND,
    "command-not-found": F.COMMAND_NOT_FOUND,
    "config-unknown-key": F.DRIVER_KEY_UNKNOWN,
    "config-unknown-variable": F.DRIVER_VARIABLE_UNKNOWN,
    "config-wrong-type": F.DRIVER_VALUE_WRONG,
    "constraint-filtered": F.CONSTRAINT_UNSATISFIED,
    "constraint-nodes": F.DATACENTER_UNKNOWN,
    "constraint-two": F.CONSTRAINT_UNSATISFIED,
    "consul-key-missing": F.CONSUL_KEY_MISSING,
    "count-too-high": F.COUNT_TOO_HIGH,
    "cpu-exhausted": F.CPU_EXHAUSTED,
    "crash-later": F.CRASH,
    "crash-loop": F.CRASH,
    "csi-volume-missing": F.CSI_VOLUME_MISSING,
    "datacenter-wrong": F.DATACENTER_UNKNOWN,
    "deadlines-inconsistent": F.DEADLINES_INCONSISTENT,
    "disk-exhausted": F.DISK_EXHAUSTED,
    "distinct-hosts": F.DISTINCT_UNSATISFIED,
    "distinct-nodes": F.DISTINCT_UNSATISFIED,
    "docker-network-missing": F.DRIVER_NETWORK_MISSING,
    "driver-missing": F.DRIVER_MISSING,
    "driver-undetected": F.DRIVER_MISSING,
    "env-missing": F.CRASH_CONFIG_MISSING,
    "event-ring": F.CRASH,
    "exit-zero": F.EXITED_EARLY,
    "fleet": F.MEMORY_EXHAUSTED,
    "gpu-missing": F.DEVICE_MISSING,
    "hcl-errors": F.HCL_INVALID,
    "host-network-missing": F.HOST_NETWORK_MISSING,
    "host-volume-missing": F.HOST_VOLUME_MISSING,
    "image-denied": F.IMAGE_REPOSITORY_MISSING,
    "image-host-unknown": F.REGISTRY_UNKNOWN,
    "image-name-missing": F.DRIVER_KEY_MISSING,
    "image-rate-limited": F.IMAGE_RATE_LIMITED,
    "image-reference-bad": F.IMAGE_REFERENCE_BAD,
    "image-registry-broken": F.REGISTRY_UNREACHABLE,
    "image-registry-down": F.REGISTRY_UNREACHABLE,
    "image-repository-missing": F.IMAGE_REPOSITORY_MISSING,
    "image-tag-missing": F.IMAGE_TAG_MISSING,
    "image-unauthorized": F.IMAGE_UNAUTHORIZED,
    "killed": F.CRASH_SIGNAL,
    "logs-not-started": F.CONSUL_KEY_MISSING,
    "memory-exhausted": F.MEMORY_EXHAUSTED,
    "memory-too-small": F.DRIVER_LIMIT,
    "mock-driver": F.CONTAINER_START_FAILED,
    "namespace-missing": F.NAMESPACE_MISSING,
    "namespaces": F.NAMESPACE_MISSING,
    "node-drain": F.DRAINED,
    "node-lost-last": F.NODE_LOST,
    "node-pool-missing": F.NODE_POOL_MISSING,
    "nodes-full": F.MEMORY_EXHAUSTED,
    "none-eligible": F.NO_NODES,
    "oom": F.OOM_KILLED,
    "placement-heals": F.CONSTRAINT_UNSATISFIED,
    "plan-blocked": F.MEMORY_EXHAUSTED,
    "plan-blocked-first": F.MEMORY_EXHAUSTED,
    "plan-failing": F.CHECK_WRONG_PORT,
    "port-collision": F.STATIC_PORT_TAKEN,
    "port-in-use": F.HOST_PORT_IN_USE,
    "port-label-undefined": F.SERVICE_PORT_UNDEFINED,
    "prestart-failed": F.CRASH,
    "privileged-refused": F.PRIVILEGE_REFUSED,
    "progress-deadline": F.CHECK_WRONG_PORT,
    "raw-exec": F.COMMAND_NOT_FOUND,
    "reschedule-nodes": F.CRASH,
    "reschedule-unlimited": F.CRASH,
    "restart-mode-delay": F.CRASH,
    "revert-nothing": F.CHECK_WRONG_PORT,
    "rolling-failing": F.CHECK_WRONG_PORT,
    "scaling": F.SPEC_INVALID,
    "secret-plugin-missing": F.SECRET_PLUGIN_MISSING,
    "secret-without-vault": F.VAULT_BLOCK_MISSING,
    "sibling-failed": F.CRASH,
    "statuses-groups": F.CRASH,
    "sysbatch-failing": F.CRASH,
    "system-constraint": F.MEMORY_EXHAUSTED,
    "system-failing": F.CRASH,
    "template-env-bad-line": F.TEMPLATE_ENV_BAD,
    "template-execute": F.TEMPLATE_EXECUTION,
    "template-no-value": F.SECRET_FIELD_MISSING,
    "template-no-value-silent": F.SECRET_FIELD_MISSING,
    "template-syntax": F.TEMPLATE_SYNTAX,
    "type-change": F.TYPE_CHANGED,
    "update-unplaceable": F.MEMORY_EXHAUSTED,
    "validation-errors": F.SPEC_INVALID,
    "vault-namespace": F.VAULT_NOT_ENABLED,
    "vault-not-enabled": F.VAULT_NOT_ENABLED,
    "volume-mount-undefined": F.VOLUME_UNDEFINED,
}

# Where the recording holds less than a person was told, the verdict says no more than the recording does.
_UNREAD = "the app listens elsewhere, but the recording reads neither checks nor logs of that version"
_FORGOTTEN = "when the deployment fails, Nomad cancels the blocked evaluation, and the reason with it"
_NO_NODES = "the nodes are not in the recording; with them see test_a_wrong_datacenter_is_told_with_the_node_list"
EXCEPTIONS: dict[str, tuple[FailureClass | None, str]] = {
    "auto-revert": (F.PROGRESS_DEADLINE, _UNREAD),
    "canary-failing": (F.PROGRESS_DEADLINE, _UNREAD),
    "progress-deadline": (F.PROGRESS_DEADLINE, _UNREAD),
    "revert-nothing": (F.PROGRESS_DEADLINE, _UNREAD),
    "plan-failing": (F.PROGRESS_DEADLINE, _UNREAD),
    "rolling-failing": (F.PROGRESS_DEADLINE, _UNREAD),
    "nodes-full": (F.PROGRESS_DEADLINE, _FORGOTTEN),
    "datacenter-wrong": (F.NO_NODES, _NO_NODES),
    "constraint-nodes": (F.NO_NODES, _NO_NODES),
    "logs-not-started": (None, "it ends 3 s after `Missing:`, a wait of 30 s is not yet a failure"),
    "template-no-value-silent": (None, "Nomad starts the task with `<no value>`, and it runs"),
}
# How many of the scenarios may be told less than a person sees: the list above, not more.
SCENARIOS = [(name, folder) for folder in (NOMAD, MORE) for name in names(folder)]


@cache
def verdict(name: str) -> FailureClass | None:
    """The last thing that was said of the scenario's first failing job; that a job was stopped at its end is none."""
    folder = NOMAD if name in names(NOMAD) else MORE
    last: dict[str, FailureClass] = {}
    for now, evidence in moments(name, folder):
        told = [one for one in diagnose(evidence, now) if one.failure is not F.STOPPED]
        if told:
            last[evidence.key.name] = told[0].failure
    wanted = EXPECTED.get(name)
    return wanted if wanted in last.values() else next(iter(last.values()), None)


@pytest.mark.parametrize("name", [name for name, _ in SCENARIOS])
def test_a_recorded_scenario_is_told_as_people_told_it(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    expected, _ = EXCEPTIONS.get(name, (EXPECTED.get(name), ""))
    told = verdict(name)
    record_property(PROPERTY, [name, *(str(one or "nothing") for one in (EXPECTED.get(name), told))])
    assert told == expected


def test_every_exception_is_one_and_has_a_reason() -> None:
    for name, (told, reason) in EXCEPTIONS.items():
        assert told != EXPECTED[name] and reason


HEALTHY = [name for name, _ in SCENARIOS if name not in EXPECTED]


@pytest.mark.parametrize("name", HEALTHY)
def test_at_no_moment_is_anything_wrong_with_a_healthy_recording(name: str) -> None:
    """Not while it starts, not while it is updated, moved, scaled; only that somebody stopped it may be said."""
    folder = NOMAD if name in names(NOMAD) else MORE
    allowed = {F.STOPPED, F.SUPERSEDED, F.DRAINED, F.NODE_LOST}
    for now, evidence in moments(name, folder):
        assert {one.failure for one in diagnose(evidence, now)} <= allowed


@pytest.mark.parametrize("name", [name for name, _ in SCENARIOS])
def test_what_is_said_of_a_recording_keeps_to_the_table(name: str) -> None:
    folder = NOMAD if name in names(NOMAD) else MORE
    for now, evidence in moments(name, folder):
        for one in diagnose(evidence, now):
            assert set(one.facts) <= set(TABLE[one.failure].facts)
            assert all(one.facts.values())
            assert len(one.words) <= 300
