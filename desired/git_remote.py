"""The server's side of git: what it advertises, getting one commit from it into a repository of ours, and pushing one.

The URL and the credentials reach git by its environment under the name `origin`; neither is ever an argument or
written to a repository. Fetches are shallow (one commit) and leave out files over the limit where the server can do
either; a server that cannot gets the plain request.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from desired.errors import OperatorError
from desired.git_address import GitAddress
from desired.git_command import Ended, GitCommand, OutputTooLarge
from desired.git_credentials import Access, GitCredentials
from desired.git_errors import Failure, Meaning, error_of, failure
from desired.git_objects import candidates, is_object_id, refs

# What `--depth` takes for "everything", in a shallow repository and in a complete one.
# Source: git's shallow.h, INFINITE_DEPTH.
_WHOLE_HISTORY = 0x7FFFFFFF


class GitFailed(Exception):
    """git said no; what it meant decides what happens next."""

    def __init__(self, failed: Failure, *, doing: str, where: str) -> None:
        super().__init__(failed.line)
        self.meaning = failed.meaning
        self._failed, self._doing, self._where = failed, doing, where

    def error(self) -> OperatorError:
        """The same as people see it."""
        return error_of(self._failed, doing=self._doing, where=self._where)


class GitRemote:
    """One repository somewhere else. `max_file_bytes` is the size from which files are left out of a transfer."""

    def __init__(
        self, *, address: GitAddress, credentials: GitCredentials, command: GitCommand, max_file_bytes: int
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._command = command
        self._filter = f"blob:limit={max_file_bytes + 1}"
        self._shallow = True

    async def advertised(self, name: str, *, deadline: timedelta) -> dict[str, str]:
        """The refs that `name` may stand for, with their object ids. One `ls-remote`; raises GitFailed."""
        doing = f"looking for {name} in {self._address.canonical}"
        wanted = candidates(name)
        narrow = () if len(wanted) == 1 else ("--heads", "--tags")
        patterns = [pattern for ref in wanted for pattern in (ref, ref + "^{}")]
        ended = await self._run(
            ["ls-remote", "--quiet", *narrow, "--end-of-options", "origin", *patterns],
            deadline=deadline,
            doing=doing,
        )
        return refs(ended.output)

    async def fetch(self, repository: Path, name: str, *, into: str, deadline: timedelta) -> None:
        """Bring the commit that the full ref or commit id `name` leads to; the local ref `into` then names it.

        Raises GitFailed. A server that hands out tips only is asked for all its history, once, and searched: then
        `into` is left as it is, and the caller finds the commit in the repository or does not.
        """
        doing = f"fetching {name} from {self._address.canonical}"
        try:
            await self._fetch(repository, [f"+{name}:{into}"], doing=doing, deadline=deadline)
        except GitFailed as failed:
            if failed.meaning is not Meaning.COMMIT_NOT_OFFERED or not is_object_id(name):
                raise
            everything = [f"+refs/{kind}/*:refs/nomad-operator/all/{kind}/*" for kind in ("heads", "tags")]
            await self._fetch(repository, everything, doing=doing, deadline=deadline, depth=_WHOLE_HISTORY)

    async def push(
        self,
        repository: Path,
        commit: str,
        *,
        branch: str,
        lease: str | None,
        environment: tuple[tuple[str, str], ...] = (),
        deadline: timedelta,
    ) -> None:
        """Let a branch of the server lead to the commit. `lease` None: fast-forward only.

        Else the branch is moved from wherever, if it still leads to the commit `lease`; "" if there is none yet.
        `environment` says where else objects are. Raises GitFailed.
        """
        ref = f"refs/heads/{branch}"
        leased = [] if lease is None else [f"--force-with-lease={ref}:{lease}"]
        await self._run(
            [
                *("push", "--quiet", "--no-verify", "--no-signed", "--recurse-submodules=no"),
                *(*leased, "--end-of-options", "origin", f"{commit}:{ref}"),
            ],
            repository=repository,
            # The server names its tips only: that it has the commit that was built upon, it has to be asked.
            config=(("push.negotiate", "true"),),
            environment=environment,
            doing=f"pushing to {branch} of {self._address.canonical}",
            deadline=deadline,
        )

    async def _fetch(
        self, repository: Path, refspecs: list[str], *, doing: str, deadline: timedelta, depth: int = 1
    ) -> None:
        # The flags that a shallow request has and a plain one has not.
        sparing = [f"--depth={depth}", f"--filter={self._filter}"] if self._shallow else []
        try:
            await self._run(
                [
                    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
                    *("--no-recurse-submodules", "--no-show-forced-updates", "--update-shallow"),
                    *(*sparing, "--end-of-options", "origin", *refspecs),
                ],
                repository=repository,
                # Given here, git neither writes them into the repository's configuration nor, when it reads later
                # without them, goes to the server for a file that was left out.
                config=(
                    ("remote.origin.promisor", "true"),
                    ("remote.origin.partialclonefilter", self._filter),
                ),
                doing=doing,
                deadline=deadline,
            )
        except GitFailed as failed:
            if failed.meaning is not Meaning.NO_SHALLOW or not self._shallow:
                raise
            self._shallow = False
            await self._fetch(repository, refspecs, doing=doing, deadline=deadline)

    async def _run(
        self,
        arguments: list[str],
        *,
        doing: str,
        deadline: timedelta,
        repository: Path | None = None,
        config: tuple[tuple[str, str], ...] = (),
        environment: tuple[tuple[str, str], ...] = (),
    ) -> Ended:
        access: Access = self._credentials.access(self._address)
        try:
            ended = await self._command.run(
                arguments,
                repository=repository,
                config=(("remote.origin.url", self._address.url), *access.config, *config),
                environment=(*access.environment, *environment),
                deadline=deadline,
                doing=doing,
            )
        except OutputTooLarge:
            failed = Failure(Meaning.UNKNOWN, "the server's answer is larger than any list of branches")
            raise GitFailed(failed, doing=doing, where=self._address.canonical) from None
        if ended.code != 0:
            raise GitFailed(failure(ended.errors, access.secrets), doing=doing, where=self._address.canonical)
        return ended
