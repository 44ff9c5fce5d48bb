"""One YAML or JSON file of manifests: its documents as values, and everything that is wrong with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import ValidationError

from desired.admission.document import rule_set_of, states_rules
from desired.admission.rule_set import RuleSet
from desired.admission.rules import POLICY_KIND
from desired.app import AppKey
from desired.code_place import CodeWish
from desired.errors import InvalidDesired
from desired.finding import Finding
from desired.generate import generate, merge_problems
from desired.job.hcl_text import key_text, quoted_text
from desired.manifest import API_VERSION, KIND, App, AppSpec
from desired.manifest_problems import findings_of, problem_of
from desired.manifest_rules import broken_rules, has_code
from desired.policy import Drift, OnFailure, Policy, Repair, RepairMode, Verify
from desired.problem import Problem
from desired.source_place import wish_of
from desired.state import JsonSource, UnreadableFile
from desired.yaml_document import Document
from desired.yaml_scalar import RealNumber, WholeNumber
from desired.yaml_text import read_yaml

T = TypeVar("T")
_KINDS = (KIND, POLICY_KIND)
_GROUP = API_VERSION.split("/")[0]
_OUR_KIND = re.compile(r"""^["']?kind["']?\s*:\s*["']?(?:App|Policy)["']?\s*(?:#.*)?$""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One `kind: App`. Exactly one of these is set: `source` (the job that its spec makes), `job_file` (relative to its
    folder), `code` (what its spec leaves out is in code; `document` is what it says itself).

    `variables` is the text of a variable file for that job file; `line` is where the document begins.
    """

    key: AppKey
    policy: Policy
    source: JsonSource | None = None
    job_file: str | None = None
    variables: str = ""
    line: int = 1
    code: CodeWish | None = None
    document: Document | None = field(default=None, compare=False, repr=False)

    @property
    def said(self) -> Mapping[str, Any]:
        """The spec as it was written, of one with `code`."""
        assert self.document is not None and self.document.root is not None
        spec: Mapping[str, Any] = self.document.root.value["spec"]
        return spec


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """What a file holds; `holds_any` is False where it is no manifest at all.

    `policies` are its rules; those that cannot be read are among the unreadable as well.
    """

    manifests: tuple[Manifest, ...]
    unreadable: tuple[UnreadableFile, ...]
    holds_any: bool = True
    policies: tuple[RuleSet, ...] = ()


def holds_manifest(text: str) -> bool:
    """Cheap: does the file name our apiVersion anywhere, or our kind on a line of its own?"""
    return ("apiVersion" in text and f"{_GROUP}/" in text) or _OUR_KIND.search(text) is not None


def read_manifests(text: str, path: str, *, defaults: Policy, namespace: str, with_code: bool = False) -> ManifestFile:
    """Every document of the file, the broken ones with all that is wrong. Never raises for what a file holds.

    `with_code`: the caller completes those that have a source (`completed`); else each has to say everything itself.
    """
    manifests: list[Manifest] = []
    unreadable: list[UnreadableFile] = []
    policies: list[RuleSet] = []
    documents = read_yaml(text, path)
    for document in documents:
        if not _is_ours(document):
            continue
        if states_rules(document):
            rules = rule_set_of(document, path, alone=len(documents) == 1)
            policies.append(rules)
            if rules.spec is None:
                unreadable.append(UnreadableFile(path, rules.problems))
            continue
        made = _read(document, path, defaults, namespace, with_code=with_code)
        if isinstance(made, Manifest):
            manifests.append(made)
        else:
            unreadable.append(made)
    holds_any = bool(manifests or unreadable or policies)
    return ManifestFile(tuple(manifests), tuple(unreadable), holds_any, tuple(policies))


def _is_ours(document: Document) -> bool:
    """A file may hold other people's documents too; one that cannot be read may be ours, and is not passed over."""
    value = document.root.value if document.root is not None else None
    if not isinstance(value, Mapping):
        return bool(document.problems) or f"{_GROUP}/" in document.text
    version = value.get("apiVersion")
    if isinstance(version, str) and version:
        close = difflib.SequenceMatcher(None, version, API_VERSION).ratio() > 0.8
        return version.startswith(_GROUP) or (close and value.get("kind") in _KINDS)
    return value.get("kind") in _KINDS or bool(document.problems)


def _read(
    document: Document, path: str, defaults: Policy, namespace: str, *, with_code: bool
) -> Manifest | UnreadableFile:
    key = _key(document, namespace)
    value = document.root.value if document.root is not None else None
    findings: list[Finding] = []
    app: App | None = None
    if isinstance(value, Mapping):
        # After a mistake in the YAML what is missing may well be there.
        whole = not document.problems
        try:
            app = App.model_validate(value)
        except ValidationError as error:
            findings += findings_of(error) if whole else ()
        findings += broken_rules(value, with_code=with_code) if whole else ()
    elif not document.problems:
        findings.append(Finding((), "a manifest is a mapping", "begin with apiVersion, kind, metadata and spec"))
    made = None
    if app is not None and key is not None and not findings and not document.problems:
        if with_code and isinstance(value, Mapping) and has_code(value["spec"]):
            policy, more = _policy(app.spec, key, defaults)
            code = wish_of(value["spec"])
            made = Manifest(key, policy, line=document.line, code=code, document=document)
        else:
            made, more = _manifest(app.spec, key, defaults, document.line)
        findings += more
    elif (job := _job_of(value)) is not None and not document.problems:
        findings += merge_problems(job)
    if made is not None and not findings:
        return made
    told = dict.fromkeys((*document.problems, *(problem_of(finding, document, path) for finding in findings)))
    return UnreadableFile(path, tuple(sorted(told)) or _nothing(path, document), key)


