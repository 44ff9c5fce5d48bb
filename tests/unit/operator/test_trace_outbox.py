"""Traces that wait: bounded, sent beside the work, lost rather than waited for. Nobody is held up by who takes them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace as opentelemetry

from desired import spans
from desired.errors import OperatorError, Unavailable
from nomad_operator.metrics import Metrics
from nomad_operator.settings import Settings
from nomad_operator.tracing.from_settings import Tracing, tracing
from nomad_operator.tracing.outbox import MOST_BYTES, Outbox
from nomad_operator.tracing.places import LangfusePlace, collector_named, tracer
from nomad_operator.tracing.recorder import Recorded, Recorder
from nomad_operator.tracing.variables import add_from_file
from observers.reach.address import Reach
from observers.redaction import Placeholders
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, LangfuseDouble, langfuse_double

TRACER = tracer({})


def recorded(words: str = "x", number: int = 1) -> Recorded:
    kept: list[Recorded] = []
    with Recorder(tracer=TRACER, take=kept.append).begun("pass", session="default/web", asked=words):
        spans.acts("x")
        for _ in range(number - 1):
            with spans.step("step", asked=words):
                pass
    return kept[0]


@pytest.fixture(autouse=True)
def no_thread_goes_on() -> Iterator[None]:
    """Nobody waits for them in a process; the next test takes away what they import."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("traces-"):
            thread.join(15)


class Told:
    def __init__(self) -> None:
        self.sent_traces = 0
        self.lost_traces = 0
        self.problems: list[OperatorError | None] = []
        self.changed = threading.Condition()

    def sent(self, place: str, traces: int) -> None:
        with self.changed:
            self.sent_traces += traces
            self.changed.notify_all()

    def lost(self, place: str, traces: int) -> None:
        with self.changed:
            self.lost_traces += traces
            self.changed.notify_all()

    def reached(self, place: str, problem: OperatorError | None) -> None:
        self.problems.append(problem)

    def until(self, happened: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(happened, 10), "it never happened"


class Place:
    """Holds what is sent until `go_on`; refuses while `away`."""

    name = "place"

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.away = False
        self.sizes: list[int] = []
        self.begun = threading.Event()

    def send(self, sent: list[Any]) -> None:
        self.begun.set()
        assert self.go_on.wait(10)
        if self.away:
            raise Unavailable("the place is away")
        self.sizes.append(len(sent))


def outbox(place: Any, told: Told, **about: Any) -> Outbox:
    return Outbox(place=place, redacted=lambda one: list(one.spans), tell=told, **about)  # type: ignore[arg-type]


def test_what_is_put_is_sent() -> None:
    place, told = Place(), Told()
    box = outbox(place, told)
    for _ in range(3):
        box.put(recorded(number=4))
    box.close(5.0)
    assert (sum(place.sizes), told.sent_traces, told.lost_traces) == (12, 3, 0)
    assert box.bytes == 0


def test_where_nobody_takes_them_the_oldest_are_lost_and_memory_is_bounded() -> None:
    place, told = Place(), Told()
    place.go_on.clear()
    box = outbox(place, told)
    box.put(recorded())
    assert place.begun.wait(5)
    many = [recorded("y" * 10_000, number=50) for _ in range(3)]
    for number in range(1000):
        box.put(many[number % 3])
        assert box.bytes <= MOST_BYTES
    assert told.lost_traces > 900
    place.go_on.set()
    box.close(5.0)
    assert told.sent_traces + told.lost_traces == 1001


def test_a_trace_that_is_larger_than_all_there_is_room_for_is_lost_alone() -> None:
    place, told = Place(), Told()
    box = outbox(place, told, most_bytes=20_000)
    box.put(recorded())
    box.put(recorded("y" * 10_000, number=10))
    box.close(5.0)
    assert (told.sent_traces, told.lost_traces) == (1, 1)


def test_after_a_failure_it_rests_and_then_goes_on() -> None:
    place, told = Place(), Told()
    place.away = True
    box = outbox(place, told, pause=0.01)
    box.put(recorded())
    told.until(lambda: told.lost_traces == 1)
    place.away = False
    box.put(recorded())
    told.until(lambda: told.sent_traces == 1)
    box.close(5.0)
    assert [problem is None for problem in told.problems] == [False, True]


def test_the_end_waits_no_longer_than_told() -> None:
    place, told = Place(), Told()
    place.go_on.clear()
    box = outbox(place, told)
    box.put(recorded())
    assert place.begun.wait(5)
    box.put(recorded())
    begun = time.monotonic()
    box.close(0.05)
    assert time.monotonic() - begun < 2
    assert told.lost_traces == 2
    box.put(recorded())
    assert told.lost_traces == 3
    place.go_on.set()


def test_the_end_ends_a_rest() -> None:
    place, told = Place(), Told()
    place.away = True
    box = outbox(place, told, pause=1000.0)
    box.put(recorded())
    told.until(lambda: told.lost_traces == 1)
    place.away = False
    box.put(recorded())
    with told.changed:
        assert not told.changed.wait_for(lambda: told.sent_traces, 0.1), "it does not rest"
    box.close(5.0)
    assert told.sent_traces == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_while_sending_is_not_the_end_of_all_traces() -> None:
    place, told = Place(), Told()
    broken: list[bool] = [True]

    def redacted(one: Recorded) -> list[Any]:
        if broken.pop() if broken else False:
            raise KeyError("a bug")
        return list(one.spans)

    box = Outbox(place=place, redacted=redacted, tell=told)
    box.put(recorded())
    while broken:
        time.sleep(0.001)
    for thread in threading.enumerate():
        if thread.name == "traces-place":
            thread.join(5)
    box.put(recorded())
    told.until(lambda: told.sent_traces == 1)
    box.close(5.0)


# -- as the settings ask for it


@pytest.fixture
def double() -> Iterator[LangfuseDouble]:
    with langfuse_double() as double:
        yield double


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, event: str, **values: Any) -> None:
        self.lines.append(f"{event} {values}")

    warning = info


