"""What an answer or a broken connection means: one table for Nomad's words, one for what breaks below them.

Nomad's status says little: most of what a person did wrong, and every lost compare-and-set, is a 500 with a text. So
the text decides, the status where no text is known. Rows are tried in order; the first wins. Texts that people's own
names may stand in (validation) come first, so that no job can be named into another class.

Source: command/agent/http.go (wrap), nomad/structs/errors.go, nomad/structs/job.go; recorded in nomad-2.0.5.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.client import RemoteDisconnected

import httpx
import requests
import urllib3.exceptions

from desired.errors import (
    Conflict,
    DeadlineExceeded,
    Forbidden,
    OperatorError,
    RateLimited,
    Rejected,
    Unavailable,
    Unsupported,
)
from observers.nomad.endpoints import Endpoint
from observers.nomad.multierror import items

_LONGEST_TEXT = 4000
_AMBIGUOUS = "; it may or may not have happened"
_READ_AGAIN = "the job is read again before anything else is written"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried: `what` reads like `plan default/web`; `address` is the form that may be shown."""

    what: str
    endpoint: Endpoint
    address: str

    def __str__(self) -> str:
        return f"{self.what} at {self.address}"


@dataclass(frozen=True, slots=True)
class _Meaning:
    """`hint` may name {capability}. `ambiguous`: a write that ended this way may have happened."""

    kind: type[OperatorError]
    hint: str = ""
    ambiguous: bool = False


_WAITS = "nothing has to be done if this passes by itself; else look at the Nomad servers"
_ACCESS = "give NOMAD_TOKEN or the token file a valid token; its policy needs `{capability}`"
_JOB_IS_WRONG = "correct the job; nothing was changed"

# status (None: any), pattern of the text (searched), meaning
_WORDS: tuple[tuple[int | None, str, _Meaning], ...] = (
    # what a person wrote
    (
        None,
        r"^\d+ errors? occurred:(?s:.*)nonexistent namespace",
        _Meaning(Rejected, "create the namespace (`nomad namespace apply`) or correct the job's `namespace`"),
    ),
    (
        None,
        r"^\d+ errors? occurred:(?s:.*)nonexistent node pool",
        _Meaning(Rejected, "create the node pool or correct the job's `node_pool`"),
    ),
    (None, r"^\d+ errors? occurred:", _Meaning(Rejected, _JOB_IS_WRONG)),
    (
        None,
        r"^cannot update (job from type|non-|periodic|parameterized)|^cannot (change|convert)",
        _Meaning(Rejected, "a job's type cannot be changed: stop and purge the job first, or use another name"),
    ),
    (None, r"^(used task driver|used group network mode) .* is not allowed in namespace", _Meaning(Rejected)),
    (None, r"^total count was greater than configured job_max_count", _Meaning(Rejected, "lower the group's `count`")),
    (None, r'^Vault ("[^"]*" )?not enabled', _Meaning(Rejected, "enable Vault on the Nomad servers, or leave it out")),
    (None, r"^mismatched request namespace", _Meaning(Rejected, _JOB_IS_WRONG)),
    (400, r"^json: |^(Job ID does not match|Job must be specified)|^unexpected EOF", _Meaning(Rejected, _JOB_IS_WRONG)),
    # somebody wrote first
    (None, r"^Enforcing job modify index|^Current job has version \d+; enforcing version", _Meaning(Conflict)),
    (409, r"", _Meaning(Conflict)),
    # who is asking
    (
        403,
        r"Job registration, dispatch, and scale are disabled",
        _Meaning(Unavailable, "an operator of the cluster set RejectJobRegistration; it passes when they unset it"),
    ),
    (401, r"", _Meaning(Forbidden, _ACCESS)),
    (403, r"", _Meaning(Forbidden, _ACCESS)),
    (
        None,
        r"^ACL token (not found|expired|is invalid)|^failed to parse signed token|^Permission denied",
        _Meaning(Forbidden, _ACCESS),
    ),
    # too much
    (
        429,
        r"",
        _Meaning(
            RateLimited,
            "Nomad allows limits.http_max_conns_per_client connections for an address (100 by default): other "
            "programs on this host may hold them",
        ),
    ),
    (413, r"", _Meaning(Rejected, "the job is larger than what stands before Nomad lets through")),
    # the cluster is not itself
    (
        None,
        r"^(No cluster leader|Not ready to serve consistent reads)",
        _Meaning(Unavailable, "the servers are electing a leader or lost their majority: `nomad server members`"),
    ),
    (None, r"leadership lost|^node is not the leader", _Meaning(Unavailable, _WAITS, ambiguous=True)),
    (
        None,
        r"^No path to region",
        _Meaning(Unavailable, "check NOMAD_REGION: `nomad server members` lists the regions"),
    ),
    (None, r"^No path to node|^Unknown node", _Meaning(Unavailable, "the node's client agent does not answer")),
    (None, r"context deadline exceeded|i/o timeout|timed out", _Meaning(DeadlineExceeded, _WAITS, ambiguous=True)),
    (504, r"", _Meaning(DeadlineExceeded, _WAITS, ambiguous=True)),
    (None, r"connection refused|no servers|no known server", _Meaning(Unavailable, "the agent reaches no server")),
    (
        400,
        r"HTTP request to an HTTPS server",
        _Meaning(Unavailable, "this agent speaks TLS: use https:// in NOMAD_ADDR"),
    ),
    # it cannot do this
    (None, r"^(Unknown rpc method|ACL support disabled|EventBroker not configured)", _Meaning(Unsupported)),
    (405, r"", _Meaning(Unsupported, "is this address a Nomad agent, and of a version that is supported?")),
    (501, r"", _Meaning(Unsupported, "this server does not offer the call")),
)


