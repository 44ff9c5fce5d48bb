"""The state cannot be written for a while: nothing is written to Nomad, and it goes on soon after there is room."""

from __future__ import annotations

from datetime import timedelta

from desired.errors import StateUnusable
from reconcilers.decision import Truth
from reconcilers.memory_store import MemoryStore
from reconcilers.result import Waiting
from reconcilers.store import Document
from tests.integration.loop.cluster import FAST, Cluster, job, key, run


class Disk(MemoryStore):
    full = False

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        if self.full:
            raise StateUnusable("the state cannot be written: the disk is full", hint="make room")
        return await super().put(name, document, expected=expected)


def test_an_app_looks_again_within_seconds_after_the_disk_was_full() -> None:
    disk = Disk()
    cluster = Cluster(store=disk)
    cluster.commit(job(update=FAST))
    disk.full = True
    result = run(cluster.reconciler.reconcile(key("web")))
    report = cluster.reports.get(key("web"))
    assert report is not None and report.reason == "StateUnusable"
    assert not report.settled, "a resync looks at it as well"
    assert isinstance(result, Waiting) and result.retry_in is not None and result.retry_in <= timedelta(seconds=15)
    assert cluster.registers == 0
    disk.full = False
    assert cluster.live("web", minutes=3).ready is Truth.TRUE
