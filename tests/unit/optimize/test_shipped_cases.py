"""The cases that come with the operator are those of its bench, and a folder of one's own is read as strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from desired.errors import UsageError
from nomad_operator.optimize.corpus import of_folder
from nomad_operator.optimize.corpus import shipped as packaged
from nomad_operator.optimize.repair_case import read_case
from tests.repair import shipped

OURS = {one.name: one for one in packaged().cases}


@pytest.mark.parametrize("part", shipped.PARTS, ids=lambda part: part.value)
def test_they_are_those_of_the_bench(part: Any) -> None:
    """`python -m tests.repair.shipped` writes them anew."""
    cases = [shipped.as_shipped(case, OURS[case.name].failure) for case in shipped.of(part) if case.name in OURS]
    assert (shipped.FOLDER / f"{part.value}.yaml").read_text(encoding="utf-8") == shipped.text(cases)


def test_every_case_that_nobody_decides_by_rule_is_there() -> None:
    read = {case.name for case in shipped.of(shipped.Part.READ)}
    assert read <= OURS.keys() and len(OURS) >= 60


def test_their_classes_are_what_they_are_called() -> None:
    some = [case for part in shipped.PARTS for case in shipped.of(part)][::9]
    for case in some:
        found = shipped.shipped(case)
        assert (found is None) == (case.name not in OURS)
        assert found is None or found == OURS[case.name]


def one(**changed: Any) -> dict[str, Any]:
    document = next(iter(OURS.values())).document
    return {name: value for name, value in {**document, **changed}.items() if value is not None}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": None}, "name is missing"),
        ({"failure": "bad luck"}, "failure: expected"),
        ({"due": "yes"}, "due: expected true or false"),
        ({"world": None, "text": None}, "text is missing"),
        ({"world": {"nodez": []}}, "nodez"),
        ({"may_change": "*"}, "may_change: expected"),
        ({"most": {"*": "1"}}, "most: expected"),
        ({"becomes": {"*": 1}}, "becomes: expected"),
        ({"script": "x"}, "'script' is nothing that a case has"),
    ],
)
def test_what_is_no_case_is_told(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_case(one(**changed), where="here")


def test_a_folder_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 4"):
        of_folder(tmp_path)
    cases = [one(name=f"c{number}") for number in range(4)]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"cases": cases}))
    assert [each.name for each in of_folder(tmp_path).cases] == ["c0", "c1", "c2", "c3"]
    (tmp_path / "b.yml").write_text(yaml.safe_dump({"cases": cases[:1]}))
    with pytest.raises(UsageError, match="two cases c0"):
        of_folder(tmp_path)
    (tmp_path / "b.yml").write_text("cases: [")
    with pytest.raises(UsageError, match="no YAML"):
        of_folder(tmp_path)
    (tmp_path / "b.yml").write_text("- 1")
    with pytest.raises(UsageError, match="a list `cases`"):
        of_folder(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        of_folder(tmp_path / "none")
