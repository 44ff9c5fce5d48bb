"""The token that is valid now: logged in when there is none, renewed in time, never two logins at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import hvac

from desired.errors import OperatorError, TransientError
from observers.vault.lease import Due, Lease
from observers.vault.login import GivenToken, Login


class Ask(Protocol):
    """One call to Vault with a token (None: without). Raises errors of `desired.errors`."""

    def __call__(
        self, what: str, work: Callable[[hvac.Client], Any], /, *, token: str | None
    ) -> Awaitable[dict[str, Any]]: ...


class Tokens:
    """Gives the token for the next call; `clock` is monotonic, in seconds."""

    def __init__(self, *, login: Login | None, ask: Ask, clock: Callable[[], float]) -> None:
        self._login = login
        self._ask = ask
        self._clock = clock
        self._lease: Lease | None = None
        self._alone = asyncio.Lock()

    async def current(self) -> str | None:
        """The token; None where no way to one was given. Raises where there is a way and it fails."""
        if self._login is None:
            return None
        async with self._alone:
            if self._lease is None:
                self._lease = await self._begin()
            due = self._lease.due(self._clock())
            if due is Due.RENEWAL:
                self._lease = await self._renewed(self._lease)
            elif due is Due.LOGIN and not isinstance(self._login, GivenToken):
                self._lease = await self._begin()
            return self._lease.token

    async def replaced(self, refused: str | None) -> bool:
        """Whether there is another token now that this one was refused."""
        if self._login is None or isinstance(self._login, GivenToken):
            return False
        async with self._alone:
            if self._lease is None or self._lease.token == refused:
                self._lease = await self._begin()
            return True

    async def _begin(self) -> Lease:
        login = self._login
        assert login is not None
        now = self._clock()
        if isinstance(login, GivenToken):
            try:
                told = await self._ask(
                    "look at the token", lambda vault: vault.auth.token.lookup_self(), token=login.token
                )
            except OperatorError:
                # What is asked for next tells what is wrong with it; a token may be good and know nothing of itself.
                return Lease(login.token, now, 0, renewable=False)
            about = _object(told, "data")
            return Lease(login.token, now, _seconds(about.get("ttl")), renewable=about.get("renewable") is True)
        identity = await asyncio.to_thread(login.identity)
        role = login.role or None
        told = await self._ask(
            "log in with the workload identity",
            lambda vault: vault.auth.jwt.jwt_login(role=role, jwt=identity, path=login.mount, use_token=False),
            token=None,
        )
        about = _object(told, "auth")
        return Lease(
            str(about.get("client_token") or ""), now, _seconds(about.get("lease_duration")),
            renewable=about.get("renewable") is True,
        )  # fmt: skip

    async def _renewed(self, lease: Lease) -> Lease:
        now = self._clock()
        try:
            told = await self._ask("renew the token", lambda vault: vault.auth.token.renew_self(), token=lease.token)
        except OperatorError as error:
            if isinstance(error, TransientError) or isinstance(self._login, GivenToken):
                # It still holds for a third of its time; then a login, where there is one, or Vault's own refusal.
                return lease.postponed(now)
            return await self._begin()
        about = _object(told, "auth")
        return lease.renewed(
            now=now, seconds=_seconds(about.get("lease_duration")), renewable=about.get("renewable") is True
        )


def _object(told: dict[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
