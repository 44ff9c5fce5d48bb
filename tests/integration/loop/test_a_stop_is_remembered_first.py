"""A disk that fills up in the grace time of a withdrawn app: nothing is stopped that could not be remembered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desired.errors import StateUnavailable
from reconcilers.memory_store import MemoryStore
from reconcilers.store import Document
from tests.integration.loop.cluster import FAST, Cluster, job, key, run


class Disk(MemoryStore):
    full = False

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        if self.full:
            raise StateUnavailable("the state cannot be written: the disk is full", hint="make room")
        return await super().put(name, document, expected=expected)


def test_what_is_withdrawn_is_stopped_only_once_that_can_be_remembered() -> None:
    disk = Disk()
    cluster = Cluster(store=disk)
    cluster.commit(job(update=FAST), job("other", update=FAST))
    cluster.live("web", "other", minutes=3)
    cluster.commit(job("other", update=FAST))
    cluster.passes("web")
    disk.full = True
    cluster.let(timedelta(minutes=11))
    for _ in range(3):
        with pytest.raises(StateUnavailable):
            run(cluster.reconciler.reconcile(key("web")))
        cluster.let(timedelta(minutes=1))
    found = cluster.running("web").job
    assert found is not None and not found.stop
    disk.full = False
    cluster.passes("web")
    found = cluster.running("web").job
    assert found is None or found.stop
