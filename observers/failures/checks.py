"""Family G: a task runs and its check fails, or a deadline came too soon. Pure.

Nomad says nothing of native checks before the deadline; the check's own output does, seconds after the start. Checks
are looked at only while their task runs: a task that is not up has failing checks, too.
Source: recorded scenarios check-*; behind Docker's port mapping nothing listening shows as EOF, a reset or a timeout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from desired.cause import Cause
from desired.state import JobBody
from observers.evidence import Evidence
from observers.failures import job_words, log_lines
from observers.failures.failure_class import FailureClass
from observers.failures.job_words import CheckPart
from observers.failures.row import Where
from observers.failures.sighting import Sighting, cut, read
from observers.failures.timeline import Killer, Timeline
from observers.running import Check

_NOTHING_THERE = re.compile(
    r"connection refused|connection reset by peer|\bEOF\b|deadline exceeded|i/o timeout|Client\.Timeout|timed out"
)
_NO_SUCH_PATH = frozenset({404, 405, 410})
# A first failure belongs to every start; this many intervals are a pattern.
_FAILURES = 2
_AT_LEAST = timedelta(seconds=2)
_RESTARTED = re.compile(r'check "(?P<check>.*)" unhealthy')


def sightings(evidence: Evidence, line: Timeline, now: datetime) -> Iterator[Sighting]:
    """For one task of one allocation: its own checks, and those of its group that ask it."""
    if line.started_at is None:
        return
    group = job_words.group(evidence.body, line.allocation.group)
    parts = job_words.checks(group)
    of_alloc = [one for one in evidence.checks or () if one.allocation == line.allocation.id]
    mine = [one for one in of_alloc if (one.task or _owner(evidence, line, one, parts)) == line.task]
    failing = [one for one in mine if one.status == "failure"]
    for check in failing:
        part = _part(parts, check)
        if _seen_enough(check, part, line, now):
            yield _failing(evidence, line, check, part, now)
    if not failing and line.state.state == "running":
        yield from _late(evidence, line, mine, now)


def _part(parts: Sequence[CheckPart], check: Check) -> CheckPart | None:
    fitting = [
        one
        for one in parts
        if one.name == check.name
        and check.service in ("", job_words.named(one.service))
        and check.task in ("", one.task)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _owner(evidence: Evidence, line: Timeline, check: Check, parts: Sequence[CheckPart]) -> str:
    """The task that answers a group's check: the one whose driver publishes the port, or the only main one."""
    group = job_words.group(evidence.body, line.allocation.group)
    part = _part(parts, check)
    label = part.label if part is not None else ""
    mains = [one for one in job_words.parts(group, "Tasks") if not job_words.one_shot(one)]
    publishing = [one for one in mains if label and label in list(job_words.leaves(_ports_of(one)))]
    chosen = publishing if len(publishing) == 1 else mains
    named = sorted(job_words.named(one) for one in chosen) or sorted(line.allocation.tasks)
    return named[0] if named else ""


def _ports_of(task: JobBody) -> object:
    return job_words.block(task, "Config").get("ports")


def _seen_enough(check: Check, part: CheckPart | None, line: Timeline, now: datetime) -> bool:
    interval = timedelta(microseconds=job_words.number(part.part, "Interval") / 1000) if part else timedelta(0)
    started = line.started_at or now
    seen = max(check.at or now, now if check.at is None else check.at)
    if line.allocation.healthy is not None:
        return True
    return seen - started >= max(_FAILURES * interval, _AT_LEAST) or now - started >= max(
        (_FAILURES + 1) * interval, 2 * _AT_LEAST
    )


def _failing(evidence: Evidence, line: Timeline, check: Check, part: CheckPart | None, now: datetime) -> Sighting:
    output = cut(check.output)
    facts = {
        "output": output,
        "type": job_words.text(part.part, "Type") if part else "",
        "failing_seconds": f"{(now - (line.started_at or now)).total_seconds():.0f}",
    }
    label = part.label if part else ""
    failure, named, final = _kind(evidence, line, check, part, label)
    facts |= named
    started = timedelta(seconds=0) if line.started_at is None else now - line.started_at
    passing = failure is FailureClass.CHECK_FAILING and _still_starting(evidence, line, started)
    return Sighting(
        failure=failure,
        words=cut(f"check {check.name!r}: {check.output or 'no output'}"),
        at=check.at,
        group=line.allocation.group,
        task=line.task,
        service=check.service,
        check=check.name,
        port=label,
        facts={name: value for name, value in facts.items() if value},
        cause=Cause.TIME if passing else None,
        final=final,
        again=output,
    )


def _still_starting(evidence: Evidence, line: Timeline, runs: timedelta) -> bool:
    return line.allocation.healthy is None and (
        log_lines.starting(evidence.logs, line.allocation.id, line.task) or runs < timedelta(seconds=10)
    )


