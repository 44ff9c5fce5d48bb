"""Whatever goes wrong, the last good revision stays in force and readable, and a message says what happened."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from desired.errors import DeadlineExceeded, InvalidDesired, Unavailable, Unsupported, UsageError
from desired.file_tree import TreeLimits
from desired.git_source import GitSource
from tests.integration.git.git_world import HttpServer, Upstream

MakeSource = Callable[..., GitSource]


def descendants(mark: str) -> list[str]:
    """Command lines of live git processes that hold `mark` in their command line or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
            if line.startswith((b"git", b"/usr/lib/git-core", b"ssh")) and (
                mark.encode() in line or mark.encode() in (process / "environ").read_bytes()
            ):
                found.append(line.decode("utf-8", "replace"))
        except OSError:
            continue
    return found


def counting_git(folder: Path) -> tuple[dict[str, str], Path]:
    """An environment whose `git` writes the name of each command into the log before it runs it."""
    log, program = folder / "log", folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> {log}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}, log


def commands(log: Path) -> list[str]:
    """What we ran; the server's side is a git of its own."""
    return [line for line in log.read_text().split() if line != "upload-pack"]


# What people do to a repository.


async def test_a_force_push_is_followed(source: MakeSource, upstream: Upstream) -> None:
    made = source()
    first = (await made.poll()).revision
    upstream.git("checkout", "--quiet", "--orphan", "other")
    rewritten = upstream.commit({"apps/web.nomad.hcl": None})
    upstream.git("branch", "--force", "main", "other")
    poll = await made.poll()
    assert (poll.revision, poll.changed) == (rewritten, True)
    assert "apps/web.nomad.hcl" not in (await made.tree(rewritten)).files
    assert "apps/web.nomad.hcl" in (await made.tree(first)).files


async def test_a_deleted_branch_leaves_the_last_good_revision(source: MakeSource, upstream: Upstream) -> None:
    upstream.git("branch", "live")
    made = source(ref="live")
    good = (await made.poll()).revision
    upstream.git("branch", "--delete", "--force", "live")
    for again in (made, source(ref="live")):
        with pytest.raises(InvalidDesired, match="no branch or tag 'live'") as caught:
            await again.poll()
        assert "NOMAD_OPERATOR_GIT_REF" in caught.value.hint
        assert again.revision == good and len((await again.tree(good)).files) == 3


async def test_a_repository_without_commits_has_no_branch(tmp_path: Path, source: MakeSource) -> None:
    empty = Upstream(tmp_path / "empty")
    made = source(url=str(empty.folder))
    with pytest.raises(InvalidDesired, match="no branch or tag 'main'"):
        await made.poll()
    assert made.revision is None


async def test_a_branch_wins_over_a_tag_of_the_same_name_and_a_name_must_match_as_a_whole(
    source: MakeSource, upstream: Upstream
) -> None:
    upstream.git("tag", "live")
    upstream.git("branch", "feature/live")
    branch = upstream.commit()
    assert (await source(ref="live").poll()).revision != branch
    upstream.git("branch", "live")
    assert (await source(ref="live").poll()).revision == branch
    with pytest.raises(InvalidDesired):
        await source(ref="liv").poll()


async def test_an_annotated_tag_leads_to_its_commit_and_is_quiet_until_it_is_moved(
    source: MakeSource, upstream: Upstream
) -> None:
    first = upstream.git("rev-parse", "main")
    upstream.git("tag", "--annotate", "--message", "one", "v1")
    made = source(ref="v1")
    assert (await made.poll()).revision == first
    assert not (await made.poll()).changed
    second = upstream.commit()
    assert not (await made.poll()).changed
    upstream.git("tag", "--force", "--annotate", "--message", "two", "v1")
    assert (await made.poll()).revision == second


async def test_a_tag_that_leads_to_no_commit(source: MakeSource, upstream: Upstream) -> None:
    upstream.git("tag", "file", "main:README.md")
    with pytest.raises(InvalidDesired, match="does not lead to a commit"):
        await source(ref="file").poll()


async def test_a_missing_subfolder_is_an_error_and_not_an_empty_tree(source: MakeSource, upstream: Upstream) -> None:
    made = source(path="apps")
    good = (await made.poll()).revision
    upstream.git("mv", "apps", "moved")
    upstream.commit()
    for _ in range(2):
        with pytest.raises(InvalidDesired, match="subfolder does not exist") as caught:
            await made.poll()
        assert "NOMAD_OPERATOR_GIT_PATH" in caught.value.hint
    assert made.revision == good and list((await made.tree(good)).files) == ["db.yaml", "web.nomad.hcl"]
    upstream.git("mv", "moved", "apps")
    commit = upstream.commit()
    assert (await made.poll()).revision == commit


