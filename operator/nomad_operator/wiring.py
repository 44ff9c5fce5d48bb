"""The composition root: the one place that knows every part and every adapter, and hands them to each other.

Nothing is decided here. What differs between the daemon, `once`, `plan` and the demo is which store they are given and
which of the parts they run.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from desired.admission.ceilings import ceilings
from desired.admission.examiner import judged
from desired.app import AppKey
from desired.catalog import Catalog
from desired.errors import OperatorError, StillReading
from desired.parsed_jobs import ParsedJobs
from nomad_operator import __version__, memory_from_settings
from nomad_operator.admission_from_settings import admission, rules_in_force
from nomad_operator.backend import DaemonBackend
from nomad_operator.bursts import Bursts
from nomad_operator.code_from_settings import code_sources
from nomad_operator.code_sources import CodeSources
from nomad_operator.commits import CommitTimes
from nomad_operator.daemon import Daemon, Intervals
from nomad_operator.event_feed import EventFeed
from nomad_operator.fenced_writer import FencedWriter
from nomad_operator.fleet_sync import FleetSync
from nomad_operator.from_settings import connection, policy, rules, secrets_of, write_back
from nomad_operator.langfuse.api import Langfuse
from nomad_operator.langfuse.from_settings import langfuse as langfuse_client
from nomad_operator.langfuse.from_settings import prompts
from nomad_operator.log import Outages
from nomad_operator.look_ups import look_up, registries
from nomad_operator.memory_desk import MemoryDesk
from nomad_operator.metrics import Metrics
from nomad_operator.model_answers import ModelAnswers
from nomad_operator.model_from_settings import answering_for, model
from nomad_operator.news.delivery import Notifier
from nomad_operator.news.from_settings import notifier
from nomad_operator.news.of_apps import NewsOfApps
from nomad_operator.news.of_repairs import NewsOfRepairs
from nomad_operator.nomad_watch import NomadWatch
from nomad_operator.outcomes_told import OutcomesTold
from nomad_operator.passes import Passes
from nomad_operator.probes.services import probe_services
from nomad_operator.pulse import Pulse
from nomad_operator.repair_ledger import RepairLedger
from nomad_operator.repairs_told import RepairsTold
from nomad_operator.rules_watch import RulesWatch
from nomad_operator.service_clients import ServiceClients, service_clients
from nomad_operator.service_look import ServiceLook
from nomad_operator.settings import Settings
from nomad_operator.source import Repository, Source
from nomad_operator.state_watch import StateWatch
from nomad_operator.tracing.from_settings import Tracing, tracing
from nomad_operator.tracing.score_box import ScoreBox
from nomad_operator.tracing.traced_model import ClosableModel, TracedModel
from nomad_operator.web_events import Broadcast
from observers.images import ImageRegistries
from observers.nomad.calls import Fence
from observers.nomad.chronicle import Chronicle
from observers.nomad.client import NomadClient
from observers.nomad.collect import Collector
from observers.nomad.stream import EventStream
from observers.redaction import Placeholders, Redactor
from prompts.catalog import Prompts
from prompts.fetched import FetchedPrompts
from reconcilers.backoff import Backoff
from reconcilers.generate.remembering_apps import RememberingApps
from reconcilers.prune import PruneRules
from reconcilers.queue import WorkQueue
from reconcilers.reconcile import Reconciler, Repairs
from reconcilers.records import Records
from reconcilers.repair.budget import Budget, BudgetSettings
from reconcilers.repair.experience import Experience
from reconcilers.repair.gatherer import Gatherer
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.in_plain_words import InPlainWords
from reconcilers.repair.ladder import AskedRung, Ladder
from reconcilers.repair.memory_rung import MemoryRung
from reconcilers.repair.model_rung import ModelRung
from reconcilers.repair.remembering import Remembering
from reconcilers.repair.rule_rung import RuleRung
from reconcilers.repair.switch import Switch
from reconcilers.repair.writing import Writing
from reconcilers.reports import Reports
from reconcilers.requests import Requests
from reconcilers.specs import Specs
from reconcilers.store import Store
from reconcilers.watch import Watch
from reconcilers.workers import Workers

# Longer than the slowest call a pass can make, so that it is Nomad's answer that ends a pass, not this.
_PASS_DEADLINE = timedelta(seconds=120)
# What one climb may ask a model: twice, and each time once more for an answer that cannot be read.
_MOST_QUESTIONS = 4
# The least that can be asked takes a Nomad that works no second.
_SILENCE = timedelta(seconds=5)
# Apps whose code is known need not wait for the others'.
_PATIENCE = timedelta(seconds=5)
# Scores and traces that are not sent by then are lost: they hold up nobody's stop.
FLUSH_SECONDS = 2.0
# What a git server refuses mostly takes a person to allow.
_WRITE_AGAIN = timedelta(seconds=10)
_WRITE_AGAIN_AT_MOST = timedelta(minutes=15)
_REMEMBERED_WITHIN = 5.0
# Somebody looks at a page, and waits.
_LOOK_TIMEOUT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that was put together, for those who run it."""

    nomad: NomadClient
    asking: NomadClient  # whether it answers at all
    images: ImageRegistries | None
    source: Source
    records: Records
    switch: Switch
    reports: Reports
    reconciler: Reconciler
    workers: Workers
    sync: FleetSync
    daemon: Daemon
    backend: DaemonBackend
    broadcast: Broadcast
    metrics: Metrics
    outages: Outages
    look: ServiceLook
    passes: Passes
    requests: Counter[str]
    codes: CodeSources
    services: ServiceClients
    notifier: Notifier | None
    langfuse: Langfuse | None
    fetched: Prompts
    traced: Tracing
    scores: ScoreBox | None
    model: ClosableModel | None  # None: no endpoint is set
    experience: Experience | None  # None: nothing is remembered
    remembering: Remembering | None
    remembering_apps: RememberingApps | None
    memories: MemoryDesk | None
    plainly: InPlainWords | None
    answers: ModelAnswers

    async def close(self) -> None:
        if self.remembering is not None:
            with suppress(OperatorError, TimeoutError):
                # What ended in the last moment; else it is written at the next start.
                async with asyncio.timeout(_REMEMBERED_WITHIN):
                    await self.remembering.write()
                    if self.remembering_apps is not None:
                        await self.remembering_apps.write()
        if self.experience is not None:
            await self.experience.aclose()
        self.broadcast.close()
        if self.notifier is not None:
            await self.notifier.aclose()
        self.answers.close()
        self.codes.close()
        await self.look.aclose()
        await self.nomad.aclose()
        await self.asking.aclose()
        await self.services.aclose()
        if isinstance(self.fetched, FetchedPrompts):
            await self.fetched.aclose()
        if self.scores is not None:
            await self.scores.aclose(FLUSH_SECONDS)
        await asyncio.to_thread(self.traced.close, FLUSH_SECONDS)
        if self.langfuse is not None:
            await self.langfuse.aclose()
        if self.model is not None:
            await self.model.aclose()
        if self.images is not None:
            await self.images.aclose()


