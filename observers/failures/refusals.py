"""Family H, and whatever else the servers refuse before anything runs: from their words to sightings. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from observers.evidence import Evidence
from observers.failures import job_words
from observers.failures.failure_class import FailureClass
from observers.failures.row import Where
from observers.failures.sighting import Sighting, cut, read
from observers.nomad.multierror import items

_HCL = "Failed to parse job: "
_PLACE = re.compile(r"\n(?=(?:[^\s:,]+:\d+,\d+-(?:\d+,)?\d+|<nil>): )")
# What the decoder says of a value that another mistake made unknown.
_FOLLOWS = re.compile(r"Unsuitable value: value must be known")
_GROUP = re.compile(r"(?:^|: )Task group (?P<group>[^:\s]+)(?= validation failed| service| network|:)")
_TASK = re.compile(r"(?:^|: )Task (?P<task>[^:\s]+)(?= validation failed| uses Vault| has|:)")
_SERVICE = re.compile(r"(?:^|: )[Ss]ervice\[\d+\] \"?(?P<service>[^:\"\s]+)\"?")
_CHECK = re.compile(r"(?:^|: )[Cc]heck \"?(?P<check>[^:\"]+?)\"? (?:invalid|is )")

_RESOURCES = {
    "CPU": "cpu",
    "MemoryMB": "memory",
    "MemoryMaxMB": "memory_max",
    "DiskMB": "disk",
    "number of files": "log_files",
    "file size": "log_file_size",
}
_DEADLINES = {
    "healthydeadline": "healthy_deadline",
    "minimumhealthytime": "min_healthy_time",
    "minhealthytime": "min_healthy_time",
    "progressdeadline": "progress_deadline",
}
_SUBJECTS = {
    "check type": "check_type",
    "http path": "check_path",
    "valid http path": "check_path",
    "relative http path": "check_path",
    "interval": "check_interval",
    "timeout": "check_timeout",
    "method": "check_method",
    "cpu' or 'cores": "cpu_and_cores",
    "job type": "job_type",
    "Service name": "service_name",
    "Constraint": "constraint",
}


def sightings(evidence: Evidence) -> Iterator[Sighting]:
    """One for each mistake that the servers list, in their order."""
    for said in mistakes(evidence.refusal):
        found = read(Where.REFUSAL, said)
        if found is None:
            continue
        row, facts = found
        group = _first(_GROUP, said, "group")
        task = _first(_TASK, said, "task")
        if task and not group:
            group = next((name for name, one in job_words.tasks(evidence.body) if job_words.named(one) == task), "")
        service = facts.get("service") or _first(_SERVICE, said, "service")
        check = facts.get("check") or _first(_CHECK, said, "check")
        _complete(row.failure, facts, evidence, said, group, task)
        yield Sighting(
            failure=row.failure,
            words=cut(said),
            group=group,
            task=task,
            service=service,
            check=check,
            port=facts.get("label", ""),
            facts=facts,
            again=said,
        )


def mistakes(refusal: str) -> tuple[str, ...]:
    """Every mistake by itself, with the path to what it is about; what only follows from another is left out."""
    said = refusal.strip()
    if _HCL in said:
        rest = said[said.index(_HCL) + len(_HCL) :]
        found = tuple(one.strip() for one in _PLACE.split(rest) if one.strip())
        telling = tuple(one for one in found if not _FOLLOWS.search(one)) or found
        return tuple(one if _PLACE.match("\n" + one) else _HCL + one for one in telling)
    return tuple(" ".join(one.split()) for one in items(said))


def _first(pattern: re.Pattern[str], said: str, name: str) -> str:
    found = pattern.search(said)
    return found[name].strip() if found else ""


def _complete(
    failure: FailureClass, facts: dict[str, str], evidence: Evidence, said: str, group: str, task: str
) -> None:
    """What the words mean in the job's and the operator's vocabulary, and what the job adds to them."""
    body = evidence.body
    match failure:
        case FailureClass.HCL_INVALID:
            _hcl(facts)
        case FailureClass.RESOURCES_BELOW_MINIMUM:
            facts["resource"] = _RESOURCES.get(facts.get("resource", ""), facts.get("resource", ""))
        case FailureClass.DEADLINES_INCONSISTENT:
            for name in ("lesser", "greater"):
                plain = facts.get(name, "kill_timeout").replace(" ", "").lower()
                facts[name] = _DEADLINES.get(plain, plain)
            facts["block"] = "migrate" if "igrate" in said else "update"
        case FailureClass.RESTART_POLICY_INVALID:
            words = ("eschedul", "nly make", "Unlimited", "delay function", "Delay", "non zero", "Set the interval")
            facts["policy"] = "reschedule" if any(word in said for word in words) else "restart"
        case FailureClass.SPEC_INVALID:
            if "subject" in facts:
                facts["subject"] = _SUBJECTS.get(facts["subject"], facts["subject"])
        case FailureClass.NAME_DUPLICATE:
            facts["what"] = facts.get("what", "").lower() or "spread target"
        case FailureClass.SERVICE_PORT_UNDEFINED | FailureClass.CHECK_PORT_MISSING:
            facts |= job_words.labels(job_words.group(body, group), facts.get("label", ""))
        case FailureClass.VOLUME_UNDEFINED:
            facts["volumes"] = ", ".join(sorted(job_words.block(job_words.group(body, group), "Volumes")))
        case FailureClass.PROVIDERS_MIXED:
            of_group = job_words.group(body, group)
            services = [*job_words.parts(of_group, "Services")]
            for one in job_words.parts(of_group, "Tasks"):
                services += job_words.parts(one, "Services")
            facts["providers"] = ", ".join(sorted({job_words.text(one, "Provider") or "consul" for one in services}))
        case FailureClass.NODE_POOL_MISSING if evidence.cluster.node_pools is not None:
            facts["present"] = ", ".join(sorted(evidence.cluster.node_pools))
        case FailureClass.VAULT_BLOCK_MISSING:
            secrets = job_words.parts(job_words.task(body, group, task), "Secrets")
            path = [job_words.text(one, "Path") for one in secrets if job_words.named(one) == facts.get("secret")]
            facts.update({"path": path[0]} if path else {})


_HCL_NAME = re.compile(r"(?:of type|named|function|variable|attribute) \"(?P<name>[^\"]+)\"")
_HCL_MEANT = re.compile(r"Did you mean (?:to define argument )?\"(?P<name>[^\"]+)\"")


def _hcl(facts: dict[str, str]) -> None:
    problem = facts.get("problem", "")
    if found := _HCL_NAME.search(problem):
        facts["name"] = found["name"]
    if found := _HCL_MEANT.search(problem):
        facts["suggestion"] = found["name"]
