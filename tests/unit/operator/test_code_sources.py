"""The code of apps out of many repositories: what is known at once, what is told later, what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from desired.code_place import CodePlace, CodeWish
from desired.errors import Unavailable, UsageError
from desired.facts.analyze import Analysis, analyze
from desired.facts.codebase import Codebase
from desired.file_tree import FileEntry, FileTree
from desired.git_objects import blob_id
from desired.source_facts import SourceFacts
from nomad_operator.code_from_settings import other_source
from nomad_operator.code_sources import CodeSources
from nomad_operator.other_sources import Remote
from nomad_operator.settings import Settings
from tests.virtual_time import run

API, WEB = CodeWish(CodePlace("services/api")), CodeWish(CodePlace("services/web"))


class Repository:
    """Folders of files in memory; an id is made of what is in it."""

    def __init__(self, **folders: dict[str, str]) -> None:
        self.held = {f"services/{name}": files for name, files in folders.items()}
        self.listed: list[str] = []
        self.error: Exception | None = None

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]:
        return {path: str(hash(tuple(sorted(self.held[path].items())))) for path in paths if path in self.held}

    async def folder(self, revision: str, path: str) -> FileTree:
        self.listed.append(path)
        if self.error is not None:
            raise self.error
        files = self.held[path].items()
        return FileTree(revision, {name: FileEntry(name, blob_id(text.encode()), len(text)) for name, text in files})

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        data = [text.encode() for files in self.held.values() for text in files.values()]
        return {blob_id(one): one for one in data if blob_id(one) in blobs}


class World:
    def __init__(self, repository: Repository, *, facts: SourceFacts | None = None, patience: float = 5) -> None:
        self.news = 0
        self.now = 0.0
        self.facts = facts or SourceFacts()
        self.codes = CodeSources(
            own=repository, name="repo", others=None, facts=self.facts, news=self._told,
            patience=timedelta(seconds=patience), clock=lambda: self.now,
        )  # fmt: skip

    def _told(self) -> None:
        self.news += 1


def _ports(analysis: Analysis | None) -> list[int]:
    assert analysis is not None
    return list(analysis.apps[0].facts.ports)


def _docker(port: int) -> dict[str, str]:
    return {"Dockerfile": f"FROM python:3.12\nEXPOSE {port}\n"}


async def test_only_what_changed_is_listed_and_analysed_again() -> None:
    repository = Repository(api=_docker(8000), web=_docker(80))
    world = World(repository)
    found = await world.codes.found({API, WEB}, "1")
    assert (_ports(found[API].analysis), _ports(found[WEB].analysis)) == ([8000], [80])
    for revision in range(2, 12):
        await world.codes.found({API, WEB}, str(revision))
    assert world.facts.count == 2 and len(repository.listed) == 2
    repository.held["services/web"] = _docker(81)
    found = await world.codes.found({API, WEB}, "12")
    assert _ports(found[WEB].analysis) == [81] and world.facts.count == 3 and world.news == 0


async def test_a_folder_that_is_not_there_costs_its_own_wish() -> None:
    found = await World(Repository(web=_docker(80))).codes.found({API, WEB}, "1")
    problem = found[API].problem
    assert problem is not None and "no such folder" in problem.message and not found[API].transient
    assert found[WEB].analysis is not None


async def test_other_repositories_are_left_alone_where_nothing_is_fetched() -> None:
    other = CodeWish(CodePlace(".", "https://git.example.org/shop", "HEAD"))
    found = await World(Repository(api=_docker(1))).codes.found({API, other}, "1")
    problem = found[other].problem
    assert problem is not None and "not looked at here" in problem.message and found[API].analysis is not None


class _Slow(SourceFacts):
    """An analysis that takes its time, by the loop's clock."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def _in_thread(self, key: object, codebase: Codebase) -> Analysis:
        await asyncio.sleep(self._seconds)
        return analyze(codebase)


def test_what_takes_longer_than_anybody_waits_is_pending_and_then_news() -> None:
    async def main() -> None:
        world = World(Repository(api=_docker(8000)), facts=_Slow(20))
        before = asyncio.get_running_loop().time()
        first = (await world.codes.found({API}, "1"))[API]
        assert first.pending and asyncio.get_running_loop().time() - before == pytest.approx(5)
        assert world.codes.pending == (API.place,)
        version = world.codes.version
        await asyncio.sleep(30)
        assert world.news == 1 and world.codes.version == version + 1
        second = (await world.codes.found({API}, "1"))[API]
        assert _ports(second.analysis) == [8000] and second.identity != first.identity
        assert world.codes.pending == () and world.facts.count == 1

    run(main())


def test_an_analysis_that_nobody_wants_any_more_is_ended() -> None:
    async def main() -> None:
        world = World(Repository(api=_docker(8000)), facts=_Slow(20))
        await world.codes.found({API}, "1")
        await world.codes.found(set(), "2")
        await asyncio.sleep(60)
        assert world.news == 0 and not [task for task in asyncio.all_tasks() if task.get_name().startswith("facts")]

    run(main())


async def test_what_failed_for_now_is_tried_again_but_not_at_every_look() -> None:
    repository = Repository(api=_docker(8000))
    repository.error = Unavailable("the disk is full")
    world = World(repository)
    for _ in range(10):
        code = (await world.codes.found({API}, "1"))[API]
        assert code.problem is not None and code.problem.message == "the disk is full" and code.transient
        world.now += 15
    assert len(repository.listed) == 1
    repository.error = None
    world.now += 300
    assert (await world.codes.found({API}, "1"))[API].analysis is not None


MAIN = "https://git.example.org/team/apps.git"


@pytest.mark.parametrize(
    ("url", "hosts", "refused"),
    [
        ("https://elsewhere.example/x.git", ("*",), ""),
        ("https://elsewhere.example/x.git", ("elsewhere.example",), ""),
        ("https://elsewhere.example:8443/x.git", ("elsewhere.example",), ""),
        ("https://elsewhere.example:8443/x.git", ("elsewhere.example:8443",), ""),
        ("https://elsewhere.example/x.git", (), "not on one of the servers"),
        ("https://elsewhere.example.evil.org/x.git", ("elsewhere.example",), "not on one of the servers"),
        ("https://git.example.org/other.git", (), ""),
        ("file:///srv/private", ("*",), "on the operator's own machine"),
    ],
)
def test_which_servers_a_commit_may_make_the_operator_ask(
    url: str, hosts: tuple[str, ...], refused: str, tmp_path: Path
) -> None:
    settings = Settings(git_url=MAIN, source_hosts=hosts, state_url=f"sqlite:///{tmp_path}/state.db")
    remote = Remote(url, "HEAD")
    if not refused:
        assert other_source(remote, settings).revision is None
        return
    with pytest.raises(UsageError, match=refused):
        other_source(remote, settings)


def test_places_on_this_machine_count_where_the_main_repository_is_one(tmp_path: Path) -> None:
    settings = Settings(git_url=f"file://{tmp_path}/apps", state_url=f"sqlite:///{tmp_path}/state.db")
    assert other_source(Remote(f"file://{tmp_path}/shop", "HEAD"), settings).revision is None
