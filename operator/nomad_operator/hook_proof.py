"""The proof of a webhook delivery: which git server sent it, and whether it knew the secret.

Pure; comparisons take constant time. Header names are lower case, as a server hands them over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

# GitHub; Gitea and Forgejo send it too. Source: GitHub docs, "Validating webhook deliveries".
_PREFIXED = "x-hub-signature-256"
# The same digest without a prefix. Source: Gitea docs, "Webhooks".
_BARE = ("x-gitea-signature", "x-forgejo-signature", "x-gogs-signature")
# The secret itself. Source: GitLab docs, "Webhooks", secret token.
_PLAIN = "x-gitlab-token"
# GitLab's signing token. Source: https://www.standardwebhooks.com, "Signature scheme"; GitLab merge request 230944.
_STANDARD = "webhook-signature"
_STANDARD_ID = "webhook-id"
_STANDARD_TIME = "webhook-timestamp"
_STANDARD_SECRET = "whsec_"  # noqa: S105 (how such a secret begins)

# Source: the same specification leaves the tolerance open; its libraries take five minutes.
_TOLERANCE = timedelta(minutes=5)
# Where two are sent the first is the server's own: Forgejo sends Gitea's headers too, and both send GitHub's.
_SERVERS = ("forgejo", "gitea", "gogs", "gitlab", "github")
_IDS = (
    *(f"x-{server}-delivery" for server in ("github", "forgejo", "gitea", "gogs")),
    _STANDARD_ID,
    "idempotency-key",
    "x-gitlab-event-uuid",
)
# An id is stored: nobody may fill memory with long ones.
_LONGEST_ID = 200


class Verdict(StrEnum):
    """What a delivery's headers prove."""

    PROVEN = "proven"
    WRONG = "wrong"
    STALE = "stale"  # signed rightly, but for another time


def server_of(headers: Mapping[str, str]) -> str:
    """Who seems to have sent it, in one of six words."""
    return next((one for one in _SERVERS if f"x-{one}-event" in headers), "other")


def bearer_matches(authorization: str, token: str) -> bool:
    """Whether an `Authorization` header carries the token."""
    scheme, _, given = authorization.partition(" ")
    return hmac.compare_digest(given.strip().encode(), token.encode()) and scheme.lower() == "bearer"


def delivery_ids(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What a server calls this delivery; the same when it sends it once more."""
    return tuple(dict.fromkeys(f"id:{headers[name][:_LONGEST_ID]}" for name in _IDS if headers.get(name)))


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether there is a signature or a plain secret, right or wrong: whether it is worth reading the body."""
    return any(name in headers for name in (_PREFIXED, *_BARE, _PLAIN, _STANDARD))


class Delivery:
    """Built up as the body arrives: the body itself is never kept."""

    def __init__(self, *, headers: Mapping[str, str], secret: str) -> None:
        self._headers = headers
        self._secret = secret
        self._digest = hmac.new(secret.encode(), digestmod=hashlib.sha256)
        standard = hmac.new(_standard_key(secret), digestmod=hashlib.sha256)
        standard.update(f"{headers.get(_STANDARD_ID, '')}.{headers.get(_STANDARD_TIME, '')}.".encode())
        self._standard = standard

    def feed(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._standard.update(chunk)

    def verdict(self, *, now_seconds: float) -> Verdict:
        """Call it when the body is complete; `now_seconds` since the epoch."""
        if self._signed or hmac.compare_digest(self._headers.get(_PLAIN, "").encode(), self._secret.encode()):
            return Verdict.PROVEN
        if self._signed_standard:
            return Verdict.PROVEN if self._timely(now_seconds) else Verdict.STALE
        return Verdict.WRONG

    @property
    def marks(self) -> tuple[str, ...]:
        """What a second sending of the same delivery has in common with it; nothing where every sending is alike.

        An id is not under GitHub's signature, so the signature itself is a mark too.
        """
        return (*delivery_ids(self._headers), *((f"mac:{self._digest.hexdigest()}",) if self._signed else ()))

    @property
    def _signed(self) -> bool:
        claims = [self._headers[name] for name in _BARE if name in self._headers]
        if self._headers.get(_PREFIXED, "").startswith("sha256="):
            claims.append(self._headers[_PREFIXED].removeprefix("sha256="))
        digest = self._digest.hexdigest().encode()
        return any([hmac.compare_digest(claim.encode(), digest) for claim in claims])  # noqa: C419 (no early end)

    @property
    def _signed_standard(self) -> bool:
        """Several signatures may stand there, separated by spaces, while a secret is changed."""
        digest = b"v1," + base64.b64encode(self._standard.digest())
        claims = self._headers.get(_STANDARD, "").split(" ")
        return any([hmac.compare_digest(claim.encode(), digest) for claim in claims])  # noqa: C419

    def _timely(self, now_seconds: float) -> bool:
        told = self._headers.get(_STANDARD_TIME, "")
        if not (told.isascii() and told.isdigit() and len(told) < 16):
            return False
        return abs(int(told) - now_seconds) <= _TOLERANCE.total_seconds()


def _standard_key(secret: str) -> bytes:
    if secret.startswith(_STANDARD_SECRET):
        try:
            return base64.b64decode(secret.removeprefix(_STANDARD_SECRET), validate=True)
        except (binascii.Error, ValueError):
            return secret.encode()
    return secret.encode()