def refusal(attempt: Attempt, status: int, text: str, retry_after: str | None = None) -> OperatorError:
    """The error that an answer of 300 or more means. `text` is its body, already without secrets."""
    text = _plain(text)
    said = readable(text) if text else "nothing"
    meaning = _meaning_of(attempt, status, text)
    message = f"{attempt}: Nomad answered {status}: {said}"
    if attempt.endpoint.write and meaning.ambiguous:
        message += _AMBIGUOUS
    hint = meaning.hint.format(capability=attempt.endpoint.capability)
    if meaning.kind is RateLimited:
        return RateLimited(message, hint=hint, retry_after=_seconds(retry_after))
    if meaning.kind is Rejected:
        return Rejected(message, hint=hint, mistakes=tuple(_cut(item) for item in items(text)))
    return meaning.kind(message, hint=hint)


def _meaning_of(attempt: Attempt, status: int, text: str) -> _Meaning:
    for wanted, pattern, meaning in _WORDS:
        if wanted in (None, status) and re.search(pattern, text):
            return meaning
    if 300 <= status < 400:
        return _Meaning(Unavailable, "redirects are not followed: give the agent's own address in NOMAD_ADDR")
    if status == 404:
        # Nomad's own 404s for things that may be absent are the caller's to know; this one may be a proxy's.
        return _Meaning(Unavailable, "does NOMAD_ADDR name a Nomad agent? A proxy without a backend answers like this")
    if status < 500:
        return _Meaning(Rejected if attempt.endpoint.judges_job else Unsupported)
    return _Meaning(Unavailable, _WAITS, ambiguous=True)


# What breaks below HTTP: the innermost cause that a row knows decides. The last column: it was never sent.
_Test = Callable[[BaseException], bool]
_BREAKS: tuple[tuple[_Test, str, str, bool], ...] = (
    (
        lambda e: (
            isinstance(e, ssl.SSLCertVerificationError) and bool(re.search(r"(Hostname|IP address) mismatch", str(e)))
        ),
        "its certificate is for another name",
        "use a name or address that the agent's certificate holds, in NOMAD_ADDR",
        True,
    ),
    (
        lambda e: isinstance(e, ssl.SSLCertVerificationError),
        "its certificate is not trusted",
        "give the cluster's CA in NOMAD_CACERT",
        True,
    ),
    (
        lambda e: isinstance(e, ssl.SSLError) and bool(re.search(r"(?i)wrong.version.number|record.layer", str(e))),
        "it does not speak TLS",
        "use http:// in NOMAD_ADDR, or enable TLS on the agent",
        True,
    ),
    (
        lambda e: (
            isinstance(e, ssl.SSLError)
            and bool(re.search(r"(?i)certificate.required|bad.certificate|unknown.ca|handshake.failure", str(e)))
        ),
        "it refuses our client certificate, or the lack of one",
        "give NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY, signed by the cluster's CA",
        True,
    ),
    (
        lambda e: isinstance(e, ssl.SSLError),
        "TLS failed",
        "check NOMAD_CACERT; the agent may want NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY",
        True,
    ),
    (
        lambda e: isinstance(e, socket.gaierror),
        "its name cannot be resolved",
        "check NOMAD_ADDR and the name service of this machine",
        True,
    ),
    (
        lambda e: isinstance(e, ConnectionRefusedError),
        "the connection was refused",
        "is the agent running, and is NOMAD_ADDR right?",
        True,
    ),
    (
        lambda e: isinstance(e, FileNotFoundError),
        "there is no such socket",
        "the client agent makes it when the task starts; check the path in NOMAD_ADDR or NOMAD_UNIX_SOCKET",
        True,
    ),
    (
        lambda e: isinstance(e, PermissionError),
        "this user may not open it",
        "the socket belongs to the task's user: run as that user",
        True,
    ),
    (
        lambda e: isinstance(e, OSError) and e.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH),
        "there is no way to it",
        "check the network between this machine and the agent",
        True,
    ),
    (lambda e: isinstance(e, RemoteDisconnected), "it hung up without an answer", _WAITS, False),
    (lambda e: isinstance(e, (ConnectionResetError, BrokenPipeError)), "the connection was reset", _WAITS, False),
    (
        lambda e: isinstance(
            e,
            (
                urllib3.exceptions.IncompleteRead,
                urllib3.exceptions.InvalidChunkLength,
                requests.exceptions.ChunkedEncodingError,
                httpx.RemoteProtocolError,
            ),
        ),
        "the answer was cut off",
        _WAITS,
        False,
    ),
    (
        lambda e: isinstance(
            e, (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError, httpx.DecodingError)
        ),
        "the answer cannot be unpacked",
        _WAITS,
        False,
    ),
)
_CONNECT_TIMEOUTS = (
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.ConnectTimeoutError,
    httpx.ConnectTimeout,
)
_TIMEOUTS = (
    requests.exceptions.Timeout,
    urllib3.exceptions.TimeoutError,
    httpx.TimeoutException,
    TimeoutError,
)


