"""A plain folder is read as it is now, and nothing outside it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desired.errors import InvalidDesired, Unavailable
from desired.work_tree import WorkTree


async def test_a_poll_moves_exactly_when_a_name_or_a_content_does(tmp_path: Path) -> None:
    work = WorkTree(folder=tmp_path)
    (tmp_path / "a").write_text("1")
    assert (await work.poll()).changed
    assert not (await work.poll()).changed
    (tmp_path / "a").write_text("2")
    assert (await work.poll()).changed
    (tmp_path / "a").rename(tmp_path / "b")
    assert (await work.poll()).changed
    os.utime(tmp_path / "b", (0, 0))
    assert not (await work.poll()).changed


@pytest.mark.parametrize(("name", "words"), [("missing", "does not exist"), ("file", "is not a folder")])
async def test_a_folder_that_is_none_is_an_error_and_not_an_empty_tree(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidDesired, match=words):
        await WorkTree(folder=tmp_path / name).tree("")


async def test_pipes_and_sockets_are_refused_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    tree = await WorkTree(folder=tmp_path).tree("")
    assert [(problem.path, problem.message) for problem in tree.refused] == [("pipe.yaml", "is not a regular file")]


async def test_a_file_that_was_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_text("same")
    (folder / "a").write_text("same")
    work = WorkTree(folder=folder)
    blob = (await work.tree("")).files["a"].blob
    (folder / "a").unlink()
    (folder / "a").symlink_to("../secret")
    with pytest.raises(Unavailable):
        await work.contents([blob])


async def test_a_file_that_changes_after_the_tree_was_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    work = WorkTree(folder=tmp_path)
    blob = (await work.tree("")).files["a"].blob
    (tmp_path / "a").write_text("2")
    with pytest.raises(Unavailable, match="changed while it was read"):
        await work.contents([blob])
    with pytest.raises(Unavailable, match="does not hold"):
        await work.contents(["0" * 40])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_that_may_not_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "a").chmod(0)
    with pytest.raises(Unavailable, match="a cannot be read"):
        await WorkTree(folder=tmp_path).tree("")
