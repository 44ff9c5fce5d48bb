"""What is remembered, in words: for people, and for the model. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from desired.operations import shown
from desired.operations.table import row
from reconcilers.repair.recall import Recalled
from reconcilers.repair.relative import From, Step, ground


def in_words(one: Recalled) -> str:
    """`memory of the task: 200 % of the old value (durable 2, in 1 app)`."""
    like = "" if one.exact else f"; of a failure like this one, similarity {one.similarity:.2f}"
    return f"{steps_in_words(one.steps)} ({one.told}{like})"


def steps_in_words(steps: Iterable[Step]) -> str:
    return "; ".join(step_in_words(one) for one in steps)


def step_in_words(one: Step) -> str:
    spec = row(one.kind)
    where = "/".join(part.removeprefix("=") for part in one.at)
    alone = one.source is From.OWN
    of = f" of {where}" if alone and where else f" of the {one.at[-1].removeprefix('=')}" if one.at else ""
    if one.source not in (From.TERM, From.OWN):
        return f"{spec.reads}{of}: {ground(one)}"
    if one.value is None:
        return f"{spec.reads}{of}: taken out"
    return f"{spec.reads}{of}: {shown.shown_value(spec, one.at, one.value)}"
