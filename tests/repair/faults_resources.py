"""Families C and E: memory, cpu and disk, and where a job may run."""

from __future__ import annotations

from collections.abc import Callable

from tests.repair.case import End
from tests.repair.fault import F, Fault
from tests.repair.shapes import Broken

_MEMORY = ("*/Resources/MemoryMB",)


def _needs(share: float) -> Callable[[Broken], None]:
    """The task gets this share of what it needs."""

    def breaks(one: Broken) -> None:
        one.resources["MemoryMB"] = int(one.behaviour["needs_memory"] * share)

    return breaks


def _sidecar(one: Broken) -> None:
    one.group["Tasks"][1]["Resources"]["MemoryMB"] = 40


def _oversubscribed(one: Broken) -> None:
    one.world["memory_oversubscription"] = True
    one.resources["MemoryMB"] = int(one.behaviour["needs_memory"] * 0.3)
    one.resources["MemoryMaxMB"] = int(one.behaviour["needs_memory"] * 0.6)


def _set(name: str, value: int) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.resources[name] = value

    return breaks


def _cores(one: Broken) -> None:
    one.resources.update({"CPU": None, "Cores": 64})


def _disk(size: int) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.group["EphemeralDisk"] = {"SizeMB": size}

    return breaks


def _tiny(one: Broken) -> None:
    one.behaviour["needs_memory"] = 8
    one.resources["MemoryMB"] = 4


def _no_logs(one: Broken) -> None:
    one.task["LogConfig"] = {"MaxFiles": 0, "MaxFileSizeMB": 10}


def _many_logs(one: Broken) -> None:
    one.task["LogConfig"] = {"MaxFiles": 40, "MaxFileSizeMB": 10}


def _max_below(one: Broken) -> None:
    one.world["memory_oversubscription"] = True
    one.resources["MemoryMaxMB"] = one.resources["MemoryMB"] - 10


