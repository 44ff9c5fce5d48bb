"""One case that a repair prompt is measured with: a broken app, its world, and what may come of it. As a file holds it.

    name: lacks-amqp-host:worker
    failure: crash_config_missing   # by its class the report is told
    app: worker
    due: true                       # the job can be mended; false: nothing may be changed
    world: {nodes: [...], behaviours: [...]}   # as a world file of the embedded Nomad
    text: |                         # the job file or manifest that is committed
      job "worker" { ... }
    may_change: ["*/Env/AMQP_HOST"] # patterns of leaves that a repair may touch
    becomes: {"*/Env/AMQP_HOST": ["mq.internal"]}   # the only values that some may get
    most: {"*/MemoryMB": 512}       # the greatest values of some
    good: ""                        # a version that ran before
    others: []                      # jobs that others run

Whoever wrote it, it is checked whole; the world is checked as every world is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from desired.errors import UsageError
from desired.policy import Policy
from nomad_operator.embedded.world import World, read_world
from nomad_operator.rehearsal.scene import Event
from observers.failures.failure_class import FailureClass

_NEEDED = ("name", "failure", "app", "due", "world", "text")
_CLASSES = frozenset(one.value for one in FailureClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairCase:
    """Implements `nomad_operator.rehearsal.scene.Scene`; a person agrees to whatever is proposed where it is `due`."""

    name: str
    failure: str
    app: str
    due: bool
    world: Mapping[str, Any]
    text: str
    good: str = ""
    others: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()
    most: tuple[tuple[str, int], ...] = ()
    becomes: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    policy: Policy = field(default_factory=Policy)
    events: tuple[Event, ...] = ()
    later: tuple[str, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """As a file holds it; what is empty is left out."""
        every = {
            "name": self.name, "failure": self.failure, "app": self.app, "due": self.due,
            "may_change": list(self.may_change), "most": dict(self.most),
            "becomes": {path: [_plain(one) for one in meant] for path, meant in self.becomes},
            "others": list(self.others), "good": self.good, "world": dict(self.world), "text": self.text,
        }  # fmt: skip
        return {name: value for name, value in every.items() if name in _NEEDED or value}

    @property
    def readable_world(self) -> World:
        """A new one each time: a world is changed by what happens in it. UsageError where it is none."""
        return read_world(yaml.safe_dump(dict(self.world)), f"the world of {self.name}")


def read_case(document: object, *, where: str) -> RepairCase:
    """UsageError with everything that is wrong; `where` names the file and the place in it."""
    if not isinstance(document, Mapping):
        raise UsageError(f"{where}: a case is an object with {', '.join(_NEEDED)}")
    problems = list(_problems(document))
    if problems:
        raise UsageError("\n".join(f"{where}: {one}" for one in problems), hint="docs/prompts.md shows a case")
    made = RepairCase(
        name=document["name"], failure=document["failure"], app=document["app"], due=document["due"],
        world=document["world"], text=document["text"], good=document.get("good", ""),
        others=tuple(document.get("others", ())), may_change=tuple(document.get("may_change", ())),
        most=tuple(document.get("most", {}).items()),
        becomes=tuple(
            (path, tuple(_frozen(one) for one in meant)) for path, meant in document.get("becomes", {}).items()
        ),
    )  # fmt: skip
    _ = made.readable_world
    return made


def _problems(document: Mapping[Any, Any]) -> Iterator[str]:
    for name in _NEEDED:
        if name not in document:
            yield f"{name} is missing"
    for name, value in document.items():
        check = _FIELDS.get(name)
        if check is None:
            yield f"{name!r} is nothing that a case has"
        elif not check[0](value):
            yield f"{name}: expected {check[1]}"


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_text, "a text"),
    "failure": (lambda value: value in _CLASSES, "the name of a failure class, as `explain` tells it"),
    "app": (_text, "the name of the app"),
    "due": (lambda value: isinstance(value, bool), "true or false"),
    "world": (lambda value: isinstance(value, Mapping), "a world of the embedded Nomad"),
    "text": (_text, "a job file or a manifest"),
    "good": (lambda value: isinstance(value, str), "a job file or a manifest"),
    "others": (_texts, "a list of job files"),
    "may_change": (_texts, "a list of patterns"),
    "most": (
        lambda value: isinstance(value, Mapping) and all(type(one) is int for one in value.values()),
        "whole numbers by pattern",
    ),
    "becomes": (
        lambda value: isinstance(value, Mapping) and all(isinstance(one, list) for one in value.values()),
        "lists of values by pattern",
    ),
}


def digest_source(cases: Sequence[RepairCase]) -> str:
    """One text for all of them: another case, or another word in one, is another data set."""
    return json.dumps([one.document for one in cases], sort_keys=True, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