async def test_a_known_bad_commit_is_not_fetched_again(tmp_path: Path, source: MakeSource, upstream: Upstream) -> None:
    upstream.git("mv", "apps", "moved")
    upstream.commit()
    environment, log = counting_git(tmp_path)
    made = source(path="apps", environment=environment)
    with pytest.raises(InvalidDesired):
        await made.poll()
    log.write_text("")
    with pytest.raises(InvalidDesired, match="subfolder does not exist"):
        await made.poll()
    assert commands(log) == ["ls-remote"]


@pytest.mark.parametrize("path", ["README.md", "link"])
async def test_a_subfolder_that_is_a_file_or_a_link(source: MakeSource, upstream: Upstream, path: str) -> None:
    (upstream.folder / "link").symlink_to("apps")
    upstream.commit()
    with pytest.raises(InvalidDesired, match="is not a folder"):
        await source(path=path).poll()


async def test_an_emptied_repository_and_an_emptied_subfolder_are_complete_and_empty(
    source: MakeSource, upstream: Upstream
) -> None:
    below, whole = source(path="apps"), source()
    await below.poll()
    upstream.commit({"apps/web.nomad.hcl": None, "apps/db.yaml": None, "README.md": None, "apps/.gitkeep": ""})
    assert list((await below.tree((await below.poll()).revision)).files) == [".gitkeep"]
    upstream.commit({"apps/.gitkeep": None})
    tree = await whole.tree((await whole.poll()).revision)
    assert (tree.files, tree.refused) == ({}, ())


async def test_another_revision_is_read_without_moving_the_one_in_force(source: MakeSource, upstream: Upstream) -> None:
    made = source()
    good = (await made.poll()).revision
    upstream.git("checkout", "--quiet", "-b", "proposal")
    proposed = upstream.commit({"apps/new.yaml": "kind: App\n"})
    upstream.git("update-ref", "refs/pull/7/head", "proposal")
    for ref in ("proposal", "refs/pull/7/head", proposed):
        assert await made.fetch(ref) == proposed
        assert "apps/new.yaml" in (await made.tree(proposed)).files
    assert made.revision == good and source().revision == good
    with pytest.raises(InvalidDesired):
        await made.fetch("nowhere")
    assert not (await made.poll()).changed


async def test_the_time_and_subject_of_a_commit(source: MakeSource, upstream: Upstream) -> None:
    made = source()
    commit = upstream.commit(subject="Größer \x1b[31mred\n\nbody")
    shown = await made.commit((await made.poll()).revision)
    assert (shown.revision, shown.subject) == (commit, "Größer  [31mred")
    assert int(shown.time.timestamp()) == int(upstream.git("log", "-1", "--format=%ct"))


# What happens to our copy.


def truncate_packs(cache: Path) -> None:
    for pack in (cache / "repository/objects/pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:40])


def flip_bits(cache: Path) -> None:
    for pack in (cache / "repository/objects/pack").glob("*.pack"):
        pack.chmod(0o600)
        data = bytearray(pack.read_bytes())
        for position in range(20, len(data) - 20):
            data[position] ^= 0x55
        pack.write_bytes(data)


def remove_packs(cache: Path) -> None:
    shutil.rmtree(cache / "repository/objects/pack")


def remove_repository(cache: Path) -> None:
    shutil.rmtree(cache / "repository")


def remove_everything(cache: Path) -> None:
    shutil.rmtree(cache)


def empty_indexes(cache: Path) -> None:
    for index in (cache / "repository/objects/pack").glob("*.idx"):
        index.chmod(0o600)
        index.write_bytes(b"")


def garble(name: str) -> Callable[[Path], None]:
    def damage(cache: Path) -> None:
        place = cache / "repository" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"\xff\x00garbage [")

    damage.__name__ = f"garble_{name.replace('/', '_')}"
    return damage


