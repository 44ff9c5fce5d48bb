"""One repair as it is remembered, and its form in the store. Values only.

Everything is text there, and the names only grow: what a newer version wrote and this one does not know is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from desired.operations.operation import Kind, Value
from prompts.memory.note import Note
from reconcilers.repair.relative import From, Step

_FORM = "1"


class Learned(StrEnum):
    """What became of a repair. The names are stored."""

    VERIFIED = "verified"  # healthy for the soak time
    DURABLE = "durable"  # it held for half an hour
    FAILED = "failed"  # it was in force and did not help
    UNDONE = "undone"  # something failed again within half an hour
    REVERTED = "reverted"  # a person took it back
    REJECTED = "rejected"  # a person turned it down
    GUARDED = "guarded"  # the guard did not let it through


@dataclass(frozen=True, slots=True)
class Remembered:
    """`key` is the same for the same try of the same episode. `approved`: a person said that it may be done."""

    key: str
    failure: str
    signature: str
    text: str
    steps: tuple[Step, ...]
    outcome: Learned
    rung: str
    source: str
    cluster: str
    app: str
    at: datetime
    approved: bool = False
    version: str = ""
    nomad_version: str = ""

    def note(self) -> Note:
        fields = {
            "form": _FORM,
            "failure": self.failure,
            "signature": self.signature,
            "steps": steps_text(self.steps),
            "outcome": self.outcome.value,
            "rung": self.rung,
            "source": self.source,
            "cluster": self.cluster,
            "app": self.app,
            "at": self.at.isoformat(),
            "approved": "true" if self.approved else "false",
            "version": self.version,
            "nomad_version": self.nomad_version,
        }
        return Note(self.key, self.text, fields)

    @classmethod
    def of(cls, note: Note) -> Remembered | None:
        """None for what this version cannot read."""
        told = note.fields
        try:
            if told["form"] != _FORM:
                return None
            return cls(
                key=note.key,
                failure=told["failure"],
                signature=told["signature"],
                text=note.text,
                steps=_steps(told["steps"]),
                outcome=Learned(told["outcome"]),
                rung=told["rung"],
                source=told["source"],
                cluster=told["cluster"],
                app=told["app"],
                at=datetime.fromisoformat(told["at"]),
                approved=told["approved"] == "true",
                version=told["version"],
                nomad_version=told["nomad_version"],
            )
        except (KeyError, ValueError, TypeError):
            return None


def steps_text(steps: tuple[Step, ...]) -> str:
    """The same for the same steps, and for no others."""
    told = [
        {"op": one.kind.value, "at": list(one.at), "from": one.source.value, "value": _plain(one.value),
         "old": _plain(one.old)}
        for one in steps
    ]  # fmt: skip
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _steps(text: str) -> tuple[Step, ...]:
    told: Any = json.loads(text)
    if not isinstance(told, list) or not told:
        raise ValueError("no steps")
    return tuple(_step(one) for one in told)


def _step(told: Mapping[str, Any]) -> Step:
    at = told["at"]
    if not isinstance(at, list) or not all(isinstance(part, str) for part in at):
        raise ValueError("no address")
    return Step(Kind(told["op"]), tuple(at), From(told["from"]), _value(told["value"]), _value(told["old"]))


def _value(told: object) -> Value:
    if told is None or isinstance(told, bool | int | str):
        return told
    if isinstance(told, list) and all(isinstance(one, str) for one in told):
        return tuple(told)
    raise ValueError("no value")


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value