class Outages:
    def __init__(self) -> None:
        self.told: list[tuple[str, str | None]] = []

    def report(self, service: str, problem: str | None, *, hint: str = "") -> bool:
        self.told.append((service, problem))
        return True


def made(environ: dict[str, str] | None = None, **about: Any) -> tuple[Tracing, Log, Outages, Metrics]:
    log, outages, metrics = Log(), Outages(), Metrics(version="1")
    outages_of: Any = outages
    traced = tracing(
        Settings(**about), environ=environ or {}, placeholders=Placeholders(), log=log, outages=outages_of,
        metrics=metrics,
    )  # fmt: skip
    return traced, log, outages, metrics


def keys(double: LangfuseDouble, secret: str = SECRET_KEY) -> dict[str, Any]:
    return {"langfuse_host": double.address, "langfuse_public_key": PUBLIC_KEY, "langfuse_secret_key": secret}


def one_trace(traced: Tracing, words: str = "x") -> None:
    with traced.traces.begun("pass", session="default/web", asked=words):
        spans.acts("x")


async def closed(traced: Tracing, within: float = 5.0) -> None:
    await asyncio.to_thread(traced.close, within)
    await asyncio.sleep(0)


async def test_traces_reach_langfuse_with_its_headers(double: LangfuseDouble) -> None:
    before = opentelemetry.get_tracer_provider()
    traced, _, outages, metrics = made(**keys(double))
    one_trace(traced)
    await closed(traced)
    (span,) = double.spans
    assert (span.name, span.attributes["session.id"]) == ("pass", "default/web")
    headers = {name.lower(): value for name, value in double.stub.asked[-1].headers.items()}
    assert headers["x-langfuse-ingestion-version"] == "4"
    assert headers["x-langfuse-public-key"] == PUBLIC_KEY
    assert outages.told == [("traces to langfuse", None)]
    assert b'traces_total{place="langfuse",result="sent"} 1.0' in metrics.render("")[0]
    assert opentelemetry.get_tracer_provider() is before


