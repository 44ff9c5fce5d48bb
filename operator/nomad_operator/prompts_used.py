"""Which versions of prompts a pass has asked with: what becomes of its repair is counted for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from desired.app import AppKey
from prompts.catalog import Prompt, Prompts
from prompts.model.question import PromptVersion
from reconcilers.result import Result

_USED: ContextVar[list[PromptVersion] | None] = ContextVar("prompts_used", default=None)


class PromptsUsed:
    """Implements `Prompts`: those that it is given, and remembers for the pass that asks."""

    def __init__(self, *, prompts: Prompts) -> None:
        self._prompts = prompts

    async def chosen(self, name: str, *, by: str = "") -> Prompt:
        prompt = await self._prompts.chosen(name, by=by)
        used = _USED.get()
        if used is not None:
            used.append(prompt.version)
        return prompt

    def passes(self, reconcile: Callable[[AppKey], Awaitable[Result]]) -> Callable[[AppKey], Awaitable[Result]]:
        """The same passes, each with a memory of its own."""

        async def remembered(key: AppKey) -> Result:
            before = _USED.set([])
            try:
                return await reconcile(key)
            finally:
                _USED.reset(before)

        return remembered


def used_in_this_pass() -> tuple[PromptVersion, ...]:
    """Each once, in the order of their first use."""
    return tuple(dict.fromkeys(_USED.get() or ()))
