"""Who may change something: the bearer token, and the signatures of git servers. Comparisons take constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

# GitHub; Gitea and Forgejo send it too. Source: GitHub docs, "Validating webhook deliveries".
_PREFIXED = "x-hub-signature-256"
# Gitea, Forgejo, Gogs: the same digest without a prefix. Source: Gitea docs, "Webhooks".
_BARE = ("x-gitea-signature", "x-forgejo-signature", "x-gogs-signature")
# GitLab sends the secret itself. Source: GitLab docs, "Validate payloads by using a secret token".
_PLAIN = "x-gitlab-token"


def bearer_matches(authorization: str, token: str) -> bool:
    """Whether an `Authorization` header carries the token."""
    scheme, _, given = authorization.partition(" ")
    return hmac.compare_digest(given.strip().encode(), token.encode()) and scheme.lower() == "bearer"


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a delivery carries anything that could prove where it comes from. Header names are lower case."""
    return any(name in headers for name in (_PREFIXED, *_BARE, _PLAIN))


class Delivery:
    """The proof of one webhook delivery, built up as its body arrives: the body itself is never kept."""

    def __init__(self, *, secret: str) -> None:
        self._secret = secret.encode()
        self._digest = hmac.new(self._secret, digestmod=hashlib.sha256)

    def feed(self, chunk: bytes) -> None:
        self._digest.update(chunk)

    def proven(self, headers: Mapping[str, str]) -> bool:
        """Whether the headers prove that the sender knows the secret; call it when the body is complete."""
        digest = self._digest.hexdigest()
        claims = [headers[name] for name in _BARE if name in headers]
        if headers.get(_PREFIXED, "").startswith("sha256="):
            claims.append(headers[_PREFIXED].removeprefix("sha256="))
        signed = any(hmac.compare_digest(claim.encode(), digest.encode()) for claim in claims)
        return signed or hmac.compare_digest(headers.get(_PLAIN, "").encode(), self._secret)
