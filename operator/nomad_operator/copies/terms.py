"""`run` where the state is in Nomad: one of many copies. It waits for the lease, acts while it holds it, waits again.

Each term puts everything together anew: records are read from the store, and nothing that an earlier term had begun,
queued or believed is left. Between terms a copy holds no list of apps, no event stream and no series of them.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from desired.errors import OperatorError, TransientError
from nomad_operator import __version__
from nomad_operator.api_token import token_of_daemon
from nomad_operator.copies.address import advertised
from nomad_operator.copies.follower import Follower, body_of
from nomad_operator.copies.mailbox import Answered, Inbox, Outbox
from nomad_operator.from_settings import connection
from nomad_operator.lease import Lease, clock, renew_every, taken_over_within
from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from nomad_operator.page.site import site_of
from nomad_operator.run import followed_by, opened, serving, tell_missing_namespaces, web_of
from nomad_operator.settings import Settings
from nomad_operator.signals import StopSignals
from nomad_operator.state_from_settings import nomad_store
from nomad_operator.web_server import WebServer
from nomad_operator.wiring import Parts
from observers.nomad.locks import NomadLock

_AGAIN_SECONDS = 1.0


def lease_lock(settings: Settings) -> NomadLock:
    place = settings.state_variables
    assert place is not None
    way = replace(connection(settings), namespace=place.namespace)
    return NomadLock(connection=way, path=place.lease, answers_within=renew_every(settings.lease_ttl))


async def run_copy(settings: Settings) -> int:
    """One copy, until SIGTERM or SIGINT: running passes end, then the lease goes to another copy at once."""
    log, started = structlog.get_logger(), time.monotonic()
    with StopSignals() as signals:
        copy = Copy(settings)
        host, port = settings.listen_at
        server = await WebServer.start(copy, host=host, port=port)
        lock, stopping = lease_lock(settings), asyncio.create_task(signals.wait())
        try:
            lease = copy.compete(lock, address=server.address)
            log.info(
                "started", version=__version__, nomad=connection(settings).shown, address=server.address,
                state=str(settings.state_variables), lease_seconds=settings.lease_ttl.total_seconds(),
                taken_over_within_seconds=taken_over_within(settings.lease_ttl).total_seconds(),
            )  # fmt: skip
            while not stopping.done():
                winning = asyncio.create_task(lease.won())
                await asyncio.wait([winning, stopping], return_when=asyncio.FIRST_COMPLETED)
                if not winning.done():
                    winning.cancel()
                    await asyncio.wait([winning])
                elif not stopping.done():
                    winning.result()
                    await copy.lead(lease, stopping)
            await lease.give_up()
        finally:
            stopping.cancel()
            await server.stop()
            await copy.aclose()
            await lock.aclose()
            log.info("stopped", reason=signals.name or "an error", after_seconds=round(time.monotonic() - started, 1))
    return 0


class Copy:
    """What one copy serves: its own answers while it acts, those of a follower else. An ASGI application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log = structlog.get_logger()
        self._outages = Outages(log=self._log, clock=time.monotonic)
        self._problem: OperatorError | None = None
        self._lease: Lease | None = None
        self._store = nomad_store(settings)
        self._token = token_of_daemon(settings)
        metrics = Metrics(version=__version__)
        metrics.leader(acting=False)
        self._follower = Follower(
            outbox=Outbox(store=self._store, new_id=lambda: uuid4().hex[:12]),
            leader=lambda: self._lease.leader if self._lease is not None else {},
            missing=self._missing,
            metrics=metrics,
            api_token=self._token,
            webhook_secret=settings.webhook_secret,
            host=socket.gethostname(),
            site=site_of(settings, self._token),
        )
        self._following: ASGIApp = self._follower.application()
        self._leading: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A copy that stood still says nothing of itself that is over, in the moment before it knows.
        acts = self._leading if self._lease is not None and self._lease.held else None
        await (acts or self._following)(scope, receive, send)

    def compete(self, lock: NomadLock, *, address: str) -> Lease:
        """The lease that this copy wants; `address` is where it listens."""
        environment, host = dict(os.environ), socket.gethostname()
        self._lease = Lease(
            lock=lock,
            holder={
                "name": environment.get("NOMAD_ALLOC_ID") or f"{host} process {os.getpid()}",
                "host": host,
                "address": advertised(given=self._settings.advertise, environment=environment, bound=address),
                "version": __version__,
            },
            ttl=self._settings.lease_ttl,
            clock=clock,
            sleep=asyncio.sleep,
            heard=self._heard,
        )
        return self._lease

    async def aclose(self) -> None:
        await self._follower.aclose()
        await self._store.close()

    async def lead(self, lease: Lease, stopping: asyncio.Task[str]) -> None:
        """One term: until the lease is lost, somebody stops us, or the daemon ends by an error, which is raised."""
        holding = asyncio.create_task(lease.lost(), name="lease")
        began = time.monotonic()
        self._log.info("leading")
        try:
            async with opened(self._settings, fence=lease.fence) as parts:
                await self._term(parts, holding, stopping)
        except TransientError as error:
            # Nomad answered, and does not any more: another copy may do better.
            self._heard(error)
            await lease.give_up()
            await asyncio.sleep(_AGAIN_SECONDS)
        except BaseException:
            await lease.give_up()
            raise
        finally:
            self._leading = None
            why = holding.result() if holding.done() and not holding.cancelled() else "given up"
            holding.cancel()
            await asyncio.wait([holding])
            self._log.info("no longer leading", reason=why, after_seconds=round(time.monotonic() - began, 1))

    async def _term(self, parts: Parts, holding: asyncio.Task[str], stopping: asyncio.Task[str]) -> None:
        application = web_of(self._settings, parts, self._token).application()
        inbox = Inbox(
            store=self._store, post=_posting(application, self._token.get_secret_value()),
            wake=parts.backend.wake_source, log=self._log, clock=time.monotonic, sleep=asyncio.sleep,
        )  # fmt: skip
        self._log.info("following", **await followed_by(self._settings, parts))
        await tell_missing_namespaces(self._settings, parts)
        async with serving(parts):
            await parts.daemon.start()
            self._leading = application
            running = asyncio.create_task(parts.daemon.run(), name="daemon")
            asking = asyncio.create_task(inbox.run(), name="inbox")
            try:
                await asyncio.wait([running, asking, holding, stopping], return_when=asyncio.FIRST_COMPLETED)
                if holding.done():
                    # Open streams of this copy end; what it had begun is another's now.
                    await parts.daemon.drop()
            finally:
                self._leading = None
                parts.broadcast.close()
                asking.cancel()
                await parts.daemon.stop()
                await asyncio.wait([running, holding], return_when=asyncio.FIRST_COMPLETED)
                if holding.done():
                    await parts.daemon.drop()
                await asyncio.wait([running, asking])
            for task in (running, asking):
                if not task.cancelled():
                    task.result()

    def _heard(self, error: OperatorError | None) -> None:
        self._problem = error
        self._outages.report("lease", error.message if error else None, hint=error.hint if error else "")

    def _missing(self) -> list[str]:
        return [f"the lease in Nomad cannot be read: {self._problem.message}"] if self._problem else []


def _posting(application: ASGIApp, token: str) -> Callable[[str, str], Any]:
    """The way of a request from the store to the same answers that a POST gets."""

    async def post(path: str, body: str) -> Answered:
        if not path.startswith("/api/v1/"):
            return Answered(404, {"error": f"{path} cannot be asked for", "hint": ""})
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://this-copy", trust_env=False) as client:
            answer = await client.post(path, content=body, headers={"authorization": f"Bearer {token}"})
        return Answered(answer.status_code, body_of(answer.text))

    return post
