"""Family H: what is refused before anything runs, and nobody but its author can mend."""

from __future__ import annotations

from tests.repair.case import End
from tests.repair.fault import F, Fault, nothing
from tests.repair.shapes import Broken


def _both(one: Broken) -> None:
    one.resources["Cores"] = 1


def _batch(one: Broken) -> None:
    one.job["Type"] = "batch"
    one.job["TaskGroups"][0]["Update"] = None
    one.job["TaskGroups"][0]["Services"] = None


def _twin(one: Broken) -> None:
    one.group["Tasks"].append(dict(one.task))


FAULTS = (
    Fault("argument-misspelt", nothing, (), ("web", "worker"), (), End.TOLD,
          text=lambda text: text.replace("memory", "memmory")),
    Fault("brace-missing", nothing, (), ("web",), (), End.TOLD,
          text=lambda text: text.rstrip().removesuffix("}")),
    Fault("block-of-another-place", nothing, (), ("worker",), (), End.TOLD,
          text=lambda text: text.replace("task \"worker\"", "tasks \"worker\"")),
    Fault("cpu-and-cores", _both, (F.SPEC_INVALID,), ("worker",), (), End.TOLD),
    Fault("two-tasks-of-one-name", _twin, (F.NAME_DUPLICATE,), ("worker",), (), End.TOLD),
)  # fmt: skip
