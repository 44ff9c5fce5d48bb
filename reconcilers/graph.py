"""Draws the state table, as text and as Mermaid. No service is needed, and only what the table says is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from reconcilers.decision import Step
from reconcilers.steps import TABLE, Row

# The life of an app that is well, and of one that is not: what a newcomer needs of the table.
_OVERVIEW = (
    Step.ADOPTING, Step.ADOPTION_REQUIRED, Step.REGISTERING, Step.CORRECTING, Step.VERIFYING, Step.SOAKING,
    Step.VERIFIED, Step.STEADY, Step.FAILED, Step.REVERTED, Step.CAUGHT_UP, Step.LEFT_FAILED, Step.PRUNE_HELD,
    Step.PRUNING, Step.PRUNED,
)  # fmt: skip
# What people and other programs do, which no row's `leads_to` can know.
_FROM_OUTSIDE = (
    ("a commit", Step.REGISTERING),
    ("the job was there before", Step.ADOPTING),
    ("it was there and differs", Step.ADOPTION_REQUIRED),
    ("somebody changes the job", Step.CORRECTING),
    ("the file is removed", Step.PRUNE_HELD),
)


def text(table: Sequence[Row] = TABLE) -> str:
    """One step a paragraph, in the order in which the rows are asked."""
    lines = ["The first step that applies is taken; the order is part of the table.", ""]
    for row in table:
        follows = ", ".join(row.leads_to) or "(rests until something changes)"
        lines += [f"{row.step}: {row.meaning}", f"    → {follows}"]
    return "\n".join(lines)


def mermaid(table: Sequence[Row] = TABLE) -> str:
    """A state diagram. A step that leads nowhere rests until a commit, an event or a resync moves it."""
    lines = ["stateDiagram-v2"]
    lines += [_described(row) for row in table]
    lines += [f"    {row.step} --> {follower}" for row in table for follower in row.leads_to]
    return "\n".join(lines)


def overview(table: Sequence[Row] = TABLE) -> str:
    """The main road alone, with what brings an app onto it: the picture in the README. `mermaid` is the whole."""
    rows = [row for row in table if row.step in _OVERVIEW]
    lines = ["stateDiagram-v2"]
    lines += [_described(row) for row in rows]
    lines += [f"    [*] --> {step} : {what}" for what, step in _FROM_OUTSIDE]
    lines += [f"    {row.step} --> {to}" for row in rows for to in row.leads_to if to in _OVERVIEW]
    return "\n".join(lines)


def _described(row: Row) -> str:
    """A colon or a semicolon would end the description, and every word behind it become a state of its own.

    Source: mermaid's stateDiagram.jison, DESCR.
    """
    return f"    {row.step} : {row.step}<br/><small>{row.meaning.replace(':', ' -').replace(';', ',')}</small>"