def now() -> datetime:
    return datetime.now(UTC)


def assemble(
    settings: Settings,
    *,
    store: Store,
    followed: Repository,
    origin: str,
    own_job: AppKey | None = None,
    patience: timedelta | None = _PATIENCE,
    remembers: bool = False,
    fence: Fence | None = None,
) -> Parts:
    """Put the parts together; nothing is read or started yet. Must be called inside the loop that will run them.

    `remembers`: repairs are recalled and remembered, and a model is asked about code, where the settings say so.
    `fence` is asked before each write to Nomad, and before each push.
    `patience` is how long a look at git waits for the code of apps; None as long as it takes, and then no more is
    looked for by itself.
    """
    metrics = Metrics(version=__version__)
    log = structlog.get_logger()
    requests: Counter[str] = Counter()

    def on_request(endpoint: str, method: str, status: int, seconds: float) -> None:
        # Listing jobs and registering one share an address.
        asked = f"{method} {endpoint}"
        requests[asked] += 1
        count(endpoint, method, status, seconds)

    def count(endpoint: str, method: str, status: int, seconds: float) -> None:
        metrics.nomad_request(f"{method} {endpoint}", str(status))
        if status:
            pulse.heard()

    nomad = NomadClient(
        connection=connection(settings), namespaces=settings.namespaces, on_request=on_request, fence=fence
    )
    parser = ParsedJobs(parser=nomad)
    outages = Outages(log=log, clock=time.monotonic)
    state = StateWatch(
        store=store, outages=outages, metrics=metrics, back=lambda: daemon.hurry_unsettled(), sleep=asyncio.sleep
    )
    records = Records(store=state, origin=origin)
    records.listen(RepairsTold(metrics=metrics, log=log).saved)
    ledger = RepairLedger(since=now())
    records.listen(ledger.saved)
    reports = Reports(now=now)
    asked = Requests()
    codes = code_sources(
        settings,
        own=followed,
        called=settings.git_url or followed.shown_url,
        news=lambda: daemon.look_at_git(),
        patience=patience,
        tidy=patience is not None,
    )
    placeholders = Placeholders()
    traced = tracing(settings, environ=os.environ, placeholders=placeholders, log=log, outages=outages, metrics=metrics)
    answering = model(settings, metrics=metrics, outages=outages, placeholders=placeholders)
    asked_model = None if answering is None else TracedModel(model=answering, traces=traced.traces)
    langfuse = langfuse_client(settings)
    fetched = prompts(settings, client=langfuse, log=log, outages=outages, metrics=metrics)
    experience = None
    if remembers:
        experience = memory_from_settings.memory(
            settings, nomad=nomad, clock=time.monotonic, heard=memory_from_settings.heard(outages, metrics)
        )
    services = service_clients(settings)
    answers = ModelAnswers(
        answering=answering_for(
            settings, model=asked_model if remembers else None, prompts=fetched, services=services, nomad=nomad,
            placeholders=placeholders, experience=experience,
        ),
        codes=codes,
        store=state,
        news=codes.news,
        failed=lambda key, error: log.warning(
            "a model has not answered for an app", app=str(key), problem=error.message, hint=error.hint
        ),
    )  # fmt: skip
    source = Source(
        traces=traced.traces,
        repository=followed,
        catalog=Catalog(
            parser=parser,
            defaults=policy(settings),
            namespace=settings.nomad_namespace,
            namespaces=settings.namespaces,
            codes=codes,
            help=answers if settings.model_answers else None,
        ),
        records=records,
        codes=codes,
    )
    in_force = rules_in_force(settings, source)
    chronicle = Chronicle()
    images = registries(settings)
    scores = ScoreBox(to=langfuse) if langfuse is not None and settings.traces else None
    records.listen(OutcomesTold(counts=metrics, score=scores.put if scores else lambda _: None, now=now).saved)
    switch = Switch(store=state, stopped_by_setting=settings.repairs_stopped)
    budget = Budget(
        settings=BudgetSettings(per_hour=settings.repair_max_per_hour, at_once=settings.repair_concurrency),
        records=records,
        wake=lambda key: workers.wake(key),
    )
    records.listen(budget.saved)
    gatherer = Gatherer(
        collector=Collector(reads=nomad, images=images),
        chronicle=chronicle,
        placeholders=placeholders,
        secrets=secrets_of(settings),
        places=look_up(nomad, services),
    )
    remembering = remembering_apps = memories = None
    if experience is not None:
        memories = MemoryDesk(experience=experience, kept=memory_from_settings.kept(settings))
        remembering = Remembering(memory=experience, records=records, sleep=asyncio.sleep)
        records.listen(remembering.saved)
        remembering_apps = RememberingApps(memory=experience, desired=source.app, sleep=asyncio.sleep)
        records.listen(remembering_apps.saved)
    guard = Guard(
        settings=GuardSettings(widened=settings.repair_auto, ceilings=settings.repair_limits),
        judged=lambda key, body: judged(key, body, in_force()),
        allowed=lambda key: ceilings(key, in_force()),
    )
    rungs: list[tuple[str, AskedRung]] = [("rule", RuleRung())]
    if experience is not None:
        rungs.append(("memory", MemoryRung(memory=experience, guard=guard)))
    if asked_model is not None:
        rungs.append(
            ("model", ModelRung(model=asked_model, prompts=fetched, hiding=gatherer.hiding, recall=experience))
        )
    reconciler = Reconciler(
        nomad=nomad,
        desired=source,
        withdrawn=lambda: daemon.withdrawals,
        records=records,
        requests=asked,
        specs=Specs(parser=parser),
        reporter=reports,
        repairs=Repairs(
            evidence=gatherer,
            ladder=Ladder(rungs=rungs, learns=["model"], guard=guard),
            budget=budget,
            switch=switch,
        ),
        rules=rules(settings, own_job),
        watch=Watch(now=now, clock=time.monotonic),
        now=now,
        after_state_loss=lambda: sync.after_state_loss,
        admission=admission(
            settings,
            nomad=nomad,
            desired=source,
            rules=in_force,
            records=records,
            parser=parser,
            services=services,
            images=images,
            now=now,
        ),
    )
    passes = Passes(
        log=log,
        metrics=metrics,
        reports=reports,
        explained=lambda error: isinstance(error, StillReading) or state.explains(error) or watch.explains(error),
    )
    workers = Workers(
        queue=WorkQueue(backoff=Backoff(random=random.random)),
        reconcile=traced.passes(reconciler.reconcile),
        observer=passes,
        clock=time.monotonic,
        concurrency=settings.concurrency,
        deadline=_PASS_DEADLINE
        + (_MOST_QUESTIONS * settings.model_timeout if asked_model is not None else timedelta(0)),
    )
    commits = CommitTimes(metrics=metrics, now=now)
    writer = write_back(settings, followed)
    writing = None
    if writer is not None:
        writing = Writing(
            to=settings.write_back,
            writer=writer if fence is None else FencedWriter(writer=writer, fence=fence),
            desired=source,
            records=records,
            notes=asked,
            stopped=lambda: switch.stopped,
            wake=lambda key: workers.wake(key, hurry=True),
            pushed=lambda: daemon.look_at_git(),
            outages=outages,
            backoff=Backoff(random=random.random, first=_WRITE_AGAIN, cap=_WRITE_AGAIN_AT_MOST),
            clock=time.monotonic,
            traces=traced.traces,
        )
        records.listen(writing.saved)
    watch = NomadWatch(
        outages=outages,
        metrics=metrics,
        reports=reports,
        look=lambda: sync.look(),
        # Files that its parser held up are read at once.
        back=lambda: daemon.look_at_git(),
    )
    sync = FleetSync(
        lists=nomad,
        source=source,
        records=records,
        reports=reports,
        metrics=metrics,
        nomad=watch,
        wake=workers.wake,
        changed=lambda: daemon.review_withdrawals(),
        request_count=requests.total,
    )
    at_once = replace(connection(settings), max_connections=2, read_deadline=_SILENCE)
    asking = NomadClient(connection=at_once, on_request=count)
    pulse = Pulse(nomad=asking, silent=watch.read, look=lambda: sync.look(), clock=time.monotonic)
    feed = EventFeed(
        stream=EventStream(connection=connection(settings), namespaces=settings.namespaces, on_request=on_request),
        namespaces=nomad.namespaces if "*" in settings.namespaces else None,
        chronicle=chronicle,
        bursts=Bursts(records=records, wake=workers.wake, later=_later),
        reports=reports,
        metrics=metrics,
        nomad=watch,
        look=sync.look,
        now=now,
    )
    daemon = Daemon(
        sync=sync,
        feed=feed,
        pulse=pulse,
        nomad=watch,
        writing=writing,
        remembering=remembering,
        remembering_apps=remembering_apps,
        source=source,
        records=records,
        reports=reports,
        requests=asked,
        workers=workers,
        metrics=metrics,
        outages=outages,
        commits=commits,
        switch=switch,
        state=state,
        prune=PruneRules(enabled=settings.prune, max_share=settings.prune_max_share),
        intervals=Intervals(poll=settings.git_poll.total_seconds(), resync=settings.resync.total_seconds()),
        log=log,
        now=now,
        codes=codes,
        rules=RulesWatch(rules=in_force, log=log, outages=outages),
    )
    broadcast = Broadcast()
    backend = DaemonBackend(
        daemon=daemon,
        source=source,
        records=records,
        reports=reports,
        mode=settings.mode.value,
        broadcast=broadcast,
        switch=switch,
        repair_mode=settings.repair_mode,
        ledger=ledger,
    )
    told = notifier(settings, metrics=metrics, outages=outages)
    if told is not None:
        # Never the placeholders of evidence: what they stand for must not be found again from outside.
        redact = Redactor(known=secrets_of(settings), placeholders=Placeholders()).redact
        of_apps, of_repairs = (
            NewsOfApps(desk=told, redact=redact), NewsOfRepairs(desk=told, redact=redact, now=now),
        )  # fmt: skip
        reports.watch(of_apps.changed)
        reports.listen(lambda one: of_apps.gone(one.key) if reports.get(one.key) is None else None)
        records.listen(of_repairs.saved)
        switch.listen(of_repairs.switched)
    look = ServiceLook(
        ask=lambda: probe_services(settings, timeout=_LOOK_TIMEOUT, question=False), now=now, clock=time.monotonic
    )
    plainly = None
    if asked_model is not None:
        # What it makes of a story is shown as it is.
        hide = Redactor(known=secrets_of(settings), placeholders=Placeholders()).redact
        plainly = InPlainWords(model=asked_model, prompts=fetched, redact=hide, clock=time.monotonic)
    for listener in (passes.transition, commits.transition, daemon.transition, backend.transition):
        reports.listen(listener)
    return Parts(
        nomad=nomad, asking=asking, images=images, source=source, records=records, switch=switch, reports=reports,
        reconciler=reconciler, workers=workers, daemon=daemon, backend=backend, broadcast=broadcast, metrics=metrics,
        outages=outages, look=look, passes=passes, requests=requests, sync=sync, codes=codes,
        services=services, langfuse=langfuse, fetched=fetched, model=asked_model, traced=traced, scores=scores,
        notifier=told, experience=experience, remembering=remembering, remembering_apps=remembering_apps,
        memories=memories,
        plainly=plainly, answers=answers,
    )  # fmt: skip


def _later(seconds: float, call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, call)
