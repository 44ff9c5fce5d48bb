"""The last lines of a run: which recorded failures were told as what. Verdicts travel with their tests' reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

PROPERTY = "failure_verdict"


def matrix(verdicts: Iterable[Sequence[str]]) -> list[str]:
    """A line for the whole, then one for each class that people named: how often it was told as what.

    A verdict is (scenario, what people say, what was told).
    """
    told = sorted({(one[0], one[1], one[2]) for one in verdicts})
    if not told:
        return []
    right = sum(1 for _, wanted, found in told if wanted == found)
    lines = [
        f"Failure verdicts: {right} of {len(told)} recorded scenarios ({right / len(told):.1%}) as people told them"
    ]
    for wanted in sorted({one for _, one, _ in told}):
        counts = Counter(found for _, each, found in told if each == wanted)
        row = ", ".join(
            f"{number} as {found}" if found != wanted else f"{number}" for found, number in sorted(counts.items())
        )
        lines.append(f"  {wanted:<28} {row}")
    return lines
