"""Reading what the cache holds: trees, contents, commits. Every command here is local and changes nothing.

`Damaged` says that the cache does not hold what it should; `GitSource` decides what follows from that.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from desired.errors import InvalidDesired
from desired.file_listing import file_tree, to_read
from desired.file_tree import FileTree, TreeLimits
from desired.git_cache import GitCache
from desired.git_command import OutputTooLarge
from desired.git_errors import scrubbed
from desired.git_objects import Damaged, batch, listing
from desired.problem import Problem

# What one line of `ls-tree -l` may take with a long path.
_LINE_BYTES = 512


@dataclass(frozen=True, slots=True)
class Commit:
    """What people are shown of a commit; `subject` is one line without control characters."""

    revision: str
    time: datetime
    subject: str


class GitReader:
    """One subfolder (`path`, "." for all) of the commits in a cache. `shown` is the source's name in errors."""

    def __init__(self, *, cache: GitCache, path: str, shown: str, limits: TreeLimits) -> None:
        self._cache = cache
        self._path = path
        self._shown = shown
        self._limits = limits
        # Link targets and possible LFS pointers of the last tree: a commit rarely changes any.
        self._small: Mapping[str, bytes] = {}

    async def check(self, revision: str) -> None:
        """Raise InvalidDesired if the commit has no such subfolder, Damaged if the commit is not there at all."""
        below = f"{revision}^{{tree}}" if self._path == "." else f"{revision}:{self._path}"
        commit, folder = await self._cache.kinds([f"{revision}^{{commit}}", below])
        if commit is None:
            raise Damaged(f"commit {revision} is missing")
        if folder is None or folder[1] != "tree":
            found = "does not exist" if folder is None else "is not a folder"
            raise InvalidDesired(
                (Problem(path=self._path, message=f"the subfolder {found} in {self._shown} at {revision[:12]}"),),
                hint="check NOMAD_OPERATOR_GIT_PATH; git keeps a folder only with a file in it (.gitkeep)",
            )

    async def folders(self, revision: str, paths: Collection[str]) -> dict[str, str]:
        """The tree ids of those of the paths that are folders; one git process for all of them. Raises Damaged."""
        asked = sorted(paths)
        names = [f"{revision}^{{tree}}" if path == "." else f"{revision}:{path}" for path in asked]
        commit, *found = await self._cache.kinds([f"{revision}^{{commit}}", *names])
        if commit is None:
            raise Damaged(f"commit {revision} is missing")
        answers = zip(asked, found, strict=True)
        return {path: one[0] for path, one in answers if one is not None and one[1] == "tree"}

    async def tree(self, revision: str) -> FileTree:
        """Every file below the subfolder. Raises InvalidDesired, Damaged."""
        below = revision if self._path == "." else f"{revision}:{self._path}"
        try:
            ended = await self._cache.git(
                ["ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", below],
                max_output=self._limits.max_files * _LINE_BYTES,
            )
        except OutputTooLarge:
            raise self._too_much(f"has more than {self._limits.max_files} files") from None
        if ended.code != 0:
            await self.check(revision)
            raise Damaged(scrubbed(ended.errors))
        listed = listing(ended.output)
        if ended.errors and any(entry.size is None for entry in listed):
            # A file that was left out is silently of unknown size; one that cannot be read is complained about.
            raise Damaged(scrubbed(ended.errors))
        wanted = to_read(listed)
        small = {blob: self._small[blob] for blob in wanted & self._small.keys()}
        small |= await self.contents(wanted - small.keys())
        tree = file_tree(revision, listed, small, self._limits)
        self._small = small
        return tree

    async def contents(self, blobs: Collection[str]) -> dict[str, bytes]:
        """The bytes of each blob, held against its id. Raises InvalidDesired (too much), Damaged."""
        if not blobs:
            return {}
        try:
            ended = await self._cache.git(
                ["cat-file", "--batch"],
                stdin="".join(f"{blob}\n" for blob in sorted(blobs)).encode("ascii"),
                max_output=self._limits.max_total_bytes + 100 * len(blobs),
            )
        except OutputTooLarge:
            raise self._too_much(f"has files of more than {self._limits.max_total_bytes} bytes together") from None
        if ended.code != 0:
            raise Damaged(scrubbed(ended.errors))
        contents = batch(ended.output)
        if contents.keys() != set(blobs):
            raise Damaged("git cat-file answered something else than it was asked")
        return contents

    async def commit(self, revision: str) -> Commit:
        """Raises Damaged."""
        ended = await self._cache.git(["log", "-1", "--format=%ct%n%s", "--end-of-options", revision, "--"])
        seconds, _, subject = ended.output.decode("utf-8", "replace").partition("\n")
        if ended.code != 0 or not seconds.isdigit():
            raise Damaged(scrubbed(ended.errors))
        shown = "".join(" " if unicodedata.category(letter) in ("Cc", "Cf") else letter for letter in subject)
        return Commit(revision=revision, time=datetime.fromtimestamp(int(seconds), UTC), subject=shown.strip())

    def _too_much(self, message: str) -> InvalidDesired:
        return InvalidDesired(
            (Problem(path=self._path, message=message),),
            hint="name the subfolder that holds the apps (NOMAD_OPERATOR_GIT_PATH)",
        )
