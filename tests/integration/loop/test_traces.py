"""A pass that acts leaves a trace with every step and every call, one that does not none; no secret is in any."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry import trace as opentelemetry

from desired.errors import Unavailable
from nomad_operator.metrics import Metrics
from nomad_operator.outcomes_told import OutcomesTold
from nomad_operator.tracing.places import LangfusePlace, tracer
from nomad_operator.tracing.recorder import Recorded, Recorder
from nomad_operator.tracing.redaction import Redaction
from observers.reach.address import Reach
from observers.redaction import Placeholders
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, LangfuseDouble, SeenSpan, langfuse_double
from tests.integration.loop import test_nothing_secret_is_written as leaks
from tests.integration.loop.cluster import FAST, Cluster, job, key, run
from tests.integration.loop.test_repairs import WORLD
from tests.secret_shapes import SPELLED, Shaped, passwords, readable, shaped


@pytest.fixture(scope="module")
def double() -> Iterator[LangfuseDouble]:
    with langfuse_double() as double:
        yield double


class Traced:
    """A cluster whose passes are recorded, and what is sent of them."""

    def __init__(self, cluster: Cluster, double: LangfuseDouble, secrets: tuple[str, ...] = ()) -> None:
        self.cluster = cluster
        self.double = double
        self.kept: list[Recorded] = []
        self.scores: list[Any] = []
        self.recorder = Recorder(tracer=tracer({}), take=self.kept.append)
        reconciler: Any = cluster.reconciler
        reconciler.reconcile = self.recorder.passes(reconciler.reconcile)
        outcomes = OutcomesTold(
            counts=Metrics(version="1"), score=self.scores.append, now=lambda: cluster.now
        )  # fmt: skip
        cluster.records.listen(outcomes.saved)
        self.redaction = Redaction(secrets=secrets, placeholders=Placeholders())
        reach = Reach(service="Langfuse", setting="LANGFUSE_HOST", address=double.address)
        self.place = LangfusePlace(reach=reach, public_key=PUBLIC_KEY, secret_key=SECRET_KEY)

    def sent(self) -> list[SeenSpan]:
        """What the server received of all that was kept until now."""
        before = len(self.double.spans)
        for one in self.kept:
            self.place.send(self.redaction.redacted(one))
        return self.double.spans[before:]

    def close(self) -> None:
        self.place._session.close()


Make = Callable[..., Traced]


@pytest.fixture
def traced(double: LangfuseDouble) -> Iterator[Make]:
    made: list[Traced] = []

    def make(cluster: Cluster) -> Traced:
        made.append(Traced(cluster, double))
        return made[-1]

    yield make
    for one in made:
        one.close()


def tree(spans: list[SeenSpan]) -> dict[str, list[str]]:
    """The names below each name, in the order of their ends."""
    names = {span.id: span.name for span in spans}
    found: dict[str, list[str]] = {}
    for span in spans:
        found.setdefault(names.get(span.parent, ""), []).append(span.name)
    return found


def test_a_pass_that_registers_is_one_trace_of_its_steps_and_calls(traced: Make) -> None:
    one = traced(Cluster())
    one.cluster.commit(job())
    run(one.cluster.reconciler.reconcile(key("web")))
    spans = one.sent()
    assert len({span.trace for span in spans}) == 1
    found = tree(spans)
    assert found[""] == ["pass"]
    assert [name for name in found["pass"] if ":" not in name] == ["observe", "decide", "act", "report"]
    assert "nomad: POST job/plan" in found["observe"]
    assert found["act"] == ["nomad: POST jobs"]
    for span in spans:
        assert span.attributes["session.id"] == "default/web"
        assert span.attributes["langfuse.trace.name"] == "pass"
        assert span.attributes["langfuse.trace.tags"][0] == "Registering"
        assert span.resource["service.name"] == "nomad-operator"
    (register,) = [span for span in spans if span.name == "nomad: POST jobs"]
    assert json.loads(register.attributes["langfuse.observation.input"])["Job"]["ID"] == "web"
    assert json.loads(register.attributes["langfuse.observation.output"])["job_modify_index"] > 0
    assert register.attributes["peer.service"] == "nomad"
    (decide,) = [span for span in spans if span.name == "decide"]
    assert json.loads(decide.attributes["langfuse.observation.output"])["action"] == "register"


def test_a_pass_that_does_nothing_leaves_nothing(traced: Make) -> None:
    one = traced(Cluster())
    one.cluster.commit(job(update=FAST))
    one.cluster.live("web", minutes=3)
    one.kept.clear()
    one.cluster.live("web", minutes=10)
    assert one.kept == []


def test_a_pass_that_fails_while_it_acts_is_kept_with_its_error(traced: Make) -> None:
    one = traced(Cluster())
    one.cluster.commit(job())
    nomad: Any = one.cluster.reconciler

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("Nomad is away")

    nomad._nomad.register = away
    with pytest.raises(Unavailable):
        run(one.cluster.reconciler.reconcile(key("web")))
    by_name = {span.name: span for span in one.sent()}
    for name in ("act", "pass"):
        assert by_name[name].attributes["langfuse.observation.level"] == "WARNING"
        assert by_name[name].attributes["langfuse.observation.status_message"] == "Nomad is away"
        assert (by_name[name].status, by_name[name].message) == (2, "Nomad is away")
    assert "langfuse.observation.level" not in by_name["decide"].attributes


def test_of_an_error_that_nobody_expected_only_its_kind_is_told(traced: Make) -> None:
    one = traced(Cluster())
    one.cluster.commit(job())
    nomad: Any = one.cluster.reconciler

    async def bug(*_: Any, **__: Any) -> Any:
        raise KeyError("hunter2-in-a-bug")

    nomad._nomad.register = bug
    with pytest.raises(KeyError):
        run(one.cluster.reconciler.reconcile(key("web")))
    spans = one.sent()
    assert {span.attributes.get("langfuse.observation.status_message") for span in spans} == {None, "KeyError"}
    assert not [span for span in spans if "hunter2" in str(span)]


def test_a_repair_has_scores_at_the_traces_that_proposed_it(traced: Make) -> None:
    """Twice too little memory: the first repair is let through and does not help, the second one does and lasts."""
    one = traced(Cluster(world=WORLD))
    one.cluster.commit(job(command="hungry", memory=64, update=FAST))
    one.cluster.live("web", minutes=45)
    told = [(score["name"], score["value"], score["traceId"]) for score in one.scores]
    assert [(name, value) for name, value, _ in told] == [
        ("validated", 1), ("healthy", 0), ("validated", 1), ("healthy", 1), ("durable", 1)
    ]  # fmt: skip
    first, second = told[0][2], told[2][2]
    assert [where for _, _, where in told] == [first, first, second, second, second]
    climbs = [span for span in one.sent() if span.name == "climb"]
    assert [span.trace for span in climbs] == [first, second]
    assert json.loads(climbs[0].attributes["langfuse.observation.output"])["rung"] == "rule"
    assert len({score["id"] for score in one.scores}) == 5


def test_without_a_tracer_nothing_is_recorded_and_no_score_is_sent() -> None:
    cluster = Cluster(world=WORLD)
    scores: list[Any] = []
    cluster.records.listen(
        OutcomesTold(counts=Metrics(version="1"), score=scores.append, now=lambda: cluster.now).saved
    )
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    cluster.live("web", minutes=8)
    assert scores == []


def test_the_global_provider_of_the_process_is_left_alone(traced: Make) -> None:
    before = opentelemetry.get_tracer_provider()
    one = traced(Cluster())
    one.cluster.commit(job())
    one.cluster.live("web", minutes=1)
    assert opentelemetry.get_tracer_provider() is before
    assert one.kept


def test_what_a_trace_takes_is_bounded(traced: Make) -> None:
    """A job of nearly a megabyte is one register, and one plan, in the trace."""
    one = traced(Cluster())
    one.cluster.commit(job(value="x y " * 240_000))
    run(one.cluster.reconciler.reconcile(key("web")))
    (kept,) = one.kept
    assert kept.size < 400_000
    assert max(len(str(value)) for span in one.sent() for value in span.attributes.values()) <= 16 * 1024


STORIES = (leaks.oom, leaks.crashes, leaks.refused, leaks.misspelt, leaks.unplaced)
SLOW = settings(
    max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def received(double: LangfuseDouble, said: str, told: Callable[[leaks.Leaky, str], None], secret: str) -> str:
    """All that Langfuse got of a story in which everybody says `said`, and the job holds `secret`."""
    spoken = json.dumps(said)
    world = leaks.WORLD.replace('stderr: "it crashed\\n"', f"stderr: {spoken}")
    cluster = leaks.Leaky(said, world)
    one = Traced(cluster, double)
    before = len(double.raw)
    told(cluster, secret)
    assert one.kept
    one.sent()
    one.close()
    scores = json.dumps(one.scores, ensure_ascii=False)
    return "\n".join([raw.decode("utf-8", "replace") for raw in double.raw[before:]]) + scores


@pytest.mark.parametrize("told", STORIES, ids=lambda one: one.__name__)
@SLOW
@given(secret=shaped())
def test_what_shows_by_its_form_reaches_nobody(
    double: LangfuseDouble, told: Callable[[leaks.Leaky, str], None], secret: Shaped
) -> None:
    assert not readable(secret.secret, received(double, secret.text, told, "serve-nothing"))


@pytest.mark.parametrize("told", STORIES, ids=lambda one: one.__name__)
@SLOW
@given(secret=passwords(), spelled=st.sampled_from(sorted(SPELLED)))
def test_what_is_secret_in_the_job_reaches_nobody(
    double: LangfuseDouble, told: Callable[[leaks.Leaky, str], None], secret: str, spelled: str
) -> None:
    """Wherever it stands in the job, and however Nomad and the app spell it."""
    assert not readable(secret, received(double, f"it said {SPELLED[spelled](secret)}!", told, secret))


def test_the_search_finds_what_is_sent(double: LangfuseDouble) -> None:
    """The property is not true of nothing: without redaction the secret would be read."""
    cluster = Cluster()
    one = Traced(cluster, double)
    one.redaction.redacted = _as_recorded  # type: ignore[method-assign]
    cluster.commit(job(value="Tr0ub4dor-Zx9-hidden"))
    run(cluster.reconciler.reconcile(key("web")))
    before = len(double.raw)
    one.sent()
    one.close()
    assert readable("Tr0ub4dor-Zx9-hidden", "".join(raw.decode("utf-8", "replace") for raw in double.raw[before:]))


def _as_recorded(recorded: Recorded) -> Any:
    return list(recorded.spans)


def test_the_secrets_of_the_process_reach_nobody(double: LangfuseDouble) -> None:
    cluster = Cluster()
    one = Traced(cluster, double, secrets=("our-own-nomad-token-77",))
    cluster.commit(job())
    nomad: Any = cluster.reconciler

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("refused with our-own-nomad-token-77")

    nomad._nomad.register = away
    with pytest.raises(Unavailable):
        run(cluster.reconciler.reconcile(key("web")))
    told = str(one.sent())
    one.close()
    assert "our-own-nomad-token-77" not in told
    assert "refused with «secret:" in told
