"""Other rules are noticed without a commit, and rules that cannot be read are told as they come and go."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from desired.admission.rule_file import RuleFile
from desired.admission.rule_set import RuleSet
from desired.admission.rules import PolicySpec
from desired.state import DesiredState
from nomad_operator.log import Outages
from nomad_operator.rules_in_force import RulesInForce
from nomad_operator.rules_watch import RulesWatch

RULES = "apiVersion: nomad-operator/v1\nkind: Policy\nspec: {drivers: [docker]}\n"


def watch(rules: RulesInForce) -> tuple[RulesWatch, Outages]:
    log = structlog.get_logger()
    outages = Outages(log=log, clock=lambda: 0.0)
    return RulesWatch(rules=rules, log=log, outages=outages), outages


def test_both_places_hold_at_once(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    state: list[DesiredState | None] = [None]
    rules = RulesInForce(files=[RuleFile(path=path)], state=lambda: state[0])
    assert [one.origin for one in rules()] == [str(path)]
    state[0] = DesiredState("r", {}, policies=(RuleSet("own.yaml", PolicySpec()),))
    assert [one.origin for one in rules()] == [str(path), "own.yaml"]
    assert [one.origin for one in RulesInForce(files=[], state=lambda: state[0])()] == ["own.yaml"]


@pytest.mark.parametrize("become", [RULES.replace("docker", "exec"), RULES.replace("drivers", "driver"), None], ids=str)
def test_rules_that_became_others_are_noticed_once(tmp_path: Path, become: str | None) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    watched, _ = watch(RulesInForce(files=[RuleFile(path=path)], state=lambda: None))
    assert [watched.changed() for _ in range(2)] == [False, False]
    path.unlink() if become is None else path.write_text(become)
    assert [watched.changed() for _ in range(2)] == [True, False]


def test_what_cannot_be_read_is_an_outage_until_it_can(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    watched, outages = watch(RulesInForce(files=[RuleFile(path=path)], state=lambda: None))
    watched.changed()
    assert "rules.yaml" in outages.open["rules"].problem
    path.write_text(RULES)
    watched.changed()
    assert not outages.open
