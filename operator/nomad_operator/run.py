"""`run`: the process around the daemon. Opens the store, serves the web, ends on a signal."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog
from pydantic import SecretStr

from desired.errors import OperatorError, UsageError
from desired.git_address import GitAddress
from nomad_operator import __version__, log
from nomad_operator.api_token import token_of_daemon
from nomad_operator.from_settings import connection, own_job_of, repository
from nomad_operator.memory_from_settings import tell_missing
from nomad_operator.page.pages import Pages
from nomad_operator.page.services_view import ServicesView, services_view
from nomad_operator.page.site import site_of
from nomad_operator.settings import Settings
from nomad_operator.signals import StopSignals
from nomad_operator.state_from_settings import open_store
from nomad_operator.watched import HINT, not_there
from nomad_operator.web import Web
from nomad_operator.web_server import WebServer
from nomad_operator.wiring import Parts, assemble, now
from observers.nomad.calls import Fence
from observers.nomad.client import NomadClient
from prompts.fetched import FetchedPrompts

_VERSION_SECONDS = 2.0


async def run(settings: Settings) -> int:
    """The daemon, until SIGTERM or SIGINT: no new work, running passes end. One line when it starts, one at its end."""
    log.configure(form=settings.log_format, level=settings.log_level)
    if settings.leased:
        from nomad_operator.copies.terms import run_copy  # which needs what is here

        return await run_copy(settings)
    await refuse_to_act_beside_others(settings, os.environ)
    with StopSignals() as signals:
        async with opened(settings) as parts:
            web = web_of(settings, parts, token_of_daemon(settings))
            host, port = settings.listen_at
            server = await WebServer.start(web.application(), host=host, port=port)
            logger, started = structlog.get_logger(), time.monotonic()
            logger.info("started", **await followed_by(settings, parts), address=server.address)
            await tell_missing_namespaces(settings, parts)
            why = "an error"
            try:
                async with serving(parts):
                    tell_missing(settings, logger)
                    await parts.daemon.start()
                    why = await _until_told(signals, parts)
            finally:
                await server.stop()
                logger.info("stopped", reason=why, after_seconds=round(time.monotonic() - started, 1))
    return 0


def web_of(settings: Settings, parts: Parts, api_token: SecretStr) -> Web:
    """The answers of a daemon that acts."""
    site = site_of(settings, api_token)

    def services() -> ServicesView:
        head = parts.backend.head()["operator"]
        return services_view(
            outages=parts.outages.open,
            hints={"git": head["sourceHint"], "nomad": head["nomadHint"], "state": head["stateHint"]},
            unread=parts.daemon.unread(),
            look=parts.look.look(),
            now=now(),
            clock_now=time.monotonic(),
        )

    return Web(
        site=site,
        pages=Pages(
            shown=parts.backend,
            services=services,
            readers=site.readers,
            rendering=site.rendering,
            alone=not settings.leased,
            now=now,
        ),
        backend=parts.backend,
        metrics=_CountedMetrics(parts),
        api_token=api_token,
        webhook_secret=settings.webhook_secret,
        memories=parts.memories,
        plainly=parts.plainly,
    )


@asynccontextmanager
async def serving(parts: Parts) -> AsyncIterator[None]:
    """What runs beside the daemon: news go out, prompts are fetched ahead. Streams of events end with it."""
    telling = asyncio.create_task(parts.notifier.run()) if parts.notifier is not None else None
    if telling is not None:
        telling.add_done_callback(_tell_bug)
    try:
        if isinstance(parts.fetched, FetchedPrompts):
            parts.fetched.ahead()
        yield
    finally:
        parts.broadcast.close()
        if telling is not None:
            telling.cancel()
            await asyncio.wait([telling])


async def refuse_to_act_beside_others(settings: Settings, environment: Mapping[str, str]) -> None:
    """A system job runs a copy on every node: each with a file of its own would act on its own. UsageError says so."""
    own = own_job_of(dict(environment))
    if "NOMAD_ALLOC_ID" not in environment or own is None:
        return
    kind = ""
    client = NomadClient(connection=connection(settings))
    try:
        with suppress(OperatorError, TimeoutError):
            async with asyncio.timeout(_VERSION_SECONDS):
                job = await client.job(own)
                kind = job.type if job is not None else ""
    finally:
        await client.aclose()
    if kind == "system":
        raise UsageError(
            f"{own} is a system job, which runs a copy on every node, and the state of each is a file of its own: "
            "all of them would act",
            hint="set NOMAD_OPERATOR_STATE_URL=nomad://nomad-operator/state: then one of the copies acts, by a lease "
            "in Nomad; or run it as a service job with count = 1",
        )
    if not kind:
        structlog.get_logger().warning(
            "type of own job unknown", job=str(own),
            hint="one copy alone may act on a state file: is it a service job with count = 1?",
        )  # fmt: skip


async def followed_by(settings: Settings, parts: Parts) -> dict[str, str]:
    """What it works on. Nomad's version is left open where it does not tell at once: that must not keep us waiting."""
    version = ""
    with suppress(OperatorError, TimeoutError):
        async with asyncio.timeout(_VERSION_SECONDS):
            version = (await parts.nomad.agent()).version
    return {
        "version": __version__,
        "nomad": connection(settings).shown,
        "nomad_version": version,
        "namespaces": ",".join(settings.namespaces),
        "repository": GitAddress.parse(settings.git_url or "").canonical,
        "ref": settings.git_ref,
        "path": settings.git_path,
        "mode": settings.mode.value,
        "state": str(settings.state_variables or settings.state_file),
    }


async def tell_missing_namespaces(settings: Settings, parts: Parts) -> None:
    for name in await not_there(parts.nomad, settings.namespaces):
        structlog.get_logger().warning("namespace not there", namespace=name, hint=HINT)


@asynccontextmanager
async def opened(settings: Settings, *, fence: Fence | None = None) -> AsyncIterator[Parts]:
    """The parts on the state that the settings name; it is held until the end. `fence` is asked before writes."""
    followed = repository(settings)
    store = await open_store(settings, fence=fence)
    try:
        parts = assemble(
            settings, store=store, followed=followed, origin=followed.origin, own_job=own_job_of(dict(os.environ)),
            remembers=True, fence=fence,
        )  # fmt: skip
        try:
            await parts.records.load()
            await parts.switch.load()
            await parts.answers.load(parts.records)
            yield parts
        finally:
            await parts.close()
    finally:
        await store.close()


def _tell_bug(telling: asyncio.Task[None]) -> None:
    """Nobody is told anything any more, and the apps are kept all the same."""
    if not telling.cancelled() and (error := telling.exception()) is not None:
        structlog.get_logger().error("notifications ended by a bug", exc_info=error)


async def _until_told(signals: StopSignals, parts: Parts) -> str:
    """Until a signal comes, or the daemon ends by itself; an unexpected error of it is raised."""
    running = asyncio.create_task(parts.daemon.run())
    stopping = asyncio.create_task(signals.wait())
    try:
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        await parts.daemon.stop()
        await running
    return signals.name or "it ended by itself"


class _CountedMetrics:
    """Counts what is only worth counting when somebody looks; the rest goes through."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def render(self, accept: str) -> tuple[bytes, str]:
        self._parts.passes.count_conditions()
        self._parts.metrics.queue_depth(self._parts.workers.waiting)
        return self._parts.metrics.render(accept)

    def webhook(self, server: str, result: str) -> None:
        self._parts.metrics.webhook(server, result)
