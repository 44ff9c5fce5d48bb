"""Several faults in one job: they are solved one after the other, within the attempts of one episode."""

from __future__ import annotations

from tests.repair.case import Case
from tests.repair.fault import Fault, case_of

_TOGETHER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("web", ("memory-too-small", "path-misspelt")),
    ("web", ("to-wrong", "path-misspelt")),
    ("web", ("key-working-dir", "memory-too-small")),
    ("web", ("label-misspelt", "memory-too-small")),
    ("web", ("datacenter-misspelt", "to-missing")),
    ("web", ("check-type-misspelt", "progress-before-healthy")),
    ("worker", ("cpu-no-node-has", "memory-too-small")),
    ("worker", ("key-cmd", "attempts-that-do-not-fit")),
    ("api", ("path-misspelt", "healthy-before-minimum")),
    ("pair", ("memory-of-the-sidecar", "published-label-misspelt")),
    ("web", ("memory-too-small", "key-restart", "path-misspelt")),
)


def cases(faults: tuple[Fault, ...]) -> list[Case]:
    by_name = {fault.name: fault for fault in faults}
    found = []
    for shape, names in _TOGETHER:
        first, *others = (by_name[name] for name in names)
        found.append(case_of(first, shape, after_good=False, also=tuple(others)))
    return found
