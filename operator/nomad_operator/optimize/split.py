"""Which cases a prompt is made from, and on which it is measured: by names alone, the same everywhere. Pure."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nomad_operator.optimize.repair_case import RepairCase


@dataclass(frozen=True, slots=True)
class Split:
    """Nothing of `held_out` is ever seen by what makes a prompt."""

    train: tuple[RepairCase, ...]
    held_out: tuple[RepairCase, ...]


def split(cases: Iterable[RepairCase], *, share: float) -> Split:
    """`share` of each class is held out, rounded up: a class of one case is measured, and not learned from."""
    by_class: defaultdict[tuple[str, bool], list[RepairCase]] = defaultdict(list)
    for case in cases:
        # What may not be changed is another thing to get right than what has to be mended.
        by_class[case.failure, case.due].append(case)
    train: list[RepairCase] = []
    held_out: list[RepairCase] = []
    for those in by_class.values():
        ordered = shuffled(those)
        number = math.ceil(share * len(ordered))
        held_out += ordered[:number]
        train += ordered[number:]
    return Split(shuffled(train), shuffled(held_out))


def shuffled(cases: Sequence[RepairCase]) -> tuple[RepairCase, ...]:
    """In an order that has nothing to do with what they are."""
    return tuple(sorted(cases, key=lambda one: hashlib.sha256(one.name.encode()).digest()))
