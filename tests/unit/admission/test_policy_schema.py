"""The schema for editors is the one of the model, and the page about rules names every key of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from desired.admission.examiner import judged
from desired.admission.file import read_rules
from desired.admission.rule_set import UNREADABLE, RuleSet
from desired.admission.rules import Denied, ImageRules, PolicySpec, ResourceRules, ServiceRules
from desired.admission.schema import schema, schema_text
from desired.app import AppKey
from observers.nomad.feature_examiner import RULE

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


def aliases(model: type[BaseModel]) -> set[str]:
    return {str(field.alias) for field in model.model_fields.values()}


def test_the_schema_in_the_documents_is_the_one_of_the_model() -> None:
    """`python -m desired.admission.schema > docs/policy.schema.json` writes it."""
    assert (ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8") == schema_text()


def test_every_block_of_the_schema_is_closed_and_every_key_described() -> None:
    for name, block in schema()["$defs"].items():
        assert block["description"], name
        if block["type"] == "object":
            assert block["additionalProperties"] is False, name
            assert all(key.get("description") or "$ref" in str(key) for key in block["properties"].values()), name


@pytest.mark.parametrize(
    ("heading", "names"),
    [("| key |", aliases(PolicySpec)), ("| below `deny` |", {one.value for one in Denied})],
    ids=["keys", "deny"],
)
def test_the_tables_name_what_the_model_has_and_nothing_else(heading: str, names: set[str]) -> None:
    table = PAGE.partition(f"\n{heading}")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == names


@pytest.mark.parametrize("block", [ImageRules, ResourceRules, ServiceRules])
def test_a_row_names_the_keys_of_its_block(block: type[BaseModel]) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{_key_of(block)}` |"))
    assert set(re.findall(r"`(\w+)`", row)) >= aliases(block)


def test_names_that_are_no_keys_are_told() -> None:
    assert f"`{UNREADABLE}`" in PAGE and f"`{RULE}`" in PAGE


def test_the_example_is_one_and_does_what_is_said_of_it() -> None:
    text = PAGE.partition("```yaml\n")[2].partition("```")[0]
    rules = [RuleSet("rules.yaml", read_rules(text, "rules.yaml"))]
    task = {"Name": "t", "Driver": "docker", "User": "root", "Resources": {"MemoryMB": 8192}}
    config = {"image": "evil.example.org/x:1", "privileged": True}
    body: dict[str, Any] = {"TaskGroups": [{"Name": "g", "Tasks": [{**task, "Config": config}]}]}

    def broken(app: str) -> dict[str, bool]:
        return {one.rule: one.warning for one in judged(AppKey.parse(app), body, rules)}

    everything = {"images.allowed": False, "deny.privileged": False, "deny.root": True, "resources.memory": False}
    assert broken("default/web") == everything
    assert broken("system/node-exporter") == {"images.allowed": False, "resources.memory": False}
    assert broken("shop/postgres") == {name: warns for name, warns in everything.items() if name != "resources.memory"}


def _key_of(block: type[BaseModel]) -> str:
    return next(
        str(field.alias) for field in PolicySpec.model_fields.values() if block.__name__ in str(field.annotation)
    )
