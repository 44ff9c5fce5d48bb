"""One call to Vault: the token of now, a thread that is not waited for, the gate before it, errors by meaning.

Knows nothing of secrets; `observers.vault.client` asks the questions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hvac
import requests
import urllib3.exceptions

from observers.reach.address import Reach
from observers.reach.blocking import Blocking
from observers.reach.breaks import broken
from observers.reach.session import BoundedSession
from observers.vault.answers import Meaning, meaning, refusal
from observers.vault.gate import VaultGate
from observers.vault.hvac_calls import Answered, open_hvac
from observers.vault.login import Login
from observers.vault.tokens import Tokens

Work = Callable[[hvac.Client], Any]


class VaultCalls:
    """`adapter` takes the place of the network, behind the gate."""

    def __init__(
        self,
        *,
        reach: Reach,
        login: Login | None,
        namespace: str,
        adapter: requests.adapters.BaseAdapter | None,
        clock: Callable[[], float],
    ) -> None:
        self.gate = VaultGate(reach.base_url)
        self._reach = reach
        self._namespace = namespace
        self._session = BoundedSession(reach=reach, gate=self.gate)
        if adapter is not None:
            self._session.mount(reach.base_url, adapter)
        self._run = Blocking(reach=reach)
        self._tokens = Tokens(login=login, ask=self._with_token, clock=clock)

    def close(self) -> None:
        self._session.close()

    async def needed(self, what: str, work: Work) -> dict[str, Any]:
        """The answer to a question that has only one good answer."""
        try:
            return await self.answer(what, work)
        except Answered as answer:
            raise refusal(self._reach, what, answer.status, answer.body) from None

    async def answer(self, what: str, work: Work) -> dict[str, Any]:
        """With the token of now; once more with another one, where this one was refused and there is another.

        Raises Answered where the body has to say what is meant.
        """
        token = await self._tokens.current()
        try:
            return await self.raw(what, work, token)
        except Answered as answer:
            if meaning(answer.status, answer.body) is not Meaning.NOBODY:
                raise
            if not await self._tokens.replaced(token):
                raise refusal(self._reach, what, answer.status, answer.body) from None
        return await self.raw(what, work, await self._tokens.current())

    async def raw(self, what: str, work: Work, token: str | None) -> dict[str, Any]:
        """The answer's JSON. Raises Answered, and errors of `desired.errors` where nothing came back."""

        def call() -> Any:
            try:
                return work(open_hvac(self._reach, self._session, token=token, namespace=self._namespace))
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise broken(self._reach, what, error) from error

        answer = await self._run(what, call)
        return answer if isinstance(answer, dict) else {}

    async def _with_token(self, what: str, work: Work, /, *, token: str | None) -> dict[str, Any]:
        try:
            return await self.raw(what, work, token)
        except Answered as answer:
            raise refusal(self._reach, what, answer.status, answer.body) from None
