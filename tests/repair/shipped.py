"""The cases of the corpus that come with the operator: all in which a model is asked. `python -m tests.repair.shipped`
writes them anew; a test tells where they are not those of the corpus any more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

sys.path[:0] = ["operator"]

from desired.policy import Policy  # noqa: E402
from nomad_operator.optimize.repair_case import RepairCase  # noqa: E402
from tests.repair import corpus  # noqa: E402
from tests.repair.case import Case, Part  # noqa: E402
from tests.repair.party import Party  # noqa: E402
from tests.repair.stub_models import stub  # noqa: E402
from tests.repair.verdict import judge  # noqa: E402

FOLDER = Path("operator/nomad_operator/optimize/corpus")
PARTS = (Part.READ, Part.ADVERSARIAL, Part.LEAVE)


def of(part: Part) -> list[Case]:
    """Those that may be shipped: what a file can say, and no rule decides."""
    return [
        case
        for case in corpus.cases().values()
        if case.part is part and not case.events and not case.later and case.policy == Policy()
    ]


def shipped(case: Case) -> RepairCase | None:
    """None where no model is asked. The class is what it is first called."""
    found = judge(case, party=Party(model=stub("right")))
    if not found.questions:
        return None
    return as_shipped(case, found.verdict.split(", ")[0])


def as_shipped(case: Case, failure: str) -> RepairCase:
    return RepairCase(
        name=case.name, failure=failure, app=case.app, due=case.eligible, world=case.world, text=case.text,
        good=case.good, others=case.others, may_change=case.may_change, most=case.most, becomes=case.becomes,
    )  # fmt: skip


def text(cases: Sequence[RepairCase]) -> str:
    return yaml.dump(
        {"cases": [one.document for one in cases]}, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=110
    )


class _Readable(yaml.SafeDumper):
    """Texts of several lines as they are read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value.rstrip("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Readable.add_representer(str, _text)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        found = [one for case in of(part) if (one := shipped(case)) is not None]
        (FOLDER / f"{part.value}.yaml").write_text(text(found), encoding="utf-8")
        print(f"{part.value}: {len(found)} cases")


if __name__ == "__main__":
    main()
