"""The lease for a command that acts once: taken at once or not at all, renewed while it runs, given up after."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from desired.errors import OperatorError, StateUnusable
from nomad_operator.copies.terms import lease_lock
from nomad_operator.lease import Lease, clock
from nomad_operator.settings import Settings
from observers.nomad.calls import Fence


@asynccontextmanager
async def lease_of_a_command(settings: Settings) -> AsyncIterator[Fence | None]:
    """None where the state is a file, which has a lock of its own. StateUnusable where another copy acts."""
    if not settings.leased:
        yield None
        return
    lock = lease_lock(settings)
    lease = Lease(
        lock=lock, holder={"name": f"{socket.gethostname()} process {os.getpid()}", "host": "", "address": ""},
        ttl=settings.lease_ttl, clock=clock, sleep=asyncio.sleep, heard=_ignored,
    )  # fmt: skip
    try:
        if not await lease.try_once():
            holder = (await lock.look()).items.get("name", "unknown")
            raise StateUnusable(
                f"another nomad-operator acts on the state {settings.state_variables}: {holder}",
                hint="that one does what this would; stop it first, or ask it (`nomad-operator reconcile APP`)",
            )
        holding = asyncio.create_task(lease.lost(), name="lease")
        try:
            yield lease.fence
        finally:
            holding.cancel()
            await asyncio.wait([holding])
            await lease.give_up()
    finally:
        await lock.aclose()


def _ignored(_error: OperatorError | None) -> None:
    """What is wrong with Nomad the command tells by itself."""
