"""What git's words mean: from the text on stderr to the error tree, each with what to do.

git has one exit code for everything, and the words come from git, curl, ssh and the server. The table is read from the
top: what is certain stands first. An error's text shows the telling line only, without credentials and without
anything that could steer a terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, auto

from desired.errors import Conflict, Forbidden, InvalidDesired, OperatorError, RateLimited, Unavailable, Unsupported
from desired.problem import Problem
from desired.reasons import Reason


class Meaning(StrEnum):
    """What a failed git command was about."""

    DISK = auto()  # ours is full or read-only
    HOST_KEY = auto()
    CERTIFICATE = auto()
    RATE_LIMITED = auto()
    MOVED = auto()  # a push came too late: the branch leads elsewhere by now
    DECLINED = auto()  # a push that the server's rules or hooks do not allow
    FORBIDDEN = auto()
    NO_SUCH_REF = auto()
    COMMIT_NOT_OFFERED = auto()  # the server hands out tips only, or no longer has the commit
    NO_SHALLOW = auto()  # plain files behind a web server
    PROTOCOL = auto()
    NO_REPOSITORY = auto()
    DAMAGED = auto()  # our cache
    UNAVAILABLE = auto()
    UNKNOWN = auto()


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_TABLE: tuple[tuple[Meaning, re.Pattern[str]], ...] = (
    (Meaning.DISK, _words(r"no space left on device", r"read-only file system", r"disk quota exceeded")),
    (Meaning.HOST_KEY, _words(r"host key verification failed", r"remote host identification has changed")),
    (
        Meaning.CERTIFICATE,
        _words(r"certificate verif", r"certificate problem", r"certificate subject name", r"server certificate"),
    ),
    (Meaning.RATE_LIMITED, _words(r"returned error: 429", r"rate limit", r"too many requests")),
    (
        Meaning.MOVED,
        _words(
            r"\[rejected\]",
            r"is at [0-9a-f]{40,64} but expected",
            r"incorrect old value provided",
            # The commit that was built upon has gone from the branch.
            r"shallow update not allowed",
        ),
    ),
    (Meaning.DECLINED, _words(r"protected branch", r"\[remote rejected\]", r"hook declined")),
    (Meaning.NO_SHALLOW, _words(r"dumb http transport does not support")),
    (
        Meaning.FORBIDDEN,
        _words(
            r"authentication failed",
            r"could not read (username|password)",
            r"returned error: 40[13]",
            r"permission denied \(",
            r"permission denied, please try again",
            r"unprotected private key",
            r"load key .*(invalid format|permission denied|error in libcrypto|incorrect passphrase)",
            r"invalid (username or password|credentials)",
            r"http basic: access denied",
            r"write access to repository not granted",
            r"dubious ownership",
        ),
    ),
    (Meaning.NO_SUCH_REF, _words(r"couldn'?t find remote ref", r"could not find remote ref")),
    (
        Meaning.COMMIT_NOT_OFFERED,
        _words(r"not our ref", r"unadvertised object", r"upload-pack: not our", r"remote did not send all necessary"),
    ),
    (Meaning.PROTOCOL, _words(r"transport '.*' not allowed", r"unable to find remote helper", r"is not a git command")),
    (
        Meaning.NO_REPOSITORY,
        _words(
            r"repository .*not found",
            r"returned error: 404",
            r"does not appear to be a git repository",
            r"access denied or repository not exported",
            r"project you were looking for could not be found",
            r"no such file or directory",
            r"repository .* does not exist",
        ),
    ),
    (
        Meaning.DAMAGED,
        _words(
            r"not a git repository",
            r"bad (object|tree|config|line|signature|packed object)",
            r"corrupt",
            r"packfile .* (cannot|is|does|claims)",
            r"index file .* (is|too|claims)",
            r"invalid (shallow|sha1 pointer|object)",
            r"bad shallow line",
            r"shallow file has changed",
            r"unable to (read|parse|unpack|load)",
            r"inflate",
            r"unresolved delta",
            r"mismatched algorithms",
            r"not a (tree|valid) object",
            r"cannot (lock|update) ref",
            r"unknown repository extension",
            r"missing (blob|tree|commit|object)",
        ),
    ),
    (
        Meaning.UNAVAILABLE,
        _words(
            r"could not resolve (host|proxy)",
            r"connection (refused|timed out|reset|closed)",
            r"failed to connect",
            r"unable to connect",
            r"couldn't connect",
            r"network is unreachable",
            r"no route to host",
            r"returned error: 5\d\d",
            r"hung up",
            r"early eof",
            r"rpc failed",
            r"disconnect",
            r"operation timed out",
            r"could not read from remote repository",
            r"unable to access",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A git command that failed: what it was about, and its telling line, fit to be shown."""

    meaning: Meaning
    line: str


