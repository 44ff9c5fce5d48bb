"""py-consul over our own session: only reads leave, the token goes with all of them, errors by meaning.

Consul's library would take address, token and trust from the environment, leave the token out of `agent/self`, and
repeat whole answers in its errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import consul.base
import requests

from desired.errors import Forbidden, OperatorError, RateLimited, Unavailable, Unsupported
from observers.reach.address import Reach

_LONGEST = 600


class AclsOff(Unsupported):
    """Consul has no access rules, so a token means nothing to it."""


class TokenUnknown(Forbidden):
    """Consul does not know the token: no policy helps."""


class ConsulHttp(consul.base.HTTPClient):  # type: ignore[misc]
    """The transport that the library's classes call. `what` is what is being asked, for the message of an error."""

    def __init__(self, *, reach: Reach, session: requests.Session, token: str | None) -> None:
        super().__init__()
        self._reach = reach
        self._session = session
        self._token = token

    def get(
        self,
        callback: Callable[[Any], Any],
        path: str,
        params: Sequence[tuple[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        raw: bool = False,
    ) -> Any:
        """What the library's callback makes of an answer that is good, or says that there is nothing (404)."""
        address = self._reach.base_url + quote(path, safe="/:") + (f"?{urlencode(params)}" if params else "")
        sent = {"X-Consul-Token": self._token} if self._token else {}
        response = self._session.get(address, headers=sent)
        what = f"read {path.removeprefix('/v1/')}"
        response.encoding = "utf-8"
        text = response.text
        if response.status_code != 200 and (response.status_code != 404 or _unknown_call(response)):
            raise refusal(self._reach, what, response.status_code, text)
        headers_sent = {"X-Consul-Index": "0", **response.headers}
        return callback(consul.base.Response(response.status_code, headers_sent, text))

    def _never(self, *arguments: Any, **named: Any) -> Any:
        raise RuntimeError("the operator does not write to Consul")

    put = delete = post = _never

    def close(self) -> None:
        """The session is its owner's."""


class ConsulLibrary(consul.base.Consul):  # type: ignore[misc]
    """py-consul's endpoints on one transport."""

    def __init__(self, *, http: ConsulHttp) -> None:
        self._transport = http
        # Told all of it: what is left out comes from the environment.
        super().__init__(host="consul", port=0, scheme="http", verify=True)
        # The library prefers the environment's token to what it is told; the transport brings ours.
        self.token = None

    def http_connect(self, *arguments: Any, **named: Any) -> ConsulHttp:
        return self._transport


def refusal(reach: Reach, what: str, status: int, text: str) -> OperatorError:
    """The error of an answer that is neither good nor "there is none"."""
    kind, hint = _meant(reach, status, text)
    said = " ".join(text.split())
    said = said if len(said) <= _LONGEST else said[:_LONGEST] + " ..."
    return kind(f"{reach.service} at {reach.shown}, to {what}: answered {status}: {said or 'nothing'}", hint=hint)


def _meant(reach: Reach, status: int, text: str) -> tuple[type[OperatorError], str]:
    if "ACL support disabled" in text:
        return AclsOff, "this Consul has no ACLs"
    if status == 403 and "ACL not found" in text:
        return TokenUnknown, "Consul does not know the token: give CONSUL_HTTP_TOKEN a valid one"
    if status in (401, 403):
        return Forbidden, "give the token of CONSUL_HTTP_TOKEN a policy that allows this"
    if status == 429:
        return RateLimited, "Consul limits how much is asked; it passes"
    if status >= 500:
        if "No cluster leader" in text or "leadership" in text:
            return Unavailable, "the servers are electing a leader or lost their majority: `consul operator raft`"
        return Unavailable, "look at Consul's own log"
    if status == 400 and "HTTP request to an HTTPS server" in text:
        return Unavailable, f"this agent speaks TLS: use https:// in {reach.setting}"
    if 300 <= status < 400:
        return Unavailable, f"redirects are not followed: give the agent's own address in {reach.setting}"
    return Unsupported, f"does {reach.setting} name {reach.service}?"


def _unknown_call(response: requests.Response) -> bool:
    """Consul's 404 for "there is none" has no body; other 404s are about the call, or of another program."""
    return bool(response.content.strip())
