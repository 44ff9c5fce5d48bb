"""What the settings mean for the code of apps: which other repositories are followed, how often, and with what."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path

from desired.errors import UsageError
from desired.git_address import GitAddress
from desired.git_credentials import GitCredentials
from desired.git_source import GitSource
from desired.source_code import CodeFolders
from desired.source_facts import SourceFacts
from desired.work_tree import WorkTree, repository_of
from nomad_operator.code_sources import CodeSources
from nomad_operator.codebases import credentials_for, is_own_server, repository_name
from nomad_operator.other_sources import OtherSources, Remote
from nomad_operator.settings import Settings

# A commit must not keep a process busy for long, nor everybody else waiting.
_CLONE = timedelta(minutes=3)
_FRESH_SECONDS = 3600


def code_sources(
    settings: Settings,
    *,
    own: CodeFolders,
    called: str,
    news: Callable[[], None],
    patience: timedelta | None,
    fetch: bool = True,
    tidy: bool = False,
) -> CodeSources:
    """`own` is the repository of the manifests, and `called` its URL or folder. Without `fetch` no other one is asked.

    `tidy` removes the copies of repositories that nobody names any more: only the daemon knows that.
    """
    sources: CodeSources | None = None

    def told() -> None:
        assert sources is not None
        sources.news()

    others = OtherSources(
        open=lambda remote: other_source(remote, settings),
        drop=(lambda kept: _tidy(settings, kept)) if tidy else (lambda kept: None),
        news=told,
        every=settings.source_poll,
        most=settings.source_max_urls,
        clock=time.monotonic,
    )
    sources = CodeSources(
        own=own,
        name=repository_name(GitAddress.parse(called)),
        others=others if fetch else None,
        facts=SourceFacts(),
        news=news,
        patience=patience,
        clock=time.monotonic,
    )
    return sources


def code_beside(settings: Settings, tree: WorkTree, folder: Path, *, fetch: bool) -> CodeSources:
    """For a command that reads manifests from a folder, and waits for what their code says. To be closed."""
    called = str(repository_of(folder.absolute()))
    return code_sources(settings, own=tree, called=called, news=lambda: None, patience=None, fetch=fetch)


def other_source(remote: Remote, settings: Settings) -> GitSource:
    """Raises UsageError where a commit must not make the operator look."""
    address = GitAddress.parse(remote.git)
    if address.folder is not None and not _is_local(settings):
        raise UsageError(
            f"{remote.git} is on the operator's own machine, which a manifest must not read",
            hint="name a git server; places on this machine count only where NOMAD_OPERATOR_GIT_URL is one too",
        )
    own = is_own_server(address, settings)
    if not own and not _may_be_asked(address, settings):
        raise UsageError(
            f"{remote.git} is not on one of the servers that code may come from",
            hint=f"NOMAD_OPERATOR_SOURCE_HOSTS is {','.join(settings.source_hosts) or 'empty'}",
        )
    strangers = GitCredentials(known_hosts_file=settings.git_known_hosts_file, own_keys=False)
    return GitSource(
        url=remote.git,
        ref=remote.ref,
        cache=_folder(settings) / _name(remote),
        environment=os.environ,
        credentials=credentials_for(address, settings) if own else strangers,
        clone_timeout=_CLONE,
    )


def _may_be_asked(address: GitAddress, settings: Settings) -> bool:
    host = address.server.rpartition(":")[0] or address.server
    return address.folder is not None or bool({"*", host, address.server} & set(settings.source_hosts))


def _is_local(settings: Settings) -> bool:
    return settings.git_url is not None and GitAddress.parse(settings.git_url).folder is not None


def _folder(settings: Settings) -> Path:
    return settings.state_file.with_name("git-sources")


def _name(remote: Remote) -> str:
    return hashlib.sha256(f"{remote.git}\0{remote.ref}".encode()).hexdigest()[:16]


def _tidy(settings: Settings, kept: Collection[Remote]) -> None:
    """What is gone is out of the way at once, and removed in a thread; what is fresh may be that of a command."""
    names = {_name(remote) for remote in kept}
    folder = _folder(settings)
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.name not in names and place.stat().st_mtime < time.time() - _FRESH_SECONDS:
            gone = place if place.suffix == ".gone" else place.rename(place.with_name(f"{place.name}.gone"))
            asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, gone, True)
