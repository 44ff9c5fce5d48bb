"""Repairs are carried back to git: one commit, only the literal changed, and nobody else's work touched."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from desired.app import AppKey
from desired.edited_file import ByHand, FileEditor
from desired.errors import Conflict, Forbidden, InvalidDesired, OperatorError, TransientError, Unsupported
from desired.git_commit import Author
from desired.git_credentials import GitCredentials
from desired.git_source import GitSource
from desired.operations.operation import Kind as Op
from desired.operations.operation import Operation
from desired.policy import Policy
from desired.reasons import Reason
from desired.state import DesiredApp, HclSource, Kind
from desired.write_back import Change, WriteBack, WrittenChange
from nomad_operator.settings_values import commit_author
from tests.integration.git.git_world import HttpServer, SshServer, Upstream
from tests.integration.git.test_git_secrets import BASIC, SECRET, CommandLines

MakeSource = Callable[..., GitSource]
BRANCH = "nomad-operator/repair/default/web"
WEB = """# The shop's front.
job "web" {
  group "app" {
    task "app" {
      driver = "docker"
      config { image = "app:1" }

      resources {
        cpu    = 100 # MHz
        memory = 64   # was 32 until May
      }
    }
  }
}
"""
MORE_MEMORY = Operation(Op.MEMORY, ("app", "app"), 64, 256)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    made = Upstream(tmp_path / "served" / "team" / "apps.git")
    made.git("config", "http.receivepack", "true")
    made.git("config", "receive.denyCurrentBranch", "ignore")
    made.commit({"apps/web.nomad.hcl": WEB, "apps/db.nomad.hcl": 'job "db" {}\n', "README.md": "hello\n"})
    return made


def app(path: str = "web.nomad.hcl", kind: Kind = Kind.JOB_FILE, name: str = "web") -> DesiredApp:
    return DesiredApp(AppKey("default", name), kind, path, HclSource(WEB), "hash", Policy())


def change(*operations: Operation, branch: str | None = BRANCH, **more: Any) -> Change:
    def message(done: tuple[Operation, ...], by_hand: tuple[ByHand, ...]) -> str:
        return f"Repair: {len(done)} done, {len(by_hand)} by hand\n"

    arguments: dict[str, Any] = {
        "app": app(), "operations": operations or (MORE_MEMORY,), "branch": branch,
        "message": message, "at": AT, "stands": lambda: True,
    }  # fmt: skip
    return Change(**(arguments | more))


def write_back(source: GitSource) -> WriteBack:
    return WriteBack(push=source.push(Author()), editor=FileEditor(defaults=Policy()))


async def written(source: GitSource, wanted: Change) -> WrittenChange:
    found = await write_back(source).write(wanted)
    assert found is not None
    return found


def content(upstream: Upstream) -> bytes:
    """The file on the branch, to the byte."""
    arguments = ["git", "show", f"{BRANCH}:apps/web.nomad.hcl"]
    return subprocess.run(arguments, cwd=upstream.folder, capture_output=True, check=True).stdout


def commits(upstream: Upstream, ref: str) -> list[str]:
    return upstream.git("log", "--format=%an <%ae> %cn <%ce> %at %s", ref).splitlines()


OURS = "nomad-operator <nomad-operator@localhost>"


async def test_a_branch_holds_one_commit_on_the_watched_revision_and_only_the_literal_has_changed(
    source: MakeSource, upstream: Upstream
) -> None:
    main = upstream.git("rev-parse", "main")
    found = await written(source(path="apps"), change())
    assert (found.branch, found.commit) == (BRANCH, upstream.git("rev-parse", BRANCH))
    assert upstream.git("rev-parse", f"{BRANCH}^") == main == upstream.git("rev-parse", "main")
    assert upstream.git("diff", "--numstat", "main", BRANCH) == "1\t1\tapps/web.nomad.hcl"
    assert content(upstream) == WEB.replace("memory = 64 ", "memory = 256 ").encode()
    assert commits(upstream, BRANCH)[0] == f"{OURS} {OURS} {int(AT.timestamp())} Repair: 1 done, 0 by hand"
    upstream.git("fsck", "--strict")


async def test_a_push_moves_the_watched_branch_forward_by_one_commit(source: MakeSource, upstream: Upstream) -> None:
    main = upstream.git("rev-parse", "main")
    made = source(path="apps")
    found = await written(made, change(branch=None))
    assert (found.branch, found.commit) == ("main", upstream.git("rev-parse", "main"))
    assert upstream.git("rev-parse", "main^") == main
    assert (await made.poll()).revision == found.commit


@pytest.mark.parametrize("branch", [BRANCH, None], ids=["branch", "push"])
async def test_who_was_killed_after_the_push_finds_the_commit_there(
    source: MakeSource, upstream: Upstream, branch: str | None
) -> None:
    await written(source(path="apps"), change(branch=branch))
    before = upstream.git("for-each-ref")
    again = await write_back(source(path="apps")).write(change(branch=branch))
    assert upstream.git("for-each-ref") == before
    # What the watched branch says already is not written again; on a branch of its own it is found.
    assert (again is None) == (branch is None)


async def test_a_push_that_comes_too_late_is_made_anew_on_the_new_tip(source: MakeSource, upstream: Upstream) -> None:
    made = source(path="apps")
    there: list[str] = []

    def message(done: tuple[Operation, ...], by_hand: tuple[ByHand, ...]) -> str:
        # Between the fetch and the push, somebody else pushes; once.
        if not there:
            there.append(upstream.commit({"apps/db.nomad.hcl": 'job "db" { type = "batch" }\n'}, "theirs"))
        return "Repair\n"

    await written(made, replace(change(branch=None), message=message))
    assert [line.rsplit(" ", 1)[1] for line in commits(upstream, "main")] == ["Repair", "theirs", "change"]


async def test_a_branch_that_never_stands_still_is_left_for_later(source: MakeSource, upstream: Upstream) -> None:
    count = [0]

    def message(done: tuple[Operation, ...], by_hand: tuple[ByHand, ...]) -> str:
        count[0] += 1
        upstream.commit({"README.md": f"{count[0]}\n"})
        return "Repair\n"

    with pytest.raises(Conflict):
        await write_back(source(path="apps")).write(replace(change(branch=None), message=message))
    assert 2 <= count[0] <= 10
    assert not any("nomad-operator" in line for line in commits(upstream, "main"))


async def test_a_file_that_says_something_else_by_now_is_left_to_whoever_wrote_it(
    source: MakeSource, upstream: Upstream
) -> None:
    made = source(path="apps")
    await made.poll()
    theirs = upstream.commit({"apps/web.nomad.hcl": WEB.replace("= 64", "= 300")})
    assert await write_back(made).write(change(branch=None)) is None
    assert upstream.git("rev-parse", "main") == theirs


async def test_our_branch_is_replaced_and_somebody_elses_commit_on_it_is_not(
    source: MakeSource, upstream: Upstream
) -> None:
    made = source(path="apps")
    first = (await written(made, change())).commit
    upstream.commit({"README.md": "moved on\n"})
    second = (await written(made, change(replace(MORE_MEMORY, new=512)))).commit
    assert upstream.git("rev-parse", f"{BRANCH}^") == upstream.git("rev-parse", "main")
    assert first != second == upstream.git("rev-parse", BRANCH)
    upstream.git("checkout", "--quiet", BRANCH)
    theirs = upstream.commit({"README.md": "by a person\n"}, "on top")
    upstream.git("checkout", "--quiet", "main")
    with pytest.raises(Conflict, match="did not make"):
        await write_back(made).write(change())
    assert upstream.git("rev-parse", BRANCH) == theirs


async def test_our_commit_that_a_person_amended_is_theirs(source: MakeSource, upstream: Upstream) -> None:
    made = source(path="apps")
    await written(made, change())
    upstream.git("checkout", "--quiet", BRANCH)
    upstream.git("commit", "--quiet", "--amend", "--message", "mine now")
    upstream.git("checkout", "--quiet", "main")
    before = upstream.git("rev-parse", BRANCH)
    with pytest.raises(Conflict):
        await write_back(made).write(change(replace(MORE_MEMORY, new=512)))
    assert upstream.git("rev-parse", BRANCH) == before


@pytest.mark.parametrize("branch", [BRANCH, None], ids=["branch", "push"])
async def test_what_a_hook_declines_is_told_in_its_words_and_nothing_stays_behind(
    source: MakeSource, upstream: Upstream, tmp_path: Path, branch: str | None
) -> None:
    hook = upstream.folder / ".git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'nobody pushes on Fridays' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = upstream.git("for-each-ref")
    with pytest.raises(Forbidden, match=r"hook declined.*\(nobody pushes on Fridays\)") as declined:
        await write_back(source(path="apps")).write(change(branch=branch))
    assert declined.value.hint
    assert upstream.git("for-each-ref") == before
    assert not list((tmp_path / "cache").glob("writing-*"))
    hook.unlink()
    await written(source(path="apps"), change(branch=branch))


async def test_what_somebody_killed_left_behind_is_removed(
    source: MakeSource, upstream: Upstream, tmp_path: Path
) -> None:
    made = source(path="apps")
    await made.poll()
    left = tmp_path / "cache" / "writing-left" / "ab"
    left.mkdir(parents=True)
    loose = [*(tmp_path / "cache" / "repository" / "objects").glob("??")]
    await written(made, change())
    assert not list((tmp_path / "cache").glob("writing-*"))
    assert [*(tmp_path / "cache" / "repository" / "objects").glob("??")] == loose


async def test_a_partial_clone_writes_without_fetching_what_it_left_out(source: MakeSource, upstream: Upstream) -> None:
    """A file over the limit never reaches the cache, and stays as it is in the commit."""
    large = os.urandom(3 << 20)
    upstream.commit({"apps/large.bin": large, "apps/deep/er/and/er/x.bin": large[::-1]})
    made = source(path="apps")
    await made.poll()
    size = _size(made)
    await written(made, change())
    assert _size(made) < size + (1 << 20) < 2 << 20
    assert upstream.git("diff", "--name-only", "main", BRANCH) == "apps/web.nomad.hcl"
    upstream.git("fsck", "--strict", "--connectivity-only")


def _size(source: GitSource) -> int:
    return sum(file.stat().st_size for file in source._cache.folder.rglob("*") if file.is_file())


async def test_no_permission_is_told_with_what_to_do(
    source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    upstream.git("config", "http.receivepack", "false")
    before = upstream.git("for-each-ref")
    with pytest.raises(OperatorError) as refused:
        await write_back(source(url=http_server.url("team/apps.git/.git"), path="apps")).write(change())
    assert "NOMAD_OPERATOR_WRITE_BACK" in refused.value.hint
    assert upstream.git("for-each-ref") == before


async def test_over_http_the_token_is_no_argument_and_no_part_of_a_message(
    source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    """The server keeps git waiting when it pushes, so that the whole chain of processes can be read."""
    http_server.login = ("x-access-token", SECRET)
    made = source(url=http_server.url("team/apps.git/.git"), path="apps", credentials=GitCredentials(token=SECRET))
    await made.poll()

    told = threading.Event()

    def message(done: tuple[Operation, ...], by_hand: tuple[ByHand, ...]) -> str:
        http_server.answer.clear()
        lines.seen = set()
        told.set()
        return "Repair\n"

    with CommandLines() as lines:
        writing = asyncio.create_task(write_back(made).write(replace(change(branch=None), message=message)))
        assert await asyncio.to_thread(told.wait, 20)
        # By its port: other tests push at the same time.
        assert await asyncio.to_thread(lines.until, f"127.0.0.1:{http_server.port}")
        http_server.answer.set()
        assert await writing is not None
    shown = "\n".join(lines.seen)
    assert SECRET not in shown and BASIC not in shown
    assert upstream.git("log", "-1", "--format=%an", "main") == "nomad-operator"
    assert SECRET not in upstream.git("log", "-1", "--format=raw", "main")


async def test_a_calculated_value_is_offered_as_a_patch_and_the_rest_is_written(
    source: MakeSource, upstream: Upstream
) -> None:
    text = WEB.replace("memory = 64", "memory = 2 * var.memory").replace(
        'job "web"', 'variable "memory" {\n  default = 32\n}\n\njob "web"'
    )
    upstream.commit({"apps/web.nomad.hcl": text})
    more_cpu = Operation(Op.CPU, ("app", "app"), 100, 200)
    found = await written(source(path="apps"), change(MORE_MEMORY, more_cpu))
    assert found.done == (more_cpu,)
    assert [one.operation for one in found.by_hand] == [MORE_MEMORY]
    assert "memory" in found.by_hand[0].why
    assert "256" in found.patch
    after = upstream.git("show", f"{BRANCH}:apps/web.nomad.hcl")
    assert after == text.replace("= 100", "= 200").strip()


async def test_where_nothing_is_a_literal_nothing_is_committed(source: MakeSource, upstream: Upstream) -> None:
    text = 'variable "memory" {\n  default = 32\n}\n' + WEB.replace("memory = 64", "memory = 2 * var.memory")
    upstream.commit({"apps/web.nomad.hcl": text})
    before = upstream.git("for-each-ref")
    found = await written(source(path="apps"), change())
    assert (found.commit, found.done, len(found.by_hand)) == ("", (), 1)
    assert upstream.git("for-each-ref") == before


async def test_a_manifest_is_edited_in_place_and_one_with_a_job_file_in_that_file(
    source: MakeSource, upstream: Upstream
) -> None:
    manifest = """# ours
