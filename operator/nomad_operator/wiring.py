"""The composition root: the one place that knows every part and every adapter, and hands them to each other.

Nothing is decided here. What differs between the daemon, `once`, `plan` and the demo is which store they are given and
which of the parts they run.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from desired.app import AppKey
from desired.catalog import Catalog
from desired.edited_file import FileEditor
from desired.errors import UsageError
from desired.git_credentials import GitCredentials
from desired.git_source import GitSource
from desired.parsed_jobs import ParsedJobs
from desired.policy import Policy, Repair, Verify
from desired.write_back import WriteBack
from nomad_operator import __version__
from nomad_operator.backend import DaemonBackend
from nomad_operator.commits import CommitTimes
from nomad_operator.daemon import Daemon, Intervals
from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from nomad_operator.passes import Passes
from nomad_operator.repairs_told import RepairsTold
from nomad_operator.settings import Settings
from nomad_operator.source import Repository, Source
from nomad_operator.state_watch import StateWatch
from nomad_operator.web_events import Broadcast
from observers.images import ImageRegistries
from observers.nomad.chronicle import Chronicle
from observers.nomad.client import NomadClient
from observers.nomad.collect import Collector
from observers.nomad.connection import Connection
from observers.nomad.stream import EventStream
from observers.redaction import Placeholders
from reconcilers.backoff import Backoff
from reconcilers.prune import PruneRules
from reconcilers.queue import WorkQueue
from reconcilers.reconcile import Reconciler, Repairs
from reconcilers.records import Records
from reconcilers.repair.budget import Budget, BudgetSettings
from reconcilers.repair.gatherer import Gatherer
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.ladder import Ladder
from reconcilers.repair.owed import WriteBackTo
from reconcilers.repair.rule_rung import RuleRung
from reconcilers.repair.switch import Switch
from reconcilers.repair.writing import Writing
from reconcilers.reports import Reports
from reconcilers.requests import Requests
from reconcilers.situation import Mode, Rules
from reconcilers.specs import Specs
from reconcilers.store import Store
from reconcilers.watch import Watch
from reconcilers.workers import Workers

# Longer than the slowest call a pass can make, so that it is Nomad's answer that ends a pass, not this.
_PASS_DEADLINE = timedelta(seconds=120)
# What a git server refuses mostly takes a person to allow.
_WRITE_AGAIN = timedelta(seconds=10)
_WRITE_AGAIN_AT_MOST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that was put together, for those who run it."""

    nomad: NomadClient
    images: ImageRegistries | None
    source: Source
    records: Records
    switch: Switch
    reports: Reports
    reconciler: Reconciler
    workers: Workers
    daemon: Daemon
    backend: DaemonBackend
    broadcast: Broadcast
    metrics: Metrics
    passes: Passes
    requests: Counter[str]

    async def close(self) -> None:
        self.broadcast.close()
        await self.nomad.aclose()
        if self.images is not None:
            await self.images.aclose()


def now() -> datetime:
    return datetime.now(UTC)


def repository(settings: Settings) -> GitSource:
    """The git source that the settings name."""
    if settings.git_url is None:
        raise UsageError(
            "NOMAD_OPERATOR_GIT_URL is not set: there is nothing to follow",
            hint="name the repository that holds your apps; `nomad-operator settings` explains every setting",
        )
    # One folder a source: another URL or ref must not find what this one left.
    named = hashlib.sha256(f"{settings.git_url}\0{settings.git_ref}\0{settings.git_path}".encode()).hexdigest()[:16]
    return GitSource(
        url=settings.git_url,
        ref=settings.git_ref,
        path=settings.git_path,
        cache=settings.state_file.with_name("git") / named,
        credentials=credentials(settings),
        environment=os.environ,
    )


def credentials(settings: Settings) -> GitCredentials:
    return GitCredentials(
        username=settings.git_username,
        token=settings.git_token.get_secret_value() if settings.git_token else "",
        token_file=settings.git_token_file,
        ssh_key_file=settings.git_ssh_key_file,
        known_hosts_file=settings.git_known_hosts_file,
    )


def connection(settings: Settings) -> Connection:
    address = f"unix://{settings.nomad_unix_socket}" if settings.nomad_unix_socket else settings.nomad_addr
    return Connection(
        address=address,
        token=settings.nomad_token.get_secret_value() if settings.nomad_token else None,
        token_file=settings.nomad_token_file,
        namespace=settings.nomad_namespace,
        region=settings.nomad_region or None,
        ca_cert=settings.nomad_cacert,
        client_cert=settings.nomad_client_cert,
        client_key=settings.nomad_client_key,
        tls_skip_verify=settings.nomad_skip_verify,
    )


def policy(settings: Settings) -> Policy:
    """What an app has that says nothing else."""
    return Policy(
        prune=True,
        drift=settings.drift,
        on_failure=settings.on_failure,
        repair=Repair(mode=settings.repair_mode, max_attempts=settings.repair_max_attempts),
        verify=Verify(soak=settings.verify_soak, timeout=settings.verify_timeout),
    )


def rules(settings: Settings, own_job: AppKey | None) -> Rules:
    return Rules(
        mode=settings.mode,
        adopt=settings.adopt,
        prune_grace=settings.prune_grace,
        own_job=None if settings.manage_self else own_job,
        defaults=policy(settings),
    )