DAMAGES = [
    *(truncate_packs, flip_bits, remove_packs, remove_repository, remove_everything, empty_indexes),
    *(
        garble("config"),
        garble("HEAD"),
        garble("shallow"),
        garble("packed-refs"),
        garble("refs/nomad-operator/incoming"),
    ),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_damaged_copy_is_fetched_anew_when_it_is_read(
    tmp_path: Path, source: MakeSource, upstream: Upstream, damage: Callable[[Path], None]
) -> None:
    """The branch has moved on meanwhile: the revision in force is the old one, and it is that one which is read."""
    made = source()
    good = (await made.poll()).revision
    tree = await made.tree(good)
    upstream.commit({"README.md": None})
    damage(tmp_path / "cache")
    assert await made.tree(good) == tree
    assert len(await made.contents({entry.blob for entry in tree.files.values()})) == 3
    assert made.revision == good
    assert (await made.poll()).changed


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_damaged_copy_is_fetched_anew_when_the_branch_moves(
    tmp_path: Path, source: MakeSource, upstream: Upstream, damage: Callable[[Path], None]
) -> None:
    made = source()
    await made.poll()
    damage(tmp_path / "cache")
    commit = upstream.commit({"README.md": None})
    assert (await made.poll()).revision == commit
    tree = await made.tree(commit)
    assert len(tree.files) == len(await made.contents({entry.blob for entry in tree.files.values()})) == 2


async def test_people_are_told_once_that_the_copy_was_fetched_anew(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    made = source()
    assert (await made.poll()).notice == ""
    remove_packs(tmp_path / "cache")
    await made.tree(made.revision or "")
    assert "damaged" in (await made.poll()).notice
    assert (await made.poll()).notice == ""


async def test_a_damaged_copy_while_the_server_is_down_is_an_error_that_passes(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    made = source()
    good = (await made.poll()).revision
    tree = await made.tree(good)
    remove_packs(tmp_path / "cache")
    away = upstream.folder.rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="damaged"):
        await made.tree(good)
    with pytest.raises(Unavailable, match="damaged"):
        await made.contents([tree.files["README.md"].blob])
    assert source().revision == made.revision == good
    away.rename(upstream.folder)
    assert await source().tree(good) == tree


async def test_a_last_good_revision_that_is_gone_everywhere_is_told_and_the_next_poll_goes_on(
    tmp_path: Path, source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    made = source(url=http_server.url("team/apps.git/.git"))
    good = (await made.poll()).revision
    upstream.git("checkout", "--quiet", "--orphan", "other")
    rewritten = upstream.commit(subject="rewritten")
    upstream.git("branch", "--force", "main", "other")
    upstream.git("reflog", "expire", "--expire=now", "--all")
    upstream.git("gc", "--quiet", "--prune=now")
    remove_packs(tmp_path / "cache")
    with pytest.raises(Unavailable, match=good[:12]):
        await made.tree(good)
    assert made.revision == good
    poll = await made.poll()
    assert (poll.revision, poll.changed) == (rewritten, True)
    assert len((await made.tree(rewritten)).files) == 3


async def test_files_that_no_revision_in_force_names_are_no_damage(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    made = source()
    revision = (await made.poll()).revision
    repository = (tmp_path / "cache/repository").stat().st_ino
    with pytest.raises(Unavailable, match="does not hold"):
        await made.contents(["0" * 40])
    with pytest.raises(Unavailable, match="does not hold"):
        await made.tree("0" * 40)
    assert (tmp_path / "cache/repository").stat().st_ino == repository and made.revision == revision


async def test_a_copy_that_is_made_anew_holds_the_last_good_revision_even_if_the_new_one_is_bad(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    made = source(path="apps")
    good = (await made.poll()).revision
    tree = await made.tree(good)
    remove_repository(tmp_path / "cache")
    upstream.git("mv", "apps", "moved")
    upstream.commit()
    with pytest.raises(InvalidDesired):
        await made.poll()
    shutil.rmtree(upstream.folder)
    assert made.revision == good and await made.tree(good) == tree


async def test_a_cache_that_another_process_is_changing_is_waited_for(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    made = source(timeout=timedelta(seconds=0.3))
    await made.poll()
    with (tmp_path / "cache/lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DeadlineExceeded, match="in use by another process"):
            await made.poll()
        patient = source()
        poll = asyncio.create_task(patient.poll())
        assert not (await asyncio.wait({poll}, timeout=0.1))[0]
    assert not (await poll).changed


async def test_a_fetch_that_is_killed_outright_is_simply_done_again(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    """A `git` that kills itself with SIGKILL in the middle of what it was asked for, at each of its first commands."""
    made = source()
    good = (await made.poll()).revision
    for name in ("ls-remote", "fetch", "cat-file"):
        commit = upstream.commit({"README.md": name})
        program = tmp_path / "killed" / name / "git"
        program.parent.mkdir(parents=True)
        program.write_text(
            f'#!/bin/sh\nif [ "$1" != {name} ]; then exec {shutil.which("git")} "$@"; fi\n'
            f'touch "$GIT_DIR/shallow.lock"\n{shutil.which("git")} "$@" >/dev/null 2>&1 &\nkill -9 $$\n'
        )
        program.chmod(0o755)
        killed = source(environment={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"})
        with pytest.raises((Unavailable, DeadlineExceeded)):
            await killed.poll()
        assert killed.revision == good and (await source().tree(good)).files
        good = (await source().poll()).revision
        assert good == commit and len((await source().tree(good)).files) == 3


async def test_lock_files_of_a_killed_git_do_not_stop_the_next_one(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    made = source()
    await made.poll()
    for name in ("shallow.lock", "packed-refs.lock", "config.lock", "refs/nomad-operator/incoming.lock"):
        (tmp_path / "cache/repository" / name).write_text("")
    commit = upstream.commit()
    poll = await made.poll()
    assert (poll.revision, poll.notice) == (commit, "")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 1}', "\ufffd"])
async def test_a_record_that_cannot_be_read_is_written_anew(
    tmp_path: Path, source: MakeSource, upstream: Upstream, text: str
) -> None:
    good = (await source().poll()).revision
    (tmp_path / "cache/source.json").write_text(text)
    again = source()
    assert again.revision is None
    assert (await again.poll()).revision == good == source().revision


async def test_the_last_good_revision_survives_a_restart_without_any_server(
    source: MakeSource, upstream: Upstream
) -> None:
    good = (await source().poll()).revision
    shutil.rmtree(upstream.folder)
    again = source()
    assert again.revision == good and len((await again.tree(good)).files) == 3


@pytest.mark.parametrize("change", [{"ref": "other"}, {"path": "apps"}, {"url": "elsewhere"}])
async def test_the_cache_of_another_source_has_no_last_good_revision(
    tmp_path: Path, source: MakeSource, upstream: Upstream, change: dict[str, str]
) -> None:
    upstream.git("branch", "other")
    await source().poll()
    elsewhere = Upstream(tmp_path / "elsewhere")
    commit = elsewhere.commit({"apps/x": "x"})
    if "url" in change:
        change = {"url": str(elsewhere.folder)}
    made = source(**change)
    assert made.revision is None
    assert (await made.poll()).changed
    if "url" in change:
        assert made.revision == commit


@pytest.mark.parametrize("moved", [False, True], ids=["same commit", "another commit"])
@pytest.mark.parametrize("pinned", [False, True], ids=["branch", "pinned"])
async def test_a_higher_size_limit_brings_what_was_left_out(
    source: MakeSource, upstream: Upstream, moved: bool, pinned: bool
) -> None:
    commit = upstream.commit({"large.yaml": "#" * 3000})
    ref = commit if pinned else "main"
    small, large = TreeLimits(max_file_bytes=1000), TreeLimits(max_file_bytes=5000)
    first = source(limits=small, ref=ref)
    tree = await first.tree((await first.poll()).revision)
    assert "large.yaml" not in tree.files and [problem.path for problem in tree.refused] == ["large.yaml"]
    if moved:
        newer = upstream.commit({"README.md": None})
        commit = commit if pinned else newer
    second = source(limits=large, ref=ref)
    poll = await second.poll()
    assert (poll.revision, poll.changed) == (commit, moved and not pinned)
    entry = (await second.tree(commit)).files["large.yaml"]
    assert await second.contents([entry.blob]) == {entry.blob: b"#" * 3000}


async def test_two_processes_on_one_cache_do_not_harm_each_other(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    program = (
        "import asyncio, os, sys; from pathlib import Path; from desired.git_source import GitSource\n"
        "async def main():\n"
        " s = GitSource(url=sys.argv[1], cache=Path(sys.argv[2]), environment=os.environ)\n"
        " for _ in range(8): print((await s.poll()).revision, len((await s.tree(s.revision)).files))\n"
        "asyncio.run(main())"
    )
    root = str(Path(sys.modules["desired"].__file__ or "").parents[1])
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(upstream.folder), str(tmp_path / "cache")),
        env={**os.environ, "PYTHONPATH": root},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    made = source()
    for _ in range(8):
        commit = upstream.commit()
        assert (await made.poll()).revision == commit
        assert len((await made.tree(commit)).files) == 3
    output, errors = await other.communicate()
    assert (other.returncode, errors) == (0, b"")
    assert {line.split()[1] for line in output.splitlines()} == {b"3"}


async def test_many_commits_leave_few_packs_and_everything_readable(
    tmp_path: Path, source: MakeSource, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desired.git_cache._MAX_PACKS", 4)
    upstream.commit({"big.bin": os.urandom(1 << 20) + b"!"})
    made = source()
    previous = (await made.poll()).revision
    for number in range(11):
        commit = upstream.commit({"README.md": f"{number}\n"})
        assert (await made.poll()).changed
        tree = await made.tree(commit)
        assert len(tree.files) == 3 and [problem.path for problem in tree.refused] == ["big.bin"]
        assert len(await made.contents({entry.blob for entry in tree.files.values()})) == 3
        assert len((await made.tree(previous)).files) == 3
        previous = commit
    repository = tmp_path / "cache/repository"
    assert len(list((repository / "objects/pack").glob("*.pack"))) <= 5
    assert len((repository / "shallow").read_text().splitlines()) <= 7
    assert (await made.poll()).notice == ""


# Time, and what is missing on this machine.


async def test_a_server_that_never_answers_is_given_up_and_no_process_stays(
    source: MakeSource, upstream: Upstream
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for url in (f"git://127.0.0.1:{port}/x", f"http://127.0.0.1:{port}/x", f"ssh://me@127.0.0.1:{port}/x"):
            made = source(url=url, timeout=timedelta(seconds=0.5))
            with pytest.raises(DeadlineExceeded) as caught:
                await made.poll()
            assert url in str(caught.value) and caught.value.hint
            assert descendants(str(port)) == []


async def test_a_cancelled_poll_leaves_no_process_and_the_next_one_works(
    source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    made = source(url=http_server.url("team/apps.git/.git"))
    http_server.answer.clear()
    poll = asyncio.create_task(made.poll())
    assert await asyncio.to_thread(http_server.reached.wait, 20)
    assert descendants(str(http_server.port))
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll
    assert descendants(str(http_server.port)) == []
    http_server.answer.set()
    assert (await made.poll()).changed


async def test_a_machine_without_git(tmp_path: Path, source: MakeSource) -> None:
    with pytest.raises(Unsupported, match="git command was not found") as caught:
        await source(environment={"PATH": str(tmp_path)}).poll()
    assert "install git" in caught.value.hint


async def test_a_cache_folder_that_cannot_be_made(tmp_path: Path, source: MakeSource) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"git cache .* cannot be written"):
        await source(cache=tmp_path / "file" / "cache").poll()


async def test_a_quiet_poll_runs_one_ls_remote_and_nothing_else(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    """And one of a pinned commit that is here runs nothing at all."""
    environment, log = counting_git(tmp_path)
    for ref, expected in (("main", ["ls-remote"]), (upstream.git("rev-parse", "main"), [])):
        made = source(environment=environment, ref=ref)
        await made.poll()
        log.write_text("")
        assert not (await made.poll()).changed
        assert commands(log) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "ext::sh -c touch% /tmp/x"},
        {"url": "--upload-pack=touch /tmp/x"},
        {"url": "ssh://-oProxyCommand=x/y"},
        {"url": "-oProxyCommand=x:y"},
        {"ref": "--upload-pack=x"},
        {"ref": "a b"},
        {"ref": "main:refs/heads/x"},
        {"ref": "a..b"},
        {"ref": "*"},
        {"path": "../x"},
        {"path": "/etc"},
        {"path": "a\nb"},
    ],
)
async def test_what_could_be_taken_for_an_option_or_another_place_is_refused(
    source: MakeSource, arguments: dict[str, str]
) -> None:
    with pytest.raises(UsageError) as caught:
        source(**arguments)
    assert caught.value.hint


async def test_the_record_is_what_the_docs_say(tmp_path: Path, source: MakeSource, upstream: Upstream) -> None:
    made = source(path="apps/")
    await made.poll()
    record = json.loads((tmp_path / "cache/source.json").read_text())
    assert record["revision"] == made.revision
    assert (record["url"], record["ref"], record["path"]) == (f"file://{upstream.folder}", "main", "apps")