async def test_traces_reach_a_collector_by_the_usual_variables(
    double: LangfuseDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The double stands in for a collector that wants a header."""
    import base64

    basic = base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{double.address}/api/public/otel",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Basic%20{basic}",
        "OTEL_SERVICE_NAME": "ours", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }  # fmt: skip
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    traced, _, outages, _ = made(environ)
    one_trace(traced)
    await closed(traced)
    (span,) = double.spans
    assert span.resource["service.name"] == "ours"
    assert span.resource["deployment.environment.name"] == "test"
    assert outages.told == [("traces to otlp", None)]


def test_opentelemetrys_variables_are_read_from_a_file_where_the_environment_does_not_say(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("OTEL_SERVICE_NAME=ours\nOTEL_EXPORTER_OTLP_ENDPOINT='http://c:4318'\nNOMAD_TOKEN=x\nOTEL_EMPTY=\n")
    environ = {"OTEL_SERVICE_NAME": "theirs", "OTEL_EXPORTER_OTLP_ENDPOINT": " "}
    add_from_file(environ, file)
    assert environ == {"OTEL_SERVICE_NAME": "theirs", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}
    add_from_file(environ, tmp_path / "none")
    assert len(environ) == 2


async def test_both_get_the_same_trace(double: LangfuseDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    with langfuse_double() as other:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{other.address}/v1/traces")
        traced, _, _, _ = made({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "set"}, **keys(double))
        one_trace(traced)
        await closed(traced)
        assert [len(double.spans), len(other.stub.asked)] == [1, 1]


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, False), ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)  # fmt: skip
def test_a_collector_is_named_by_its_endpoint(environ: dict[str, str], named: bool) -> None:
    assert collector_named(environ) is named


async def test_a_protocol_that_is_not_spoken_is_told_and_langfuse_still_gets_them(double: LangfuseDouble) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    traced, log, _, _ = made(environ, **keys(double))
    assert "cannot be sent by grpc" in log.lines[0]
    assert len(traced.outboxes) == 1


@pytest.mark.parametrize("about", [{}, {"langfuse_host": "http://x", "langfuse_public_key": "pk"}, {"off": True}])
async def test_where_nothing_is_set_nothing_is_recorded(double: LangfuseDouble, about: dict[str, Any]) -> None:
    traced, _, _, _ = made(**({**keys(double), "traces": False} if about.get("off") else about))
    assert (traced.recorder, traced.outboxes) == (None, ())

    async def reconcile(key: Any) -> Any: ...

    assert traced.passes(reconcile) is reconcile


async def test_without_the_extra_it_says_which_one_is_missing(
    double: LangfuseDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    traced, log, _, _ = made(**keys(double))
    assert traced.recorder is None
    assert "nomad-operator[tracing]" in log.lines[0]


@pytest.mark.parametrize("about", [{"OTEL_TRACES_SAMPLER": "always_off"}, {"OTEL_SDK_DISABLED": "true"}])
async def test_what_a_sampler_leaves_out_is_not_sent_and_has_no_scores(
    double: LangfuseDouble, monkeypatch: pytest.MonkeyPatch, about: dict[str, str]
) -> None:
    for name, value in about.items():
        monkeypatch.setenv(name, value)
    traced, _, outages, _ = made(about, **keys(double))
    with traced.traces.begun("pass", session="default/web", asked="x"):
        spans.acts("x")
        assert spans.under_way() == ""
    await closed(traced)
    assert (double.stub.asked, outages.told) == ([], [])


@pytest.mark.parametrize("mood", ["refuse", "keys"])
async def test_a_langfuse_that_refuses_is_told_and_costs_the_trace(double: LangfuseDouble, mood: str) -> None:
    double.mood_is(mood)
    traced, _, outages, metrics = made(**keys(double))
    one_trace(traced)
    await closed(traced)
    assert [(service, problem is None) for service, problem in outages.told] == [("traces to langfuse", False)]
    assert SECRET_KEY not in str(outages.told)
    assert b'traces_total{place="langfuse",result="lost"} 1.0' in metrics.render("")[0]


@pytest.fixture
def deaf() -> Iterator[str]:
    """Takes connections, and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_a_langfuse_that_hangs_costs_a_pass_nothing(deaf: str, double: LangfuseDouble) -> None:
    """The same passes with one that answers and one that never does: none waits, and memory is bounded."""

    def slowest(host: str) -> tuple[float, int]:
        about = {"langfuse_public_key": PUBLIC_KEY, "langfuse_secret_key": SECRET_KEY}
        traced, _, _, _ = made(langfuse_host=host, **about)
        spent = []
        for _ in range(300):
            begun = time.perf_counter()
            with traced.traces.begun("pass", session="default/web", asked="x"):
                spans.acts("x")
                for _ in range(10):
                    with spans.call("nomad", "GET job", asked="y" * 500) as told:
                        told.answered("z" * 500)
            spent.append(time.perf_counter() - begun)
        waiting = max(box.bytes for box in traced.outboxes)
        traced.close(0.1)
        return sorted(spent)[150], waiting

    answering, _ = slowest(double.address)
    hanging, waiting = slowest(deaf)
    # Medians on a machine that others use: what is shown is that nobody waits, which would be seconds.
    assert hanging < max(answering * 5, 0.05)
    assert waiting <= MOST_BYTES


def test_a_request_ends_by_its_deadline(deaf: str) -> None:
    reach = Reach(
        service="Langfuse", setting="LANGFUSE_HOST", address=deaf, deadline=timedelta(seconds=0.2)
    )  # fmt: skip
    place = LangfusePlace(reach=reach, public_key=PUBLIC_KEY, secret_key=SECRET_KEY)
    with pytest.raises(OperatorError, match="no complete answer within"):
        place.send(list(recorded().spans))  # type: ignore[arg-type]
    place._session.close()
