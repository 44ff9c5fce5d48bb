"""A work tree is judged as its commit will be: what git would not take is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desired.git_command import GitCommand
from desired.work_tree import WorkTree
from tests.integration.git.git_world import Upstream

FILES = (
    "web.yaml", "my.local.yaml", "apps/api.yaml", "apps/my.local.yaml", "apps/keep.local.yaml", "build/made.yaml",
    "build/deep/made.yaml", "apps/build/made.yaml", "vendor/v.yaml", "apps/vendor/v.yaml", "apps/secret.yaml",
    "grüße/ä b.yaml", "excluded.yaml",
)  # fmt: skip
IGNORES = {
    ".gitignore": "*.local.yaml\nbuild/\n/vendor\n",
    "apps/.gitignore": "!keep.local.yaml\nsecret.yaml\n",
    ".git/info/exclude": "excluded.yaml\n",
}


def write(folder: Path, *names: str) -> None:
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(IGNORES.get(name, name))


def git() -> GitCommand:
    return GitCommand(environment=os.environ)


async def read(folder: Path, *named: str) -> set[str]:
    tree = await WorkTree(folder=folder, git=git(), named=named).tree("")
    assert not tree.refused
    return set(tree.files)


@pytest.mark.parametrize("folder", [".", "apps", "grüße"])
async def test_what_is_read_is_what_a_commit_of_everything_would_hold(upstream: Upstream, folder: str) -> None:
    upstream.commit({"apps/kept/my.local.yaml": "", "README.md": ""})
    write(upstream.folder, *FILES, *IGNORES)
    upstream.git("add", "--force", "apps/secret.yaml", "build/made.yaml")
    (upstream.folder / "README.md").unlink()
    found = await read(upstream.folder / folder)
    upstream.git("add", "--all")
    listed = upstream.git("-C", folder, "ls-files", "-z").split("\0")
    assert found == set(filter(None, listed))
    assert found


async def test_a_file_that_is_named_is_read_although_it_is_ignored(upstream: Upstream) -> None:
    write(upstream.folder, *FILES, *IGNORES)
    assert "my.local.yaml" not in await read(upstream.folder)
    assert "my.local.yaml" in await read(upstream.folder, "my.local.yaml")


async def test_an_ignored_folder_that_is_named_is_read_whole(upstream: Upstream) -> None:
    write(upstream.folder, *FILES, *IGNORES)
    assert await read(upstream.folder / "build") == {"made.yaml", "deep/made.yaml"}
    assert await read(upstream.folder / "build/deep") == {"made.yaml"}


async def test_without_a_repository_or_without_git_everything_is_read(tmp_path: Path, upstream: Upstream) -> None:
    write(tmp_path / "plain", ".gitignore", "my.local.yaml")
    assert await read(tmp_path / "plain") == {".gitignore", "my.local.yaml"}
    write(upstream.folder, ".gitignore", "my.local.yaml")
    nowhere = WorkTree(folder=upstream.folder, git=GitCommand(environment={"PATH": "/nowhere"}))
    assert "my.local.yaml" in (await nowhere.tree("")).files


async def test_a_second_work_tree_and_a_way_through_a_link_are_repositories_too(
    tmp_path: Path, upstream: Upstream
) -> None:
    upstream.commit({".gitignore": IGNORES[".gitignore"], "web.yaml": ""})
    upstream.git("worktree", "add", "--quiet", str(tmp_path / "second"))
    (tmp_path / "link").symlink_to(tmp_path / "second")
    write(tmp_path / "second", "my.local.yaml")
    for folder in (tmp_path / "second", tmp_path / "link"):
        found = await read(folder)
        assert "web.yaml" in found and "my.local.yaml" not in found


async def test_a_repository_inside_is_told_of_and_not_read(upstream: Upstream) -> None:
    upstream.commit({"web.yaml": ""})
    Upstream(upstream.folder / "inner").commit({"x.yaml": ""})
    tree = await WorkTree(folder=upstream.folder, git=git()).tree("")
    plain = await WorkTree(folder=upstream.folder).tree("")
    assert (tree.files, tree.refused) == (plain.files, plain.refused)


async def test_a_repository_cannot_make_git_run_anything(upstream: Upstream, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    upstream.commit({"web.yaml": ""})
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor"):
        upstream.git("config", name, str(script))
    write(upstream.folder, ".gitignore", "my.local.yaml")
    found = await read(upstream.folder)
    assert "web.yaml" in found and "my.local.yaml" not in found
    assert not (tmp_path / "ran").exists()
