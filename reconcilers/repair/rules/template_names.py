"""What templates and `secret` blocks read, under its right name: secrets, fields, Consul keys, Nomad variables."""

from __future__ import annotations

import re

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.vault_paths import keys_of, version_of
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.kv_shape import api_path
from reconcilers.repair.rules.near_miss import near_miss, near_misses
from reconcilers.repair.rules.read_paths import all_templates, missing
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix
from reconcilers.repair.rules.template_text import quoted, reads, swapped


def _path_name(case: Case) -> Answer:
    """A secret that is not there while one of almost that name is: for a person to approve."""
    listed = case.evidence.cluster.secret_paths
    if listed is None:
        return None
    there = {shaped: one for one in listed if (shaped := api_path(case, one) or one)}
    return _renamed(case, Kind.SECRET_PATH, set(there), "a path that Vault lists")


def _consul_key(case: Case) -> Answer:
    listed = case.evidence.cluster.consul_keys
    return None if listed is None else _renamed(case, Kind.TEMPLATE_KEY, set(listed), "a key that Consul lists")


def _variable(case: Case) -> Answer:
    listed = case.evidence.cluster.variables
    return None if listed is None else _renamed(case, Kind.TEMPLATE_KEY, set(listed), "a variable that Nomad lists")


def _renamed(case: Case, kind: Kind, there: set[str], whose: str) -> Answer:
    """Every missing path under the one name that is there and spelt almost so."""
    edits: list[Edit] = []
    for path in missing(case):
        standing = [(template, old) for template in all_templates(case) for old in quoted(template.text, path)]
        if path in there or not standing:
            continue
        meant = near_path(path, there)
        if meant is None:
            several = near_misses(path, there)
            if len(several) > 1:
                return choose(f"{path} is not there", several)
            return None
        for template, old in standing:
            edits.append(Edit(kind, template.at, old.replace(path, meant), f"{whose}: {meant}", old=old))
    return fix(case, "a template reads what is not there under that name", edits)


def near_path(path: str, there: set[str]) -> str | None:
    """A typo of the whole, or of exactly one part of it: other parts are the same."""
    whole = near_miss(path, there)
    if whole is None:
        return None
    old, new = path.split("/"), whole.split("/")
    if len(old) != len(new):
        return whole if path.replace("/", "") == whole.replace("/", "") or near_miss(path, (whole,)) else None
    differing = [(left, right) for left, right in zip(old, new, strict=True) if left != right]
    return whole if len(differing) == 1 and near_miss(differing[0][0], (differing[0][1],)) else None


def _field_name(case: Case) -> Answer:
    """A field that is not in the secret or variable while one of almost that name is."""
    facts = case.diagnosis.facts
    field = facts.get("field", "")
    cluster = case.evidence.cluster
    destination = facts.get("destination", "")
    if not field:
        return None
    edits: list[Edit] = []
    for template in all_templates(case):
        if destination not in ("", template.at[2]):
            continue
        paths = reads(template, "secret") | reads(template, "nomadVar")
        if facts.get("path"):
            paths &= {facts["path"]}
        listed = [
            keys
            for path in paths
            if (keys := keys_of(path, cluster.secret_keys) or cluster.variable_keys.get(path)) is not None
        ]
        if not listed or len(listed) != len(paths):
            continue
        there = {key for keys in listed for key in keys}
        meant = near_miss(field, there)
        if meant is None:
            several = near_misses(field, there)
            if len(several) > 1:
                return choose(f"{field} is not there", several)
            continue
        for old in dict.fromkeys(re.findall(rf"(?:\.\w+)*\.{re.escape(field)}\b", template.text)):
            edits += [
                Edit(Kind.TEMPLATE_KEY, template.at, right, f"a field that is there: {meant}", old=left)
                for left, right in swapped(template, old, old.removesuffix(field) + meant)
            ]
    return fix(case, f"what the template reads has no field {field}", edits)


def _block_field(case: Case) -> Answer:
    """`${secret.db.pasword}` in the task's environment: a field that the `secret` block's path does not have."""
    found = job_parts.task_of(case)
    facts = case.diagnosis.facts
    expression, field = facts.get("expression", ""), facts.get("field", "")
    if found is None or not expression.startswith("${secret.") or not field:
        return None
    reason = f"{expression} has no value"
    if facts.get("kv_version"):
        # Another rule's: the block reads its whole secret as of another version.
        return None
    there = keys_of(facts.get("path", ""), case.evidence.cluster.secret_keys) or ()
    meant = near_miss(field, there)
    if meant is None:
        several = near_misses(field, there)
        return choose(reason, several) if len(several) > 1 else None
    new = expression.replace(f".{field}}}", f".{meant}}}")
    edits = [
        Edit(Kind.ENV, (*job_parts.address(*found), name), value.replace(expression, new), f"a field there is: {meant}")
        for name, value in job_parts.environment(found[1]).items()
        if expression in value
    ]
    return fix(case, reason, edits)


def _block_engine(case: Case) -> Answer:
    """A `secret` block that reads a store of version 2 as of version 1, which is what it does without an engine."""
    found = job_parts.task_of(case)
    facts = case.diagnosis.facts
    if found is None or facts.get("kv_version") != "2" or not facts.get("expression", "").startswith("${secret."):
        return None
    name, path = facts.get("destination", ""), facts.get("path", "")
    if version_of(path, case.evidence.cluster.kv_versions) != 2:
        return None
    at = (*job_parts.address(*found), name)
    reason = f"the secret {name} is read as of version 1, and its store is of version 2"
    return fix(case, reason, (Edit(Kind.SECRET_ENGINE, at, "kv_v2", "the version that Vault says of the store"),))


RULES = (
    Rule(name="secret-path", classes=(FailureClass.SECRET_MISSING,), propose=_path_name),
    Rule(name="consul-key", classes=(FailureClass.CONSUL_KEY_MISSING,), propose=_consul_key),
    Rule(name="variable-path", classes=(FailureClass.VARIABLE_MISSING,), propose=_variable),
    Rule(name="template-field", classes=(FailureClass.SECRET_FIELD_MISSING,), propose=_field_name),
    Rule(name="secret-engine", classes=(FailureClass.SECRET_FIELD_MISSING,), propose=_block_engine),
    Rule(name="secret-field", classes=(FailureClass.SECRET_FIELD_MISSING,), propose=_block_field),
)
