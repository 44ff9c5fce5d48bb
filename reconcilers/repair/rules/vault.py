"""Vault's part in a task: the block that a secret needs, a role that is misspelt."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.near_miss import near_miss, near_misses
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix


def _block(case: Case) -> Answer:
    """A task that reads from Vault and has no `vault` block gets an empty one: the default role decides."""
    found = job_parts.task_of(case)
    if found is None:
        return None
    group, task = found
    secrets = [one for one in task.get("Secrets") or () if one.get("Provider") == "vault"]
    if not secrets and not any("secret" in text for one in job_parts.templates(task) for text in job_parts.texts(one)):
        return None
    at = job_parts.address(group, task)
    reason = f"{at[1]} reads a secret from Vault and has no `vault` block"
    return fix(case, reason, (Edit(Kind.VAULT_ADDED, at, "", "the task reads a secret from Vault"),))


def _role(case: Case) -> Answer:
    """The one role that Vault lists and that is spelt almost so: for a person to approve."""
    found = job_parts.task_of(case)
    roles = case.evidence.cluster.vault_roles
    if found is None or roles is None:
        return None
    group, task = found
    role = str((task.get("Vault") or {}).get("Role") or "")
    meant = near_miss(role, roles)
    reason = f"Vault has no role {role}"
    if meant is None:
        several = near_misses(role, roles)
        return choose(reason, [f"role {one}" for one in several]) if several else None
    at = job_parts.address(group, task)
    return fix(case, reason, (Edit(Kind.VAULT_ROLE, at, meant, f"a role that Vault lists: {meant}"),))


RULES = (
    Rule(name="vault-block", classes=(FailureClass.VAULT_BLOCK_MISSING,), propose=_block),
    Rule(name="vault-role", classes=(FailureClass.VAULT_ROLE_REFUSED,), propose=_role),
)
