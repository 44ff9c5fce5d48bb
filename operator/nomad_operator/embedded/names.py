"""Names of allocations: `job.group[0]` and so on. Source: scheduler/reconciler/allocs.go AllocNameIndex."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Mapped = Mapping[str, Any]


class Names:
    """Which names of a group are taken."""

    def __init__(self, job: str, group: str, count: int, taken: list[Mapped]) -> None:
        self._prefix, self._count = f"{job}.{group}", count
        self._taken = {one["Name"] for one in taken}

    def free(self, name: str) -> None:
        self._taken.discard(name)

    def next(self, wanted: int) -> list[str]:
        """The lowest free ones, taken."""
        found: list[str] = []
        index = 0
        while len(found) < wanted:
            name = f"{self._prefix}[{index}]"
            if name not in self._taken or index >= self._count:
                found.append(name)
            index += 1
        self._taken.update(found)
        return found

    def next_canaries(self, wanted: int, existing: Mapping[str, Mapped], destructive: list[Mapped]) -> list[str]:
        """First the names of what they will replace, then free ones, then beyond the count."""
        used = {one["Name"] for one in existing.values()}
        names = [one["Name"] for one in sorted(destructive, key=by_index) if one["Name"] not in used]
        found = list(dict.fromkeys(names))[:wanted]
        return found + self.next(wanted - len(found))


def index_of(name: str) -> int:
    """The number in an allocation's name."""
    return int(name.rpartition("[")[2].rstrip("]"))


def by_index(allocation: Mapped) -> tuple[int, int]:
    """The order of allocations by their numbers."""
    return (index_of(allocation["Name"]), allocation.get("CreateIndex", 0))
