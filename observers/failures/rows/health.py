"""Family G: the task runs and is not healthy. Nomad says nothing of checks before the deadline: the checks do.

Source: nomad/client/serviceregistration/checks; recorded in scenarios check-failing, check-fails-later, check-restart.
"""

from __future__ import annotations

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Proof, Row, Where, said

_CHECK = {
    "output": "what the check met, its beginning",
    "type": "http or tcp",
    "failing_seconds": "how long the task runs already",
}
_DEADLINES = (Kind.HEALTHY_DEADLINE, Kind.PROGRESS_DEADLINE)

ROWS = (
    Row(
        failure=FailureClass.CHECK_WRONG_PROTOCOL,
        family=Family.HEALTH,
        cause=Cause.SPEC,
        advice="the check {check} speaks {protocol} to an app that speaks {speaks}: change the check's protocol",
        facts={
            **_CHECK,
            "protocol": "what the check speaks: http, https or tcp",
            "speaks": "what the app demonstrably speaks: http, https, or `other` (no http at all)",
        },
        may_help=(Kind.CHECK_PROTOCOL, Kind.CHECK_TYPE),
        words=(
            *said(Where.CHECK, r"server gave (?P<speaks>HTTP) response to HTTPS client"),
            *said(Where.CHECK, r"(?i)plain HTTP request was sent to (?P<speaks>HTTPS) port"),
            *said(Where.CHECK, r"(?i)sent an HTTP request to an (?P<speaks>HTTPS) server"),
            *said(Where.CHECK, r"(?i)this combination of host and port requires (?P<speaks>TLS)"),
            *said(Where.CHECK, r'malformed HTTP response "\\x15\\x03(?P<speaks>)'),
            *said(Where.CHECK, r"first record does not look like a TLS handshake(?P<speaks>)"),
            *said(Where.CHECK, r"malformed HTTP (?:response|version|status code)(?P<speaks>)"),
        ),
        seen="or a connection that is closed while the app's log says that it listens with TLS",
    ),
    Row(
        failure=FailureClass.CHECK_WRONG_PORT,
        family=Family.HEALTH,
        cause=Cause.SPEC,
        advice="the check {check} asks port {expected} where nothing listens; the app listens on {listens_on}",
        facts={
            **_CHECK,
            "expected": "the port inside the task to which the check's label leads; empty where it is the dynamic one",
            "listens_on": "the port on which the app listens",
            "said_by": "`log`, `job` (its command line or environment) or `image`: who says so",
            "label": "the label that the check asks",
            "labels_there": "labels of the group that lead to `listens_on`, comma-separated",
            "unpublished": "`true` where Docker does not publish the label: nobody can reach the app",
        },
        may_help=(Kind.PORT_TO, Kind.CHECK_PORT, Kind.SERVICE_PORT, Kind.DRIVER_PORTS),
        seen="refused, reset or EOF while the app's log, the job or the image names another port",
        proof=Proof.FIRST,
    ),
    Row(
        failure=FailureClass.CHECK_WRONG_PATH,
        family=Family.HEALTH,
        cause=Cause.SPEC,
        advice="the app answers {status} to {path}: correct the check's path or method",
        facts={
            **_CHECK,
            "path": "what the check asks for",
            "method": "with which method",
            "status": "the HTTP code: 404, 405, 410 or 3xx",
            "candidates": "paths that the app's own log names as health paths, comma-separated",
        },
        may_help=(Kind.CHECK_PATH, Kind.CHECK_METHOD),
        seen="404, 405, 410 or 3xx from a running app",
    ),
    Row(
        failure=FailureClass.CHECK_TOO_EARLY,
        family=Family.HEALTH,
        cause=Cause.SPEC,
        advice="the app needs {start_seconds} s to start, the check allows {patience_seconds}: raise check_restart's "
        "grace",
        facts={
            "type": _CHECK["type"],
            "start_seconds": "from the start to the first sign that it is up, or to its last kill: at least that",
            "patience_seconds": "grace and limit × interval of check_restart",
            "restarts": "how often it was restarted for it",
        },
        may_help=(Kind.CHECK_GRACE, Kind.CHECK_INTERVAL, Kind.HEALTHY_DEADLINE),
        seen="restarted by a check, and the log says that the app was still starting, or came up, before it was killed",
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.CHECK_FAILING,
        family=Family.HEALTH,
        cause=Cause.UNKNOWN,
        advice="the check {check} fails: {output}",
        facts={**_CHECK, "status": "the HTTP code, where there is one", "path": "what the check asks for"},
        may_help=(Kind.CHECK_TIMEOUT, Kind.CHECK_INTERVAL),
        seen="a failing check of a running task without a clue why",
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.DEADLINE_TOO_SHORT,
        family=Family.HEALTH,
        cause=Cause.SPEC,
        advice="the app was up after {observed_seconds} s, later than {deadline} = {deadline_seconds} s: raise that",
        facts={
            "deadline": "healthy_deadline, progress_deadline or min_healthy_time",
            "deadline_seconds": "what it is",
            "observed_seconds": "from the start to being up, at most that",
        },
        may_help=(*_DEADLINES, Kind.MIN_HEALTHY_TIME),
        seen="judged unhealthy by a deadline, and running with all its checks green (or none) after it",
    ),
    Row(
        failure=FailureClass.SERVICE_NOT_REGISTERED,
        family=Family.HEALTH,
        cause=Cause.CLUSTER,
        advice="the service's checks never reached Consul: whoever runs the node's Consul agent must look",
        facts={"services": "in Nomad's words"},
        words=said(
            Where.ALLOCATION,
            r"Service checks not registered",
            r"Services not healthy by deadline: (?P<services>[^\n]+)",
            r"Only \d+ out of \d+ checks registered and passing",
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.PROGRESS_DEADLINE,
        family=Family.HEALTH,
        cause=Cause.UNKNOWN,
        advice="nothing became healthy by its deadline, and nothing says why",
        facts={
            "deadline": "healthy_deadline or progress_deadline",
            "deadline_seconds": "what it is",
        },
        may_help=_DEADLINES,
        words=(
            *said(Where.DEPLOYMENT, r"Failed due to progress deadline", r"Failed due to unhealthy allocations"),
            *said(Where.ALLOCATION, r"by healthy_deadline of", r"Unhealthy because of (?:dead|failed) task"),
        ),
        seen="a deployment that failed while nothing else is known",
    ),
    Row(
        failure=FailureClass.PROVIDERS_MIXED,
        family=Family.HEALTH,
        cause=Cause.SPEC,
        advice="the group's services name several providers: use one",
        facts={"providers": "those of the group, comma-separated"},
        may_help=(Kind.SERVICE_PROVIDER,),
        words=said(Where.REFUSAL, r"Multiple service providers used"),
    ),
)