def failure(stderr: str, secrets: Iterable[str] = ()) -> Failure:
    """Judge what git wrote. Credentials are taken out after judging: they might hold a word that tells."""
    for meaning, words in _TABLE:
        match = words.search(stderr)
        if match:
            line = _line_at(stderr, match.start())
            if meaning is Meaning.DECLINED:
                line = _with_reason(line, stderr)
            return Failure(meaning, scrubbed(line, secrets))
    lines = [line for line in stderr.splitlines() if line.strip()]
    telling = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
    return Failure(Meaning.UNKNOWN, scrubbed(telling, secrets) or "git said nothing")


def error_of(failed: Failure, *, doing: str, where: str) -> OperatorError:
    """The error that people see. `doing` is what was attempted, `where` the shown URL."""
    message = f"{doing}: {failed.line}"
    match failed.meaning:
        case Meaning.DISK:
            return Unavailable(message, hint="free space, or make the operator's cache folder writable")
        case Meaning.HOST_KEY:
            return Forbidden(
                message,
                reason=Reason.HOST_KEY_REFUSED,
                hint="the server's ssh key is unknown or has changed: compare it with what the server's owner "
                "publishes (ssh-keyscan HOST shows it), then put it into NOMAD_OPERATOR_GIT_KNOWN_HOSTS_FILE",
            )
        case Meaning.CERTIFICATE:
            return Unavailable(
                message, hint="the server's certificate is not trusted: set GIT_SSL_CAINFO to its authority's file"
            )
        case Meaning.RATE_LIMITED:
            return RateLimited(message, hint="poll less often (NOMAD_OPERATOR_GIT_POLL_SECONDS), or use a token")
        case Meaning.MOVED:
            return Conflict(message, hint="somebody else pushed at the same time; it is tried again on top of that")
        case Meaning.DECLINED:
            return Forbidden(
                message,
                hint="the server's rules or hooks decline the push: let the operator's account push to this branch "
                "(NOMAD_OPERATOR_WRITE_BACK=branch needs nomad-operator/repair/* only)",
            )
        case Meaning.FORBIDDEN:
            return Forbidden(
                message,
                hint="check that the token (NOMAD_OPERATOR_GIT_TOKEN or _GIT_TOKEN_FILE) or the ssh key "
                "(NOMAD_OPERATOR_GIT_SSH_KEY_FILE) is valid and may read this repository "
                "(and write to it, for NOMAD_OPERATOR_WRITE_BACK)",
            )
        case Meaning.NO_SUCH_REF | Meaning.COMMIT_NOT_OFFERED:
            return InvalidDesired(
                (Problem(path=where, message=message),),
                hint="check NOMAD_OPERATOR_GIT_REF: a branch, a tag, or a full commit id that the server still has",
            )
        case Meaning.NO_REPOSITORY:
            return InvalidDesired(
                (Problem(path=where, message=message),),
                hint="check NOMAD_OPERATOR_GIT_URL; many servers answer 'not found' when a token is missing",
            )
        case Meaning.PROTOCOL:
            return Unsupported(message, hint="use https, http, ssh, git or file, and a complete installation of git")
        case _:
            return Unavailable(message, hint="is the git server up, and can it be reached from here?")


def scrubbed(text: str, secrets: Iterable[str] = ()) -> str:
    """One line without the secrets, without the user part of any URL, and without control characters."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = re.sub(r"(?<=://)[^/@\s'\"]*@", "", text)
    text = "".join(" " if unicodedata.category(character) in ("Cc", "Cf") else character for character in text)
    return text.strip()[:500]


def _line_at(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    return text[start : end if end >= 0 else len(text)]


def _with_reason(line: str, stderr: str) -> str:
    """With what the server's hooks or rules wrote: only they know why."""
    words = [told.removeprefix("remote:").strip() for told in stderr.splitlines() if told.startswith("remote:")]
    told = " ".join(word for word in words if word and word not in line)
    return f"{line.strip()} ({told})" if told else line
