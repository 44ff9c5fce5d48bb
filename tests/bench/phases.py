"""What is measured, one function for each: first deployment, a quiet fleet, one commit among many, a restart."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import monotonic, sleep
from typing import Any

from tests.bench.app_repository import AppRepository, name
from tests.bench.copies import Copies
from tests.bench.daemon_process import DaemonProcess
from tests.bench.noise import Noise
from tests.bench.nomad_side import NomadSide

# More than one large cluster was ever seen to tell, and for how long.
_NOISE_A_SECOND = 500
_NOISE_SECONDS = 15.0
_WAITING_SECONDS = 10.0
# The daemon looks at git once a second at most, however often it is told: who measures that gap measures nothing else.
_BETWEEN_COMMITS_SECONDS = 1.1
_STATUSES = "POST jobs/statuses"


def _patience(apps: int) -> float:
    """Seconds that the slowest part may take before the measurement is given up."""
    return 300.0 + apps / 5


@dataclass(frozen=True, slots=True)
class Deployment:
    """From the daemon's start. `cpu_share` is of one core, while apps were registered: near 1, the daemon is the bound.

    `passes_per_second` is until all were registered, requests are until all were verified.
    """

    registered_seconds: float
    registers_per_second: float
    passes_per_second: float
    cpu_share: float
    verified_seconds: float
    passes_per_app: float
    requests_per_app: float
    requests: dict[str, int]
    raft_writes_per_app: float
    cpu_seconds: float


def first_deployment(daemon: DaemonProcess, nomad: NomadSide, apps: int, *, raft_before: int) -> Deployment:
    """All apps are new. Ends when all are verified and settled."""
    # Nomad's clock and ours are of one machine.
    began = time.time() - (monotonic() - daemon.started)
    then = daemon.until(lambda counts: counts.registers >= apps, within=_patience(apps))
    share = daemon.process.cpu_seconds() / (monotonic() - daemon.started)
    passes_per_second = then.passes / (monotonic() - daemon.started)
    daemon.until(lambda counts: counts.ready == apps, within=_patience(apps))
    verified = monotonic() - daemon.started
    submitted = nomad.submitted()
    counts = daemon.settle(apps, within=_patience(apps))
    span = submitted[-1] - submitted[0]
    return Deployment(
        registered_seconds=submitted[-1] - began,
        registers_per_second=(apps - 1) / span if span else 0.0,
        passes_per_second=passes_per_second,
        cpu_share=share,
        verified_seconds=verified,
        passes_per_app=counts.passes / apps,
        requests_per_app=counts.requests.total() / apps,
        requests=dict(counts.requests.most_common()),
        raft_writes_per_app=(nomad.raft_index() - raft_before) / apps,
        cpu_seconds=daemon.process.cpu_seconds(),
    )


@dataclass(frozen=True, slots=True)
class Quiet:
    """Of one resync, in a window of several in which nothing changed."""

    resyncs: int
    requests: float
    passes: float
    cpu_seconds: float
    writes: int
    raft_writes: int


def quiet(daemon: DaemonProcess, nomad: NomadSide, *, seconds: float) -> Quiet:
    """The fleet has settled. Writes are those of the window; Nomad may write one by itself."""
    before, raft, cpu = daemon.counts(), nomad.raft_index(), daemon.process.cpu_seconds()
    sleep(seconds)
    raft, cpu = nomad.raft_index() - raft, daemon.process.cpu_seconds() - cpu
    after = daemon.counts()
    resyncs = after.requests[_STATUSES] - before.requests[_STATUSES]
    if resyncs == 0:
        raise RuntimeError(f"no resync in {seconds:g} s")
    return Quiet(
        resyncs=resyncs,
        requests=(after.requests.total() - before.requests.total()) / resyncs,
        passes=(after.passes - before.passes) / resyncs,
        cpu_seconds=cpu / resyncs,
        writes=after.writes - before.writes,
        raft_writes=raft,
    )


@dataclass(frozen=True, slots=True)
class Commits:
    """Commit of one app to Nomad holding it, in milliseconds; requests and CPU are of one commit until verified."""

    commits: int
    p50: float
    p99: float
    slowest: float
    requests: float
    cpu_seconds: float


def commits(
    daemon: DaemonProcess, nomad: NomadSide, repository: AppRepository, *, count: int, webhook: bool
) -> Commits:
    """Change one app after the other, with a pause; without the webhook, the daemon's own poll has to find it."""
    before, cpu = daemon.counts(), daemon.process.cpu_seconds()
    took = []
    for number in range(count):
        # Spread over all, a different one each time as far as there are enough.
        which = number * max(1, repository.apps // count) % repository.apps
        took.append(_one_commit(daemon, nomad, repository, which, webhook=webhook))
        sleep(_BETWEEN_COMMITS_SECONDS if webhook else 0)
    after = daemon.settle(repository.apps, within=_patience(repository.apps))
    return Commits(
        commits=count,
        p50=_quantile(took, 0.5),
        p99=_quantile(took, 0.99),
        slowest=max(took),
        requests=(after.requests.total() - before.requests.total()) / count,
        cpu_seconds=(daemon.process.cpu_seconds() - cpu) / count,
    )


def _one_commit(
    daemon: DaemonProcess, nomad: NomadSide, repository: AppRepository, which: int, *, webhook: bool
) -> float:
    revision = str(time.time_ns())
    index = nomad.index_of(name(which))
    job = repository.change(which, revision)
    began = monotonic()
    if webhook:
        daemon.webhook()
    if not nomad.wait_until_registered(job, index):
        raise RuntimeError(f"{job} was not registered in time:\n{daemon.process.last_words()}")
    return (monotonic() - began) * 1000


@dataclass(frozen=True, slots=True)
class Restart:
    """From the process's start until every app is known to be ready again."""

    seconds: float
    requests: int
    cpu_seconds: float
    writes: int


def restart(daemon: DaemonProcess, apps: int) -> Restart:
    """The daemon was just started, on the state and the jobs of another run."""
    counts = daemon.until(lambda counts: counts.ready == apps, within=_patience(apps), every=0.1)
    return Restart(
        seconds=monotonic() - daemon.started,
        requests=counts.requests.total(),
        cpu_seconds=daemon.process.cpu_seconds(),
        writes=counts.writes,
    )


@dataclass(frozen=True, slots=True)
class Noisy:
    """While others' jobs are evaluated. Lags are bounds: so many events came no later, in milliseconds."""

    events_per_second: float
    lag_p50: float
    lag_p99: float
    cpu_share: float
    commits: Commits


def noisy(daemon: DaemonProcess, nomad: NomadSide, repository: AppRepository, *, driver: str, commit: int) -> Noisy:
    """So many commits go on meanwhile."""
    with Noise(address=nomad.address, driver=driver, a_second=_NOISE_A_SECOND):
        before, cpu, began = daemon.counts(), daemon.process.cpu_seconds(), monotonic()
        under = commits(daemon, nomad, repository, count=commit, webhook=True)
        sleep(max(0.0, _NOISE_SECONDS - (monotonic() - began)))
        after, cpu, took = daemon.counts(), daemon.process.cpu_seconds() - cpu, monotonic() - began
    heard = {bound: count - before.events.get(bound, 0) for bound, count in after.events.items()}
    return Noisy(
        events_per_second=max(heard.values()) / took,
        lag_p50=_bound(heard, 0.5),
        lag_p99=_bound(heard, 0.99),
        cpu_share=cpu / took,
        commits=under,
    )


def _bound(heard: Mapping[float, int], share: float) -> float:
    return 1000 * min(bound for bound, count in heard.items() if count >= share * max(heard.values()))


@dataclass(frozen=True, slots=True)
class TakeOver:
    """From the end of the copy that acted: until another one does, and until that knows all apps to be ready.

    `waiting_memory_mb` and `waiting_requests` are of one copy that does not act; requests are a minute's.
    """

    clean_seconds: float
    clean_known_seconds: float
    killed_seconds: float
    killed_known_seconds: float
    waiting_memory_mb: float
    waiting_requests: float


def take_over(copies: Copies, apps: int) -> TakeOver:
    """Three copies at least, settled; one is left in the end."""
    waiting = copies.others(copies.leader())[0]
    before, began = waiting.counts().requests.total(), monotonic()
    sleep(_WAITING_SECONDS)
    requests = (waiting.counts().requests.total() - before) * 60 / (monotonic() - began)
    memory, _ = waiting.process.memory_mb()
    clean = _ended(copies, apps, DaemonProcess.stop)
    killed = _ended(copies, apps, DaemonProcess.kill)
    return TakeOver(*clean, *killed, memory, requests)


def _ended(copies: Copies, apps: int, end: Callable[[DaemonProcess], None]) -> tuple[float, float]:
    gone = copies.leader()
    if end is DaemonProcess.kill:
        began = monotonic()
        end(gone)
        copies.without(gone)
    else:
        copies.without(gone)
        end(gone)
        began = monotonic()
    leader = copies.leader()
    acts = monotonic() - began
    leader.until(lambda counts: counts.ready == apps, within=_patience(apps), every=0.1)
    return acts, monotonic() - began


@dataclass(frozen=True, slots=True)
class Row:
    """Everything of one number of apps, and of copies."""

    apps: int
    copies: int
    deployment: Deployment
    quiet: Quiet
    webhook: Commits
    poll: Commits
    restart: Restart
    noisy: Noisy
    take_over: TakeOver | None
    memory_mb: float
    memory_peak_mb: float

    @property
    def label(self) -> str:
        return f"{self.apps}" if self.copies == 1 else f"{self.apps} x {self.copies}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * share) - 1]
