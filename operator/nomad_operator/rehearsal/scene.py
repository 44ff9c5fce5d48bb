"""What is played: what people commit, what else happens, and which changes of it would be none of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from desired.policy import Policy
from nomad_operator.rehearsal.stage import Stage


class Event(Protocol):
    """Something that somebody does, so many seconds after the job was committed."""

    @property
    def after_seconds(self) -> float: ...

    @property
    def does(self) -> Callable[[Stage], None]: ...


class Scene(Protocol):
    """`text` is what is committed, a job file or a manifest; `good` a version that was in force before, mostly empty.

    `others` are jobs that others run, `later` texts that the story itself commits. `may_change` are patterns of
    leaves, `most` the greatest values of some, `becomes` the only values that some may get.
    """

    @property
    def name(self) -> str: ...

    @property
    def app(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def good(self) -> str: ...

    @property
    def others(self) -> Sequence[str]: ...

    @property
    def policy(self) -> Policy: ...

    @property
    def events(self) -> Sequence[Event]: ...

    @property
    def later(self) -> Sequence[str]: ...

    @property
    def may_change(self) -> Sequence[str]: ...

    @property
    def most(self) -> Sequence[tuple[str, int]]: ...

    @property
    def becomes(self) -> Sequence[tuple[str, Sequence[Any]]]: ...
