"""hvac, made to answer in one way: parsed JSON, or `Answered` with the status and the body it came with."""

from __future__ import annotations

from typing import Any

import hvac
import requests
from hvac.adapters import JSONAdapter

from observers.reach.address import Reach


class Answered(Exception):
    """Vault answered, and not with success. `body` is parsed, or text where it was no JSON."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body


class _Adapter(JSONAdapter):
    """hvac's own errors lose the status, and its texts repeat addresses."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["raise_exception"] = False
        answer = super().request(*args, **kwargs)
        if not isinstance(answer, requests.Response):
            return answer
        if answer.status_code == 204:
            return {}
        raise Answered(answer.status_code, _body(answer))


def _body(response: requests.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return response.text[:2000]


def open_hvac(reach: Reach, session: requests.Session, *, token: str | None, namespace: str) -> hvac.Client:
    """A client for one call, on the shared session. Nothing is sent yet, and nothing is read from the environment."""
    return hvac.Client(
        url=reach.base_url,
        # None would make hvac look into the environment and the home folder.
        token=token or "",
        session=session,
        adapter=_Adapter,
        allow_redirects=False,
        # None would have it read CA files named in the environment; our session knows whom to trust.
        verify=True,
        namespace=namespace or None,
    )
