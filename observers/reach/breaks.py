"""What it means that a connection broke: one table, for requests, urllib3 and httpx.

The kind is what a report counts, the words are what people read. HTTP statuses are no matter of this module.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import httpx
import requests
import urllib3.exceptions

from desired.errors import DeadlineExceeded, Forbidden, OperatorError, Unavailable
from observers.reach.address import Reach


class Failure(StrEnum):
    """Why a service could not be used; the names stand in `doctor --json`."""

    REFUSED = "refused"
    TIMED_OUT = "timed out"
    DNS = "dns"
    TLS = "tls"
    UNREACHABLE = "unreachable"
    HUNG_UP = "hung up"
    UNAUTHORIZED = "unauthorized"
    UNAVAILABLE = "unavailable"
    NOT_THE_SERVICE = "not the service"


class Unreachable(Unavailable):
    """Nothing came back that could be read; `failure` says why."""

    def __init__(self, message: str, *, failure: Failure, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class _Row:
    test: Callable[[BaseException], bool]
    failure: Failure
    found: str
    hint: str


def _tls(pattern: str = "") -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, ssl.SSLError) and bool(re.search(pattern, str(error), re.IGNORECASE))


# Hints may name {setting}, {ca} and {service}. The first row that any of the causes fits decides.
_ROWS = (
    _Row(
        lambda e: (
            isinstance(e, ssl.SSLCertVerificationError) and bool(re.search(r"(Hostname|IP address) mismatch", str(e)))
        ),
        Failure.TLS,
        "its certificate is for another name",
        "use a name or address that the certificate holds, in {setting}",
    ),
    _Row(
        lambda e: isinstance(e, ssl.SSLCertVerificationError),
        Failure.TLS,
        "its certificate is not trusted",
        "give the CA that signed it{ca}",
    ),
    _Row(
        _tls(r"wrong.version.number|record.layer"),
        Failure.TLS,
        "it does not speak TLS",
        "use http:// in {setting}, or enable TLS there",
    ),
    _Row(_tls(), Failure.TLS, "TLS failed", "check the certificates on both sides{ca}"),
    _Row(
        lambda e: isinstance(e, socket.gaierror),
        Failure.DNS,
        "its name cannot be resolved",
        "check {setting} and the name service of this machine",
    ),
    _Row(
        lambda e: isinstance(e, ConnectionRefusedError),
        Failure.REFUSED,
        "the connection was refused",
        "is {service} running, and is {setting} right?",
    ),
    _Row(
        lambda e: isinstance(e, OSError) and e.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH),
        Failure.UNREACHABLE,
        "there is no way to it",
        "check the network between this machine and {setting}",
    ),
    _Row(
        lambda e: isinstance(
            e, requests.exceptions.InvalidURL | httpx.InvalidURL | urllib3.exceptions.LocationValueError
        ),
        Failure.NOT_THE_SERVICE,
        "this is no address",
        "correct {setting}",
    ),
)
# After all others: an innermost refusal is often wrapped in one of these.
_TIMEOUTS = (
    requests.exceptions.Timeout,
    urllib3.exceptions.TimeoutError,
    httpx.TimeoutException,
    TimeoutError,
)


def broken(reach: Reach, what: str, error: BaseException) -> Unavailable | DeadlineExceeded:
    """The error that a broken connection means. `what` reads like `list secret/web`. The caller chains the cause."""
    causes = list(_causes(error))
    row = next((one for one in _ROWS if any(one.test(cause) for cause in causes)), None)
    if row is not None:
        ca = f", in {reach.ca_setting}" if reach.ca_setting else ""
        hint = row.hint.format(setting=reach.setting, ca=ca, service=reach.service)
        return Unreachable(f"{_asked(reach, what)}: {row.found}", failure=row.failure, hint=hint)
    if any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return too_late(reach, what)
    return Unreachable(
        f"{_asked(reach, what)}: the connection broke ({type(causes[-1]).__name__})",
        failure=Failure.HUNG_UP,
        hint=f"does {reach.setting} name {reach.service}, with http or https as it is spoken there?",
    )


def failure_of(error: OperatorError) -> Failure:
    """The kind of an error that some client raised; told from what it is and from what caused it."""
    if isinstance(error, Unreachable):
        return error.failure
    if isinstance(error, DeadlineExceeded):
        return Failure.TIMED_OUT
    if isinstance(error, Forbidden):
        return Failure.UNAUTHORIZED
    causes = list(_causes(error))
    row = next((one for one in _ROWS if any(one.test(cause) for cause in causes)), None)
    if row is not None:
        return row.failure
    return Failure.TIMED_OUT if any(isinstance(cause, _TIMEOUTS) for cause in causes) else Failure.UNAVAILABLE


def too_late(reach: Reach, what: str, *, after: timedelta | None = None) -> DeadlineExceeded:
    """No complete answer in time."""
    within = after if after is not None else reach.deadline
    return DeadlineExceeded(
        f"{_asked(reach, what)}: no complete answer within {within.total_seconds():g} s",
        hint=f"check {reach.setting}, and what stands between: a firewall drops silently",
    )


def not_the_service(reach: Reach, what: str, found: str) -> Unreachable:
    """An answer that this service never sends: a proxy's page, or another program's."""
    return Unreachable(
        f"{_asked(reach, what)}: {found}, which {reach.service} never sends",
        failure=Failure.NOT_THE_SERVICE,
        hint=f"does {reach.setting} name {reach.service}, and does a proxy on the way change answers?",
    )


def _asked(reach: Reach, what: str) -> str:
    return f"{reach.service} at {reach.shown}, to {what}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps, outermost first; urllib3 and requests hide causes in `args` and `reason`."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]
        waiting.extend(found for found in inner if isinstance(found, BaseException))
