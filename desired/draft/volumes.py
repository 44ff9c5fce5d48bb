"""What has to outlive the container: nothing in a codebase tells which volume of the cluster that is."""

from __future__ import annotations

from collections.abc import Iterator

from desired.facts.facts import Facts
from desired.question import Question


def volume_questions(app: str, facts: Facts) -> Iterator[Question]:
    """A question for each place that is to be kept. An answer is a whole entry of `volumes`, or None for none."""
    for mount, fact in facts.volumes.items():
        suggested = f"csi: {fact.value.name or app}"
        told = f" ({fact.source})" if not fact.value.host_path else f" ({fact.source}, from {fact.value.host_path})"
        text = f"Which volume of the cluster keeps {mount}{told}?"
        yield Question(f"volumes.{mount}", text, ("csi: NAME", "host: NAME", "none"), suggested)
