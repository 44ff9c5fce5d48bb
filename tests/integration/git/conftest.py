"""Repositories, servers and sources for the tests of the git source."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desired.git_source import GitSource
from tests.integration.git.git_world import HttpServer, SshServer, Upstream, git_daemon

MakeSource = Callable[..., GitSource]


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """A repository with one commit that holds two apps."""
    made = Upstream(tmp_path / "served" / "team" / "apps.git")
    made.commit({"apps/web.nomad.hcl": 'job "web" {}\n', "apps/db.yaml": "kind: App\n", "README.md": "hello\n"})
    return made


@pytest.fixture
def source(tmp_path: Path, upstream: Upstream) -> MakeSource:
    """Makes a source of the upstream, by its folder unless told otherwise; the same cache each time."""

    def make(**changes: Any) -> GitSource:
        arguments: dict[str, Any] = {
            "url": f"file://{upstream.folder}",
            "cache": tmp_path / "cache",
            "environment": os.environ,
        }
        return GitSource(**(arguments | changes))

    return make


@pytest.fixture
def http_server(tmp_path: Path, upstream: Upstream) -> Iterator[HttpServer]:
    server = HttpServer(tmp_path / "served")
    yield server
    server.close()


@pytest.fixture
def daemon_url(tmp_path: Path, upstream: Upstream) -> Iterator[str]:
    with git_daemon(tmp_path / "served") as url:
        yield url


@pytest.fixture
def ssh_server(tmp_path: Path, upstream: Upstream) -> Iterator[SshServer]:
    if shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") is None:
        pytest.skip("no sshd on this machine (Debian: openssh-server)")
    if os.geteuid() == 0 and not Path("/run/sshd").is_dir():
        pytest.skip("sshd needs the folder /run/sshd when root runs it")
    server = SshServer(tmp_path / "ssh")
    with server.running():
        yield server
