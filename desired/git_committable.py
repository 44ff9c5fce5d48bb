"""Which files of a work tree a commit could bring: those that git follows, and new ones that it does not ignore.

git itself is asked, for its rules are many: nested files, `.git/info/exclude`, the user's own, and that what is
followed already is not ignored. Where it cannot be asked nothing is known, and nothing may be left out.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from desired.errors import OperatorError
from desired.git_command import GitCommand, OutputTooLarge

_DEADLINE = timedelta(seconds=30)
_DOING = "ask git which files it ignores"


async def committable(folder: Path, git: GitCommand) -> frozenset[bytes] | None:
    """Paths below `folder`, with those of the folders above each; None where everything counts.

    That is so outside of a repository, in a folder that is itself ignored (whoever names it means it), and where git
    does not answer.
    """
    place, top = await asyncio.to_thread(_found, folder)
    if top is None:
        return None
    where = (("GIT_WORK_TREE", str(top)),)
    listing = ["-C", str(place), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    asking = ["-C", str(place), "check-ignore", "--quiet", "."]
    try:
        ignored = await git.run(asking, deadline=_DEADLINE, doing=_DOING, repository=top / ".git", environment=where)
        if ignored.code != 1:
            return None
        listed = await git.run(listing, deadline=_DEADLINE, doing=_DOING, repository=top / ".git", environment=where)
    except (OperatorError, OutputTooLarge):
        return None
    return _with_folders(listed.output) if listed.code == 0 else None


def _found(folder: Path) -> tuple[Path, Path | None]:
    """Where the folder really is, and the top of its work tree."""
    place = folder.resolve()
    return place, next((each for each in (place, *place.parents) if (each / ".git").exists()), None)


def _with_folders(listed: bytes) -> frozenset[bytes]:
    found: set[bytes] = set()
    for name in filter(None, listed.split(b"\0")):
        # A repository of its own ends with a slash.
        path = name.rstrip(b"/")
        while path and path not in found:
            found.add(path)
            path = path.rpartition(b"/")[0]
    return frozenset(found)
