"""Whose rights a job has in Vault: a build.yaml may ask for policies, and Nomad 1.10 and newer takes only a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from desired.draft.value import BY_PERSON, Draft, Value
from desired.facts.facts import Facts
from desired.question import Question

ROLE = "vault.role"
_PLACE = ("job", "group", "app", "task", "app", "vault")


def with_role(draft: Draft, facts: Facts, told: Mapping[str, Any]) -> Draft:
    """The draft with the role that was answered, or with the question for it where policies are asked for.

    None as an answer, like the question's default, is the role that Nomad's servers take by themselves.
    """
    role = told.get(ROLE)
    if role is not None:
        return replace(draft, values=(*draft.values, Value(_PLACE, {"role": role}, BY_PERSON, 1.0)))
    if facts.vault_policies is None or ROLE in told:
        return draft
    names = ", ".join(facts.vault_policies.value)
    text = (
        f"Which role of Vault has the policies {names} ({facts.vault_policies.source})? none is the cluster's default."
    )
    return replace(draft, questions=(*draft.questions, Question(ROLE, text, default="none")))
