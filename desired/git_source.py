"""A git repository as the source of what is desired: one branch, tag or commit, one subfolder.

`poll` moves the revision in force and is the only thing that does; whatever goes wrong raises, and the last good
revision stays in force and readable, across restarts too. There is no work tree: files are read from the objects, so
no hook, filter or attribute of the repository ever runs.

Submodules and LFS are off. Files over the limit are left out of the transfer where the server can do that.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from desired.errors import InvalidDesired, OperatorError, Unavailable, UsageError
from desired.file_tree import FileTree, Poll, TreeLimits
from desired.git_address import GitAddress
from desired.git_cache import CacheRecord, GitCache
from desired.git_command import GitCommand
from desired.git_commit import Author, GitCommits
from desired.git_credentials import GitCredentials
from desired.git_fetcher import GitFetcher, Tip
from desired.git_objects import Damaged, is_object_id
from desired.git_push import GitPush
from desired.git_reader import Commit, GitReader
from desired.git_remote import GitRemote

_INCOMING = "refs/nomad-operator/incoming"
_ASKED = "refs/nomad-operator/asked"

# Source: git-check-ref-format(1); one leading dash more than it forbids.
_NOT_IN_A_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[-/.]|[/.]$|^@$")

T = TypeVar("T")


class GitSource:
    """One source. Safe to use from several tasks; one poll at a time does the work, the others wait for it.

    `url` is anything git understands; credentials in it are taken out. `cache` is a folder for this source alone.
    `ref` is a branch, else a tag, else a full commit id (then a poll that has it asks nobody), or a full `refs/…`.
    `timeout` bounds every git command, `clone_timeout` one that may bring a whole commit. `environment` is the
    process's own. Raises UsageError if the URL, the ref or the path cannot be meant.
    """

    def __init__(
        self,
        *,
        url: str,
        cache: Path,
        environment: Mapping[str, str],
        ref: str = "main",
        path: str = ".",
        credentials: GitCredentials | None = None,
        limits: TreeLimits | None = None,
        timeout: timedelta = timedelta(seconds=60),
        clone_timeout: timedelta = timedelta(minutes=10),
    ) -> None:
        address = GitAddress.parse(url)
        limits = limits or TreeLimits()
        self._ref, self._path = checked_ref(ref), checked_path(path)
        self.shown_url = address.canonical
        self.origin = f"{address.canonical}#{self._path}"
        folder = cache.absolute()
        command = GitCommand(environment=environment, global_config=folder / "gitconfig")
        self._cache = GitCache(folder=folder, command=command, timeout=timeout)
        self._command, self._timeout = command, timeout
        self._remote = GitRemote(
            address=address,
            credentials=credentials or GitCredentials(),
            command=command,
            max_file_bytes=limits.max_file_bytes,
        )
        self._fetcher = GitFetcher(
            cache=self._cache,
            remote=self._remote,
            shown=self.shown_url,
            timeout=timeout,
            clone_timeout=clone_timeout,
        )
        self._reader = GitReader(cache=self._cache, path=self._path, shown=self.shown_url, limits=limits)
        self._limits = limits
        self._address = address
        self._max_file_bytes = limits.max_file_bytes
        self._record = self._mine(self._cache.record())
        self._refused: tuple[str, InvalidDesired] | None = None
        self._renewals = 0
        self._notice = ""

    @property
    def revision(self) -> str | None:
        """The last good revision, from before a restart too; None until there was one."""
        return self._record.revision

    async def poll(self) -> Poll:
        """Look whether the ref has moved, and bring what it leads to. Quiet: one `ls-remote`; for a commit nothing.

        Raises InvalidDesired (no such ref or subfolder), Forbidden, Unsupported or a TransientError; `revision` is
        then what it was.
        """
        if self._record.revision == self._ref and self._enough():
            return Poll(self._ref, changed=False, notice=self._told())
        async with self._cache.changing():
            tip = await self._tip(self._ref)
            before = self._record.revision
            if tip.commit == before and self._enough():
                return Poll(tip.commit, changed=False, notice=self._told())
            if self._refused is not None and self._refused[0] == tip.commit:
                # Known to be unusable; fetching it at every poll would find the same.
                raise InvalidDesired(self._refused[1].problems, hint=self._refused[1].hint)
            try:
                revision = await self._bring(tip, into=_INCOMING)
            except InvalidDesired as error:
                self._refused = (tip.commit, error)
                raise
            self._refused = None
            if revision != before:
                self._remember(replace(self._record, revision=revision, previous=before))
            await self._cache.tidy((revision, before))
            return Poll(revision, changed=revision != before, notice=self._told())

    async def fetch(self, ref: str, *, into: str = _ASKED) -> str:
        """Bring another branch, tag, commit or full ref, to be read by the id returned; `revision` stays.

        `into` is the local ref that keeps it until the next one is fetched there.
        """
        wanted = checked_ref(ref)
        async with self._cache.changing():
            return await self._bring(await self._tip(wanted), into=into)

    def push(self, author: Author) -> GitPush:
        """The way back to the server, for commits that `author` makes."""
        return GitPush(
            source=self,
            ref=self._ref,
            path=self._path,
            remote=self._remote,
            commits=GitCommits(
                command=self._command,
                repository=self._cache.repository,
                folder=self._cache.folder,
                author=author,
                timeout=self._timeout,
            ),
            author=author,
            timeout=self._timeout,
        )

    async def tree(self, revision: str) -> FileTree:
        """Every file below the subfolder of a revision that `poll` or `fetch` returned.

        Raises InvalidDesired (no such subfolder, too many files) or a TransientError (damaged, and not to be had).
        """
        return await self._healing(revision, lambda: self._reader.tree(_checked_id(revision)))

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        """The asked blobs of such a tree, by one git process. Raises InvalidDesired if they are too much together."""
        wanted = {_checked_id(blob) for blob in blobs}

        async def read() -> Mapping[str, bytes]:
            try:
                return await self._reader.contents(wanted)
            except Damaged:
                await self._must_hold(wanted)
                raise

        return await self._healing(self._record.revision, read)

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]:
        """The git tree ids of folders of the whole repository, wherever the followed subfolder is; what is no folder is
        left out. "." is the repository itself. Raises a TransientError; UsageError if a path cannot be meant."""
        wanted = {checked_path(path) for path in paths}
        if not wanted:
            return {}
        return await self._healing(revision, lambda: self._below(".").folders(_checked_id(revision), wanted))

    async def folder(self, revision: str, path: str) -> FileTree:
        """Every file below such a folder. Raises as `tree` does."""
        reader = self._below(checked_path(path))
        return await self._healing(revision, lambda: reader.tree(_checked_id(revision)))

    def _below(self, path: str) -> GitReader:
        return GitReader(cache=self._cache, path=path, shown=self.shown_url, limits=self._limits)

    async def commit(self, revision: str) -> Commit:
        """Time and subject of such a revision, for display."""
        return await self._healing(revision, lambda: self._reader.commit(_checked_id(revision)))

    async def _must_hold(self, blobs: set[str]) -> None:
        """Raise Unavailable if the revision in force does not name these blobs: then their absence is no damage."""
        if self._record.revision is None:
            raise self._not_held("the asked files")
        for reader in (self._reader, self._below(".")):
            tree = await reader.tree(self._record.revision)
            if blobs <= {entry.blob for entry in tree.files.values()}:
                return
        raise self._not_held("some of the asked files")

    async def _healing(self, revision: str | None, read: Callable[[], Awaitable[T]]) -> T:
        """Read; where the cache turns out to be damaged, fetch the last good revision anew, once, and read again."""
        renewals = self._renewals
        try:
            return await read()
        except Damaged as damage:
            if revision is None or revision != self._record.revision:
                raise self._not_held(f"revision {revision}") from damage
            found = str(damage)
        async with self._cache.changing():
            if self._renewals == renewals:
                try:
                    self._cache.trust(_others(self._address))
                    await self._renew(Tip(revision, revision), into=_INCOMING, found=found)
                except (OperatorError, Damaged) as error:
                    raise Unavailable(
                        f"the git cache is damaged ({found}), and revision {revision[:12]} could not be fetched anew: "
                        f"{error}",
                        hint="can the git server be reached from here? Nothing is changed before it was fetched",
                    ) from error
        try:
            return await read()
        except Damaged as damage:
            raise Unavailable(f"the git cache was fetched anew and is damaged again: {damage}") from damage

    def _not_held(self, what: str) -> Unavailable:
        return Unavailable(f"the git cache of {self.shown_url} does not hold {what}", hint="poll or fetch it again")

    async def _tip(self, ref: str) -> Tip:
        self._cache.trust(_others(self._address))
        return await self._fetcher.tip(ref)

    async def _bring(self, tip: Tip, *, into: str) -> str:
        """Fetch, into a new repository where need be, and check the subfolder."""
        try:
            if not self._enough():
                revision = await self._renew(tip, into=into, found="")
            else:
                revision = await self._fetcher.bring(tip, into=into)
        except Damaged as damage:
            revision = await self._renew(tip, into=into, found=str(damage))
        try:
            await self._reader.check(revision)
        except Damaged as damage:
            raise Unavailable(f"reading {tip.name} of {self.shown_url} after it was fetched: {damage}") from damage
        return revision

    async def _renew(self, tip: Tip, *, into: str, found: str) -> str:
        revision = await self._fetcher.renew(tip, into=into, good=self._record.revision)
        self._renewals += 1
        self._remember(replace(self._record, max_file_bytes=self._max_file_bytes))
        if found:
            self._notice = f"the git cache was damaged ({found}) and has been fetched anew"
        return revision

    def _enough(self) -> bool:
        """Not if nothing was fetched yet, or under a lower limit: what was left out then may be wanted now."""
        return self._record.max_file_bytes >= self._max_file_bytes

    def _remember(self, record: CacheRecord) -> None:
        self._cache.remember(record)
        self._record = record

    def _mine(self, record: CacheRecord) -> CacheRecord:
        """What the record says of this very source. Another URL, ref or subfolder has no last good revision yet."""
        url = self._address.canonical
        if (record.url, record.ref, record.path) == (url, self._ref, self._path):
            return record
        fetched_under = record.max_file_bytes if record.url == url else 0
        return CacheRecord(url=url, ref=self._ref, path=self._path, max_file_bytes=fetched_under)

    def _told(self) -> str:
        notice, self._notice = self._notice, ""
        return notice


def _others(address: GitAddress) -> tuple[Path, ...]:
    """The local folders that git may read whoever owns them: the very repository that the settings name."""
    if address.folder is None:
        return ()
    places = {address.folder, address.folder.resolve()}
    return tuple(sorted({folder for place in places for folder in (place, place / ".git")}))


def checked_ref(ref: str) -> str:
    if not ref or _NOT_IN_A_REF.search(ref):
        raise UsageError(
            f"{ref!r} cannot be a git branch, tag or commit", hint="NOMAD_OPERATOR_GIT_REF is a name such as main"
        )
    return ref


def checked_path(path: str) -> str:
    """The subfolder without needless parts; "." for the whole repository."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or any(not part.isprintable() for part in parts):
        raise UsageError(
            f"{path!r} is not a folder inside the repository", hint="NOMAD_OPERATOR_GIT_PATH is relative, such as apps"
        )
    return "/".join(parts) or "."


def _checked_id(text: str) -> str:
    if not is_object_id(text):
        raise ValueError(f"{text!r} is not a complete object id")
    return text
