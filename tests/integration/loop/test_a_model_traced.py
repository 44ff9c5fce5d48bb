"""From a prompt in Langfuse to what became of the repair: its version is linked, scored and counted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from desired.operations.operation import Kind, Operation
from nomad_operator.metrics import Metrics
from nomad_operator.outcomes_told import OutcomesTold
from nomad_operator.tracing.places import LangfusePlace, tracer
from nomad_operator.tracing.recorder import Recorded, Recorder
from nomad_operator.tracing.redaction import Redaction
from nomad_operator.tracing.traced_model import TracedModel
from observers.reach.address import Reach
from observers.redaction import Placeholders
from prompts.catalog import FilePrompts
from prompts.fetched import FetchedPrompts
from prompts.labels import Labels
from reconcilers.reconcile import Repairs
from reconcilers.repair.guard import Guard
from reconcilers.repair.ladder import Ladder
from reconcilers.repair.model_rung import ModelRung
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, LangfuseDouble, langfuse_double
from tests.doubles.scripted_model import ScriptedModel
from tests.integration.loop import test_nothing_secret_is_written as leaks
from tests.integration.loop.cluster import FAST, Cluster, job
from tests.integration.loop.test_repairs import WORLD
from tests.secret_shapes import SPELLED, passwords, readable
from tests.unit.repair.test_model_rung import hiding, said

FILES = FilePrompts()


@pytest.fixture
def double() -> Iterator[LangfuseDouble]:
    with langfuse_double() as double:
        yield double


class Closable(ScriptedModel):
    async def aclose(self) -> None: ...


class Shelf:
    """What the double holds, without a connection: every pass here has an event loop of its own."""

    def __init__(self, double: LangfuseDouble) -> None:
        self._double = double

    async def prompt(self, name: str, *, label: str) -> Any | None:
        return next((one for one in self._double.prompts.get(name, []) if label in one["labels"]), None)


class Silent:
    def reached(self, problem: Any) -> None: ...

    def unusable(self, name: str, label: str, problem: Any) -> None:
        raise AssertionError(problem)

    def missing(self, name: str, label: str) -> None: ...


class Asked(Cluster):
    """A cluster whose only rung is a model, asked with prompts of the double."""

    def __init__(self, double: LangfuseDouble, labels: Labels, memory: int, world: str = WORLD) -> None:
        self.kept: list[Recorded] = []
        self.scores: list[Any] = []
        self.metrics = Metrics(version="1")
        self.recorder = Recorder(tracer=tracer({}), take=self.kept.append)
        fetched = FetchedPrompts(
            shelf=Shelf(double), files=FILES, labels=labels, tell=Silent(), clock=time.monotonic
        )  # fmt: skip
        self.prompts = fetched
        answer = said(Operation(Kind.MEMORY, ("app", "app"), None, memory))
        self.model = Closable({"repair": [answer]})
        super().__init__(world=world)
        reconciler: Any = self.reconciler
        reconciler.reconcile = self.recorder.passes(reconciler.reconcile)
        self.records.listen(
            OutcomesTold(counts=self.metrics, score=self.scores.append, now=lambda: self.now).saved
        )  # fmt: skip

    def _repairs(self) -> Repairs:
        made = super()._repairs()
        model = TracedModel(model=self.model, traces=self.recorder)
        rung = ModelRung(model=model, prompts=self.prompts, hiding=hiding)
        ladder = Ladder(rungs=[("model", rung)], guard=Guard(settings=self.guard, judged=self.judged))
        return Repairs(evidence=made.evidence, ladder=ladder, budget=made.budget, switch=made.switch)

    def counted(self) -> dict[tuple[str, ...], float]:
        return {
            (sample.labels["version"], sample.labels["label"], sample.labels["outcome"]): sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "nomad_operator_prompt_outcomes_total"
        }


def written(double: LangfuseDouble) -> None:
    """Two versions; the second one is to be compared."""
    document = FILES.texts["repair"].document
    for label, config in (("production", {"temperature": 0.1}), ("candidate", {"temperature": 0.7})):
        double.write("repair", document["prompt"], labels=[label], config=config)


def sent(cluster: Asked, double: LangfuseDouble) -> dict[str, Any]:
    """The generation, as Langfuse received it."""
    reach = Reach(service="Langfuse", setting="LANGFUSE_HOST", address=double.address)
    place = LangfusePlace(reach=reach, public_key=PUBLIC_KEY, secret_key=SECRET_KEY)
    redaction = Redaction(secrets=(), placeholders=Placeholders())
    for one in cluster.kept:
        place.send(redaction.redacted(one))
    place._session.close()
    return next(dict(span.attributes, trace=span.trace) for span in double.spans if span.name == "model")


@pytest.mark.parametrize(("labels", "version", "label"), [
    (Labels("production"), 1, "production"), (Labels("production", "candidate", 1.0), 2, "candidate"),
])  # fmt: skip
def test_the_version_that_was_asked_with_is_linked_scored_and_counted(
    double: LangfuseDouble, labels: Labels, version: int, label: str
) -> None:
    written(double)
    cluster = Asked(double, labels, memory=256)
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    cluster.live("web", minutes=45)
    (question,) = cluster.model.asked
    assert question.prompt is not None and question.prompt.version == version
    told = sent(cluster, double)
    assert told["langfuse.observation.type"] == "generation"
    assert (told["langfuse.observation.prompt.name"], told["langfuse.observation.prompt.version"]) == (
        "repair",
        version,
    )
    assert json.loads(told["langfuse.observation.model.parameters"]) == dict(question.settings)
    assert json.loads(told["langfuse.observation.output"])["fixable"] is True
    assert [(one["name"], one["value"]) for one in cluster.scores] == [
        ("validated", 1), ("healthy", 1), ("durable", 1)
    ]  # fmt: skip
    assert {one["traceId"] for one in cluster.scores} == {told["trace"]}
    number = str(version)
    assert cluster.counted() == {
        (number, label, "validated"): 1, (number, label, "healthy"): 1, (number, label, "durable"): 1
    }  # fmt: skip


def test_what_becomes_of_a_repair_after_a_restart_is_told_of_the_trace_that_proposed_it(double: LangfuseDouble) -> None:
    written(double)
    cluster = Asked(double, Labels("production"), memory=256)
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    cluster.live("web", minutes=2)
    assert [one["name"] for one in cluster.scores] == ["validated", "healthy"]
    cluster.restart()
    cluster.records.listen(
        OutcomesTold(counts=cluster.metrics, score=cluster.scores.append, now=lambda: cluster.now).saved
    )
    cluster.live("web", minutes=45)
    assert [(one["name"], one["value"]) for one in cluster.scores] == [("validated", 1), ("healthy", 1), ("durable", 1)]
    assert len({one["traceId"] for one in cluster.scores}) == 1
    assert cluster.counted()["1", "production", "durable"] == 1


def test_what_did_not_help_is_counted_against_its_version(double: LangfuseDouble) -> None:
    written(double)
    cluster = Asked(double, Labels("production"), memory=150)
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    cluster.live("web", minutes=15)
    counted = cluster.counted()
    assert counted["1", "production", "failed"] >= 1
    assert ("1", "production", "healthy") not in counted
    assert ("healthy", 0) in [(one["name"], one["value"]) for one in cluster.scores]


def test_without_langfuse_the_file_is_counted(double: LangfuseDouble) -> None:
    cluster = Asked(double, Labels("production"), memory=256)
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    cluster.live("web", minutes=10)
    number = str(FILES.texts["repair"].version)
    assert cluster.counted() == {(number, "file", "validated"): 1, (number, "file", "healthy"): 1}
    assert "langfuse.observation.prompt.name" not in sent(cluster, double)


@settings(
    max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(secret=passwords(), spelled=st.sampled_from(sorted(SPELLED)))
def test_what_is_secret_in_the_job_stands_in_no_question(double: LangfuseDouble, secret: str, spelled: str) -> None:
    """It is in the job, and the app writes it into its log before it dies; the log is part of what is asked."""
    line = json.dumps(f"fatal: with {SPELLED[spelled](secret)} I stop")
    world = leaks.WORLD.replace('stderr: "it crashed\\n"', f"stderr: {line}")
    assert line in world
    cluster = Asked(double, Labels("production"), memory=256, world=world)
    cluster.commit(leaks.job(secret, command="crash"))
    cluster.live("web", minutes=3)
    assert cluster.model.asked
    before = len(double.raw)
    sent(cluster, double)
    assert not readable(secret, "\n".join(raw.decode("utf-8", "replace") for raw in double.raw[before:]))
