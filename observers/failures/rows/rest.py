"""Family I (artifacts and the rest), and what is no failure of the job at all."""

from __future__ import annotations

from datetime import timedelta

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Lasting, Proof, Row, Where, said

_URL = {"url": "the artifact's", "problem": "what the download met"}
_DOWNLOAD = r'failed to download artifact "(?P<url>[^"]+)".*?'

ROWS = (
    Row(
        failure=FailureClass.ARTIFACT_MISSING,
        family=Family.REST,
        cause=Cause.EXTERNAL,
        advice="there is no artifact at {url} ({problem}): put it there, or correct the address or its checksum",
        facts=_URL,
        words=said(
            Where.ARTIFACT,
            _DOWNLOAD + r"(?P<problem>bad response code: 4\d\d|[Cc]hecksums? did not match[^\n]*"
            r"|invalid checksum[^\n]*|no such file or directory|download not supported for scheme[^\n]*"
            r"|repository \S+ not found|unsupported protocol scheme[^\n]*)",
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.ARTIFACT_UNREACHABLE,
        family=Family.REST,
        cause=Cause.TIME,
        advice="{url} cannot be fetched ({problem}): whoever serves it must act",
        facts=_URL,
        words=said(
            Where.ARTIFACT,
            _DOWNLOAD + r"(?P<problem>connection refused|no such host|i/o timeout|x509[^\n]*|bad response code: 5\d\d"
            r"|context deadline exceeded|TLS handshake timeout|no route to host|EOF)",
            _DOWNLOAD + r"(?P<problem>[^:]+)$",
            r"(?P<problem>[^\n]+)",
        ),
        lasting=Lasting(timedelta(minutes=10), Cause.EXTERNAL),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.USER_REFUSED,
        family=Family.REST,
        cause=Cause.CLUSTER,
        advice="the agents do not let tasks run as {user}: name another user, or let whoever runs them allow it",
        facts={"user": "its name"},
        words=tuple(
            words
            for where in (Where.DRIVER, Where.SETUP, Where.HOOK, Where.VALIDATION)
            for words in said(
                where,
                r'running as user "(?P<user>[^"]*)" is disallowed',
            )
        ),
    ),
    Row(
        failure=FailureClass.USER_UNKNOWN,
        family=Family.REST,
        cause=Cause.SPEC,
        # Docker looks into the image, the other drivers on the node.
        advice="there is no user {user} where the task runs: name one that the image has, or its number",
        facts={"user": "its name"},
        words=tuple(
            words
            for where in (Where.DRIVER, Where.SETUP, Where.HOOK, Where.VALIDATION)
            for words in said(
                where,
                r"(?:unable to find user|unknown user) ?:? ?\"?(?P<user>[\w.-]*)",
                r"(?:no matching entries in passwd file)",
            )
        ),
    ),
    Row(
        failure=FailureClass.TASK_DISK_FULL,
        family=Family.REST,
        cause=Cause.SPEC,
        advice="{task} has filled its disk ({asked} MB): give it more, or let it write less",
        facts={"asked": "the group's ephemeral disk, MB"},
        may_help=(Kind.DISK,),
        words=(
            *said(Where.LOG, r"(?i)\b(?:no space left on device|ENOSPC)\b"),
            *said(Where.KILLING, r"(?i)disk (?:resources exceeded|usage exceeded)"),
            *said(Where.HOOK, r"no space left on device"),
            *said(Where.SETUP, r"no space left on device"),
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.RESTORE_FAILED,
        family=Family.REST,
        cause=Cause.TIME,
        advice="the agent could not take its task up again after a restart: Nomad starts it anew",
        facts={},
        words=said(Where.RESTORE, r".*"),
        lasting=Lasting(timedelta(minutes=10), Cause.CLUSTER),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.SIBLING_FAILED,
        family=Family.REST,
        cause=Cause.NONE,
        advice="{task} was stopped because {sibling} failed: look at that",
        facts={"sibling": "the task that failed first"},
        seen="Sibling Task Failed; the sibling's own failure comes before this one",
    ),
    Row(
        failure=FailureClass.SUPERSEDED,
        family=Family.NONE,
        cause=Cause.NONE,
        advice="a newer version of the job has taken over",
        facts={},
        words=said(
            Where.DEPLOYMENT,
            r"Cancelled due to newer version of job",
            r"Cancelled because a newer version",
            r"Deployment superseded",
        ),
        seen="or an allocation that an update stopped",
    ),
    Row(
        failure=FailureClass.STOPPED,
        family=Family.NONE,
        cause=Cause.NONE,
        advice="somebody has stopped it",
        facts={},
        words=said(
            Where.DEPLOYMENT,
            r"Cancelled because job is stopped",
            r"Deployment marked as failed$",
        ),
        seen="or a job with Stop, or count 0, and nothing that was to run",
    ),
    Row(
        failure=FailureClass.DRAINED,
        family=Family.NONE,
        cause=Cause.NONE,
        advice="its node {node} is being drained: Nomad moves it",
        facts={"node": "the node's name"},
        words=said(Where.ALLOCATION, r"alloc is being migrated"),
    ),
    Row(
        failure=FailureClass.NODE_LOST,
        family=Family.NONE,
        cause=Cause.NONE,
        advice="its node {node} is lost: Nomad replaces it, whoever runs the node must look",
        facts={"node": "the node's name"},
        words=said(Where.ALLOCATION, r"alloc is lost since its node is down", r"alloc is unknown since its node"),
        seen="or an allocation that is lost or unknown",
    ),
    Row(
        failure=FailureClass.PREEMPTED,
        family=Family.NONE,
        cause=Cause.NONE,
        advice="a job of higher priority has taken its place",
        facts={"by": "the allocation"},
        words=said(Where.ALLOCATION, r"Preempted by alloc (?:ID )?(?P<by>[\w-]+)"),
    ),
)

# Whatever nobody knows.
ANYTHING_ELSE = Row(
    failure=FailureClass.UNKNOWN,
    family=Family.NONE,
    cause=Cause.UNKNOWN,
    advice="it is not as it should be, and nothing that is known says why: {problem}",
    facts={"problem": "what was seen"},
    seen="an allocation failed, or a hook or a setup, in words that no row knows",
    words=tuple(
        words
        for where in (Where.SETUP, Where.HOOK, Where.VALIDATION, Where.KILLING)
        for words in said(where, r"(?P<problem>.{1,200})")
    ),
    proof=Proof.NEVER,
)