def completed(manifest: Manifest, spec: Mapping[str, Any], path: str, *, defaults: Policy) -> Manifest:
    """A manifest with `code` as one without, by its whole spec. Raises InvalidDesired with lines of what it says."""
    document = manifest.document
    assert document is not None and document.root is not None
    value = {**document.root.value, "spec": spec}
    findings: list[Finding] = []
    made: Manifest | None = None
    try:
        app = App.model_validate(value)
    except ValidationError as error:
        findings += findings_of(error)
    else:
        made, more = _manifest(app.spec, manifest.key, defaults, manifest.line)
        findings += more
    findings += broken_rules(value)
    if made is None or findings:
        raise InvalidDesired(tuple(sorted(dict.fromkeys(problem_of(one, document, path) for one in findings))))
    return made


def _nothing(path: str, document: Document) -> tuple[Problem, ...]:
    return (Problem(path, document.line, 0, "is not a manifest"),)


def _job_of(value: Any) -> Mapping[str, Any] | None:
    spec = value.get("spec") if isinstance(value, Mapping) else None
    job = spec.get("job") if isinstance(spec, Mapping) else None
    return job if isinstance(job, Mapping) else None


def _key(document: Document, namespace: str) -> AppKey | None:
    """The app that a document speaks of, as far as that can be read."""
    value = document.root.value if document.root is not None else None
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    if not isinstance(metadata, Mapping):
        return None
    name, given = metadata.get("name"), metadata.get("namespace")
    space = namespace if given is None else given
    if not isinstance(name, str) or not isinstance(space, str):
        return None
    try:
        return AppKey.parse(f"{space}/{name}")
    except ValueError:
        return None


def _manifest(spec: AppSpec, key: AppKey, defaults: Policy, line: int) -> tuple[Manifest | None, list[Finding]]:
    policy, findings = _policy(spec, key, defaults)
    if spec.job_file is not None:
        variables = _variables(spec.variables or {})
        return Manifest(key, policy, job_file=spec.job_file, variables=variables, line=line), findings
    source, more = generate(key, spec, policy.on_failure)
    made = Manifest(key, policy, source=source, line=line) if source is not None else None
    return made, [*findings, *more]


def _policy(spec: AppSpec, key: AppKey, defaults: Policy) -> tuple[Policy, list[Finding]]:
    """The defaults, and what the manifest says instead."""
    findings: list[Finding] = []
    needed: list[AppKey] = []
    for number, text in enumerate(spec.depends_on or ()):
        steps = ("spec", "dependsOn", number)
        try:
            needed.append(AppKey.parse(text, key.namespace))
        except ValueError:
            findings.append(Finding(steps, "expected `name` or `namespace/name`, without spaces"))
            continue
        if needed[-1] == key:
            findings.append(Finding(steps, "an app cannot depend on itself"))
    drift, repair, verify = spec.drift, spec.repair, spec.verify
    policy = replace(
        defaults,
        depends_on=tuple(needed),
        suspend=spec.suspend,
        prune=_or(spec.prune, defaults.prune),
        drift=Drift(drift.mode) if drift and drift.mode else defaults.drift,
        drift_ignore=tuple(drift.ignore) if drift else defaults.drift_ignore,
        on_failure=OnFailure(spec.on_failure) if spec.on_failure else defaults.on_failure,
    )
    if repair is not None:
        limits = tuple(sorted(repair.limits.items())) if repair.limits is not None else defaults.repair.limits
        mode = RepairMode(repair.mode) if repair.mode else defaults.repair.mode
        attempts = _or(repair.max_attempts, defaults.repair.max_attempts)
        policy = replace(policy, repair=Repair(mode, attempts, limits))
    if verify is not None:
        soak, timeout = _or(verify.soak, defaults.verify.soak), _or(verify.timeout, defaults.verify.timeout)
        policy = replace(policy, verify=Verify(soak, timeout))
    return policy, findings


def _or(value: T | None, default: T) -> T:
    return default if value is None else value


def _variables(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_expression(value)}\n" for name, value in values.items())


def _expression(value: Any) -> str:
    """A value as HCL writes it: no template in it is evaluated."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case WholeNumber() | RealNumber():
            return str(int(value)) if isinstance(value, int) else repr(float(value))
        case Mapping():
            return f"{{{', '.join(f'{key_text(str(name))} = {_expression(each)}' for name, each in value.items())}}}"
        case list():
            return f"[{', '.join(_expression(each) for each in value)}]"
    return quoted_text(str(value), label=True)
