"""Which templates a failure is about, and which paths they could not read."""

from __future__ import annotations

from reconcilers.repair.proposal import Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.template_text import Template, templates_of


def all_templates(case: Case) -> list[Template]:
    """Of the diagnosis's task, or of all tasks of its group where it names none."""
    group = job_parts.group_of(case)
    if group is None:
        return []
    wanted = case.diagnosis.task
    return [
        one
        for task in job_parts.tasks(group)
        if wanted in ("", job_parts.name(task))
        for one in templates_of(group, task)
    ]


def missing(case: Case) -> list[str]:
    """The paths that are missing: all that Nomad lists."""
    facts = case.diagnosis.facts
    told = [one.strip() for one in (facts.get("paths") or facts.get("path", "")).split(",")]
    return [one for one in dict.fromkeys(told) if one]
