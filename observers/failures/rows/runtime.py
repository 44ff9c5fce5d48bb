"""Family C: tasks that started and ended.

Nomad's own word on an end (exit code, signal, `oom_killed`, who killed) always decides; a log only tells exits with the
same code apart. Source: nomad/drivers/docker/handle.go; recorded in scenarios oom, crash-*, killed, check-restart, ...
"""

from __future__ import annotations

from datetime import timedelta

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Lasting, Proof, Row, Where, said

_EXIT = {"exit_code": "Nomad's", "line": "the log's last telling line", "stream": "stderr or stdout"}
_RESTARTS = (Kind.RESTART_ATTEMPTS, Kind.RESTART_DELAY, Kind.RESTART_INTERVAL, Kind.RESTART_MODE)
_RESCHEDULES = (
    Kind.RESCHEDULE_UNLIMITED,
    Kind.RESCHEDULE_ATTEMPTS,
    Kind.RESCHEDULE_INTERVAL,
    Kind.RESCHEDULE_DELAY,
    Kind.RESCHEDULE_MAX_DELAY,
)

ROWS = (
    Row(
        failure=FailureClass.OOM_KILLED,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="{task} needs more than {limit} MB: give it more memory, or let it use less",
        facts={
            "limit": "memory (or memory_max, where that is more) of the task, MB",
            "used": "the most that was seen in use, MB",
            "kills": "how often it was seen",
        },
        may_help=(Kind.MEMORY, Kind.MEMORY_MAX),
        seen="Terminated with oom_killed = true",
    ),
    Row(
        failure=FailureClass.OOM_SUSPECTED,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="{task} was killed without a word from Nomad, probably for want of memory ({limit} MB)",
        facts={
            "limit": "memory of the task, MB",
            "used": "the most that was seen in use, MB",
            "hint": "what points at memory: `usage` or `log`",
        },
        may_help=(Kind.MEMORY, Kind.MEMORY_MAX),
        seen="exit code 137 that nobody asked for, and memory near its limit or the app's own words about it",
        words=said(
            Where.LOG,
            r"(?m)^.{0,200}\b(?:java\.lang\.OutOfMemoryError|JavaScript heap out of memory"
            r"|[Cc]annot allocate memory|runtime: out of memory|std::bad_alloc|MemoryError\b)",
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.CHECK_RESTARTS,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="Nomad restarts {task} because its check {check} fails: the check, or what it asks, must be mended",
        facts={
            "check": "the check's name as Nomad says it",
            "grace_seconds": "check_restart's grace",
            "restarts": "how often",
        },
        may_help=(Kind.CHECK_GRACE, Kind.CHECK_PORT, Kind.CHECK_PATH, Kind.PORT_TO, Kind.CHECK_TIMEOUT),
        seen="Restart Signaled by a check, and nothing better known of that check",
        words=said(Where.RESTART, r'healthcheck: check "(?P<check>.*)" unhealthy'),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.RUN_TIME_LIMIT,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="the run took longer than max_run_duration: whoever owns the job must raise it or make the run shorter",
        facts={},
        words=said(Where.KILLING, r"max_run_duration|maximum run duration"),
        seen="or an event whose details say so",
    ),
    Row(
        failure=FailureClass.CRASH_PORT_PRIVILEGED,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="the app may not listen on port {port}: let it listen above 1023 and map the port",
        facts={**_EXIT, "port": "the number, where the log says it", "user": "the image's user, where it is known"},
        may_help=(Kind.PORT_TO, Kind.ENV, Kind.ARGS, Kind.COMMAND),
        words=said(
            Where.LOG,
            r"(?mi)^.{0,200}\b(?:bind|listen)\w*\b.{0,80}?[: ](?P<port>\d{1,3}|10[01]\d|102[0-3])(?![\d.]).{0,60}"
            r"(?:permission denied|EACCES)",
            r"(?mi)^.{0,120}EACCES:? .{0,60}\b(?:0\.0\.0\.0|::|\*)?:(?P<port>\d{1,4})\b",
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.CRASH_ADDRESS_IN_USE,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="the app cannot listen on port {port}: another task of the group, or of the host, holds it",
        facts={**_EXIT, "port": "the number, where the log says it"},
        may_help=(Kind.PORT_TO, Kind.STATIC_PORT, Kind.ENV, Kind.ARGS),
        words=said(
            Where.LOG,
            r"(?mi)^.{0,200}\b(?:address already in use|EADDRINUSE)\b(?:.{0,60}?:(?P<port>\d{2,5})\b)?",
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.CRASH_CONFIG_MISSING,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="the app misses {name} and says so: whoever knows its value must set it",
        facts={
            **_EXIT,
            "name": "the variable or file that the app asks for, in its own words",
            "kind": "variable or file",
            "set": "`empty`, `no value`, `null`, `unrendered`: what the job sets it to; `not exported` where a "
            "template without `env = true` renders it",
            "destination": "that template's",
        },
        may_help=(Kind.ENV, Kind.TEMPLATE_KEY, Kind.KV_SHAPE, Kind.TEMPLATE_ENV, Kind.ARGS),
        words=said(
            Where.LOG,
            r"(?m)^(?:.*\s)?KeyError: ['\"]?(?P<name>[A-Z][A-Z0-9_]{2,})['\"]?\s*$",
            r"(?m)^.{0,160}?(?i:environment variable|env var(?:iable)?|env)[: ]+['\"`$]?"
            r"(?P<name>[A-Z][A-Z0-9_]{2,})['\"`]?.{0,20}"
            r"(?i:not set|missing|required|undefined|unset|not defined|empty)",
            r"(?m)^.{0,160}?(?i:missing|required|requires|unset|undefined|no) (?i:required )?"
            r"(?i:environment variable|env var(?:iable)?|config(?:uration)? (?:key|value|variable))s?[: ]+['\"`$]?"
            r"(?P<name>[A-Z][A-Z0-9_]{2,})\b",
            r"(?m)^.{0,80}?\b(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+)['\"`]? (?i:is not set|is required|must be set"
            r"|is missing|not set|parameter not set|unbound variable|is empty|is undefined)",
            r"(?m)^\S*sh: (?:line \d+: |\d+: )?(?P<name>[A-Z][A-Z0-9_]{2,}): "
            r"(?:parameter not set|unbound variable|parameter null or not set)",
            r"(?mi)^.{0,120}?(?:config(?:uration)?(?: file)?|settings).{0,40}?(?P<file>/[\w./-]+).{0,20}"
            r"(?:not found|no such file|does not exist)",
            r"(?mi)^.{0,120}?\bopen (?P<file>/[\w./-]+\.(?:ya?ml|json|toml|conf|ini|cfg|env|properties)): "
            r"no such file or directory",
            r"(?mi)^.{0,160}?No such file or directory: '(?P<file>/[\w./-]+)'",
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.CRASH_DEPENDENCY,
        family=Family.RUN,
        cause=Cause.TIME,
        advice="the app gives up because {address} does not answer it ({problem}): that has to come up first",
        facts={
            **_EXIT,
            "address": "host:port or host of what it wanted to reach, where the log says it",
            "problem": "what it met, such as `connection refused`",
        },
        words=said(
            Where.LOG,
            r"(?mi)^.{0,300}?(?:dial (?:tcp|udp) |connect(?:ion|ing|ed)?\b.{0,60}?(?:to |at |server |ECONNREFUSED )?)"
            r"(?:server )?['\"]?(?P<address>[\w.-]*\w(?::\d{1,5})?|\[?[0-9a-f:]+\]?:\d{1,5})['\"]?.{0,80}?"
            r"(?P<problem>connection refused|no such host|i/o timeout|no route to host|timed out|connection timed out"
            r"|name or service not known|network is unreachable)",
            r"(?mi)^.{0,300}?(?P<problem>ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH) (?P<address>[\w.:-]+)",
            r"(?mi)^.{0,300}?(?P<problem>connection refused|could not connect to server|could not translate host name"
            r"|name or service not known|temporary failure in name resolution|no route to host)",
        ),
        lasting=Lasting(timedelta(minutes=15), Cause.EXTERNAL),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.CRASH_SIGNAL,
        family=Family.RUN,
        cause=Cause.EXTERNAL,
        advice="{task} died of signal {signal}: whoever writes the app must find out why",
        facts={"exit_code": "Nomad's", "signal": "its number", "name": "its name, such as SIGSEGV"},
        seen="exit code above 128 or a signal, without anybody having asked for it",
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.EXITED_EARLY,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="{task} of a service ends with 0: start it in the foreground, or make it a batch job",
        facts={"exit_code": "0", "command": "what the job starts, where it says so", "ran_seconds": "how long it ran"},
        may_help=(Kind.COMMAND, Kind.ARGS, Kind.ENTRYPOINT),
        seen="Terminated with 0 twice in a service or system job, not after a signal to stop or restart",
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.CRASH,
        family=Family.RUN,
        cause=Cause.UNKNOWN,
        advice="{task} ends with exit code {exit_code}; its log says: {line}",
        facts={**_EXIT, "crashes": "how often it was seen"},
        # No rule reads what such a log says; whoever does may change what the app is told, and nothing else.
        may_help=(Kind.ENV, Kind.ARGS, Kind.COMMAND, Kind.WORK_DIR, Kind.TEMPLATE_KEY, Kind.TEMPLATE_SYNTAX),
        seen="Terminated with a code other than 0 whose log names no cause",
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.RESTARTS_EXHAUSTED,
        family=Family.RUN,
        cause=Cause.SPEC,
        advice="Nomad has given up on {task} while what it waits for was not there yet: {problem}",
        facts={
            "attempts": "restarts that the policy allows",
            "interval_seconds": "in which time",
            "behind": "the class of the failure behind it, empty where its events are gone",
            "problem": "what it waits for, in the log's words",
        },
        may_help=(*_RESTARTS, *_RESCHEDULES),
        seen="Not Restarting, no allocation follows, and the crashes were a dependency's or their events are gone",
    ),
)
