"""What an answer of Vault means, told from its body: a missing path, a deleted version, a mount that is not there and
a path of the wrong shape are all 404; a path that is not ours and a token that is no good are both 403.

Source: recorded with OpenBao 2.6.2 (openbao-2.6.2); Vault uses the same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from desired.errors import Forbidden, OperatorError, RateLimited, Unavailable, Unsupported
from observers.reach.address import Reach

_LONGEST = 600


class Meaning(StrEnum):
    """What Vault meant by an answer that is no success."""

    MISSING = "missing"
    DELETED = "deleted"
    UNKNOWN_MOUNT = "unknown mount"
    WRONG_SHAPE = "wrong shape"
    NO_SUCH_CALL = "no such call"
    NO_SUCH_NAMESPACE = "no such namespace"
    FORBIDDEN = "forbidden"
    NOBODY = "nobody"
    LOGIN_REFUSED = "login refused"
    SEALED = "sealed"
    NOT_INITIALIZED = "not initialized"
    RATE_LIMITED = "rate limited"
    ELSEWHERE = "elsewhere"
    BROKEN = "broken"


def meaning(status: int, body: Any) -> Meaning:
    """`body` is the parsed JSON, or text where it was none."""
    errors = " ".join(said(body))
    if status == 503:
        return Meaning.SEALED if "sealed" in errors else Meaning.BROKEN
    if status == 501:
        return Meaning.NOT_INITIALIZED
    if status == 429:
        return Meaning.RATE_LIMITED
    if status == 403:
        # A token that is known gets a list of errors, or the words of the preflight; one that is not, the bare words.
        known = errors != "permission denied"
        return Meaning.FORBIDDEN if known else Meaning.NOBODY
    if status == 401:
        return Meaning.NOBODY
    if status == 404:
        return _absent(body, errors)
    if status == 400:
        return Meaning.LOGIN_REFUSED
    return Meaning.ELSEWHERE if 300 <= status < 400 else Meaning.BROKEN


def _absent(body: Any, errors: str) -> Meaning:
    if "no handler for route" in errors:
        return Meaning.UNKNOWN_MOUNT
    if "namespace not found" in errors:
        return Meaning.NO_SUCH_NAMESPACE
    if "unsupported path" in errors:
        return Meaning.NO_SUCH_CALL
    whole = body if isinstance(body, Mapping) else {}
    warnings = whole.get("warnings")
    if isinstance(warnings, list) and any("versioned K/V" in str(one) for one in warnings):
        return Meaning.WRONG_SHAPE
    data = whole.get("data")
    metadata = data.get("metadata") if isinstance(data, Mapping) else None
    if isinstance(metadata, Mapping) and (metadata.get("deletion_time") or metadata.get("destroyed")):
        return Meaning.DELETED
    return Meaning.MISSING


def said(body: Any) -> Sequence[str]:
    """Vault's own words; () where it has none."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    return [re.sub(r"\s+", " ", str(one)).strip() for one in errors] if isinstance(errors, list) else []


def words(body: Any) -> str:
    """Vault's words in one line, empty where it has none. Its errors name paths and reasons, never values."""
    told = "; ".join(re.sub(r"^\d+ errors? occurred: \* ", "", one) for one in said(body))
    return told if len(told) <= _LONGEST else told[:_LONGEST] + " ..."


_HINTS: Mapping[Meaning, tuple[type[OperatorError], str]] = {
    Meaning.SEALED: (Unavailable, "unseal Vault: `vault operator unseal`; nothing can be read before"),
    Meaning.NOT_INITIALIZED: (Unavailable, "initialize Vault: `vault operator init`"),
    Meaning.RATE_LIMITED: (RateLimited, "a quota of Vault is used up; it passes"),
    Meaning.NOBODY: (Forbidden, "the token is unknown, revoked or expired: give VAULT_TOKEN a valid one"),
    Meaning.FORBIDDEN: (Forbidden, "give the token a policy that allows this"),
    Meaning.LOGIN_REFUSED: (Forbidden, "check the role, its bound audiences and the JWKS address of the auth method"),
    Meaning.NO_SUCH_NAMESPACE: (Unsupported, "correct VAULT_NAMESPACE"),
    Meaning.NO_SUCH_CALL: (Unsupported, "this version of Vault does not offer the call; 1.10 and newer do"),
    Meaning.ELSEWHERE: (Unavailable, "redirects are not followed: give the active node's own address in VAULT_ADDR"),
    Meaning.BROKEN: (Unavailable, "look at Vault's own log"),
}


def refusal(reach: Reach, what: str, status: int, body: Any) -> OperatorError:
    """The error of an answer that says nothing about one path. Meanings that do are for the caller to know."""
    kind, hint = _HINTS.get(meaning(status, body), (Unsupported, f"does {reach.setting} name {reach.service}?"))
    return kind(
        f"{reach.service} at {reach.shown}, to {what}: answered {status}: {words(body) or 'nothing'}", hint=hint
    )
