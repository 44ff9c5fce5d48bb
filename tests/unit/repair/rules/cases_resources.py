"""Memory, cpu, disk, logs: what a task asks for, and what was seen or is there."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.evidence import Usage
from observers.failures.failure_class import FailureClass as F
from tests.unit.observers.failures.failure_evidence import (
    allocation,
    cluster,
    crashes,
    evidence,
    log,
    placed,
    room,
)
from tests.unit.repair.rules.rule_cases import APP, CHOICE, NOTHING, RuleCase, changed, op

_OOM = allocation(crashes(137, oom=True))
_SMALL = room(
    cpu=3000, cpu_total=4000, memory=6000, memory_total=8000, disk=9000, disk_total=10000, drivers={"docker": True}
)
_OTHER = room(
    "node-2",
    cpu=1000,
    cpu_total=4000,
    memory=2000,
    memory_total=8000,
    disk=500,
    disk_total=10000,
    drivers={"docker": True},
)
_FULL = room(
    cpu=100, cpu_total=4000, memory=200, memory_total=8000, disk=10, disk_total=10000, drivers={"docker": True}
)


def _resources(**resources: int) -> dict[str, object]:
    return changed("task.Resources", {"CPU": 100, "MemoryMB": 64, **resources})


_IGNORED = (
    '1 warning:\n\n* Memory oversubscription is not enabled; Task "web.app" memory_max value will be ignored. '
    "Update the Scheduler Configuration to allow oversubscription."
)

_LOGS = "1 error occurred:\n\t* log storage ({} MB) must be less than requested disk capacity (300 MB)\n\n"

CASES = (
    RuleCase("oom-doubles", F.OOM_KILLED, evidence(_OOM), (op(Kind.MEMORY, APP, 64, 128),), "memory-growth"),
    RuleCase(
        "oom-from-observed-use",
        F.OOM_KILLED,
        evidence(_OOM, usage={APP: Usage(memory=100)}),
        (op(Kind.MEMORY, APP, 64, 200),),
        "memory-growth",
    ),
    RuleCase(
        "oom-within-the-manifest's-limit",
        F.OOM_KILLED,
        evidence(_OOM),
        (op(Kind.MEMORY, APP, 64, 100),),
        "memory-growth",
        limits={"memory": 100},
    ),
    RuleCase("oom-at-the-limit", F.OOM_KILLED, evidence(_OOM), CHOICE, "memory-growth", limits={"memory": 70}),
    RuleCase(
        "oom-within-a-node",
        F.OOM_KILLED,
        evidence(
            _OOM,
            body=_resources(MemoryMB=1000),
            cluster=cluster(room(memory=1500, memory_total=2000, drivers={"docker": True})),
        ),
        (op(Kind.MEMORY, APP, 1000, 1500),),
        "memory-growth",
    ),
    RuleCase(
        "oom-on-full-nodes",
        F.OOM_KILLED,
        evidence(
            _OOM,
            body=_resources(MemoryMB=1000),
            cluster=cluster(room(memory=1100, memory_total=2000, drivers={"docker": True})),
        ),
        CHOICE,
        "memory-growth",
    ),
    RuleCase(
        "oom-at-memory-max",
        F.OOM_KILLED,
        evidence(_OOM, body=_resources(MemoryMaxMB=128)),
        (op(Kind.MEMORY_MAX, APP, 128, 256),),
        "memory-growth",
    ),
    RuleCase(
        "oom-with-a-memory-max-that-nobody-heeds",
        F.OOM_KILLED,
        evidence(_OOM, body=_resources(MemoryMaxMB=100), warnings=_IGNORED),
        (op(Kind.MEMORY_MAX, APP, 100, 128), op(Kind.MEMORY, APP, 64, 128)),
        "memory-growth",
    ),
    RuleCase(
        "oom-hidden-by-cgroup-v2",
        F.OOM_SUSPECTED,
        evidence(allocation(crashes(137)), usage={APP: Usage(memory=60)}),
        (op(Kind.MEMORY, APP, 64, 128),),
        "memory-growth",
    ),
    RuleCase(
        "killed-and-nothing-was-measured",
        F.OOM_SUSPECTED,
        evidence(allocation(crashes(137))),
        CHOICE,
        "memory-growth",
    ),
    RuleCase(
        "oom-of-an-app-with-its-own-heap",
        F.OOM_SUSPECTED,
        evidence(
            allocation(crashes(137)),
            body=changed("task.Env", {"JAVA_OPTS": "-Xmx512m"}),
            usage={APP: Usage(memory=60)},
        ),
        CHOICE,
        "memory-growth",
    ),
    RuleCase(
        "killed-by-somebody",
        F.CRASH_SIGNAL,
        evidence(allocation(crashes(137)), usage={APP: Usage(memory=5)}),
        NOTHING,
    ),
    RuleCase(
        "memory-that-no-node-has",
        F.MEMORY_EXHAUSTED,
        placed("memory", exhausted=True, body=_resources(MemoryMB=64000), cluster=cluster(_SMALL, _OTHER)),
        (op(Kind.MEMORY, APP, 64000, 4500),),
        "memory-that-fits",
    ),
    RuleCase(
        "memory-for-three-that-no-node-has",
        F.MEMORY_EXHAUSTED,
        placed(
            "memory",
            exhausted=True,
            body=changed("group.Count", 3, body=_resources(MemoryMB=64000)),
            cluster=cluster(_SMALL, _OTHER),
        ),
        (op(Kind.MEMORY, APP, 64000, 1500),),
        "memory-that-fits",
    ),
    RuleCase(
        "memory-max-that-no-node-has",
        F.MEMORY_EXHAUSTED,
        placed(
            "memory",
            exhausted=True,
            body=_resources(MemoryMB=64000, MemoryMaxMB=90000),
            cluster=cluster(_SMALL),
        ),
        (op(Kind.MEMORY, APP, 64000, 4500), op(Kind.MEMORY_MAX, APP, 90000, 8000)),
        "memory-that-fits",
    ),
    RuleCase(
        "memory-below-observed-use",
        F.MEMORY_EXHAUSTED,
        placed(
            "memory",
            exhausted=True,
            body=_resources(MemoryMB=64000),
            cluster=cluster(_SMALL),
            usage={APP: Usage(memory=7000)},
        ),
        CHOICE,
        "memory-that-fits",
    ),
    RuleCase(
        "memory-on-full-nodes-that-could-never-hold-it",
        F.MEMORY_EXHAUSTED,
        placed("memory", exhausted=True, body=_resources(MemoryMB=64000), cluster=cluster(_FULL)),
        CHOICE,
        "memory-that-fits",
    ),
    RuleCase(
        "memory-on-nodes-that-are-merely-full",
        F.MEMORY_EXHAUSTED,
        placed("memory", exhausted=True, body=_resources(MemoryMB=1000), cluster=cluster(_FULL)),
        NOTHING,
    ),
    RuleCase(
        "memory-where-nodes-were-not-read",
        F.MEMORY_EXHAUSTED,
        placed("memory", exhausted=True, body=_resources(MemoryMB=64000)),
        NOTHING,
    ),
    RuleCase(
        "cpu-that-no-node-has",
        F.CPU_EXHAUSTED,
        placed("cpu", exhausted=True, body=_resources(CPU=50000), cluster=cluster(_SMALL)),
        (op(Kind.CPU, APP, 50000, 2250),),
        "cpu-that-fits",
    ),
    RuleCase(
        "disk-that-no-node-has",
        F.DISK_EXHAUSTED,
        placed(
            "disk",
            exhausted=True,
            body=changed("group.EphemeralDisk.SizeMB", 900000),
            cluster=cluster(_SMALL, _OTHER),
        ),
        (op(Kind.DISK, ("web",), 900000, 6750),),
        "disk-that-fits",
    ),
    RuleCase(
        "disk-on-nodes-that-are-merely-full",
        F.DISK_EXHAUSTED,
        placed("disk", exhausted=True, body=changed("group.EphemeralDisk.SizeMB", 9500), cluster=cluster(_SMALL)),
        NOTHING,
    ),
    RuleCase(
        "disk-on-full-nodes-that-could-never-hold-it",
        F.DISK_EXHAUSTED,
        placed("disk", exhausted=True, body=changed("group.EphemeralDisk.SizeMB", 90000), cluster=cluster(_OTHER)),
        CHOICE,
        "disk-that-fits",
    ),
    RuleCase(
        "disk-too-small-for-its-logs",
        F.DISK_EXHAUSTED,
        placed("disk", exhausted=True, cluster=cluster(_FULL)),
        NOTHING,
    ),
    RuleCase(
        "memory-below-nomad's-minimum",
        F.RESOURCES_BELOW_MINIMUM,
        evidence(
            body=_resources(MemoryMB=4),
            refusal="1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Task app "
            "validation failed: 1 error occurred:\n\t* minimum MemoryMB value is 10; got 4\n\n",
        ),
        (op(Kind.MEMORY, APP, 4, 10),),
        "minimum",
    ),
    RuleCase(
        "memory-max-below-memory",
        F.RESOURCES_BELOW_MINIMUM,
        evidence(
            body=_resources(MemoryMaxMB=40),
            refusal="1 error occurred:\n\t* MemoryMaxMB value (40) should be larger than MemoryMB value (64)\n\n",
        ),
        (op(Kind.MEMORY_MAX, APP, 40, 64),),
        "minimum",
    ),
    RuleCase(
        "memory-max-far-below-memory",
        F.RESOURCES_BELOW_MINIMUM,
        evidence(
            body=_resources(MemoryMaxMB=10),
            refusal="1 error occurred:\n\t* MemoryMaxMB value (10) should be larger than MemoryMB value (64)\n\n",
        ),
        CHOICE,
        "minimum",
    ),
    RuleCase(
        "disk-below-nomad's-minimum",
        F.RESOURCES_BELOW_MINIMUM,
        evidence(
            body=changed("group.EphemeralDisk.SizeMB", 5),
            refusal="1 error occurred:\n\t* minimum DiskMB value is 10; got 5\n\n",
        ),
        (op(Kind.DISK, ("web",), 5, 300),),
        "minimum",
    ),
    RuleCase(
        "logs-of-default-size-on-a-small-disk",
        F.LOG_STORAGE_TOO_LARGE,
        evidence(
            body=changed("group.EphemeralDisk.SizeMB", 50),
            refusal="1 error occurred:\n\t* log storage (100 MB) must be less than requested disk capacity (50 MB)\n\n",
        ),
        (op(Kind.LOG_FILE_SIZE, APP, 10, 4),),
        "log-storage",
    ),
    RuleCase(
        "no-log-files",
        F.RESOURCES_BELOW_MINIMUM,
        evidence(
            body=changed("task.LogConfig", {"MaxFiles": 0, "MaxFileSizeMB": 10}),
            refusal="1 error occurred:\n\t* minimum number of files is 1; got 0\n\n",
        ),
        (op(Kind.LOG_FILES, APP, 0, 1),),
        "minimum",
    ),
    RuleCase(
        "disk-below-nomad's-minimum-with-small-logs",
        F.RESOURCES_BELOW_MINIMUM,
        evidence(
            body=changed("group.EphemeralDisk.SizeMB", 5, "task.LogConfig", {"MaxFiles": 1, "MaxFileSizeMB": 1}),
            refusal="1 error occurred:\n\t* minimum DiskMB value is 10; got 5\n\n",
        ),
        (op(Kind.DISK, ("web",), 5, 10),),
        "minimum",
    ),
    RuleCase(
        "logs-of-default-size-on-a-tiny-disk",
        F.LOG_STORAGE_TOO_LARGE,
        evidence(
            body=changed("group.EphemeralDisk.SizeMB", 10),
            refusal="1 error occurred:\n\t* log storage (100 MB) must be less than requested disk capacity (10 MB)\n\n",
        ),
        (op(Kind.DISK, ("web",), 10, 300),),
        "log-storage",
    ),
    RuleCase(
        "large-logs-on-a-default-disk",
        F.LOG_STORAGE_TOO_LARGE,
        evidence(
            body=changed("task.LogConfig", {"MaxFiles": 10, "MaxFileSizeMB": 40}),
            refusal=_LOGS.format(400),
        ),
        (op(Kind.DISK, ("web",), 300, 500),),
        "log-storage",
    ),
    RuleCase(
        "logs-that-twice-the-disk-would-not-hold",
        F.LOG_STORAGE_TOO_LARGE,
        evidence(
            body=changed("task.LogConfig", {"MaxFiles": 10, "MaxFileSizeMB": 90}),
            refusal=_LOGS.format(900),
        ),
        CHOICE,
        "log-storage",
    ),
    RuleCase(
        "a-disk-that-the-app-filled",
        F.TASK_DISK_FULL,
        evidence(allocation(crashes(1)), logs=(log("write /alloc/data/x: no space left on device"),)),
        (op(Kind.DISK, ("web",), 300, 600),),
        "disk-growth",
    ),
)
