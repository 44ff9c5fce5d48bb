"""The most that rules let an app have, for whoever proposes more."""

from __future__ import annotations

from typing import Any

import pytest

from desired.admission.ceilings import ceilings
from desired.admission.rule_set import RuleSet
from desired.admission.rules import PolicySpec
from desired.app import AppKey

WEB = AppKey("default", "web")


def rules(**spec: Any) -> RuleSet:
    return RuleSet("rules.yaml", PolicySpec.model_validate(spec))


@pytest.mark.parametrize(
    ("rule_sets", "most"),
    [
        ([], {}),
        ([rules(resources={"memory": 512, "cpu": 900})], {"memory": 512, "cpu": 900}),
        ([rules(resources={"memory": 512}), rules(resources={"memory": 256, "disk": 9})], {"memory": 256, "disk": 9}),
        ([rules(resources={"memory": 512, "memoryMax": 600}, warn=["resources.memory"])], {"memory_max": 600}),
        ([rules(resources={"memory": 512}, exempt={"*/web": ["resources.*"]})], {}),
        ([rules(resources={"memory": 512}, exempt={"*/other": ["resources.*"]})], {"memory": 512}),
        ([RuleSet("broken.yaml")], {}),
    ],
)
def test_the_least_of_all_rules_that_hold_for_the_app(rule_sets: list[RuleSet], most: dict[str, int]) -> None:
    assert ceilings(WEB, rule_sets) == most
