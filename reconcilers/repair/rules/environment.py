"""An app that misses a variable which the job sets to nothing useful: what the template reads has the wrong shape or
flag."""

from __future__ import annotations

import re

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix
from reconcilers.repair.rules.template_text import SETS, Template, templates_of


def _not_env(case: Case) -> Answer:
    """A template of NAME=value lines that sets the missing variable, and is not marked as an environment."""
    found = job_parts.task_of(case)
    name = case.diagnosis.facts.get("name", "")
    if found is None or not re.fullmatch(r"[A-Za-z_]\w*", name) or name in job_parts.environment(found[1]):
        return None
    setting = [one for one in templates_of(*found) if not one.env and name in _variables(one)]
    if len(setting) != 1 or any(name in _variables(one) for one in templates_of(*found) if one.env):
        return None
    edit = Edit(Kind.TEMPLATE_ENV, setting[0].at, True, f"a line of it sets {name}")
    return fix(case, f"{name} is set in a file, not in the environment", (edit,))


def _variables(template: Template) -> set[str]:
    """Of a template all of whose lines set variables (or are comments, blocks, empty); empty for any other file."""
    names: set[str] = set()
    for line in template.text.splitlines():
        bare = re.sub(r"^(?:\s*" + re.escape(template.left) + r".*?" + re.escape(template.right) + r")+\s*", "", line)
        told = SETS.match(bare)
        if told is not None:
            names.add(told[1])
        elif bare.strip() and not bare.lstrip().startswith("#"):
            return set()
    return names


def _near_name(case: Case) -> Answer:
    """A variable that the job sets under almost that name: for a person to approve."""
    found = job_parts.task_of(case)
    name = case.diagnosis.facts.get("name", "")
    if found is None or case.diagnosis.facts.get("kind") == "file" or not re.fullmatch(r"[A-Za-z_]\w*", name):
        return None
    env = job_parts.environment(found[1])
    meant = near_miss(name, env)
    if meant is None or name in env:
        return None
    at = job_parts.address(*found)
    edits = (
        Edit(Kind.ENV, (*at, name), env[meant], f"the value of {meant}"),
        Edit(Kind.ENV, (*at, meant), None, f"nothing but a misspelt {name}"),
    )
    return fix(case, f"the app asks for {name}, the job sets {meant}", edits)


def _unrendered(case: Case) -> Answer:
    """`${secret.…}` without a value: a `secret` block for another KV version, or a field that it does not have."""
    if case.diagnosis.facts.get("set") != "unrendered":
        return None
    name = case.diagnosis.facts.get("name", "a variable")
    return choose(
        f"{name} holds the literal text of a secret's name",
        ('`config { engine = "kv_v2" }` in the `secret` block, if the mount is KV v2', "a field that the secret has"),
    )


_CLASSES = (FailureClass.CRASH_CONFIG_MISSING,)
RULES = (
    Rule(name="template-not-env", classes=_CLASSES, propose=_not_env),
    Rule(name="secret-unrendered", classes=_CLASSES, propose=_unrendered),
    Rule(name="near-variable", classes=_CLASSES, propose=_near_name),
)
