"""Who may read: everybody, or whoever has the token. A browser, which sends no token by itself, gets a session for it.

A session is a signed time of its end, in a cookie: any copy with the same token believes it, and none remembers it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from pydantic import SecretStr

from nomad_operator.hook_proof import bearer_matches

COOKIE = "nomad_operator_session"
SESSION_SECONDS = 12 * 3600
# Longer than any that is ours: not worth a look.
_LONGEST = 200


class Readers:
    """`read_token` None: reading needs none. `now` is in seconds since the epoch."""

    def __init__(self, *, read_token: SecretStr | None, api_token: SecretStr | None, now: Callable[[], float]) -> None:
        self._read_token = read_token
        self._tokens = [one.get_secret_value() for one in (read_token, api_token) if one is not None]
        self._now = now

    @property
    def everybody(self) -> bool:
        return self._read_token is None

    def has_token(self, authorization: str) -> bool:
        """Whether an `Authorization` header carries one of the tokens, each compared in constant time."""
        return any([bearer_matches(authorization, token) for token in self._tokens])  # noqa: C419 (no early end)

    def may_read(self, *, authorization: str, cookie: str) -> bool:
        """By what the request's two headers say."""
        return self.everybody or self.has_token(authorization) or self._in_session(cookie)

    def session_for(self, token: str) -> str | None:
        """The cookie's value for whoever typed a token; None if it is none of ours."""
        if self._read_token is None or not self.has_token(f"Bearer {token}"):
            return None
        ends = str(int(self._now()) + SESSION_SECONDS)
        return f"{ends}.{self._signature(ends)}"

    def _in_session(self, cookie: str) -> bool:
        ends, _, signature = _value(cookie).partition(".")
        if not (ends.isascii() and ends.isdigit()):
            return False
        return hmac.compare_digest(signature.encode(), self._signature(ends).encode()) and int(ends) > self._now()

    def _signature(self, ends: str) -> str:
        """With the token as the key: another token ends all sessions."""
        assert self._read_token is not None
        key = self._read_token.get_secret_value().encode()
        return hmac.new(key, f"nomad-operator session until {ends}".encode(), hashlib.sha256).hexdigest()


def _value(cookie: str) -> str:
    found: SimpleCookie = SimpleCookie()
    try:
        found.load(cookie)
    except CookieError:
        return ""
    value = found[COOKIE].value if COOKIE in found else ""
    return value if len(value) <= _LONGEST else ""
