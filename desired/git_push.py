"""Puts one commit on a branch of the server, on top of the newest commit of the ref that is followed.

The followed branch is only ever moved forward. Another branch is ours if its newest commit is: then it is replaced,
by compare-and-set; what somebody else put there is left alone. What is there already is not pushed again, so that who
was killed in the middle may simply begin anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from desired.errors import Conflict, InvalidDesired, OperatorError, Unsupported
from desired.file_tree import FileSource
from desired.git_commit import Author, GitCommits
from desired.git_errors import Meaning, scrubbed
from desired.git_objects import is_object_id
from desired.git_remote import GitFailed, GitRemote

# Local refs, so that the cache keeps what they lead to.
_BASE = "refs/nomad-operator/written-on"
_THEIRS = "refs/nomad-operator/written-to"


class Fetching(FileSource, Protocol):
    """The part of a git source that a push begins with."""

    async def fetch(self, ref: str, *, into: str = ...) -> str: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """One commit to be: `path` is relative to the subfolder that is followed. `at` is part of what makes its id."""

    path: str
    data: bytes
    message: str
    at: datetime


class GitPush:
    """One server, and the branches on it. `ref` and `path` are those that are followed."""

    def __init__(
        self,
        *,
        source: Fetching,
        ref: str,
        path: str,
        remote: GitRemote,
        commits: GitCommits,
        author: Author,
        timeout: timedelta,
    ) -> None:
        self.files: FileSource = source
        self._source = source
        self._ref = ref
        self._path = path
        self._remote = remote
        self._commits = commits
        self._author = author
        self._timeout = timeout

    @property
    def followed(self) -> str:
        """The ref that is followed, as it was named."""
        return self._ref

    async def base(self) -> str:
        """The newest commit of the ref that is followed, fetched."""
        return await self._source.fetch(self._ref, into=_BASE)

    async def followed_base(self) -> tuple[str, str]:
        """The name of the branch that is followed, and its newest commit, fetched. Raises Unsupported for a ref that
        is no branch: nothing can be put on top of a tag or a commit."""
        name = self._ref.removeprefix("refs/heads/")
        if not is_object_id(self._ref) and (name != self._ref or not self._ref.startswith("refs/")):
            try:
                return name, await self._source.fetch(f"refs/heads/{name}", into=_BASE)
            except InvalidDesired:
                pass
        raise Unsupported(
            f"{self._ref} is no branch: nothing can be committed on top of it",
            hint="follow a branch (NOMAD_OPERATOR_GIT_REF), or set NOMAD_OPERATOR_WRITE_BACK=branch",
        )

    async def forward(self, draft: Draft, *, base: str, branch: str) -> str:
        """Put the commit on top of the branch, which leads to `base`; its id. Raises Conflict if it moved."""
        with self._commits.apart() as apart:
            commit = await self._made(draft, base, apart)
            await self._send(commit, branch, None, apart)
            return commit

    async def replace(self, draft: Draft, *, base: str, branch: str) -> str:
        """Let the branch hold `base` and the commit on top of it; its id. Raises Conflict if it is not ours."""
        there = await self._tip(branch)
        with self._commits.apart() as apart:
            commit = await self._made(draft, base, apart)
            if there == commit:
                return commit
            if there:
                await self._must_be_ours(branch)
            await self._send(commit, branch, there, apart)
            return commit

    async def _made(self, draft: Draft, base: str, apart: tuple[tuple[str, str], ...]) -> str:
        path = draft.path if self._path == "." else f"{self._path}/{draft.path}"
        return await self._commits.commit(base, path, draft.data, message=draft.message, at=draft.at, apart=apart)

    async def _tip(self, branch: str) -> str:
        """Where the branch leads on the server; "" if there is none."""
        ref = f"refs/heads/{branch}"
        try:
            found: Mapping[str, str] = await self._remote.advertised(ref, deadline=self._timeout)
        except GitFailed as failed:
            raise failed.error() from None
        return found.get(ref, "")

    async def _must_be_ours(self, branch: str) -> None:
        tip = await self._source.fetch(f"refs/heads/{branch}", into=_THEIRS)
        made = await self._commits.made(tip)
        if (made.author, made.committer) != (str(self._author), str(self._author)):
            raise Conflict(
                f"the branch {branch} holds a commit that nomad-operator did not make "
                f"({tip[:12]} by {scrubbed(made.committer)}): it is left alone",
                hint="merge or delete the branch; then the repair is written to it again",
            )

    async def _send(self, commit: str, branch: str, lease: str | None, apart: tuple[tuple[str, str], ...]) -> None:
        try:
            await self._remote.push(
                self._commits.repository, commit, branch=branch, lease=lease, environment=apart, deadline=self._timeout
            )
        except GitFailed as failed:
            error: OperatorError = failed.error()
            if failed.meaning is Meaning.NO_REPOSITORY:
                error = Unsupported(error.message, hint="the server takes no pushes at this address, or not from us")
            raise error from None
