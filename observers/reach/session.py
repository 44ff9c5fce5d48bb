"""A `requests.Session` for client libraries that read answers as they please: bounded in time and size, never led
elsewhere, nothing taken from the environment but proxies."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from time import monotonic
from typing import Any

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import InsecureRequestWarning

from observers.reach.address import Reach

_PIECE = 64 * 1024
LARGEST_ANSWER = 16 * 1024 * 1024

# Called with what is about to be sent, its URL final; raises where it must not be.
Gate = Callable[[requests.PreparedRequest], None]


class BoundedSession(requests.Session):
    """Whatever a library asks for, the body is read here, within the deadline, before the library sees the answer."""

    def __init__(self, *, reach: Reach, gate: Gate) -> None:
        super().__init__()
        self._reach = reach
        self._gate = gate
        # Asked once; with trust_env, .netrc and REQUESTS_CA_BUNDLE would decide what is sent and whom to trust.
        self.proxies.update(get_environ_proxies(reach.base_url))
        self.trust_env = False
        if reach.tls_skip_verify:
            # Somebody decided it; urllib3 would say so with every request.
            warnings.simplefilter("ignore", InsecureRequestWarning)
        adapter = _Adapter(reach)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Never: requests would send the token along to wherever it is sent."""
        return None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        self._gate(request)
        deadline = self._reach.deadline.total_seconds()
        until = monotonic() + deadline
        kwargs["timeout"] = (min(deadline, self._reach.connect_timeout.total_seconds()), deadline)
        kwargs["stream"] = True
        kwargs["allow_redirects"] = False
        response = super().send(request, **kwargs)
        with response:
            # As requests itself keeps a body that was read: no public way to hand one over.
            response._content = _read(response, until)
        return response


class _Adapter(HTTPAdapter):
    """Trusts what our context trusts; requests would add its own bundle."""

    def __init__(self, reach: Reach) -> None:
        self._context = reach.ssl_context() if reach.secure else None
        super().__init__(pool_connections=1, pool_maxsize=reach.max_calls, pool_block=True)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._context is not None:
            kwargs["ssl_context"] = self._context
        super().init_poolmanager(*args, **kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Left to the context."""


def _read(response: requests.Response, until: float) -> bytes:
    """The body, in the pieces in which it comes: a server that drips would hold a plain read for ever."""
    if isinstance(response.raw, urllib3.HTTPResponse):
        pieces = iter(lambda: response.raw.read1(_PIECE, decode_content=True), b"")
    else:
        pieces = response.iter_content(_PIECE)
    body = bytearray()
    for piece in pieces:
        body += piece
        if monotonic() > until:
            raise TimeoutError(f"{len(body)} bytes came in time")
        if len(body) > LARGEST_ANSWER:
            raise urllib3.exceptions.HTTPError(f"an answer of more than {LARGEST_ANSWER} bytes")
    return bytes(body)
