"""Bringing commits from the server into the cache, and building the cache anew where it is missing or damaged.

The successor of a damaged repository is built beside it and takes its place only when it holds what was asked for: a
server that is down just now costs nothing that could still be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from desired.errors import InvalidDesired, Unavailable
from desired.git_cache import GitCache
from desired.git_errors import Meaning
from desired.git_objects import Damaged, is_object_id, tip_of
from desired.git_remote import GitFailed, GitRemote
from desired.problem import Problem

_GOOD = "refs/nomad-operator/good"
_REF_HINT = "check NOMAD_OPERATOR_GIT_REF: a branch, a tag, or a full commit id that the server still has"

# Answers after which our own copy is doubted; words that are not known may be about it too.
_DOUBTFUL = (Meaning.DAMAGED, Meaning.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Tip:
    """What a ref leads to now: `name` is what is fetched (a full ref or a commit id), `commit` its id."""

    name: str
    commit: str


class GitFetcher:
    """Between one server and one cache. All of it happens inside the cache's `changing()`.

    `timeout` bounds a look, `clone_timeout` a transfer. `shown` is the source's name in errors.
    """

    def __init__(
        self, *, cache: GitCache, remote: GitRemote, shown: str, timeout: timedelta, clone_timeout: timedelta
    ) -> None:
        self._cache = cache
        self._remote = remote
        self._shown = shown
        self._timeout = timeout
        self._clone_timeout = clone_timeout

    async def tip(self, ref: str) -> Tip:
        """Where the ref leads; a commit id leads to itself, without asking. Raises InvalidDesired if nowhere."""
        if is_object_id(ref):
            return Tip(ref, ref)
        try:
            advertised = await self._remote.advertised(ref, deadline=self._timeout)
        except GitFailed as failed:
            raise failed.error() from None
        found = tip_of(ref, advertised)
        if found is None:
            raise InvalidDesired((Problem(path=self._shown, message=f"has no branch or tag {ref!r}"),), hint=_REF_HINT)
        return Tip(*found)

    async def bring(self, tip: Tip, *, into: str) -> str:
        """Fetch what the tip leads to (it may have moved on since) under the local ref `into`; the commit's id.

        Raises Damaged where the cache, not the server, seems to be the cause.
        """
        repository = self._cache.repository
        if not repository.exists():
            raise Damaged("it is missing")
        self._cache.unlock()
        try:
            if not (is_object_id(tip.name) and await self._has(repository, tip.name)):
                await self._remote.fetch(repository, tip.name, into=into, deadline=self._clone_timeout)
            return await self._commit(repository, tip.name, into)
        except GitFailed as failed:
            if failed.meaning in _DOUBTFUL:
                raise Damaged(str(failed)) from None
            raise failed.error() from None

    async def renew(self, tip: Tip, *, into: str, good: str | None) -> str:
        """Build the repository anew, with the last good commit where the server still has it, and bring the tip."""
        fresh = self._cache.fresh()
        await self._cache.create(fresh, object_format="sha256" if len(tip.commit) == 64 else "sha1")
        try:
            if good is not None and good != tip.name:
                await self._bring_good(fresh, good)
            await self._remote.fetch(fresh, tip.name, into=into, deadline=self._clone_timeout)
            commit = await self._commit(fresh, tip.name, into)
        except GitFailed as failed:
            raise failed.error() from None
        except Damaged as damage:
            raise Unavailable(f"fetching {tip.name} from {self._shown}: {damage}") from damage
        await self._cache.swap()
        return commit

    async def _bring_good(self, repository: Path, good: str) -> None:
        try:
            await self._remote.fetch(repository, good, into=_GOOD, deadline=self._clone_timeout)
        except GitFailed as failed:
            # History was rewritten and the server has it no longer: whoever reads it is told.
            if failed.meaning is not Meaning.COMMIT_NOT_OFFERED:
                raise

    async def _has(self, repository: Path, commit: str) -> bool:
        return (await self._cache.kinds([f"{commit}^{{commit}}"], repository=repository))[0] is not None

    async def _commit(self, repository: Path, name: str, into: str) -> str:
        wanted = name if is_object_id(name) else into
        commit, anything = await self._cache.kinds([f"{wanted}^{{commit}}", wanted], repository=repository)
        if commit is not None:
            return commit[0]
        if anything is None and not is_object_id(name):
            raise Damaged(f"{name} was fetched and is missing")
        message = f"{name} " + ("does not lead to a commit" if anything else "is not in the repository")
        raise InvalidDesired((Problem(path=self._shown, message=message),), hint=_REF_HINT)
