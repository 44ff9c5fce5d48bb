"""Odd names, links, submodules, pointers and large files of a repository; a work tree says the same of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from desired.errors import InvalidDesired
from desired.file_tree import FileTree, TreeLimits
from desired.git_source import GitSource
from desired.work_tree import WorkTree
from tests.integration.git.git_world import Upstream

MakeSource = Callable[..., GitSource]

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 12345\n"
)


async def both_trees(source: MakeSource, upstream: Upstream, path: str = ".", **limits: int) -> FileTree:
    """The committed files; asserts that the same files in a folder are judged alike."""
    upstream.commit()
    made = source(path=path, limits=TreeLimits(**limits))
    tree = await made.tree((await made.poll()).revision)
    work = await WorkTree(folder=upstream.folder / path, limits=TreeLimits(**limits)).tree(tree.revision)
    assert work.files == tree.files
    assert [problem.path for problem in work.refused] == [problem.path for problem in tree.refused]
    return tree


def why(tree: FileTree) -> dict[str, str]:
    return {problem.path: problem.message for problem in tree.refused}


@pytest.mark.parametrize(
    "name", ["-rf.yaml", "--output=x.yaml", "größe 日本.yaml", "a b'\"$`\\.yaml", ":(glob)x", "*.yaml", "HEAD", "a:b"]
)
async def test_an_odd_name_is_a_name(source: MakeSource, upstream: Upstream, name: str) -> None:
    upstream.commit({f"apps/{name}": "content"})
    tree = await both_trees(source, upstream, "apps")
    made = source(path="apps")
    assert await made.contents([tree.files[name].blob]) == {tree.files[name].blob: b"content"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"two\nlines.yaml", "two\\nlines.yaml"),
        (b"\x1b[2J.yaml", "\\x1b[2J.yaml"),
        (b"latin\xe9.yaml", "latin\\xe9.yaml"),
        ("next\u0085line.yaml".encode(), "next\\x85line.yaml"),
    ],
)
async def test_a_name_that_cannot_be_shown_is_refused_by_a_name_that_can(
    source: MakeSource, upstream: Upstream, name: bytes, shown: str
) -> None:
    (upstream.folder / os.fsdecode(name)).write_bytes(b"x")
    tree = await both_trees(source, upstream)
    assert list(why(tree)) == [shown] and "README.md" in tree.files


@pytest.mark.parametrize("path", ["größe/日本", "with space", "-dash", "a:b", "x*"])
async def test_a_subfolder_with_an_odd_name(source: MakeSource, upstream: Upstream, path: str) -> None:
    upstream.commit({f"{path}/web.yaml": "x"})
    assert list((await both_trees(source, upstream, path)).files) == ["web.yaml"]


async def test_links_to_files_inside_are_followed_and_others_are_refused(
    source: MakeSource, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "outside.yaml").write_text("secret")
    upstream.commit({"apps/base/app.yaml": "base\n", "apps/large.bin": "x" * 300, "apps/file.yaml": "file\n"})
    links = {
        "same.yaml": "file.yaml",
        "deep/link.yaml": "../base/app.yaml",
        "chain.yaml": "deep/link.yaml",
        "alias": "base",
        "through.yaml": "alias/app.yaml",
        "around.yaml": "base/../file.yaml",
        "passwd": "/etc/passwd",
        "up.yaml": "../README.md",
        "far.yaml": "../../../outside.yaml",
        "circle.yaml": "circle2.yaml",
        "circle2.yaml": "circle.yaml",
        "nowhere.yaml": "missing.yaml",
        "to-large": "large.bin",
        "self": ".",
    }
    for name, target in links.items():
        place = upstream.folder / "apps" / name
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(target)
    tree = await both_trees(source, upstream, "apps", max_file_bytes=200)

    file, base = tree.files["file.yaml"].blob, tree.files["base/app.yaml"].blob
    followed = {name: tree.files[name].blob for name in links if name in tree.files}
    assert followed == {
        "same.yaml": file,
        "deep/link.yaml": base,
        "chain.yaml": base,
        "through.yaml": base,
        "around.yaml": file,
    }
    refused = why(tree)
    assert {name for name in links if name in refused} == links.keys() - followed.keys()
    assert all("leaves the tree" in refused[name] for name in ("passwd", "up.yaml", "far.yaml"))
    assert all("circle" in refused[name] for name in ("circle.yaml", "circle2.yaml"))
    assert all("is a folder" in refused[name] for name in ("alias", "self"))
    assert "does not exist" in refused["nowhere.yaml"] and "not read itself" in refused["to-large"]


async def test_a_link_that_leaves_the_subfolder_leaves_the_tree_though_the_repository_holds_it(
    source: MakeSource, upstream: Upstream
) -> None:
    (upstream.folder / "apps/readme").symlink_to("../README.md")
    assert "leaves the tree" in why(await both_trees(source, upstream, "apps"))["readme"]
    assert "apps/readme" in (await both_trees(source, upstream)).files


async def test_a_link_whose_target_is_no_path(source: MakeSource, upstream: Upstream) -> None:
    """git can hold such a link; no file system can."""
    blob = upstream.git("hash-object", "-w", "--stdin", stdin=b"x" * 5000)
    upstream.git("update-index", "--add", "--cacheinfo", f"120000,{blob},long")
    upstream.git("commit", "--quiet", "--message", "a link")
    made = source()
    tree = await made.tree((await made.poll()).revision)
    assert why(tree) == {"long": "is a link whose target is not a path"}


async def test_submodules_are_refused_by_name(tmp_path: Path, source: MakeSource, upstream: Upstream) -> None:
    other = Upstream(tmp_path / "other")
    other.commit({"x.yaml": "x"})
    upstream.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.folder), "apps/vendor")
    tree = await both_trees(source, upstream, "apps")
    assert why(tree) == {"vendor": "is a repository of its own (a submodule)"}
    assert "submodules are off" in tree.refused[0].hint
    assert "vendor/x.yaml" not in tree.files


async def test_an_lfs_pointer_is_refused_by_name(source: MakeSource, upstream: Upstream) -> None:
    upstream.commit({"model.yaml": POINTER, "talk.md": "# " + POINTER})
    tree = await both_trees(source, upstream)
    assert why(tree) == {"model.yaml": "is a Git LFS pointer, not the file"}
    assert "LFS is off" in tree.refused[0].hint and "talk.md" in tree.files


async def test_a_large_file_is_refused_by_name_and_never_transferred(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    upstream.commit({"at-limit.yaml": "x" * 1000, "over.yaml": "x" * 1001, "huge.bin": os.urandom(4 << 20)})
    tree = await both_trees(source, upstream, max_file_bytes=1000)
    assert "at-limit.yaml" in tree.files
    assert {path: "too large" in message for path, message in why(tree).items()} == {
        "huge.bin": True,
        "over.yaml": True,
    }
    size = sum(file.stat().st_size for file in (tmp_path / "cache").rglob("*") if file.is_file())
    assert size < 200_000
    # Else a later reading would go to the server for what was left out.
    assert "promisor" not in (tmp_path / "cache/repository/config").read_text()


async def test_too_many_files_are_an_error_that_says_what_to_do(source: MakeSource, upstream: Upstream) -> None:
    made = source(limits=TreeLimits(max_files=2))
    revision = (await made.poll()).revision
    for tree in (made.tree(revision), WorkTree(folder=upstream.folder, limits=TreeLimits(max_files=2)).tree("")):
        with pytest.raises(InvalidDesired, match="more than 2 files") as caught:
            await tree
        assert "subfolder" in caught.value.hint


async def test_too_many_bytes_at_once_are_an_error(source: MakeSource, upstream: Upstream) -> None:
    upstream.commit({f"{number}.yaml": f"{number}" * 900 for number in range(4)})
    limits = TreeLimits(max_total_bytes=2000)
    made, work = source(limits=limits), WorkTree(folder=upstream.folder, limits=limits)
    tree = await made.tree((await made.poll()).revision)
    await work.tree("")
    blobs = [entry.blob for entry in tree.files.values()]
    for reader in (made, work):
        with pytest.raises(InvalidDesired, match="more than 2000 bytes"):
            await reader.contents(blobs)
        assert len(await reader.contents(blobs[:2])) == 2


async def test_attributes_and_filters_of_a_repository_change_nothing(source: MakeSource, upstream: Upstream) -> None:
    """There is no checkout: what was committed is what is read, and no program of the repository runs."""
    upstream.commit({".gitattributes": "*.yaml text eol=crlf ident export-ignore filter=x\n", "a.yaml": "$Id$\n"})
    made = source()
    tree = await made.tree((await made.poll()).revision)
    assert await made.contents([tree.files["a.yaml"].blob]) == {tree.files["a.yaml"].blob: b"$Id$\n"}


async def test_only_the_asked_blobs_are_answered(source: MakeSource, upstream: Upstream) -> None:
    upstream.commit({"empty": "", "same1": "same", "same2": "same"})
    made = source()
    tree = await made.tree((await made.poll()).revision)
    assert tree.files["same1"].blob == tree.files["same2"].blob
    asked = [tree.files["empty"].blob, tree.files["same1"].blob, tree.files["same2"].blob]
    assert await made.contents(asked) == {asked[0]: b"", asked[1]: b"same"}
    assert await made.contents([]) == {}


async def test_a_work_tree_ignores_its_git_folder_and_can_be_moved(tmp_path: Path, upstream: Upstream) -> None:
    work = WorkTree(folder=upstream.folder)
    first = (await work.poll()).revision
    assert not any(path.startswith(".git") for path in (await work.tree(first)).files)
    copy = tmp_path / "copy"
    shutil.copytree(upstream.folder, copy)
    assert (await WorkTree(folder=copy).poll()).revision == first
