"""The rule file beside the operator: read when it changes, and nothing is allowed by rules that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desired.admission.examiner import PolicyExaminer
from desired.admission.rule_file import RuleFile
from desired.app import AppKey
from desired.objection import Objection
from desired.reasons import Reason
from desired.state import JobBody

SHOP = AppKey.parse("default/shop")
HEAD = "apiVersion: nomad-operator/v1\nkind: Policy\nspec:\n"
BODY: JobBody = {"ID": "shop", "TaskGroups": [{"Name": "web", "Tasks": [{"Name": "app", "Driver": "docker"}]}]}


async def asked(path: Path) -> list[Objection]:
    return await again(RuleFile(path=path))


async def again(file: RuleFile) -> list[Objection]:
    return list(await PolicyExaminer(rules=lambda: (file.rules(),)).objections(SHOP, BODY))


async def test_what_it_forbids_is_objected_to_and_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"{HEAD}  drivers: [exec]\n")
    (found,) = await asked(path)
    assert (found.rule, found.reason, found.warning) == ("drivers", Reason.POLICY_VIOLATION, False)
    assert str(path) in found.message


async def test_it_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"{HEAD}  drivers: [exec, java]\n")
    file = RuleFile(path=path)
    assert len(await again(file)) == 1
    path.write_text(f"{HEAD}  drivers: [exec, docker]\n")
    assert await again(file) == []
    path.write_text(f"{HEAD}  drivers: [exec, dacker]\n")
    assert len(await again(file)) == 1


async def test_a_link_that_leads_to_another_file_is_a_change(tmp_path: Path) -> None:
    """Mounted configuration is swapped like this, and both files may be equally old and long."""
    for name, driver in (("one", "exec, java"), ("two", "docker,abc"), ("three", "exec")):
        (tmp_path / name).write_text(f"{HEAD}  drivers: [{driver}]\n")
        os.utime(tmp_path / name, ns=(1, 1))
    path = tmp_path / "rules.yaml"
    path.symlink_to("one")
    file = RuleFile(path=path)
    assert len(await again(file)) == 1
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(path)
    assert await again(file) == []


async def test_it_is_not_read_again_while_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"{HEAD}  drivers: [exec]\n")
    file = RuleFile(path=path)
    assert file.rules() is file.rules()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds 0 documents"),
        (b"\xff\xfe", "not UTF-8"),
        (b"spec: [\n", "rules.yaml:"),
        (HEAD.encode() + b"  driver: [exec]\n", "rules.yaml:4:3: spec.driver"),
        (HEAD.encode() + b"  drivers: [exec]\n---\n" + HEAD.encode() + b"  drivers: [java]\n", "holds 2 documents"),
        (b"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: x}\nspec: {image: x}\n", "kind"),
        (HEAD.encode() + b"  drivers: [exec]\n#" + b"x" * 1_000_000, "more than"),
    ],
)
async def test_rules_that_cannot_be_read_allow_nothing(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes(content)
    (found,) = await asked(path)
    assert (found.rule, found.reason, found.warning) == ("policy", Reason.POLICY_VIOLATION, False)
    assert words in found.message
    assert found.fix == f"mend {path}"


async def test_a_file_that_is_gone_allows_nothing_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    file = RuleFile(path=path)
    (found,) = await again(file)
    assert "No such file" in found.message
    path.write_text(f"{HEAD}  drivers: [docker]\n")
    assert await again(file) == []
    path.unlink()
    (found,) = await again(file)
    assert found.rule == "policy"
    path.mkdir()
    (found,) = await again(file)
    assert "it is a folder" in found.message
