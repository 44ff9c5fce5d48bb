"""What of a spec will go wrong without a word from Nomad: told before it is registered, and as long as it stands.

A template that reads a field which the variable does not have renders nothing, and the task starts with an empty value;
a `${secret.…}` that names no block is handed over as it is. Only names are read, never values; what may not be read, or
cannot be, is not judged.
Source: both measured on Nomad 2.0.5.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from desired.errors import Forbidden, TransientError, Unsupported
from desired.secret_reads import secret_reads
from desired.secret_traps import Looked, Rule, secret_traps
from desired.variable_sources import Source
from reconcilers.spec import Spec

_SILENT = frozenset({Rule.FIELD_MISSING, Rule.SECRET_UNKNOWN})
_SPEAKS_OF = ("nomadVar", "${secret.")
_MOST_PLACES = 8
_KEPT = 256
# Who is told writes the field, and wants to see that it was heard.
_AGAIN = timedelta(minutes=1)


class VariableKeys(Protocol):
    """Nomad's variables, as far as names go."""

    async def variable_keys(self, namespace: str, path: str) -> Sequence[str] | None: ...


@dataclass(frozen=True, slots=True)
class _Answer:
    told: tuple[str, ...]
    until: datetime | None  # None where nothing is wrong: what was right once is not asked again


class Foretelling:
    """Asks once for each spec, and again each minute while something is wrong with it."""

    def __init__(self, *, variables: VariableKeys, now: Callable[[], datetime]) -> None:
        self._variables = variables
        self._now = now
        self._answers: OrderedDict[str, _Answer] = OrderedDict()

    async def of(self, namespace: str, spec: Spec) -> tuple[str, ...]:
        """In words, each with what was probably meant; empty where nothing is known to be wrong."""
        if not any(word in spec.json for word in _SPEAKS_OF):
            return ()
        known = self._answers.get(spec.hash)
        if known is not None and (known.until is None or self._now() < known.until):
            self._answers.move_to_end(spec.hash)
            return known.told
        body = spec.body
        paths = dict.fromkeys(one.path for one in secret_reads(body) if one.source is Source.NOMAD and one.field)
        looks, complete = await self._looks(namespace, list(paths)[:_MOST_PLACES])
        traps = [trap for trap in secret_traps(body, looks) if trap.rule in _SILENT]
        told = tuple(f"{one.where}: {one.message}; {one.hint}" for one in traps)
        if complete:
            self._answers[spec.hash] = _Answer(told, self._now() + _AGAIN if told else None)
            self._answers.move_to_end(spec.hash)
        while len(self._answers) > _KEPT:
            self._answers.popitem(last=False)
        return told

    async def _looks(self, namespace: str, paths: Iterable[str]) -> tuple[dict[tuple[Source, str], Looked], bool]:
        """By place; and whether every place could be asked."""
        looks: dict[tuple[Source, str], Looked] = {}
        for path in paths:
            try:
                keys = await self._variables.variable_keys(namespace, path)
            except (Forbidden, Unsupported):
                continue
            except TransientError:
                return looks, False
            if keys is None:
                # It may be written any moment: the task waits for it, and Nomad says so.
                return looks, False
            looks[(Source.NOMAD, path)] = Looked(there=True, keys=tuple(keys))
        return looks, True
