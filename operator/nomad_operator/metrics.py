"""The operator's Prometheus metrics, on a registry of their own. Callers say what happened, never how it is counted.

Labels are bounded: app names stand only in `app_info`. Names only grow; dashboards and alerts rest on them.
"""

from __future__ import annotations

from collections.abc import Mapping

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


class Metrics:
    """Every method is cheap and never raises."""

    def __init__(self, *, version: str) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        Info(_PREFIX, "Which operator this is.", registry=self.registry).info({"version": version})
        self._told_conditions: set[str] = set()
        self._app_labels: dict[AppKey, tuple[str, str, str, str]] = {}
        self._apps = self._gauge("apps", "Apps of which a condition is true.", "condition")
        self._app_info = self._gauge(
            "app_info", "1 for every app, with its state.", "app", "namespace", "ready", "reason"
        )
        self._reconciles = self._counter("reconcile", "Passes, by how they ended.", "result")
        self._pass_seconds = self._histogram("reconcile_duration_seconds", "How long a pass takes.", _PASS)
        self._queue_depth = self._gauge("queue_depth", "Apps that wait for a pass.")
        self._queue_wait = self._histogram("queue_wait_seconds", "How long an app waits for its pass.", _LAG)
        self._to_registered = self._histogram(
            "commit_to_registered_seconds", "From a commit being seen to its job being registered.", _DELIVERY
        )
        self._to_healthy = self._histogram(
            "commit_to_healthy_seconds", "From a commit being seen to its job being verified healthy.", _DELIVERY
        )
        self._event_lag = self._histogram("event_lag_seconds", "From an event at Nomad to its arrival.", _LAG)
        self._event_stream = self._gauge("event_stream_up", "1 while Nomad's event stream is heard.")
        self._resync = self._gauge("resync_nomad_requests", "Requests to Nomad that the last resync made.")
        self._drift = self._counter("drift", "Changes by hand that were found, by what was done.", "action")
        self._leader = self._gauge("leader", "1 while this copy acts.")
        self._dependency = self._gauge("dependency_up", "1 while a service answers.", "service")
        self._source_problems = self._gauge(
            "source_problems", "Files that could not be turned into an app; any of them holds back all pruning."
        )
        self._episodes = self._counter(
            "episodes", "Failures that are over, by what they were, whose repair was tried last, and how they ended.",
            "class", "rung", "outcome",
        )  # fmt: skip
        self._attempts = self._counter(
            "repair_attempts",
            "Repairs that were put in force, by whether they were verified.",
            "class",
            "rung",
            "outcome",
        )
        self._repair_seconds = self._histogram_by(
            "repair_seconds",
            "From the first sign to the name (detect), from there to a proposal (propose) and to verified (healthy).",
            _DELIVERY, "stage",
        )  # fmt: skip
        self._durable = self._counter("durable_fixes", "Repairs that held for half an hour.")
        self._regressions = self._counter(
            "fix_regressions", "Repairs after which something failed within half an hour."
        )
        self._human_reverted = self._counter("human_reverted", "Repairs that a person took back within half an hour.")
        self._guarded = self._counter("guard_rejections", "Proposals that the guard turned down.", "invariant")
        self._repairs_stopped = self._gauge("repairs_stopped", "1 while the kill switch holds all repairs.")
        self._webhooks = self._counter(
            "webhook_deliveries", "Webhooks of git servers, by who seems to have sent them and what was answered.",
            "server", "result",
        )  # fmt: skip
        self._model_questions = self._counter(
            "model_questions", "Questions to the model, by how they ended.", "prompt", "outcome"
        )
        self._model_tokens = self._counter(
            "model_tokens", "Tokens of questions (in) and answers (out), as the endpoint counts them, else estimated.",
            "prompt", "direction",
        )  # fmt: skip
        self._model_seconds = self._histogram_by(
            "model_seconds", "From a question to its end, with the wait for a turn and every try.", _ANSWER, "prompt"
        )
        self._traces = self._counter("traces", "Traces, by where they go and what became of them.", "place", "result")
        self._prompts_went = self._counter(
            "prompt_outcomes", "How repairs went that a version of a prompt was asked for, by the label it was under.",
            "prompt", "version", "label", "outcome",
        )  # fmt: skip
        self._prompt_versions: set[tuple[str, str, str]] = set()
        self._nomad = self._counter("nomad_requests", "Requests to Nomad.", "endpoint", "result")

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", meaning, labels, registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", meaning, buckets=buckets, registry=self.registry)

    def _histogram_by(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", meaning, labels, buckets=buckets, registry=self.registry)

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

    def episode_closed(self, failure: str, rung: str, outcome: str) -> None:
        self._episodes.labels(failure, rung, outcome).inc()

    def attempt_ended(self, failure: str, rung: str, outcome: str) -> None:
        """`outcome` is verified or failed."""
        self._attempts.labels(failure, rung, outcome).inc()

    def repair_took(self, stage: str, seconds: float) -> None:
        """`stage` is detect, propose or healthy."""
        self._repair_seconds.labels(stage).observe(max(0.0, seconds))

    def repair_lasted(self, undone: str) -> None:
        """Empty: it was durable; else what undid it, a `person` or a `failure`."""
        counter = {"": self._durable, "person": self._human_reverted}.get(undone, self._regressions)
        counter.inc()

    def guarded(self, invariant: str) -> None:
        self._guarded.labels(invariant).inc()

    def repairs_stopped(self, *, stopped: bool) -> None:
        self._repairs_stopped.set(stopped)

    def webhook(self, server: str, result: str) -> None:
        """`result` is accepted, repeated, unsigned, refused, stale, too_large or too_slow."""
        self._webhooks.labels(server, result).inc()

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
