"""Family C: tasks that started and ended, from Nomad's word on the end. Pure.

Who killed it comes before the exit code, the exit code before the log: the same 137 follows a stop, a failing check,
a failed sibling and a want of memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from desired.state import JobBody
from observers.evidence import Evidence
from observers.failures import job_words, log_lines, silent
from observers.failures.failure_class import FailureClass
from observers.failures.sighting import Sighting, cut
from observers.failures.timeline import End, Killer, Timeline

_SIGNALS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    11: "SIGSEGV",
    13: "SIGPIPE",
    15: "SIGTERM",
}
_FULL = 0.8  # of its limit: a task that was seen there may have gone over it between two looks
_EMPTY = 0.5
_KILLED = 137
_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
# Classes whose words in a log are believed by themselves; the others ask for a confirmation below.
_USELESS = {"": "empty", "<no value>": "no value", "null": "null"}


def sightings(evidence: Evidence, line: Timeline) -> Iterator[Sighting]:
    """One for each time that it ended by itself; what others ended is told elsewhere."""
    for end in line.ends:
        by_itself = end.event.type == "Terminated" and end.killer is Killer.NOBODY
        if by_itself and (found := _of(evidence, line, end)):
            yield found


def _of(evidence: Evidence, line: Timeline, end: End) -> Sighting | None:
    task = job_words.task(evidence.body, line.allocation.group, line.task)
    code = end.exit_code
    facts = {"exit_code": str(code)}
    if end.event.details.get("oom_killed") == "true":
        facts = _memory(evidence, line, task)
        return _sighting(FailureClass.OOM_KILLED, line, end, facts, words=f"{end.said} (limit {facts['limit']} MB)")
    if code == 0 and end.signal == 0:
        return _early(evidence, line, end, task)
    if code in (_NOT_FOUND, _NOT_EXECUTABLE):
        return _shell(evidence, line, end, task, facts)
    if code == _KILLED or end.signal == 9:
        return _killed(evidence, line, end, task, facts)
    told = log_lines.telling(evidence.logs, line.allocation.id, line.task)
    if told is not None:
        facts |= {"line": cut(told.line), "stream": told.stream}
    named = told.facts or {} if told is not None and told.row is not None else {}
    for wrong in silent.wrong_values(evidence.cluster, task):
        # What the job is known to hand over wrong explains a crash, unless the log names another variable.
        if named.get("name", wrong["field"]) in (wrong["field"], wrong.get("sets")):
            return _sighting(FailureClass.SECRET_FIELD_MISSING, line, end, wrong, again=wrong["field"])
    if told is not None and told.row is not None:
        named = facts | named
        if found := _told_by_log(evidence, line, end, task, told.row.failure, named):
            return found
    number = end.signal or (code - 128 if 128 < code <= 128 + 31 else 0)
    if number:
        named = {"exit_code": str(code), "signal": str(number), "name": _SIGNALS.get(number, f"signal {number}")}
        return _sighting(FailureClass.CRASH_SIGNAL, line, end, named, again=str(number))
    return _sighting(FailureClass.CRASH, line, end, facts, again=str(code))


def _told_by_log(
    evidence: Evidence, line: Timeline, end: End, task: JobBody, failure: FailureClass, facts: dict[str, str]
) -> Sighting | None:
    """The class that a log line names, unless what is known of the job says otherwise."""
    match failure:
        case FailureClass.OOM_SUSPECTED:
            memory = _memory(evidence, line, task)
            full = _share(memory) >= _FULL
            if not full and end.exit_code not in (134, 139):
                return None
            return _sighting(
                failure,
                line,
                end,
                {**memory, "hint": "usage" if full else "log"},
                again="log",
                final=None if full else False,
            )
        case FailureClass.CRASH_CONFIG_MISSING:
            return _config(line, end, task, facts)
        case FailureClass.CRASH_PORT_PRIVILEGED:
            if facts.get("port", "0").isdigit() and int(facts.get("port", "0")) > 1023:
                return None
            image = evidence.images.get(job_words.text(job_words.block(task, "Config"), "image"))
            facts |= {"user": image.user} if image is not None and image.user else {}
        case FailureClass.TASK_DISK_FULL:
            group = job_words.group(evidence.body, line.allocation.group)
            facts["asked"] = str(job_words.number(job_words.block(group, "EphemeralDisk"), "SizeMB"))
        case FailureClass.SHELL_COMMAND_NOT_FOUND:
            # A shell that goes on after an unknown command ends with the code of what came after it.
            return None
        case FailureClass.IMAGE_PLATFORM_WRONG:
            facts |= {"image": job_words.text(job_words.block(task, "Config"), "image")}
        case _:
            pass
    return _sighting(failure, line, end, facts, words=facts.get("line", end.said), again=_again(failure, facts, end))


def _again(failure: FailureClass, facts: dict[str, str], end: End) -> str:
    """The exit code and what the line is about: the second one is the same crash even if a time in the line differs."""
    return ":".join((str(end.exit_code), facts.get("name", ""), facts.get("port", ""), failure.value))


def _config(line: Timeline, end: End, task: JobBody, facts: dict[str, str]) -> Sighting | None:
    file = facts.pop("file", "")
    name = facts.get("name", "") or file
    facts |= {"name": name, "kind": "file" if file else "variable"}
    env = job_words.block(task, "Env")
    if not file and name in env:
        value = str(env[name])
        if value in _USELESS:
            facts["set"] = _USELESS[value]
        elif value.startswith("${secret."):
            facts["set"] = "unrendered"
        else:
            # The job sets it, so the line says something else than it seems to.
            return None
    elif not file and (destination := silent.unexported(task, name)):
        facts |= {"set": "not exported", "destination": destination}
    return _sighting(FailureClass.CRASH_CONFIG_MISSING, line, end, facts, words=facts.get("line", ""), again=name)


def _early(evidence: Evidence, line: Timeline, end: End, task: JobBody) -> Sighting | None:
    if job_words.text(evidence.body, "Type") not in ("", "service", "system") or job_words.one_shot(task):
        return None
    config = job_words.block(task, "Config")
    command = " ".join([job_words.text(config, "command"), *job_words.leaves(config.get("args"))]).strip()
    facts = {"exit_code": "0"} | ({"command": cut(command)} if command else {})
    if end.ran is not None:
        facts["ran_seconds"] = f"{end.ran.total_seconds():.0f}"
    return _sighting(FailureClass.EXITED_EARLY, line, end, facts)


def _shell(evidence: Evidence, line: Timeline, end: End, task: JobBody, facts: dict[str, str]) -> Sighting:
    found = end.exit_code == _NOT_EXECUTABLE
    failure = FailureClass.COMMAND_NOT_EXECUTABLE if found else FailureClass.SHELL_COMMAND_NOT_FOUND
    told = log_lines.telling(evidence.logs, line.allocation.id, line.task)
    words = end.said
    if told is not None and told.row is not None and told.row.failure is FailureClass.SHELL_COMMAND_NOT_FOUND:
        facts |= told.facts or {}
        words = f"{end.said}: {told.line}"
    if found:
        facts = {"command": job_words.text(job_words.block(task, "Config"), "command")}
    return _sighting(failure, line, end, facts, words=words, final=False if found else None)


def _killed(evidence: Evidence, line: Timeline, end: End, task: JobBody, facts: dict[str, str]) -> Sighting:
    """137 that nobody asked for: Docker on cgroup v2 does not always say that memory was the reason."""
    memory = _memory(evidence, line, task)
    told = log_lines.telling(evidence.logs, line.allocation.id, line.task)
    hint = "log" if told is not None and told.row is not None and told.row.failure is FailureClass.OOM_SUSPECTED else ""
    share = _share(memory)
    if share >= _FULL:
        hint = "usage"
    if not hint and 0 < share < _EMPTY:
        named = {"exit_code": str(end.exit_code), "signal": "9", "name": "SIGKILL"}
        return _sighting(FailureClass.CRASH_SIGNAL, line, end, named, again="9")
    facts = memory | ({"hint": hint} if hint else {})
    return _sighting(FailureClass.OOM_SUSPECTED, line, end, facts, again="137", final=None if hint else False)


def _memory(evidence: Evidence, line: Timeline, task: JobBody) -> dict[str, str]:
    used = evidence.usage.get((line.allocation.group, line.task))
    facts = {"limit": str(job_words.memory_limit(task))}
    return facts | ({"used": str(used.memory)} if used is not None and used.memory else {})


def _share(memory: dict[str, str]) -> float:
    limit = int(memory["limit"])
    return int(memory.get("used", "0")) / limit if limit else 0.0


def _sighting(
    failure: FailureClass,
    line: Timeline,
    end: End,
    facts: dict[str, str],
    *,
    words: str = "",
    again: str = "",
    final: bool | None = None,
) -> Sighting:
    return Sighting(
        failure=failure,
        words=cut(words or end.said),
        at=end.event.time,
        group=line.allocation.group,
        task=line.task,
        facts={name: value for name, value in facts.items() if value},
        again=again,
        final=final,
    )
