"""All cases of all families."""

from __future__ import annotations

from tests.unit.repair.rules import (
    cases_driver,
    cases_placement,
    cases_ports,
    cases_resources,
    cases_spec,
    cases_templates,
)
from tests.unit.repair.rules.rule_cases import RuleCase

ALL: tuple[RuleCase, ...] = (
    *cases_resources.CASES,
    *cases_placement.CASES,
    *cases_ports.CASES,
    *cases_driver.CASES,
    *cases_templates.CASES,
    *cases_spec.CASES,
)