def _kind(
    evidence: Evidence, line: Timeline, check: Check, part: CheckPart | None, label: str
) -> tuple[FailureClass, dict[str, str], bool | None]:
    path = job_words.text(part.part, "Path") if part else ""
    kind = job_words.text(part.part, "Type") if part else ""
    asked = "tcp" if kind == "tcp" else job_words.text(part.part, "Protocol") or "http" if part else ""
    if wrong := _protocol(check, asked):
        return FailureClass.CHECK_WRONG_PROTOCOL, {"protocol": asked, "speaks": wrong}, None
    if check.status_code in _NO_SUCH_PATH or 300 <= check.status_code < 400:
        others = log_lines.health_paths(evidence.logs, line.allocation.id, line.task, path)
        named = {
            "path": path,
            "method": job_words.text(part.part, "Method") or "GET" if part else "",
            "status": str(check.status_code),
            "candidates": ", ".join(others),
        }
        return FailureClass.CHECK_WRONG_PATH, named, None
    silent = check.status_code == 0 and _NOTHING_THERE.search(check.output)
    declared = [one.label for one in job_words.ports(job_words.group(evidence.body, line.allocation.group))]
    if silent and label and not label.isdigit() and label not in declared:
        # Where a service is only updated, no setup fails of it.
        labels = {"label": label, "labels": ", ".join(declared), "service": check.service}
        return FailureClass.SERVICE_PORT_UNDEFINED, labels, True
    if silent and (named := _unpublished(evidence, line, label) or _port(evidence, line, part, label)):
        return FailureClass.CHECK_WRONG_PORT, named, None
    # Many servers answer plain words on a TLS port by closing it, which says nothing: then the app's log may.
    if silent and asked == "http" and log_lines.listens_with_tls(evidence.logs, line.allocation.id, line.task):
        return FailureClass.CHECK_WRONG_PROTOCOL, {"protocol": asked, "speaks": "https"}, None
    named = {"path": path} | ({"status": str(check.status_code)} if check.status_code else {})
    return FailureClass.CHECK_FAILING, named, None


def _protocol(check: Check, asked: str) -> str:
    """What the app speaks, where the check's output proves that it is something else than what is asked."""
    found = read(Where.CHECK, check.output)
    if found is None or asked == "tcp":
        return ""
    _, facts = found
    speaks = {"HTTP": "http", "HTTPS": "https", "TLS": "https"}.get(facts.get("speaks", ""), "")
    if not speaks:
        tls = "\\x15\\x03" in check.output
        speaks = "https" if tls else "http" if "does not look like a TLS" in check.output else "other"
    return "" if speaks == asked else speaks


def _unpublished(evidence: Evidence, line: Timeline, label: str) -> dict[str, str]:
    """A label that Docker does not publish: wherever the app listens, nobody can reach it. Empty where it does."""
    group = job_words.group(evidence.body, line.allocation.group)
    task = job_words.task(evidence.body, line.allocation.group, line.task)
    config = job_words.block(task, "Config")
    modes = {job_words.text(one, "Mode") for one in job_words.parts(group, "Networks")}
    chosen = next((one for one in job_words.ports(group) if one.label == label), None)
    alone = len(job_words.parts(group, "Tasks")) == 1 and job_words.text(task, "Driver") == "docker"
    if chosen is None or not alone or not modes <= {"", "host"} or config.get("network_mode") == "host":
        return {}
    if config.get("port_map") or label in list(job_words.leaves(config.get("ports"))):
        return {}
    inside = str(chosen.inside) if chosen.inside else ""
    return {"expected": inside, "listens_on": "none that is published", "label": label, "unpublished": "true"}


def _port(evidence: Evidence, line: Timeline, part: CheckPart | None, label: str) -> dict[str, str]:
    """Where the app listens instead, as its log, else the job, else the image says; empty where none says another."""
    group = job_words.group(evidence.body, line.allocation.group)
    task = job_words.task(evidence.body, line.allocation.group, line.task)
    ports = job_words.ports(group)
    chosen = next((one for one in ports if one.label == label), None)
    expected = chosen.inside if chosen is not None else 0
    by_log = log_lines.listening(evidence.logs, line.allocation.id, line.task)
    image = evidence.images.get(job_words.text(job_words.block(task, "Config"), "image"))
    by_image = image.ports if image is not None else ()
    by_job = _asked_to_listen(task)
    said, who = (by_log, "log") if by_log else (by_job, "job") if by_job else (by_image, "image")
    if not said or expected in said:
        return {}
    # One port, or none of those that are said is the one that is asked: with several nobody can choose.
    leading = [one.label for one in ports if one.inside in said]
    named = said if len(said) == 1 else tuple(one for one in said if any(port.inside == one for port in ports))
    if len(named) != 1:
        return {}
    # An app's word is the weakest: what the job or the image says as well is theirs.
    who = "job" if named[0] in by_job else "image" if named[0] in by_image else who
    return {
        "expected": str(expected) if expected else "",
        "listens_on": str(named[0]),
        "said_by": who,
        "label": label,
        "labels_there": ", ".join(leading),
    }


