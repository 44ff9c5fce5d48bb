"""The most that rules let an app have, so that whoever proposes more can stop there. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping

from desired.admission.job_parts import fits
from desired.admission.rule_set import RuleSet
from desired.app import AppKey

# As `resources` of a rule file calls them, and as operations do.
_NAMES = (("memory", "memory"), ("memoryMax", "memory_max"), ("cpu", "cpu"), ("disk", "disk"))


def ceilings(key: AppKey, rule_sets: Iterable[RuleSet]) -> Mapping[str, int]:
    """By resource, the least of what all rules allow; without those that only warn or that the app is exempt from."""
    found: dict[str, int] = {}
    for rules in rule_sets:
        if rules.spec is None or rules.spec.resources is None:
            continue
        exempt = (names for app, names in (rules.spec.exempt or {}).items() if fnmatch.fnmatchcase(str(key), app))
        lax = [*(rules.spec.warn or ()), *(name for names in exempt for name in names)]
        for rule, name in _NAMES:
            most = getattr(rules.spec.resources, name)
            if most is not None and not fits(f"resources.{rule}", lax):
                found[name] = min(most, found.get(name, most))
    return found