def write_back(settings: Settings, followed: Repository) -> WriteBack | None:
    """The way of repairs back to git; None where nothing is ever written."""
    if settings.write_back is WriteBackTo.OFF or settings.mode is Mode.OBSERVE or not isinstance(followed, GitSource):
        return None
    editor = FileEditor(defaults=policy(settings), namespace=settings.nomad_namespace)
    return WriteBack(push=followed.push(settings.write_back_author), editor=editor)


def assemble(
    settings: Settings, *, store: Store, followed: Repository, origin: str, own_job: AppKey | None = None
) -> Parts:
    """Put the parts together; nothing is read or started yet. Must be called inside the loop that will run them."""
    metrics = Metrics(version=__version__)
    log = structlog.get_logger()
    requests: Counter[str] = Counter()

    def on_request(endpoint: str, method: str, status: int, seconds: float) -> None:
        # Listing jobs and registering one share an address.
        asked = f"{method} {endpoint}"
        requests[asked] += 1
        metrics.nomad_request(asked, str(status))

    nomad = NomadClient(connection=connection(settings), namespaces=settings.namespaces, on_request=on_request)
    parser = ParsedJobs(parser=nomad)
    outages = Outages(log=log, clock=time.monotonic)
    state = StateWatch(
        store=store, outages=outages, metrics=metrics, back=lambda: daemon.hurry_unsettled(), sleep=asyncio.sleep
    )
    records = Records(store=state, origin=origin)
    records.listen(RepairsTold(metrics=metrics, log=log).saved)
    reports = Reports(now=now)
    asked = Requests()
    source = Source(
        repository=followed,
        catalog=Catalog(
            parser=parser,
            defaults=policy(settings),
            namespace=settings.nomad_namespace,
            namespaces=settings.namespaces,
        ),
        records=records,
    )
    chronicle = Chronicle()
    images = ImageRegistries(insecure=settings.insecure_registries) if settings.image_lookup else None
    switch = Switch(store=state, stopped_by_setting=settings.repairs_stopped)
    reconciler = Reconciler(
        nomad=nomad,
        desired=source,
        withdrawn=lambda: daemon.withdrawals,
        records=records,
        requests=asked,
        specs=Specs(parser=parser),
        reporter=reports,
        repairs=Repairs(
            evidence=Gatherer(
                collector=Collector(reads=nomad, images=images),
                chronicle=chronicle,
                placeholders=Placeholders(),
                secrets=secrets_of(settings),
            ),
            ladder=Ladder(
                rungs=[("rule", RuleRung())],
                guard=Guard(settings=GuardSettings(widened=settings.repair_auto, ceilings=settings.repair_limits)),
            ),
            budget=Budget(
                settings=BudgetSettings(per_hour=settings.repair_max_per_hour, at_once=settings.repair_concurrency),
                records=records,
            ),
            switch=switch,
        ),
        rules=rules(settings, own_job),
        watch=Watch(now=now, clock=time.monotonic),
        now=now,
        after_state_loss=lambda: daemon.after_state_loss,
    )
    passes = Passes(
        log=log,
        metrics=metrics,
        reports=reports,
        explained=lambda error: state.explains(error) or daemon.nomad.explains(error),
    )
    workers = Workers(
        queue=WorkQueue(backoff=Backoff(random=random.random)),
        reconcile=reconciler.reconcile,
        observer=passes,
        clock=time.monotonic,
        concurrency=settings.concurrency,
        deadline=_PASS_DEADLINE,
    )
    commits = CommitTimes(metrics=metrics, now=now)
    writer = write_back(settings, followed)
    writing = None
    if writer is not None:
        writing = Writing(
            to=settings.write_back,
            writer=writer,
            desired=source,
            records=records,
            notes=asked,
            stopped=lambda: switch.stopped,
            wake=lambda key: workers.wake(key, hurry=True),
            pushed=lambda: daemon.look_at_git(),
            outages=outages,
            backoff=Backoff(random=random.random, first=_WRITE_AGAIN, cap=_WRITE_AGAIN_AT_MOST),
            clock=time.monotonic,
        )
        records.listen(writing.saved)
    daemon = Daemon(
        lists=nomad,
        chronicle=chronicle,
        writing=writing,
        stream=EventStream(connection=connection(settings), namespaces=settings.namespaces, on_request=on_request),
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
        request_count=requests.total,
        log=log,
        all_namespaces="*" in settings.namespaces,
        now=now,
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
    )
    for listener in (passes.transition, commits.transition, daemon.transition, backend.transition):
        reports.listen(listener)
    return Parts(
        nomad=nomad, images=images, source=source, records=records, switch=switch, reports=reports,
        reconciler=reconciler, workers=workers, daemon=daemon, backend=backend, broadcast=broadcast, metrics=metrics,
        passes=passes, requests=requests,
    )  # fmt: skip


def secrets_of(settings: Settings) -> list[str]:
    """What this process knows and nobody may be told."""
    named = (settings.nomad_token, settings.git_token, settings.api_token, settings.webhook_secret)
    return [secret.get_secret_value() for secret in named if secret is not None]


def own_job_of(environment: dict[str, str]) -> AppKey | None:
    """The job this process runs in, as Nomad tells every task; None outside Nomad."""
    name = environment.get("NOMAD_JOB_ID")
    return AppKey(environment.get("NOMAD_NAMESPACE", "default"), name) if name else None
