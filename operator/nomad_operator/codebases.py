"""A codebase by what a person types: a folder, or the URL of a git repository.

For commands; the daemon follows the sources of its apps by itself. Of a URL one commit is fetched into a temporary
folder and read into memory; nothing of it stays.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from datetime import timedelta
from pathlib import Path

from desired.errors import UsageError
from desired.facts.codebase import Codebase
from desired.facts.folder_codebase import FolderCodebase
from desired.git_address import GitAddress
from desired.git_credentials import GitCredentials
from desired.git_source import GitSource
from desired.source_files import codebase_of
from nomad_operator.from_settings import credentials
from nomad_operator.settings import Settings

_SCP = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:.+")
_CLONE = timedelta(minutes=5)
_DEFAULT_BRANCH = "HEAD"


def is_url(text: str) -> bool:
    """Whether it names a repository somewhere, and not a place on this machine that is there."""
    return not Path(text).exists() and ("://" in text or _SCP.fullmatch(text) is not None)


def open_codebase(text: str, settings: Settings, *, ref: str | None = None) -> Codebase:
    """`ref` is a branch, tag or commit of a URL; its default branch if left out. Must not be called inside a loop.

    Raises UsageError (no URL of git's, a ref for a folder), and what fetching raises; a folder is looked at later.
    """
    if is_url(text):
        return asyncio.run(_fetched(text, settings, ref or _DEFAULT_BRANCH))
    if ref is not None:
        raise UsageError(f"{text} is a folder, which has no --ref", hint="check it out there, or name the URL")
    return FolderCodebase(Path(text))


async def _fetched(url: str, settings: Settings, ref: str) -> Codebase:
    address = GitAddress.parse(url)
    with tempfile.TemporaryDirectory(prefix="nomad-operator-") as folder:
        source = GitSource(
            url=url,
            ref=ref,
            cache=Path(folder),
            environment=os.environ,
            credentials=credentials_for(address, settings),
            clone_timeout=_CLONE,
        )
        revision = (await source.poll()).revision
        tree = await source.tree(revision)
        return await codebase_of(tree, source, name=repository_name(address), shown=address.canonical)


def repository_name(address: GitAddress) -> str:
    """What people call it: the last part of its place."""
    last = re.split(r"[/:]", address.canonical.rstrip("/"))[-1]
    return last.removesuffix(".git") or "app"


def credentials_for(address: GitAddress, settings: Settings) -> GitCredentials:
    """Those of the settings, for the very server that they are meant for; for another one what the URL itself holds."""
    if is_own_server(address, settings):
        return credentials(settings)
    return GitCredentials(known_hosts_file=settings.git_known_hosts_file)


def is_own_server(address: GitAddress, settings: Settings) -> bool:
    """Whether it is on the server of the followed repository, reached in the same way."""
    own = None if settings.git_url is None else GitAddress.parse(settings.git_url)
    return own is not None and (own.scheme, own.server) == (address.scheme, address.server)
