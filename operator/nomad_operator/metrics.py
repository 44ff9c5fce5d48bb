"""The operator's Prometheus metrics, on a registry of their own. Callers say what happened, never how it is counted.

Labels are bounded: app names stand only in `app_info`. Names only grow; dashboards and alerts rest on them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from desired.app import AppKey

_PREFIX = "nomad_operator"
_PASS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DELIVERY = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_ANSWER = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
_MOST_VERSIONS = 200
_LAG = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


# A series for each class and rung: fewer of them.
_REPAIR = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)
_INFO = "which operator this is"


@dataclass(frozen=True, slots=True)
class Described:
    """One metric as docs/metrics.md lists it, under the name that a query uses."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


class Metrics:
    """Every method is cheap and never raises."""

    def __init__(self, *, version: str) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.described: list[Described] = [Described(f"{_PREFIX}_info", "gauge", ("version",), _INFO)]
        Info(_PREFIX, _INFO, registry=self.registry).info({"version": version})
        self._told_conditions: set[str] = set()
        self._app_labels: dict[AppKey, tuple[str, str, str, str]] = {}
        self._apps = self._gauge("apps", "apps of which the condition is true", "condition")
        self._app_info = self._gauge(
            "app_info", "1 for every app, with its state", "app", "namespace", "ready", "reason"
        )
        self._reconciles = self._counter(
            "reconcile",
            "passes: `settled`, `waiting`, `transient`, `error`; `resync_refused` for a list that Nomad refuses",
            "result",
        )
        self._pass_seconds = self._histogram("reconcile_duration_seconds", "how long a pass takes", _PASS)
        self._queue_depth = self._gauge("queue_depth", "apps that wait for a pass")
        self._queue_wait = self._histogram("queue_wait_seconds", "how long they waited", _LAG)
        self._to_registered = self._histogram(
            "commit_to_registered_seconds", "from a commit being seen to its job being registered", _DELIVERY
        )
        self._to_healthy = self._histogram(
            "commit_to_healthy_seconds", "from a commit being seen to its job being verified", _DELIVERY
        )
        self._event_lag = self._histogram("event_lag_seconds", "from an event at Nomad to its arrival", _LAG)
        self._event_stream = self._gauge("event_stream_up", "1 while Nomad's event stream is heard")
        self._resync = self._gauge("resync_nomad_requests", "requests to Nomad that the last resync made")
        self._drift = self._counter("drift", "changes by hand: `corrected`, `told` or `contested`", "action")
        self._leader = self._gauge("leader", "1 while this copy acts")
        self._dependency = self._gauge(
            "dependency_up",
            "1 while `git` and `nomad` answer, and the operator's own `state` can be written; `model`, where one is "
            "set: 0 while it is left alone after failures in a row; `langfuse`, where it is set",
            "service",
        )
        self._source_problems = self._gauge(
            "source_problems", "files that could not be turned into an app; any of them holds back all pruning"
        )
        self._episodes = self._counter(
            "episodes",
            "failures that are over; `rung` is whose repair was tried last, `none` where none was; `outcome` as in the "
            "status: `repaired`, `healed`, `rolled_back`, `exhausted`, `superseded`, `stopped`, `rejected`, `not_ours`",
            "class", "rung", "outcome",
        )  # fmt: skip
        self._attempts = self._counter(
            "repair_attempts", "repairs that were put in force: `verified` or `failed`", "class", "rung", "outcome"
        )
        self._repair_seconds = self._histogram(
            "repair_seconds",
            "from the first sign to the name (`detect`), from there to the first proposal (`propose`), from the name "
            "to verified (`healthy`); `rung` is whose proposal it was, `none` for `detect`",
            _REPAIR, "stage", "class", "rung",
        )  # fmt: skip
        self._durable = self._counter("durable_fixes", "repairs that held for half an hour", "class", "rung")
        self._regressions = self._counter(
            "fix_regressions", "repairs after which something failed within half an hour", "class", "rung"
        )
        self._human_reverted = self._counter(
            "human_reverted", "repairs that a person took back, or changed in git, within half an hour", "class", "rung"
        )
        self._guarded = self._counter(
            "guard_rejections", "proposals that the guard turned down, by what they would have broken", "invariant"
        )
        self._repairs_stopped = self._gauge("repairs_stopped", "1 while the kill switch holds all repairs")
        self._webhooks = self._counter(
            "webhook_deliveries",
            "webhooks of git servers; `server` is `github`, `gitlab`, `gitea`, `forgejo`, `gogs` or `other`; `result` "
            "is `accepted`, `repeated`, `unsigned`, `refused`, `stale`, `too_large` or `too_slow`",
            "server", "result",
        )  # fmt: skip
        self._notifications = self._counter(
            "notifications",
            "news for webhooks; `form` is `json`, `slack`, `mattermost` or `discord`, `result` is `sent` or `lost`",
            "form", "result",
        )  # fmt: skip
        self._model_questions = self._counter(
            "model_questions",
            "questions to the model: `answered`; no usable answer: `malformed`, `misfit`, `cut_off`, `refused`, "
            "`empty`, `tool`; or none: `unavailable`, `too_late`, `rate_limited`, `out_of_tokens`, "
            "`impossible`, `given_up`",
            "prompt", "outcome",
        )  # fmt: skip
        self._model_tokens = self._counter(
            "model_tokens",
            "tokens of questions (`in`) and answers (`out`), as the endpoint counts them, else estimated",
            "prompt", "direction",
        )  # fmt: skip
        self._model_seconds = self._histogram(
            "model_seconds", "from a question to its end, with the wait for a turn and every try", _ANSWER, "prompt"
        )
        self._traces = self._counter(
            "traces", "traces to `langfuse` or to a collector (`otlp`); `result` is `sent` or `lost`", "place", "result"
        )
        self._prompts_went = self._counter(
            "prompt_outcomes",
            "repairs that a version of a prompt was asked for; `label` is what it was fetched by, or `file`; `outcome` "
            "is `validated` or `rejected`, then `healthy` or `failed`, then `durable` or `undone`",
            "prompt", "version", "label", "outcome",
        )  # fmt: skip
        self._prompt_versions: set[tuple[str, str, str]] = set()
        self._nomad = self._counter(
            "nomad_requests",
            "requests to Nomad by method and route; `result` is the status, 0 without an answer",
            "endpoint", "result",
        )  # fmt: skip

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        told = self._describe(name, "gauge", meaning, labels)
        return Gauge(f"{_PREFIX}_{name}", told, labels, registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        told = self._describe(f"{name}_total", "counter", meaning, labels)
        return Counter(f"{_PREFIX}_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        told = self._describe(name, "histogram", meaning, labels)
        return Histogram(f"{_PREFIX}_{name}", told, labels, buckets=buckets, registry=self.registry)

    def _describe(self, name: str, kind: str, meaning: str, labels: tuple[str, ...]) -> str:
        """Kept for the documentation; returned as the exposition says it."""
        self.described.append(Described(f"{_PREFIX}_{name}", kind, labels, meaning))
        return f"{meaning[0].upper()}{meaning[1:]}.".replace("`", "'")

    def apps(self, conditions: Mapping[str, int]) -> None:
        """How many apps have each condition; one that is not named any more falls to 0."""
        self._told_conditions |= conditions.keys()
        for condition in self._told_conditions:
            self._apps.labels(condition).set(conditions.get(condition, 0))

    def app(self, key: AppKey, *, ready: str, reason: str) -> None:
        """The state of one app; replaces what was said of it before."""
        labels = (key.name, key.namespace, ready, reason)
        before = self._app_labels.get(key)
        if before == labels:
            return
        if before is not None:
            self._app_info.remove(*before)
        self._app_labels[key] = labels
        self._app_info.labels(*labels).set(1)

    def app_gone(self, key: AppKey) -> None:
        before = self._app_labels.pop(key, None)
        if before is not None:
            self._app_info.remove(*before)

    def reconciled(self, result: str, seconds: float | None = None) -> None:
        """One pass and how it ended, in one of few words; `seconds` is None for what took no pass."""
        self._reconciles.labels(result).inc()
        if seconds is not None:
            self._pass_seconds.observe(seconds)

    def queue_depth(self, waiting: int) -> None:
        self._queue_depth.set(waiting)

    def waited(self, seconds: float) -> None:
        """How long a key was due before its pass began."""
        self._queue_wait.observe(max(0.0, seconds))

    def registered(self, seconds: float) -> None:
        """An app that a commit moved was registered, so long after the commit."""
        self._to_registered.observe(max(0.0, seconds))

    def healthy(self, seconds: float) -> None:
        """An app that a commit moved was verified healthy, so long after the commit."""
        self._to_healthy.observe(max(0.0, seconds))

    def event_lag(self, seconds: float) -> None:
        """Clocks of two machines: a negative lag counts as none."""
        self._event_lag.observe(max(0.0, seconds))

    def stream_up(self, up: bool) -> None:
        self._event_stream.set(up)

    def resynced(self, requests: int) -> None:
        self._resync.set(requests)

    def drifted(self, action: str) -> None:
        """A change by hand was found; `action` is corrected, told or contested."""
        self._drift.labels(action).inc()

    def leader(self, *, acting: bool) -> None:
        self._leader.set(acting)

    def dependency_up(self, service: str, *, up: bool) -> None:
        self._dependency.labels(service).set(up)

    def source_problems(self, files: int) -> None:
        self._source_problems.set(files)

    def failure_met(self, failure: str, rungs: Collection[str], outcomes: Collection[str]) -> None:
        """A failure of this class has begun: what may come of it is there as 0 before it is counted.

        Source: Prometheus docs, "increase": what a series is worth when it appears has not grown, so that the first
        repair of each class would never be counted.
        """
        for outcome in outcomes:
            for rung in rungs:
                self._episodes.labels(failure, rung, outcome)
        for rung in rungs:
            self._attempts.labels(failure, rung, "verified")
            self._attempts.labels(failure, rung, "failed")
            for counter in (self._durable, self._regressions, self._human_reverted):
                counter.labels(failure, rung)

    def episode_closed(self, failure: str, rung: str, outcome: str) -> None:
        self._episodes.labels(failure, rung, outcome).inc()

    def attempt_ended(self, failure: str, rung: str, outcome: str) -> None:
        """`outcome` is verified or failed."""
        self._attempts.labels(failure, rung, outcome).inc()

    def repair_took(self, stage: str, seconds: float, failure: str, rung: str) -> None:
        """`stage` is detect, propose or healthy."""
        self._repair_seconds.labels(stage, failure, rung).observe(max(0.0, seconds))

    def repair_lasted(self, undone: str, failure: str, rung: str) -> None:
        """`undone` empty: it was durable; else what undid it, a `person` or a `failure`."""
        counter = {"": self._durable, "person": self._human_reverted}.get(undone, self._regressions)
        counter.labels(failure, rung).inc()

    def guarded(self, invariant: str) -> None:
        self._guarded.labels(invariant).inc()

    def repairs_stopped(self, *, stopped: bool) -> None:
        self._repairs_stopped.set(stopped)

    def webhook(self, server: str, result: str) -> None:
        """`result` is accepted, repeated, unsigned, refused, stale, too_large or too_slow."""
        self._webhooks.labels(server, result).inc()

    def notified(self, form: str, result: str, notices: int) -> None:
        """`result` is sent or lost."""
        self._notifications.labels(form, result).inc(notices)

    def model_asked(self, prompt: str, outcome: str, seconds: float) -> None:
        """`prompt` is the name of one of ours, `outcome` `answered` or one word of why not."""
        self._model_questions.labels(prompt, outcome).inc()
        self._model_seconds.labels(prompt).observe(max(0.0, seconds))

    def model_tokens(self, prompt: str, tokens_in: int, tokens_out: int) -> None:
        self._model_tokens.labels(prompt, "in").inc(tokens_in)
        self._model_tokens.labels(prompt, "out").inc(tokens_out)

    def traces(self, place: str, result: str, number: int) -> None:
        """`place` is langfuse or otlp, `result` sent or lost; from any thread."""
        self._traces.labels(place, result).inc(number)

    def prompt_went(self, prompt: str, version: int, label: str, outcome: str) -> None:
        """Versions grow for ever; a process counts so many of them by their number."""
        labels = (prompt, str(version), label or "file")
        if labels not in self._prompt_versions and len(self._prompt_versions) >= _MOST_VERSIONS:
            labels = (prompt, "other", label or "file")
        self._prompt_versions.add(labels)
        self._prompts_went.labels(*labels, outcome).inc()

    def nomad_request(self, endpoint: str, result: str) -> None:
        """`endpoint` is a method and a route (`GET job/plan`), never an address with ids in it."""
        self._nomad.labels(endpoint, result).inc()

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition that the `Accept` header asks for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
