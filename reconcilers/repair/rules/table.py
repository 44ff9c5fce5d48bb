"""The one table of rules, and the question to it: `answer` is the rule rung of the ladder."""

from __future__ import annotations

from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import (
    checks,
    deadlines,
    driver_keys,
    driver_values,
    environment,
    kv_shape,
    memory,
    networks,
    placement,
    port_labels,
    port_numbers,
    restarts,
    room,
    sizes,
    spec,
    start,
    template_names,
    template_rules,
    vault,
)
from reconcilers.repair.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *memory.RULES,
    *room.RULES,
    *placement.RULES,
    *networks.RULES,
    *port_labels.RULES,
    *port_numbers.RULES,
    *checks.RULES,
    *deadlines.RULES,
    *restarts.RULES,
    *sizes.RULES,
    *driver_keys.RULES,
    *driver_values.RULES,
    *start.RULES,
    *kv_shape.RULES,
    *template_names.RULES,
    *template_rules.RULES,
    *environment.RULES,
    *vault.RULES,
    *spec.RULES,
)


def answer(case: Case) -> Answer:
    """The first rule of the failure's class that has an answer. Where none has, None: the next rung is asked."""
    return next((found for rule in RULES if (found := rule.ask(case)) is not None), None)
