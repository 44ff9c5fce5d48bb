"""A document of rules as values, or everything that is wrong with it, at its line and column."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from desired.admission.rules import POLICY_KIND, PolicyFile, PolicySpec
from desired.errors import InvalidDesired
from desired.finding import Finding
from desired.manifest import API_VERSION
from desired.manifest_problems import findings_of, problem_of
from desired.problem import Problem
from desired.yaml_document import Document
from desired.yaml_text import read_yaml


def read_rules(text: str, path: str) -> PolicySpec:
    """The rules of the one document that the file has to be. Raises InvalidDesired with all that is wrong.

    Half-understood rules are none: what a typo would allow, nobody notices.
    """
    documents = read_yaml(text, path)
    if len(documents) != 1:
        message = f"holds {len(documents)} documents, and rules are one"
        raise InvalidDesired((Problem(path, message=message),), hint=f"begin with apiVersion: {API_VERSION}")
    return rules_of(documents[0], path)


def rules_of(document: Document, path: str) -> PolicySpec:
    """The same of one document among others."""
    value = document.root.value if document.root is not None else None
    findings: list[Finding] = []
    rules: PolicyFile | None = None
    if isinstance(value, Mapping):
        try:
            rules = PolicyFile.model_validate(value)
        except ValidationError as error:
            findings += findings_of(error, PolicyFile)
    elif not document.problems:
        findings.append(Finding((), f"is not a mapping with kind: {POLICY_KIND}"))
    problems = (*document.problems, *(problem_of(finding, document, path) for finding in findings))
    if rules is None or problems:
        raise InvalidDesired(
            tuple(sorted(dict.fromkeys(problems))), hint="nothing is registered by rules that cannot be read"
        )
    return rules.spec
