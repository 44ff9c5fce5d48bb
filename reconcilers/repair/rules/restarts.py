"""Restart and reschedule policies: those that Nomad refuses, and those that give up before a dependency is up."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_SECOND = 10**9
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")
# Source: nomad/structs: RestartPolicyMinInterval, ReschedulePolicyMinInterval and -MinDelay; service defaults.
_LEAST_INTERVAL = 5 * _SECOND
_ATTEMPTS = 2
_DELAY = 15 * _SECOND
_INTERVAL = 1800 * _SECOND
_RESCHEDULE_DELAY = 30 * _SECOND
_RESCHEDULE_MAX_DELAY = 3600 * _SECOND
_MODES = ("fail", "delay")
_WAITS_FOR = frozenset({"crash_dependency", "vault_unreachable", "registry_unreachable", "artifact_unreachable"})


def duration(text: str) -> int | None:
    """Nanoseconds of Go's `1h2m3.5s`; None for anything else."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts) * _SECOND)


def _refused(case: Case) -> Answer:
    """Only what Nomad's own words determine: an interval that holds the attempts, a least value, a misspelt mode."""
    facts = case.diagnosis.facts
    edits: list[Edit] = []
    for group in job_parts.groups(case.body):
        if case.diagnosis.group not in ("", job_parts.name(group)):
            continue
        found = _restart(group, facts) if facts.get("policy") != "reschedule" else _reschedule(group, facts)
        if isinstance(found, str):
            return choose(found, _choices(facts))
        edits += found
    return fix(case, facts.get("problem") or "the policy cannot be kept", edits)


def _restart(group: Part, facts: Mapping[str, str]) -> list[Edit] | str:
    policy = group.get("RestartPolicy") or {}
    at = (job_parts.name(group),)
    attempts = _number(policy, "Attempts", _ATTEMPTS)
    delay, interval = _number(policy, "Delay", _DELAY), _number(policy, "Interval", _INTERVAL)
    mode = str(policy.get("Mode") or "fail")
    if mode not in _MODES:
        meant = near_miss(mode, _MODES)
        if meant is None:
            return f"there is no restart mode {mode}"
        return [Edit(Kind.RESTART_MODE, at, meant, f"the mode that is spelt almost so: {meant}")]
    if mode == "delay" and attempts == 0:
        return "no attempts, and a delay between them"
    least = max(attempts * delay, _LEAST_INTERVAL)
    if interval < least:
        ground = "holds the attempts and the delays between them" if attempts * delay >= least else "Nomad's minimum"
        return [Edit(Kind.RESTART_INTERVAL, at, least, ground)]
    return []


def _reschedule(group: Part, facts: Mapping[str, str]) -> list[Edit] | str:
    policy = group.get("ReschedulePolicy") or {}
    at = (job_parts.name(group),)
    if policy.get("Unlimited") and _number(policy, "Attempts", 0):
        return "limited attempts and unlimited ones"
    delay = _number(policy, "Delay", _RESCHEDULE_DELAY)
    longest = _number(policy, "MaxDelay", _RESCHEDULE_MAX_DELAY)
    least = duration(facts.get("least", ""))
    problem = facts.get("problem", "")
    if "Max Delay" in problem or "Max Delay" in facts.get("delay", ""):
        wanted = max(delay, least or 0)
        return [Edit(Kind.RESCHEDULE_MAX_DELAY, at, wanted, "no less than the delay")] if longest < wanted else []
    if least is None:
        return problem or "the reschedule policy cannot be kept"
    if problem.startswith("Delay") and delay < least:
        edits = [Edit(Kind.RESCHEDULE_DELAY, at, least, "Nomad's minimum")]
        if longest < least:
            edits.insert(0, Edit(Kind.RESCHEDULE_MAX_DELAY, at, least, "no less than the delay"))
        return edits
    if "nterval" in problem and _number(policy, "Interval", 0) < least:
        return [Edit(Kind.RESCHEDULE_INTERVAL, at, least, "the least that Nomad takes for these attempts")]
    return []


def _choices(facts: Mapping[str, str]) -> tuple[str, ...]:
    if facts.get("policy") == "reschedule":
        return ("`unlimited = true` without attempts", "`unlimited = false` with attempts and an interval")
    return ('mode = "fail"', 'mode = "delay" with attempts')


def _exhausted(case: Case) -> Answer:
    """Nomad goes on trying until the dependency is there, instead of giving the task up."""
    group = job_parts.group_of(case)
    kind = str(case.body.get("Type") or "service")
    if group is None or case.diagnosis.facts.get("behind") not in _WAITS_FOR or kind not in ("service", "system"):
        return None
    at = (job_parts.name(group),)
    restart = group.get("RestartPolicy") or {}
    reschedule = group.get("ReschedulePolicy") or {}
    edits: list[Edit] = []
    if str(restart.get("Mode") or "fail") == "fail":
        if _number(restart, "Attempts", _ATTEMPTS) == 0:
            edits.append(Edit(Kind.RESTART_ATTEMPTS, at, _ATTEMPTS, "Nomad's default: `delay` asks for attempts"))
        edits.append(Edit(Kind.RESTART_MODE, at, "delay", "its dependency was not there yet"))
    if kind == "service" and reschedule and not reschedule.get("Unlimited"):
        edits.append(Edit(Kind.RESCHEDULE_ATTEMPTS, at, 0, "unlimited"))
        edits.append(Edit(Kind.RESCHEDULE_UNLIMITED, at, True, "Nomad's default for a service"))
        # Nothing is set where Nomad's own default holds; what is set may be less than it takes of a policy without end.
        delay = max(_number(reschedule, "Delay", _RESCHEDULE_DELAY), _LEAST_INTERVAL)
        edits.append(Edit(Kind.RESCHEDULE_DELAY, at, delay, "Nomad's minimum"))
        if (
            _number(reschedule, "MaxDelay", _RESCHEDULE_MAX_DELAY) < delay
            and str(reschedule.get("DelayFunction") or "") != "constant"
        ):
            edits.append(Edit(Kind.RESCHEDULE_MAX_DELAY, at, math.ceil(delay), "no less than the delay"))
    return fix(case, "Nomad gave the task up before what it waits for was there", edits)


def _number(part: Part, key: str, default: int) -> int:
    value = part.get(key)
    return default if value is None else int(value)


RULES = (
    Rule(name="restart-policy", classes=(FailureClass.RESTART_POLICY_INVALID,), propose=_refused),
    Rule(name="restarts-exhausted", classes=(FailureClass.RESTARTS_EXHAUSTED,), propose=_exhausted),
)
