"""Carries verified operations back to git: the app's own file with the changed literals, as one commit.

On a branch of its own, or on top of the branch that is followed. Who calls this decides what is written and when; a
second call with the same change finds the commit there and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desired.edited_file import ByHand, Edited, FileEditor
from desired.errors import Conflict
from desired.git_push import Draft, GitPush
from desired.operations.operation import Operation
from desired.state import DesiredApp

# A branch that moves this often while one commit is made is tried again later.
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Change:
    """`branch` is where the commit goes, None for the branch that is followed. `message` is told which operations the
    commit holds, and which have to be made by hand. `at` is the time of the commit, and part of what makes its id.
    `stands` is asked just before the push: reading and editing take a while."""

    app: DesiredApp
    operations: tuple[Operation, ...]
    branch: str | None
    message: Callable[[tuple[Operation, ...], tuple[ByHand, ...]], str]
    at: datetime
    stands: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class WrittenChange:
    """`commit` and `branch` are empty where every operation has to be made by hand."""

    done: tuple[Operation, ...]
    by_hand: tuple[ByHand, ...]
    commit: str = ""
    branch: str = ""
    patch: str = ""


class WriteBack:
    """Implements `reconcilers.repair.writing.Writer`."""

    def __init__(self, *, push: GitPush, editor: FileEditor) -> None:
        self._push = push
        self._editor = editor

    async def write(self, change: Change) -> WrittenChange | None:
        """None where the newest revision says something else than the operations were made for, or says it already,
        and where the change is not wanted any more.

        Raises what git and its server say: Conflict (somebody else's branch, or one that never stands still),
        Forbidden, Unsupported, or a TransientError.
        """
        for left in reversed(range(_TRIES)):
            try:
                return await self._once(change)
            except Conflict:
                if not left or change.branch is not None:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _once(self, change: Change) -> WrittenChange | None:
        if change.branch is None:
            branch, base = await self._push.followed_base()
        else:
            branch, base = change.branch, await self._push.base()
        edited = await self._editor.edited(change.app, change.operations, files=self._push.files, revision=base)
        if edited is None:
            return None
        if not edited.done:
            return WrittenChange((), edited.by_hand, patch=edited.patch)
        if not change.stands():
            return None
        draft = self._draft(change, edited)
        if change.branch is None:
            commit = await self._push.forward(draft, base=base, branch=branch)
        else:
            commit = await self._push.replace(draft, base=base, branch=branch)
        return WrittenChange(edited.done, edited.by_hand, commit, branch, edited.patch)

    def _draft(self, change: Change, edited: Edited) -> Draft:
        message = change.message(edited.done, edited.by_hand)
        return Draft(path=edited.path, data=edited.data, message=message, at=change.at)
