"""Folders of a whole repository, for the code of apps, whatever subfolder is followed; of git and of a work tree."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from desired.errors import UsageError
from desired.git_command import GitCommand
from desired.git_source import GitSource
from desired.work_tree import WorkTree
from tests.integration.git.git_world import Upstream

FILES = {"apps/a.yaml": "a", "services/api/app.py": "1", "services/api/x/y.py": "2", "services/a b: c/z": "3"}
PATHS = ["services/api", "services/a b: c", "services/none", "services/api/app.py", "."]


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    made = Upstream(tmp_path / "upstream")
    made.commit(FILES)
    return made


@pytest.fixture(params=["git", "folder"])
def source(request: pytest.FixtureRequest, upstream: Upstream, tmp_path: Path) -> Any:
    if request.param == "folder":
        return WorkTree(folder=upstream.folder / "apps", git=GitCommand(environment=os.environ))
    return GitSource(url=str(upstream.folder), path="apps", cache=tmp_path / "cache", environment=os.environ)


async def test_folders_beside_the_followed_one_are_found_and_read(source: Any) -> None:
    revision = (await source.poll()).revision
    assert list((await source.tree(revision)).files) == ["a.yaml"]
    ids = await source.folders(revision, PATHS)
    assert ids.keys() == {"services/api", "services/a b: c", "."}
    tree = await source.folder(revision, "services/api")
    assert list(tree.files) == ["app.py", "x/y.py"]
    blobs = {entry.blob for entry in tree.files.values()}
    assert sorted((await source.contents(blobs)).values()) == [b"1", b"2"]


async def test_an_id_is_the_same_until_something_below_changes(source: Any, upstream: Upstream) -> None:
    async def ids() -> dict[str, str]:
        return dict(await source.folders((await source.poll()).revision, PATHS))

    before = await ids()
    upstream.commit({"README.md": "words", "apps/a.yaml": "b"})
    after = await ids()
    assert after["services/api"] == before["services/api"] and after["."] != before["."]
    upstream.commit({"services/api/x/y.py": "3"})
    assert (await ids())["services/api"] != before["services/api"]
    upstream.commit({"services/api/x/y.py": "2"})
    assert (await ids())["services/api"] == before["services/api"]


async def test_the_ids_of_git_are_its_tree_ids(upstream: Upstream, tmp_path: Path) -> None:
    source = GitSource(url=str(upstream.folder), path="apps", cache=tmp_path / "cache", environment=os.environ)
    revision = (await source.poll()).revision
    assert (await source.folders(revision, ["services/api"]))["services/api"] == upstream.git(
        "rev-parse", "HEAD:services/api"
    )


async def test_a_link_to_a_folder_is_no_folder_and_nothing_leads_out(
    source: Any, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("s")
    (upstream.folder / "out").symlink_to(tmp_path / "outside")
    (upstream.folder / "in").symlink_to("services")
    upstream.commit({})
    revision = (await source.poll()).revision
    assert await source.folders(revision, ["out", "in/api", "in"]) == {}


async def test_code_is_fetched_anew_where_the_cache_is_damaged(upstream: Upstream, tmp_path: Path) -> None:
    source = GitSource(url=str(upstream.folder), path="apps", cache=tmp_path / "cache", environment=os.environ)
    revision = (await source.poll()).revision
    tree = await source.folder(revision, "services/api")
    for pack in (tmp_path / "cache" / "repository" / "objects" / "pack").iterdir():
        pack.chmod(0o644)
        pack.write_bytes(b"")
    assert await source.folders(revision, ["services/api"])
    assert len(await source.contents({entry.blob for entry in tree.files.values()})) == 2


async def test_what_is_no_path_is_refused(upstream: Upstream, tmp_path: Path) -> None:
    source = GitSource(url=str(upstream.folder), cache=tmp_path / "cache", environment=os.environ)
    revision = (await source.poll()).revision
    with pytest.raises(UsageError):
        await source.folders(revision, ["../x"])
