"""A group's policies: restart, reschedule, update, migrate, scaling, disconnect, disk.

Source: nomad/structs/structs.go and group.go, the Validate of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded import gotext
from nomad_operator.embedded.gotext import duration, quoted

Value = Mapping[str, Any]

_SECOND = 10**9
_DELAY_FUNCTIONS = ("constant", "exponential", "fibonacci")


def restart_errors(policy: Value) -> list[str]:
    mode, attempts, interval, delay = (policy[name] for name in ("Mode", "Attempts", "Interval", "Delay"))
    errors = []
    if mode not in ("delay", "fail"):
        errors.append(f"Unsupported restart mode: {quoted(mode)}")
    if attempts == 0 and mode != "fail":
        errors.append(f"Restart policy {quoted(mode)} with {attempts} attempts is ambiguous")
    if interval < 5 * _SECOND:
        errors.append(f"Interval can not be less than 5s (got {duration(interval)})")
    if attempts * delay > interval:
        errors.append(
            f"Nomad can't restart the TaskGroup {attempts} times in an interval of {duration(interval)}"
            f" with a delay of {duration(delay)}"
        )
    return errors


def reschedule_errors(policy: Value) -> list[str]:
    attempts, interval, delay = policy["Attempts"], policy["Interval"], policy["Delay"]
    function, ceiling, unlimited = policy["DelayFunction"], policy["MaxDelay"], policy["Unlimited"]
    if attempts <= 0 and not unlimited:
        return []
    errors = []
    if attempts > 0 and interval <= 0:
        errors.append("Interval must be a non zero value if Attempts > 0")
    if attempts > 0 and unlimited:
        errors.append(
            f"Reschedule Policy with Attempts = {attempts}, Interval = {duration(interval)},"
            " and Unlimited = true is ambiguous"
        )
        errors.append("If Attempts >0, Unlimited cannot also be set to true")
    delays = []
    if delay < 5 * _SECOND:
        delays.append(f"Delay cannot be less than 5s (got {duration(delay)})")
    if function not in _DELAY_FUNCTIONS:
        known = " ".join(quoted(name) for name in _DELAY_FUNCTIONS)
        delays.append(f"Invalid delay function {quoted(function)}, must be one of [{known}]")
    if function != "constant":
        if ceiling < 5 * _SECOND:
            delays.append(f"Max Delay cannot be less than 5s (got {duration(delay)})")
        if ceiling < delay:
            delays.append(f"Max Delay cannot be less than Delay {duration(delay)} (got {duration(ceiling)})")
    errors += delays
    if not unlimited:
        if interval < 15 * _SECOND:
            errors.append(f"Interval cannot be less than 15s (got {duration(interval)})")
        if not delays:
            errors += _attempts_fit(policy)
    return errors


def _attempts_fit(policy: Value) -> list[str]:
    """Whether the attempts fit into their interval, by the delay function."""
    possible, needed = _possible(policy)
    if possible is None:
        return []
    interval, delay, function = duration(policy["Interval"]), duration(policy["Delay"]), quoted(policy["DelayFunction"])
    if policy["DelayFunction"] == "constant":
        first = f"{possible} attempts in {interval} with initial delay {delay} and delay function {function}"
    else:
        first = f"{possible} attempts in {interval} with initial delay {delay}, delay function {function},"
        first += f" and delay ceiling {duration(policy['MaxDelay'])}"
    rounded = duration((needed + _SECOND // 2) // _SECOND * _SECOND)
    return [
        f"Nomad can only make {first}",
        f"Set the interval to at least {rounded} to accommodate {policy['Attempts']} attempts",
    ]


def _possible(policy: Value) -> tuple[int | None, int]:
    """How many attempts fit, None if all do; and the interval that would hold all of them."""
    attempts, interval, delay, ceiling = (policy[n] for n in ("Attempts", "Interval", "Delay", "MaxDelay"))
    if policy["DelayFunction"] == "constant":
        needed = attempts * delay
        return (interval // delay if interval < needed else None), needed
    if policy["DelayFunction"] == "exponential":
        possible, needed = 0, 0
        for number in range(attempts):
            following = 2**number * delay
            needed = needed + ceiling if following > ceiling else following
            possible += needed < interval
        return (possible if possible < attempts else None), needed
    slots, reached = [delay, delay], False
    for number in range(2, attempts):
        following = slots[number - 1] + (ceiling if reached else slots[number - 2])
        if not reached and following > ceiling:
            following, reached = ceiling, True
        slots.append(following)
    if interval >= slots[-1]:
        return None, slots[-1]
    return next((number for number, slot in enumerate(slots) if slot > interval), 0), slots[-1]


def update_errors(policy: Value) -> list[str]:
    healthy, progress, minimum = policy["HealthyDeadline"], policy["ProgressDeadline"], policy["MinHealthyTime"]
    checks = (
        (
            policy["HealthCheck"] not in ("checks", "task_states", "manual"),
            f"Invalid health check given: {quoted(policy['HealthCheck'])}",
        ),
        (policy["MaxParallel"] < 0, f"Max parallel can not be less than zero: {policy['MaxParallel']} < 0"),
        (policy["Canary"] < 0, f"Canary count can not be less than zero: {policy['Canary']} < 0"),
        (policy["Canary"] == 0 and policy["AutoPromote"], "Auto Promote requires a Canary count greater than zero"),
        (minimum < 0, f"Minimum healthy time may not be less than zero: {duration(minimum)}"),
        (healthy <= 0, f"Healthy deadline must be greater than zero: {duration(healthy)}"),
        (progress < 0, f"Progress deadline must be zero or greater: {duration(progress)}"),
        (
            minimum >= healthy,
            f"Minimum healthy time must be less than healthy deadline: {duration(minimum)} > {duration(healthy)}",
        ),
        (
            progress != 0 and healthy >= progress,
            f"Healthy deadline must be less than progress deadline: {duration(healthy)} > {duration(progress)}",
        ),
        (policy["Stagger"] <= 0, f"Stagger must be greater than zero: {duration(policy['Stagger'])}"),
    )
    return [text for wrong, text in checks if wrong]


def migrate_errors(policy: Value) -> list[str]:
    check = policy["HealthCheck"]
    errors = []
    if policy["MaxParallel"] < 0:
        errors.append(f"MaxParallel must be >= 0 but found {policy['MaxParallel']}")
    if not check and policy["MaxParallel"] > 0:
        errors.append("Missing HealthCheck")
    elif check and check not in ("checks", "task_states"):
        errors.append(f"Invalid HealthCheck: {quoted(check)}")
    errors += [
        f"{name} is {duration(policy[name])} and must be >= 0"
        for name in ("MinHealthyTime", "HealthyDeadline")
        if policy[name] < 0
    ]
    if policy["MinHealthyTime"] > policy["HealthyDeadline"]:
        errors.append("MinHealthyTime must be less than HealthyDeadline")
    return errors


def scaling_errors(group: Value) -> list[str]:
    policy = group["Scaling"]
    if policy is None:
        return []
    errors = []
    if policy["Type"] != "horizontal":
        errors.append(f'scaling policy type "{policy["Type"]}" is not valid')
    if policy["Max"] < 0:
        errors.append("maximum count must be specified and non-negative")
    elif policy["Max"] < policy["Min"]:
        errors.append("maximum count must not be less than minimum count")
    if policy["Min"] < 0:
        errors.append("minimum count must be specified and non-negative")
    if policy["Max"] < group["Count"]:
        errors.append("task group count must not be greater than maximum count in scaling policy")
    if group["Count"] < policy["Min"]:
        errors.append("task group count must not be less than minimum count in scaling policy")
    return [f"Scaling policy invalid: {error}" for error in errors]


def disconnect_errors(policy: Value, job_type: str) -> list[str]:
    stop, lost = policy["StopOnClientAfter"], policy["LostAfter"]
    errors = []
    if stop is not None and stop < 0:
        errors.append("stop_after cannot be a negative duration")
    if stop is not None and job_type not in ("service", "batch"):
        errors.append("stop_after can only be used with service or batch job types")
    if lost < 0:
        errors.append("lost_after cannot be a negative duration")
    if stop is not None and lost != 0:
        errors.append("Disconnect cannot be configured with both lost_after and stop_after")
    if policy["Reconcile"] not in ("", "best_score", "longest_running", "keep_original", "keep_replacement"):
        errors.append(f"reconcile option is invalid: {policy['Reconcile']}")
    return errors


def resources_errors(resources: Value) -> list[str]:
    errors = []
    if resources["Cores"] > 0 and resources["CPU"] > 0:
        errors.append("Task can only ask for 'cpu' or 'cores' resource, not both.")
    if resources["Cores"] < 0:
        errors.append(f"cores value ({resources['Cores']}) cannot be negative")
    least = []
    if resources["CPU"] < 1 and resources["Cores"] == 0:
        least.append(f"minimum CPU value is 1; got {resources['CPU']}")
    if resources["MemoryMB"] < 10:
        least.append(f"minimum MemoryMB value is 10; got {resources['MemoryMB']}")
    errors += gotext.nested(least)
    if resources["DiskMB"] > 0:
        errors.append("Task can't ask for disk resources, they have to be specified at the task group level.")
    for number, device in enumerate(resources["Devices"] or (), 1):
        if not device["Name"]:
            what = "device name must be given as one of the following: type, vendor/type, or vendor/type/name"
            errors.append(f"device {number} failed validation: {gotext.errors([what])}")
    memory, most, secrets = resources["MemoryMB"], resources["MemoryMaxMB"], resources["SecretsMB"]
    if most not in (0, -1) and most < memory:
        errors.append(f"MemoryMaxMB value ({most}) should be larger than MemoryMB value ({memory})")
    if secrets > memory:
        errors.append(f"SecretsMB value ({secrets}) cannot be larger than MemoryMB value ({memory})")
    if secrets < 0:
        errors.append(f"SecretsMB value ({secrets}) cannot be negative")
    return errors
