"""What the servers refuse and what has one mechanical answer: values of checks, and names that stand twice."""

from __future__ import annotations

import re

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import CheckPart
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.restarts import duration
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_SECOND = 10**9
_TYPES = ("http", "tcp", "grpc")
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
# Source: the values of Nomad's documentation of `check`.
_INTERVAL = 10 * _SECOND
_TIMEOUT = 2 * _SECOND
_URL = re.compile(r"https?://[^/]+(/[\w./-]*)?$")


def _check_value(case: Case) -> Answer:
    """Every check that has the value which was refused."""
    answer_of = _SUBJECTS.get(case.diagnosis.facts.get("subject", ""))
    if answer_of is None:
        return None
    edits: list[Edit] = []
    for group in job_parts.groups(case.body):
        if case.diagnosis.group not in ("", job_parts.name(group)):
            continue
        for check in job_parts.checks(group):
            found = answer_of(case, check)
            if isinstance(found, str):
                return choose(case.diagnosis.facts.get("problem") or "Nomad refuses a check", (found,))
            edits += found
    return fix(case, case.diagnosis.facts.get("problem") or "Nomad refuses a check", edits)


def _type(case: Case, check: CheckPart) -> list[Edit] | str:
    told = str(check.part.get("Type") or "")
    allowed = re.findall(r"\w+", case.diagnosis.facts.get("allowed", "")) or [*_TYPES, "script", "ttl"]
    if told in allowed:
        return []
    if told.lower() == "https":
        return [Edit(Kind.CHECK_TYPE, check.at, "http", "https is a protocol of the type http")]
    meant = near_miss(told, set(allowed) & set(_TYPES))
    if meant is None:
        return f"one of {', '.join(allowed)} for check {check.name}"
    return [Edit(Kind.CHECK_TYPE, check.at, meant, f"the type that is spelt almost so: {meant}")]


def _path(case: Case, check: CheckPart) -> list[Edit] | str:
    path = str(check.part.get("Path") or "")
    if check.part.get("Type") != "http" or path.startswith("/"):
        return []
    told = _URL.fullmatch(path)
    if told is not None:
        return [Edit(Kind.CHECK_PATH, check.at, told[1] or "/", "the path of the address that stands there")]
    siblings = {
        str(other.get("Path")) for other in check.service.part.get("Checks") or () if other.get("Path") and not path
    }
    if len(siblings) == 1:
        return [Edit(Kind.CHECK_PATH, check.at, siblings.pop(), "the other checks of the service ask it")]
    return f"a path for check {check.name}"


def _interval(case: Case, check: CheckPart) -> list[Edit] | str:
    return _at_least(case, check, Kind.CHECK_INTERVAL, "Interval", _INTERVAL)


def _timeout(case: Case, check: CheckPart) -> list[Edit] | str:
    return _at_least(case, check, Kind.CHECK_TIMEOUT, "Timeout", _TIMEOUT)


def _at_least(case: Case, check: CheckPart, kind: Kind, key: str, default: int) -> list[Edit]:
    """What is missing gets the documented value; what is too small the least that Nomad takes."""
    least = duration(case.diagnosis.facts.get("least", "")) or _SECOND
    told = int(check.part.get(key) or 0)
    if told >= least:
        return []
    if told == 0:
        return [Edit(kind, check.at, max(default, least), "the value of Nomad's documentation")]
    return [Edit(kind, check.at, least, "the least that Nomad takes")]


def _method(case: Case, check: CheckPart) -> list[Edit] | str:
    told = str(check.part.get("Method") or "")
    if told in ("", *_METHODS):
        return []
    meant = near_miss(told, _METHODS)
    if meant is None:
        return f"another method than {told} for check {check.name}"
    return [Edit(Kind.CHECK_METHOD, check.at, meant, f"the method that is spelt almost so: {meant}")]


_SUBJECTS = {
    "check_type": _type,
    "check_path": _path,
    "check_interval": _interval,
    "check_timeout": _timeout,
    "check_method": _method,
}


def _both(case: Case) -> Answer:
    """`cpu` and `cores`: a share or whole ones, which only a person knows."""
    if case.diagnosis.facts.get("subject") != "cpu_and_cores":
        return None
    return choose("a task asks for `cpu` and for `cores`", ("`cpu` alone, a share in MHz", "`cores` alone, whole ones"))


def _unparsed(case: Case) -> Answer:
    """No operation changes a text that does not parse; what the parser takes it for is told."""
    facts = case.diagnosis.facts
    meant = facts.get("suggestion", "")
    if not meant:
        return None
    where = f"line {facts['line']}: " if facts.get("line") else ""
    return choose(f"{where}{facts.get('problem', 'the job file does not parse')}", (f"`{meant}`",))


def _duplicate(case: Case) -> Answer:
    """A check's name that stands twice in its service: the second gets a number. Other names are addresses: told."""
    facts = case.diagnosis.facts
    wrong = facts.get("name", "")
    if facts.get("what") != "check":
        return choose(f"{facts.get('what', 'a part')} {wrong} is there twice", ("another name", "dropping one of them"))
    edits = []
    for group in job_parts.groups(case.body):
        for service in job_parts.services(group):
            names = [job_parts.name(one) for one in service.part.get("Checks") or ()]
            if names.count(wrong) == 2:
                number = next(n for n in range(2, len(names) + 3) if f"{wrong}-{n}" not in names)
                at = (*service.at, wrong)
                edits.append(Edit(Kind.CHECK_NAME, at, f"{wrong}-{number}", "the same with a number"))
    return fix(case, f"check {wrong} is there twice", edits)


RULES = (
    Rule(name="check-value", classes=(FailureClass.SPEC_INVALID,), propose=_check_value),
    Rule(name="cpu-or-cores", classes=(FailureClass.SPEC_INVALID,), propose=_both),
    Rule(name="job-file", classes=(FailureClass.HCL_INVALID,), propose=_unparsed),
    Rule(name="duplicate-name", classes=(FailureClass.NAME_DUPLICATE,), propose=_duplicate),
)
