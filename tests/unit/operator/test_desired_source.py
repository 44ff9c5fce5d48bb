"""What is desired, while git cannot be reached and the last good revision is still being read."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from desired.catalog import Catalog
from desired.errors import Unavailable
from desired.file_tree import FileTree, Poll
from desired.job.hcl_read import LocalParser
from desired.policy import Policy
from nomad_operator.source import Source
from reconcilers.memory_store import MemoryStore
from reconcilers.records import Records


class AwayButKnown:
    """Its server is gone; the last good revision is there, and takes a moment to be read."""

    revision = "0" * 40
    shown_url = "git://away/apps"

    def __init__(self) -> None:
        self.reading, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def poll(self) -> Poll:
        raise Unavailable("away: no route", hint="wait")

    async def tree(self, revision: str) -> FileTree:
        self.reading.set()
        await self.may_go_on.wait()
        return FileTree(revision, {})

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        return {}

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]:
        return {}

    async def folder(self, revision: str, path: str) -> FileTree:
        return FileTree(revision, {})


async def test_a_problem_is_told_with_what_is_in_force_and_never_before_it() -> None:
    """`once` ends with the problem where there is nothing in force: it must not take "not read yet" for that."""
    repository = AwayButKnown()
    source = Source(
        repository=repository,
        catalog=Catalog(parser=LocalParser(), defaults=Policy()),
        records=Records(store=MemoryStore(), origin="git://away/apps"),
    )
    refreshing = asyncio.create_task(source.refresh())
    await repository.reading.wait()
    assert (source.state, source.problem) == (None, None)
    repository.may_go_on.set()
    assert await refreshing
    assert source.state is not None
    assert isinstance(source.problem, Unavailable)