def failure(attempt: Attempt, error: BaseException) -> OperatorError:
    """The error that a broken connection means, from requests, urllib3 or httpx. The caller chains the cause."""
    causes = list(_causes(error))
    for known, found, hint, unsent in _BREAKS:
        if any(known(cause) for cause in causes):
            if hint is _WAITS and attempt.address.startswith("https:"):
                # With TLS 1.3 the refusal of a client is often seen only as the end of the connection.
                hint += "; an agent that wants NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY may hang up like this"
            return Unavailable(f"{attempt}: {found}{_doubt(attempt, unsent)}", hint=hint)
    if any(isinstance(cause, _CONNECT_TIMEOUTS) for cause in causes):
        return Unavailable(f"{attempt}: no connection in time", hint="check NOMAD_ADDR and firewalls on the way")
    if any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return deadline_exceeded(attempt, sent=True)
    return Unavailable(f"{attempt}: {type(causes[-1]).__name__}{_doubt(attempt, False)}", hint=_WAITS)


def deadline_exceeded(attempt: Attempt, *, sent: bool, after: timedelta | None = None) -> DeadlineExceeded:
    """No complete answer in time. `sent` is False where the request never left."""
    within = f" within {after.total_seconds():g} s" if after is not None else " in time"
    if not sent:
        return DeadlineExceeded(
            f"{attempt}: not sent{within}: every connection was in use", hint="Nomad answers slowly, or too few are set"
        )
    hint = _READ_AGAIN if attempt.endpoint.write else _WAITS
    return DeadlineExceeded(f"{attempt}: no complete answer{within}{_doubt(attempt, False)}", hint=hint)


def unintelligible(attempt: Attempt, found: str) -> Unavailable:
    """A 200 that is not what Nomad sends: a proxy's page, or half an answer."""
    return Unavailable(
        f"{attempt}: the answer is not what Nomad sends: {found}{_doubt(attempt, False)}",
        hint="does NOMAD_ADDR name a Nomad agent, and does a proxy on the way change answers?",
    )


def readable(text: str) -> str:
    """Nomad's words in one line; a list of mistakes with all of them."""
    return _cut("; ".join(items(text)))


def _doubt(attempt: Attempt, unsent: bool) -> str:
    return _AMBIGUOUS if attempt.endpoint.write and not unsent else ""


def _plain(text: str) -> str:
    """Without what other servers put before it (`rpc error: `, `RPC Error:: 400,`)."""
    return re.sub(r"^(rpc error: (code = \w+ desc = )?|RPC Error:: \d+,)+", "", text.strip())


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} ... ({len(text)} characters)"


def _seconds(retry_after: str | None) -> timedelta | None:
    """Retry-After in its form of seconds; a date is not worth its clock trouble."""
    if retry_after is None or not re.fullmatch(r"\d{1,6}", retry_after.strip()):
        return None
    return timedelta(seconds=int(retry_after))


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
