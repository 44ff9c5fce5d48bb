"""Namespaces that come and go: a subscription to `*` covers those that were there when it began."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from desired.errors import OperatorError


async def watch_namespaces(
    *,
    names: Callable[[], Awaitable[tuple[str, ...]]],
    changed: Callable[[], None],
    sleep: Callable[[float], Awaitable[None]],
    every: timedelta = timedelta(seconds=60),
) -> None:
    """Without end: list them, and call `changed` when the list is another than the last one that could be read.

    A list that cannot be read changes nothing; whoever reads the jobs tells what is wrong. One request a turn.
    """
    known: tuple[str, ...] | None = None
    while True:
        with suppress(OperatorError):
            now = await names()
            if known is not None and now != known:
                changed()
            known = now
        await sleep(every.total_seconds())