apiVersion: nomad-operator/v1
kind: App
metadata: {name: api}
spec:
  image: app:1  # pinned
  resources: {cpu: 100, memory: 64}
"""
    wrapping = """apiVersion: nomad-operator/v1
kind: App
metadata: {name: web}
spec:
  jobFile: jobs/web.nomad.hcl
"""
    upstream.commit({"apps/api.yaml": manifest, "apps/web.yaml": wrapping, "apps/jobs/web.nomad.hcl": WEB})
    made = source(path="apps")
    await written(made, change(app=app("api.yaml", Kind.APP, "api"), branch="api"))
    assert upstream.git("show", "api:apps/api.yaml") == manifest.replace("memory: 64", "memory: 256").strip()
    await written(made, change(app=app("web.yaml", Kind.APP), branch="wrapped"))
    assert upstream.git("diff", "--numstat", "main", "wrapped") == "1\t1\tapps/jobs/web.nomad.hcl"


async def test_a_byte_order_mark_and_line_ends_stay(source: MakeSource, upstream: Upstream) -> None:
    text = b"\xef\xbb\xbf" + WEB.replace("\n", "\r\n").encode()
    upstream.commit({"apps/web.nomad.hcl": text})
    await written(source(path="apps"), change())
    assert content(upstream) == text.replace(b"= 64", b"= 256")


async def test_modes_and_odd_names_beside_the_file_stay(source: MakeSource, upstream: Upstream) -> None:
    (upstream.folder / "apps" / "web.nomad.hcl").chmod(0o755)
    upstream.commit({"apps/ü b.txt": "x", "apps/web.nomad.hclx": "y", "apps/web/.keep": ""})
    await written(source(path="apps"), change())
    assert upstream.git("diff", "--name-status", "main", BRANCH) == "M\tapps/web.nomad.hcl"
    assert upstream.git("ls-tree", BRANCH, "apps/web.nomad.hcl").startswith("100755 blob")


async def test_a_link_is_not_written_through(source: MakeSource, upstream: Upstream) -> None:
    (upstream.folder / "apps" / "link.nomad.hcl").symlink_to("web.nomad.hcl")
    upstream.commit()
    with pytest.raises(InvalidDesired, match="link"):
        await write_back(source(path="apps")).write(change(app=app("link.nomad.hcl")))


@pytest.mark.parametrize("ref", ["v1", "refs/tags/v1"])
async def test_a_tag_is_not_pushed_to_but_a_branch_may_stand_on_it(
    source: MakeSource, upstream: Upstream, ref: str
) -> None:
    upstream.git("tag", "v1")
    with pytest.raises(Unsupported, match="no branch"):
        await write_back(source(path="apps", ref=ref)).write(change(branch=None))
    assert (await written(source(path="apps", ref=ref), change())).branch == BRANCH


async def test_a_repository_of_sha256_is_written_to(source: MakeSource, tmp_path: Path) -> None:
    made = Upstream(tmp_path / "other.git", object_format="sha256")
    made.git("config", "receive.denyCurrentBranch", "ignore")
    made.commit({"web.nomad.hcl": WEB})
    found = await written(source(url=f"file://{made.folder}"), change(branch=None))
    assert found.commit == made.git("rev-parse", "main") and len(found.commit) == 64


@pytest.mark.parametrize("large", [False, True], ids=["all there", "partial"])
async def test_a_branch_may_stand_on_a_commit_that_is_no_tip_any_more(
    source: MakeSource, upstream: Upstream, large: bool
) -> None:
    """The server does not tell that it has the commit; it is not sent anew for all that."""
    upstream.git("config", "uploadpack.allowReachableSHA1InWant", "true")
    fixed = upstream.commit({"apps/large.bin": os.urandom(3 << 20)} if large else {"apps/small.txt": "x"})
    upstream.commit({"README.md": "moved on\n"})
    found = await written(source(path="apps", ref=fixed), change())
    assert upstream.git("rev-parse", f"{found.commit}^") == fixed
    assert upstream.git("diff", "--name-only", fixed, BRANCH) == "apps/web.nomad.hcl"


async def test_a_branch_that_is_followed_by_its_full_name_is_pushed_to(source: MakeSource, upstream: Upstream) -> None:
    found = await written(source(path="apps", ref="refs/heads/main"), change(branch=None))
    assert (found.branch, found.commit) == ("main", upstream.git("rev-parse", "main"))


@pytest.mark.parametrize("name", ["A Bot", "Zoë (repairs)", "x"])
async def test_whoever_commits_knows_their_own_commits_again(source: MakeSource, upstream: Upstream, name: str) -> None:
    author = commit_author(f"{name} <bot+repairs@example.org>")
    push = source(path="apps").push(author)
    for more in (256, 512):
        wanted = change(replace(MORE_MEMORY, new=more))
        assert await WriteBack(push=push, editor=FileEditor(defaults=Policy())).write(wanted) is not None
    assert commits(upstream, BRANCH)[0].startswith(f"{author} {author}")


@pytest.mark.parametrize(
    "text", ["", "bot", "<a@b>", "A Bot a@b", "A. <a@b>", '"A" <a@b>', "A <a b>", "A\n<a@b>", "A <a@b.>"]
)
def test_what_git_would_write_otherwise_is_no_author(text: str) -> None:
    with pytest.raises(ValueError, match="Name <mail>"):
        commit_author(text)


async def test_over_ssh_with_a_known_host_and_not_with_an_unknown_one(
    source: MakeSource, upstream: Upstream, ssh_server: SshServer
) -> None:
    access = GitCredentials(ssh_key_file=ssh_server.key, known_hosts_file=ssh_server.known_hosts)
    made = source(url=ssh_server.url(upstream.folder), path="apps", credentials=access)
    found = await written(made, change(branch=None))
    assert found.commit == upstream.git("rev-parse", "main")
    ssh_server.know(ssh_server.new_key("another"))
    with pytest.raises(Forbidden) as refused:
        await write_back(made).write(change(replace(MORE_MEMORY, old=256, new=512), branch=None))
    assert refused.value.reason is Reason.HOST_KEY_REFUSED
    assert found.commit == upstream.git("rev-parse", "main")


async def test_a_server_that_takes_no_pushes_is_told(source: MakeSource, upstream: Upstream, daemon_url: str) -> None:
    before = upstream.git("for-each-ref")
    with pytest.raises(OperatorError) as refused:
        await write_back(source(url=f"{daemon_url}/team/apps.git", path="apps")).write(change())
    assert refused.value.hint
    assert upstream.git("for-each-ref") == before
    print(refused.value, "|", refused.value.hint)


async def test_the_server_going_away_before_the_push_is_an_outage(
    source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    def message(done: tuple[Operation, ...], by_hand: tuple[ByHand, ...]) -> str:
        http_server.status = 503
        return "Repair\n"

    made = source(url=http_server.url("team/apps.git/.git"), path="apps")
    with pytest.raises(TransientError):
        await write_back(made).write(replace(change(branch=None), message=message))
    http_server.status = None
    await written(made, change(branch=None))
    assert upstream.git("rev-list", "--count", "main") == "2"
