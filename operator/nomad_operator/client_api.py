"""The commands' way to a running daemon: its HTTP API, answered with values or with an error that says what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from desired.app import AppKey
from desired.errors import DeadlineExceeded, Forbidden, OperatorError, Unavailable

_START = "start it with `nomad-operator run`, or name its address with NOMAD_OPERATOR_ADDR"


class DaemonClient:
    """One per command. `token` may be None: then only reading works, and `asked_for` is shown to whom asks for it."""

    def __init__(
        self,
        *,
        address: str,
        token: SecretStr | None,
        asked_for: SecretStr | None = None,
        timeout_seconds: float = 15.0,
    ) -> None:
        self._address = address
        self._asked_for = asked_for
        headers = _bearer(token) if token else {}
        # Proxies of the environment are for the world outside; the daemon is named by its own address.
        self._http = httpx.Client(base_url=address, headers=headers, timeout=timeout_seconds, trust_env=False)

    def __enter__(self) -> DaemonClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def status(self) -> dict[str, Any]:
        return self._ask("GET", "/api/v1/status")

    def app(self, key: AppKey) -> dict[str, Any]:
        """OperatorError if the daemon does not know the app."""
        return self._ask("GET", _path(key))

    def command(self, key: AppKey, verb: str, *, proposal: str = "") -> dict[str, Any]:
        """`proposal` is the hash that an approval means; without one, whatever waits."""
        return self._ask("POST", f"{_path(key)}/{verb}", {"proposal": proposal} if proposal else None)

    def explain(self, key: AppKey) -> dict[str, Any]:
        """OperatorError if the daemon does not know the app."""
        return self._ask("GET", f"/api/v1/explain/{quote(key.namespace, safe='')}/{quote(key.name, safe='')}")

    def repairs(self) -> dict[str, Any]:
        return self._ask("GET", "/api/v1/repairs")

    def stop_repairs(self, *, rollback: bool) -> dict[str, Any]:
        return self._ask("POST", "/api/v1/repairs/stop", {"rollback": rollback})

    def start_repairs(self) -> dict[str, Any]:
        return self._ask("POST", "/api/v1/repairs/start")

    def memory(self) -> dict[str, Any]:
        return self._ask("GET", "/api/v1/memory")

    def forget(self, keys: Sequence[str]) -> dict[str, Any]:
        return self._ask("POST", "/api/v1/memory/forget", {"keys": list(keys)})

    def prune_candidates(self) -> dict[str, Any]:
        return self._ask("GET", "/api/v1/prune")

    def confirm_prune(self) -> dict[str, Any]:
        return self._ask("POST", "/api/v1/prune")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, json=body)
            if response.status_code == httpx.codes.UNAUTHORIZED and self._asked_for is not None:
                response = self._http.request(method, path, json=body, headers=_bearer(self._asked_for))
        except httpx.TimeoutException as error:
            raise DeadlineExceeded(f"the nomad-operator at {self._address} does not answer", hint=_START) from error
        except httpx.TransportError as error:
            raise Unavailable(f"no nomad-operator answers at {self._address}: {_plain(error)}", hint=_START) from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or (response.is_error and "error" not in answer):
            raise Unavailable(
                f"what answers at {self._address} is not a nomad-operator (HTTP {response.status_code})", hint=_START
            )
        if response.is_success:
            return answer
        kind = Forbidden if response.status_code in (401, 403) else OperatorError
        raise kind(str(answer["error"]), hint=str(answer.get("hint", "")))


def _bearer(token: SecretStr) -> dict[str, str]:
    return {"authorization": f"Bearer {token.get_secret_value()}"}


def _plain(error: httpx.TransportError) -> str:
    """Without the number that only the operating system means something by."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _path(key: AppKey) -> str:
    return f"/api/v1/apps/{quote(key.namespace, safe='')}/{quote(key.name, safe='')}"
