"""Rules among the documents of the watched repository. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from desired.admission.file import rules_of
from desired.admission.rule_set import RuleSet
from desired.admission.rules import POLICY_KIND
from desired.errors import InvalidDesired
from desired.yaml_document import Document

_KIND = re.compile(rf"""^["']?kind["']?\s*:\s*["']?{POLICY_KIND}\b""", re.MULTILINE)
# `policy`, `Polciy`: whoever has slipped does not think that there are no rules.
_CLOSE = 0.7


def states_rules(document: Document) -> bool:
    """Does a document that is one of ours speak of rules, be it that it cannot be read?"""
    value = document.root.value if document.root is not None else None
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if isinstance(kind, str):
        return difflib.SequenceMatcher(None, kind.lower(), POLICY_KIND.lower()).ratio() > _CLOSE
    return bool(document.problems) and may_state_rules(document.text)


def may_state_rules(text: str) -> bool:
    """For what cannot be read as YAML, or as text."""
    return _KIND.search(text) is not None


def rule_set_of(document: Document, path: str, *, alone: bool) -> RuleSet:
    line = 0 if alone else document.line
    try:
        return RuleSet(path, rules_of(document, path), line=line)
    except InvalidDesired as error:
        return RuleSet(path, problems=error.problems, line=line)
