"""Apps written as manifests: the job is generated, and the person sees only a few lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.repair.case import Case, End, Part
from tests.repair.fault import F
from tests.repair.shapes import world

_TEXT = """apiVersion: nomad-operator/v1
kind: App
metadata:
  name: web
spec:
  image: team/web:1.4
  resources:
    cpu: 200
    memory: 256
  ports:
    http:
      to: 8080
  check:
    path: /healthz
    interval: 5s
"""


def _case(
    name: str, old: str, new: str, ends: End, *says: F, may: tuple[str, ...] = (), good: bool = False,
    breaks: Callable[[dict[str, Any]], None] | None = None,
) -> Case:  # fmt: skip
    assert old in _TEXT, old
    made = world()
    if breaks is not None:
        breaks(made)
    return Case(
        name=f"manifest:{name}", part=Part.BROKEN, fault=name, app="web", world=made, text=_TEXT.replace(old, new),
        good=_TEXT if good else "", ends=ends, says=frozenset(says), may_change=may,
    )  # fmt: skip


def cases() -> list[Case]:
    return [
        _case("memory-too-small", "memory: 256", "memory: 100", End.FIXED, F.OOM_KILLED, may=("*/MemoryMB",)),
        _case("memory-too-small-now", "memory: 256", "memory: 100", End.FIXED, F.OOM_KILLED, may=("*/MemoryMB",),
              good=True),
        _case("cpu-no-node-has", "cpu: 200", "cpu: 9000", End.FIXED, F.CPU_EXHAUSTED, may=("*/Resources/CPU",)),
        _case("path-misspelt", "/healthz", "/helthz", End.FIXED, F.CHECK_WRONG_PATH, may=("*/Checks/*/Path",)),
        _case("to-wrong", "to: 8080", "to: 80", End.FIXED, F.CHECK_WRONG_PORT, may=("*Ports/http/To",)),
        _case("to-another-port", "to: 8080", "to: 8000", End.FIXED, F.CHECK_WRONG_PORT, may=("*Ports/http/To",),
              good=True),
        _case("datacenter-misspelt", "  image:", "  datacenters: [dc-1]\n  image:", End.FIXED, F.DATACENTER_UNKNOWN,
              may=("Datacenters",)),
        _case("limit-holds", "  resources:", "  repair:\n    limits:\n      memory: 128\n  resources:", End.TOLD,
              F.OOM_KILLED, breaks=_hungry),
    ]  # fmt: skip


def _hungry(made: dict[str, Any]) -> None:
    """More than the manifest's limit would be needed, and more than it has."""
    made["behaviours"][0]["needs_memory"] = 600
