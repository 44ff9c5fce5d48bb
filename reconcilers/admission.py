"""May this be registered? Everybody who can object is asked, beside each other, before Nomad is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from desired.app import AppKey
from desired.errors import OperatorError
from desired.objection import Objection, PartlyExamined
from desired.reasons import Reason
from desired.state import JobBody

# They are read and pulled when a task starts; what has started has them.
_OF_WHAT_IS_NEW = frozenset({Reason.VALUE_MISSING, Reason.IMAGE_MISSING})


class Examiner(Protocol):
    """One who may object: the cluster's rules, whoever knows the routes, the secrets, the images."""

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        """Of the job as it would be registered. Raises an OperatorError where that cannot be told just now:
        PartlyExamined, where some of it can."""
        ...


@dataclass(frozen=True, slots=True)
class Examined:
    """`unread` says in words who could not tell: that holds nothing back."""

    objections: tuple[Objection, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def of_what_stands(self) -> Examined:
        """The same of what is registered, or was good before: that a place or an image is gone since is only told."""
        told = (replace(one, warning=True) if one.reason in _OF_WHAT_IS_NEW else one for one in self.objections)
        return replace(self, objections=tuple(told))

    @property
    def refusals(self) -> tuple[Objection, ...]:
        return tuple(one for one in self.objections if not one.warning)

    @property
    def warnings(self) -> tuple[Objection, ...]:
        return tuple(one for one in self.objections if one.warning)


class Admission:
    """Asks in the order given; an examiner keeps for itself what is dear to ask again."""

    def __init__(self, *, examiners: Sequence[Examiner]) -> None:
        self._examiners = tuple(examiners)

    async def examine(self, key: AppKey, body: JobBody) -> Examined:
        answers = await asyncio.gather(*(_asked(examiner, key, body) for examiner in self._examiners))
        return Examined(
            objections=tuple(one for answer in answers for one in _found(answer)),
            unread=tuple(answer.message for answer in answers if isinstance(answer, OperatorError)),
        )


async def _asked(examiner: Examiner, key: AppKey, body: JobBody) -> Sequence[Objection] | OperatorError:
    try:
        return await examiner.objections(key, body)
    except OperatorError as error:
        return error


def _found(answer: Sequence[Objection] | OperatorError) -> Sequence[Objection]:
    if isinstance(answer, PartlyExamined):
        return answer.objections
    return () if isinstance(answer, OperatorError) else answer
