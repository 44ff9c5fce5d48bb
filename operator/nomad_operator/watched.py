"""Are the namespaces that the settings name there? Nomad lists no jobs of one that is not, and calls nothing wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

from desired.errors import OperatorError

HINT = "create it (`nomad namespace apply`), give the token a right in it, or correct NOMAD_OPERATOR_NAMESPACES"
# It is only told: nothing waits for it long.
_SECONDS = 2.0


class Names(Protocol):
    """As much of the Nomad client as is asked."""

    async def namespaces(self) -> Collection[str]: ...


async def not_there(nomad: Names, watched: Collection[str]) -> list[str]:
    """Those that the token sees nothing of, sorted; none where Nomad does not say at once."""
    named = set(watched) - {"*"}
    if not named:
        return []
    with suppress(OperatorError, TimeoutError):
        async with asyncio.timeout(_SECONDS):
            return sorted(named - set(await nomad.namespaces()))
    return []
