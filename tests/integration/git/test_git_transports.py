"""The git source over every transport, against real servers on loopback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from desired.errors import Forbidden, InvalidDesired, RateLimited, Unavailable
from desired.git_credentials import GitCredentials
from desired.git_source import GitSource
from desired.reasons import Reason
from tests.integration.git.git_world import HttpServer, SshServer, Upstream, git_daemon

MakeSource = Callable[..., GitSource]


async def follow_one_commit(source: GitSource, upstream: Upstream) -> None:
    """Read everything, commit, and see exactly the change."""
    first = await source.poll()
    assert first.changed and first.revision == upstream.git("rev-parse", "main")
    tree = await source.tree(first.revision)
    assert list(tree.files) == ["README.md", "apps/db.yaml", "apps/web.nomad.hcl"]
    assert tree.refused == ()
    contents = await source.contents([tree.files["apps/web.nomad.hcl"].blob])
    assert list(contents.values()) == [b'job "web" {}\n']

    assert not (await source.poll()).changed

    commit = upstream.commit({"apps/web.nomad.hcl": 'job "web" { type = "batch" }\n', "README.md": None})
    second = await source.poll()
    assert second.changed and second.revision == source.revision == commit
    changed = await source.tree(commit)
    assert list(changed.files) == ["apps/db.yaml", "apps/web.nomad.hcl"]
    assert changed.files["apps/db.yaml"] == tree.files["apps/db.yaml"]
    blob = changed.files["apps/web.nomad.hcl"].blob
    assert await source.contents([blob]) == {blob: b'job "web" { type = "batch" }\n'}


async def test_a_file_url(source: MakeSource, upstream: Upstream) -> None:
    await follow_one_commit(source(), upstream)


async def test_a_plain_folder(source: MakeSource, upstream: Upstream) -> None:
    await follow_one_commit(source(url=str(upstream.folder)), upstream)


async def test_a_folder_relative_to_the_working_directory(
    source: MakeSource, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(upstream.folder.parent)
    await follow_one_commit(source(url="./apps.git"), upstream)


async def test_a_folder_whose_name_holds_spaces_and_percent_signs(tmp_path: Path, source: MakeSource) -> None:
    upstream = Upstream(tmp_path / "my apps 100%" / "ü.git")
    upstream.commit({"apps/web.nomad.hcl": 'job "web" {}\n', "apps/db.yaml": "kind: App\n", "README.md": "hello\n"})
    await follow_one_commit(source(url=str(upstream.folder)), upstream)


async def test_the_git_protocol(source: MakeSource, upstream: Upstream, daemon_url: str) -> None:
    await follow_one_commit(source(url=f"{daemon_url}/team/apps.git"), upstream)


async def test_http_without_credentials(source: MakeSource, upstream: Upstream, http_server: HttpServer) -> None:
    await follow_one_commit(source(url=http_server.url("team/apps.git/.git")), upstream)


async def test_http_with_a_token(source: MakeSource, upstream: Upstream, http_server: HttpServer) -> None:
    http_server.login = ("x-access-token", "s3cret:token@/ %$`'\"")
    credentials = GitCredentials(token="s3cret:token@/ %$`'\"")
    await follow_one_commit(source(url=http_server.url("team/apps.git/.git"), credentials=credentials), upstream)


async def test_http_with_credentials_in_the_url(
    source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    http_server.login = ("me", "p@ss/word")
    made = source(url=http_server.url("team/apps.git/.git", userinfo="me:p%40ss%2Fword"))
    assert made.shown_url == http_server.url("team/apps.git/.git")
    await follow_one_commit(made, upstream)


async def test_http_of_plain_files_which_knows_no_shallow_copies(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    server = HttpServer(tmp_path / "served", dumb=True)
    try:
        upstream.git("config", "core.hooksPath", "hooks")
        upstream.git("update-server-info")
        hook = upstream.folder / "hooks" / "post-commit"
        hook.parent.mkdir()
        hook.write_text("#!/bin/sh\ngit update-server-info\n")
        hook.chmod(0o755)
        (upstream.folder / ".git/info/exclude").write_text("hooks\n")
        await follow_one_commit(source(url=server.url("team/apps.git/.git")), upstream)
    finally:
        server.close()


async def test_a_server_that_cannot_leave_files_out(source: MakeSource, upstream: Upstream) -> None:
    upstream.git("config", "uploadpack.allowFilter", "false")
    await follow_one_commit(source(), upstream)
    upstream.commit({"big.yaml": "#" * (1 << 20) + "#"})
    tree = await (made := source()).tree((await made.poll()).revision)
    assert [(problem.path, "1048577 bytes" in problem.message) for problem in tree.refused] == [("big.yaml", True)]


async def test_a_repository_with_sha256_ids(tmp_path: Path, source: MakeSource) -> None:
    upstream = Upstream(tmp_path / "sha256", object_format="sha256")
    upstream.commit({"apps/web.nomad.hcl": 'job "web" {}\n', "apps/db.yaml": "kind: App\n", "README.md": "hello\n"})
    await follow_one_commit(source(url=str(upstream.folder)), upstream)


async def test_ssh_with_a_key_and_known_hosts(source: MakeSource, upstream: Upstream, ssh_server: SshServer) -> None:
    credentials = GitCredentials(ssh_key_file=ssh_server.key, known_hosts_file=ssh_server.known_hosts)
    await follow_one_commit(source(url=ssh_server.url(upstream.folder), credentials=credentials), upstream)


async def test_ssh_refuses_a_host_that_is_not_known(
    source: MakeSource, upstream: Upstream, ssh_server: SshServer
) -> None:
    ssh_server.known_hosts.write_text("")
    credentials = GitCredentials(ssh_key_file=ssh_server.key, known_hosts_file=ssh_server.known_hosts)
    with pytest.raises(Forbidden) as caught:
        await source(url=ssh_server.url(upstream.folder), credentials=credentials).poll()
    assert caught.value.reason is Reason.HOST_KEY_REFUSED
    assert "NOMAD_OPERATOR_GIT_KNOWN_HOSTS_FILE" in caught.value.hint
    assert ssh_server.known_hosts.read_text() == ""


async def test_ssh_refuses_a_host_whose_key_has_changed_and_keeps_the_last_good_revision(
    source: MakeSource, upstream: Upstream, ssh_server: SshServer
) -> None:
    credentials = GitCredentials(ssh_key_file=ssh_server.key, known_hosts_file=ssh_server.known_hosts)
    made = source(url=ssh_server.url(upstream.folder), credentials=credentials)
    good = (await made.poll()).revision
    ssh_server.know(ssh_server.new_key("another"))
    with pytest.raises(Forbidden) as caught:
        await made.poll()
    assert caught.value.reason is Reason.HOST_KEY_REFUSED
    assert made.revision == good and (await made.tree(good)).files


async def test_ssh_with_a_key_that_is_not_let_in(source: MakeSource, upstream: Upstream, ssh_server: SshServer) -> None:
    stranger = ssh_server.new_key("stranger")
    credentials = GitCredentials(ssh_key_file=stranger, known_hosts_file=ssh_server.known_hosts)
    with pytest.raises(Forbidden) as caught:
        await source(url=ssh_server.url(upstream.folder), credentials=credentials).poll()
    assert caught.value.reason is Reason.FORBIDDEN and "NOMAD_OPERATOR_GIT_SSH_KEY_FILE" in caught.value.hint


async def test_wrong_credentials_are_forbidden_and_the_last_good_revision_stays(
    source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    http_server.login = ("x-access-token", "right-token")
    url = http_server.url("team/apps.git/.git")
    made = source(url=url, credentials=GitCredentials(token="right-token"))
    good = (await made.poll()).revision
    http_server.login = ("x-access-token", "another-token")
    for wrong in (made, source(url=url, credentials=GitCredentials(token="wrong-token")), source(url=url)):
        with pytest.raises(Forbidden) as caught:
            await wrong.poll()
        assert "NOMAD_OPERATOR_GIT_TOKEN" in caught.value.hint
        assert wrong.revision == good and len((await wrong.tree(good)).files) == 3


async def test_a_rotated_token_file_counts_from_the_next_poll_on(
    tmp_path: Path, source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    token = tmp_path / "token"
    token.write_text("first-token\n")
    http_server.login = ("oauth2", "first-token")
    made = source(
        url=http_server.url("team/apps.git/.git"), credentials=GitCredentials(username="oauth2", token_file=token)
    )
    await made.poll()
    http_server.login = ("oauth2", "second-token")
    token.write_text("second-token\n")
    commit = upstream.commit()
    assert (await made.poll()).revision == commit
    token.unlink()
    with pytest.raises(Forbidden, match="token file"):
        await made.poll()


async def test_a_redirect_to_another_server_gets_no_credentials(
    tmp_path: Path, source: MakeSource, http_server: HttpServer
) -> None:
    other = HttpServer(tmp_path / "served")
    other.login = ("x-access-token", "s3cret-token")
    try:
        http_server.redirect = f"http://127.0.0.1:{other.port}"
        made = source(url=http_server.url("team/apps.git/.git"), credentials=GitCredentials(token="s3cret-token"))
        with pytest.raises(Forbidden):
            await made.poll()
        assert other.seen and set(other.seen) == {None}
    finally:
        other.close()


async def test_a_server_that_is_down_leaves_the_last_good_revision_and_is_heard_again(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    with git_daemon(tmp_path / "served") as url:
        made = source(url=f"{url}/team/apps.git")
        good = (await made.poll()).revision
    with pytest.raises(Unavailable) as caught:
        await made.poll()
    assert caught.value.hint
    assert made.revision == good and len((await made.tree(good)).files) == 3


@pytest.mark.parametrize(("status", "error"), [(500, Unavailable), (503, Unavailable), (429, RateLimited)])
async def test_a_server_that_answers_with_an_error(
    source: MakeSource, upstream: Upstream, http_server: HttpServer, status: int, error: type[Exception]
) -> None:
    made = source(url=http_server.url("team/apps.git/.git"))
    good = (await made.poll()).revision
    http_server.status = status
    with pytest.raises(error):
        await made.poll()
    assert made.revision == good
    http_server.status = None
    commit = upstream.commit()
    assert (await made.poll()).revision == commit


async def test_a_repository_that_is_not_there(
    tmp_path: Path, source: MakeSource, http_server: HttpServer, daemon_url: str
) -> None:
    gone = [f"file://{tmp_path}/gone", f"{daemon_url}/gone", http_server.url("gone")]
    for number, url in enumerate(gone):
        with pytest.raises(InvalidDesired) as caught:
            await source(url=url, cache=tmp_path / f"cache{number}").poll()
        assert "NOMAD_OPERATOR_GIT_URL" in caught.value.hint, url


async def test_an_old_commit_of_a_server_that_hands_out_tips_only(
    source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    """Without protocol 2 a server refuses a commit that no branch points to; all history is fetched instead."""
    old = upstream.git("rev-parse", "main")
    upstream.commit({"README.md": None})
    http_server.old_protocol = True
    made = source(url=http_server.url("team/apps.git/.git"), ref=old)
    assert (await made.poll()).revision == old
    assert "README.md" in (await made.tree(old)).files


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to somebody else")
async def test_a_folder_that_belongs_to_somebody_else(source: MakeSource, upstream: Upstream) -> None:
    for place in [upstream.folder, *upstream.folder.rglob("*")]:
        os.chown(place, 65534, 65534)
    made = source()
    assert len((await made.tree((await made.poll()).revision)).files) == 3
