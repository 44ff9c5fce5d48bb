"""What is remembered, as documented JSON, and people's wish that some of it be forgotten.

The daemon answers with it; where none runs, the command `memory` does by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desired.errors import UsageError
from nomad_operator.repair_view import when
from reconcilers.generate.lived import Lived
from reconcilers.repair.experience import Experience
from reconcilers.repair.recalled_words import step_in_words, steps_in_words
from reconcilers.repair.remembered import Remembered


def no_memory() -> UsageError:
    return UsageError(
        "nothing is remembered here",
        hint="NOMAD_OPERATOR_MEMORY=local remembers in a folder; it takes the extra `memory`",
    )


class MemoryDesk:
    """`kept` is where the memory is, for people."""

    def __init__(self, *, experience: Experience, kept: str) -> None:
        self._experience = experience
        self._kept = kept

    async def listed(self) -> dict[str, Any]:
        """Everything of this cluster, the newest first."""
        where = await self._experience.where()
        memories, apps = await self._experience.all(), await self._experience.apps()
        return {
            "cluster": where.cluster, "kept": self._kept, "memories": [_shown(one) for one in memories],
            "apps": [_app(one) for one in apps],
        }  # fmt: skip

    async def forget(self, keys: Sequence[str]) -> dict[str, Any]:
        """Only of this cluster. UsageError names what is not there; nothing is forgotten then."""
        known = {one.key for one in await self._experience.all()} | {one.key for one in await self._experience.apps()}
        missing = [key for key in keys if key not in known]
        if missing:
            raise UsageError(
                f"nothing is remembered as {', '.join(missing)}", hint="`nomad-operator memory list` shows what is"
            )
        return {"forgotten": await self._experience.forget(keys)}


def _app(one: Lived) -> dict[str, Any]:
    return {
        "key": one.key,
        "app": one.app,
        "cluster": one.cluster,
        "about": sorted(one.about),
        "said": [{"id": at, "answer": said.answer, "by": said.by} for at, said in one.said.items()],
        "at": when(one.at),
        "version": one.version,
    }


def _shown(one: Remembered) -> dict[str, Any]:
    return {
        "key": one.key,
        "class": one.failure,
        "signature": one.signature,
        "text": one.text,
        "repair": steps_in_words(one.steps),
        "steps": [
            {"op": step.kind.value, "at": list(step.at), "from": step.source.value, "line": step_in_words(step)}
            for step in one.steps
        ],
        "outcome": one.outcome.value,
        "approved": one.approved,
        "rung": one.rung,
        "source": one.source,
        "app": one.app,
        "cluster": one.cluster,
        "at": when(one.at),
        "version": one.version,
        "nomadVersion": one.nomad_version,
    }
