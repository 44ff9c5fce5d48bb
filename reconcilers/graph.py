"""Draws the state table, as text and as Mermaid. No service is needed, and only what the table says is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from reconcilers.steps import TABLE, Row


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
    lines += [f"    {row.step} : {row.step}<br/><small>{row.meaning.replace(':', ' -')}</small>" for row in table]
    lines += [f"    {row.step} --> {follower}" for row in table for follower in row.leads_to]
    return "\n".join(lines)