def _datacenter(name: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.job["Datacenters"] = [name]

    return breaks


def _two_datacenters(one: Broken) -> None:
    one.world["nodes"][1]["datacenter"] = "dc2"
    one.job["Datacenters"] = ["frankfurt"]


def _pool(name: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.job["NodePool"] = name

    return breaks


def _rack(value: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.group["Constraints"][1]["RTarget"] = value

    return breaks


def _kernel(one: Broken) -> None:
    one.group["Constraints"][0]["RTarget"] = "Linux"


def _architecture(one: Broken) -> None:
    one.group["Constraints"] = [{"LTarget": "${attr.cpu.arch}", "RTarget": "x86_64", "Operand": "="}]


def _driver(name: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.task["Driver"] = name

    return breaks


def _distinct(one: Broken) -> None:
    one.group["Count"] = 3
    one.group["Constraints"] = [{"LTarget": "", "RTarget": "true", "Operand": "distinct_hosts"}]


def _device(one: Broken) -> None:
    one.resources["Devices"] = [{"Name": "nvidia/gpu", "Count": 1}]


def _volume(one: Broken) -> None:
    one.group["Volumes"] = {"data": {"Name": "data", "Type": "host", "Source": "data", "ReadOnly": False}}


def _mount(one: Broken) -> None:
    one.task["VolumeMounts"] = [{"Volume": "data", "Destination": "/data", "ReadOnly": False}]


FAULTS = (
    Fault("memory-too-small", _needs(0.6), (F.OOM_KILLED,), ("web", "worker", "legacy", "agent", "api"), _MEMORY),
    Fault("memory-far-too-small", _needs(0.3), (F.OOM_KILLED,), ("web", "worker", "mesh"), _MEMORY),
    Fault("memory-of-a-batch-run", _needs(0.6), (F.OOM_KILLED,), ("report",), _MEMORY, End.APPROVED),
    Fault("memory-of-the-sidecar", _sidecar, (F.OOM_KILLED,), ("pair",), _MEMORY),
    Fault("memory-max-too-small", _oversubscribed, (F.OOM_KILLED,), ("web", "shop"),
          ("*/Resources/MemoryMB", "*/Resources/MemoryMaxMB"), of_world=True),
    Fault("memory-below-nomads-minimum", _tiny, (F.RESOURCES_BELOW_MINIMUM,), ("agent",), _MEMORY, of_world=True),
    Fault("memory-max-below-memory", _max_below, (F.RESOURCES_BELOW_MINIMUM,), ("web", "shop"),
          ("*/Resources/MemoryMaxMB",), of_world=True),
    Fault("no-log-files", _no_logs, (F.RESOURCES_BELOW_MINIMUM,), ("worker",), ("*/LogConfig/*",)),
    Fault("logs-larger-than-the-disk", _many_logs, (F.LOG_STORAGE_TOO_LARGE,), ("web", "shop", "api", "worker"),
          ("*/LogConfig/*", "*/EphemeralDisk/*")),
    Fault("cpu-no-node-has", _set("CPU", 9000), (F.CPU_EXHAUSTED,), ("web", "worker", "mesh"), ("*/Resources/CPU",)),
    Fault("memory-no-node-has", _set("MemoryMB", 65536), (F.MEMORY_EXHAUSTED,), ("web", "api", "worker", "shop"),
          _MEMORY),
    Fault("disk-no-node-has", _disk(90_000), (F.DISK_EXHAUSTED,), ("worker", "web", "api", "shop"),
          ("*/EphemeralDisk/SizeMB",)),
    Fault("cores-no-node-has", _cores, (F.CORES_EXHAUSTED,), ("worker",), (), End.TOLD),
    Fault("datacenter-misspelt", _datacenter("dc-1"), (F.DATACENTER_UNKNOWN,), ("web", "report", "agent"),
          ("Datacenters",)),
    Fault("datacenter-of-elsewhere", _datacenter("frankfurt"), (F.DATACENTER_UNKNOWN,), ("worker", "shop"),
          ("Datacenters",), End.APPROVED),
    Fault("datacenter-nobody-can-guess", _two_datacenters, (F.DATACENTER_UNKNOWN,), ("web",), (), End.TOLD,
          of_world=True),
    Fault("node-pool-misspelt", _pool("defualt"), (F.NODE_POOL_MISSING,), ("web", "worker", "api", "agent"),
          ("NodePool",)),
    Fault("node-pool-nobody-can-guess", _pool("gpu"), (F.NODE_POOL_MISSING,), ("web",), (), End.TOLD),
    Fault("rack-misspelt", _rack("rack_a"), (F.CONSTRAINT_UNSATISFIED,), ("tool",), ("*Constraints/*",)),
    Fault("rack-that-is-not-there", _rack("basement"), (F.CONSTRAINT_UNSATISFIED,), ("tool",), (), End.TOLD),
    Fault("kernel-in-capitals", _kernel, (F.CONSTRAINT_UNSATISFIED,), ("tool",), ("*Constraints/*",)),
    Fault("architecture-as-uname-says-it", _architecture, (F.CONSTRAINT_UNSATISFIED,), ("web",), ("*Constraints/*",)),
    Fault("driver-misspelt", _driver("dokcer"), (F.DRIVER_MISSING, F.SPEC_INVALID), ("web", "worker", "api"),
          ("*/Driver",),
          End.APPROVED),
    Fault("driver-podman-for-docker", _driver("podman"), (F.DRIVER_MISSING,), ("worker",), ("*/Driver",),
          End.APPROVED),
    Fault("three-on-two-hosts", _distinct, (F.DISTINCT_UNSATISFIED,), ("worker",), (), End.TOLD),
    Fault("device-that-is-not-there", _device, (F.DEVICE_MISSING,), ("worker",), (), End.TOLD),
    Fault("host-volume-that-is-not-there", _volume, (F.HOST_VOLUME_MISSING,), ("worker",), (), End.TOLD),
    Fault("mount-of-an-undefined-volume", _mount, (F.VOLUME_UNDEFINED,), ("worker",), (), End.TOLD),
)  # fmt: skip