_PORT_FLAG = re.compile(
    r"(?:^|\s)(?:-p|--?port|--?listen|--?bind|--?http-port|-l)[ =](?:[\w.*\[\]]*:)?(?P<port>\d{2,5})\b"
)
_PORT_NAME = re.compile(r"^(?:HTTP_|SERVER_|LISTEN_|APP_|SERVICE_)?PORT$")


def _asked_to_listen(task: JobBody) -> tuple[int, ...]:
    """The port on which the job's own command line or environment tells the app to listen."""
    config = job_words.block(task, "Config")
    line = " ".join([job_words.text(config, "command"), *job_words.leaves(config.get("args"))])
    found = [int(told["port"]) for told in _PORT_FLAG.finditer(line)]
    for name, value in job_words.block(task, "Env").items():
        if _PORT_NAME.match(str(name)) and str(value).isdigit():
            found.append(int(str(value)))
    return tuple(dict.fromkeys(found))


def restarts(evidence: Evidence, line: Timeline) -> Iterator[Sighting]:
    """Runs that a check ended: the check was too early, or the check is what is wrong."""
    victims = [end for end in line.ends if end.killer is Killer.CHECK and end.reasons]
    if not victims:
        return
    parts = job_words.checks(job_words.group(evidence.body, line.allocation.group))
    for end in victims:
        told = _RESTARTED.search(end.reasons[0])
        name = told["check"].replace('\\"', '"') if told else ""
        part = next((one for one in parts if one.name == name), None)
        rule = job_words.block(part.part, "CheckRestart") if part else {}
        grace = job_words.number(rule, "Grace")
        interval = job_words.number(part.part, "Interval") if part else 0
        patience = grace + max(job_words.number(rule, "Limit"), 1) * interval
        facts = {
            "check": name,
            "grace_seconds": job_words.seconds(grace),
            "restarts": str(len(victims)),
            "patience_seconds": job_words.seconds(patience),
            "type": job_words.text(part.part, "Type") if part else "",
        }
        failure = FailureClass.CHECK_RESTARTS
        took = log_lines.start_seconds(evidence.logs, line.allocation.id, line.task)
        if took is not None and took * 1e9 > grace and took * 1e9 > patience - interval:
            failure, facts["start_seconds"] = FailureClass.CHECK_TOO_EARLY, f"{took:g}"
        elif end.ran is not None and log_lines.starting(evidence.logs, line.allocation.id, line.task):
            failure, facts["start_seconds"] = FailureClass.CHECK_TOO_EARLY, f"{end.ran.total_seconds():.0f}"
        known = FailureClass.CHECK_TOO_EARLY is failure
        dropped = {"grace_seconds"} if known else {"patience_seconds", "type"}
        yield Sighting(
            failure=failure,
            words=cut(end.reasons[0]),
            at=end.event.time,
            group=line.allocation.group,
            task=line.task,
            service=job_words.named(part.service) if part else "",
            check=name,
            port=part.label if part else "",
            facts={key: value for key, value in facts.items() if value and key not in dropped},
            # What the app says of its own start decides at once; that it was still starting, at the second time.
            final=True if known and took is not None else None,
            again=name,
        )


def _late(evidence: Evidence, line: Timeline, mine: Sequence[Check], now: datetime) -> Iterator[Sighting]:
    """Judged by a deadline, and up after it: its checks are green now, or it has none and runs."""
    if line.allocation.healthy is not False or not line.unhealthy or line.started_at is None or line.ends:
        return
    words = line.unhealthy[-1]
    if "healthy_deadline" not in words.message or not any(one.status == "success" for one in mine):
        return
    update = job_words.block(job_words.group(evidence.body, line.allocation.group), "Update")
    deadline = job_words.number(update, "HealthyDeadline")
    created = line.allocation.created_at
    if created is not None and deadline and (line.started_at - created).total_seconds() * 1e9 >= deadline:
        # It was started too late, which is not its own slowness.
        return
    # Who looks long after the start finds a new success: it is the first that tells when the app was up.
    stamps = [at for one in mine if (at := one.first_success or one.at) is not None]
    took = log_lines.start_seconds(evidence.logs, line.allocation.id, line.task)
    observed = took if took is not None else (max(stamps, default=now) - line.started_at).total_seconds()
    facts = {
        "deadline": "healthy_deadline",
        "deadline_seconds": job_words.seconds(deadline) if deadline else "",
        "observed_seconds": f"{observed:.0f}",
    }
    yield Sighting(
        failure=FailureClass.DEADLINE_TOO_SHORT,
        words=cut(words.message),
        at=words.time,
        group=line.allocation.group,
        task=line.task,
        facts={name: value for name, value in facts.items() if value},
    )
