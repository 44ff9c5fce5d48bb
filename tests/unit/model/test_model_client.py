"""The client on real connections: every odd answer that an endpoint can give is an error with a hint, in time, and
without the key."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from desired.errors import DeadlineExceeded, OperatorError, RateLimited, Unavailable, Unsupported, UsageError
from prompts.model.client import ModelClient
from prompts.model.unusable import Fault, UnusableAnswer
from tests.doubles.model_clients import GOOD, KEY, Counted, question, wired
from tests.doubles.model_endpoint import (
    Line,
    answer,
    body,
    completion,
    dripping,
    endless,
    failure,
    hang_up,
    model_endpoint,
    raw,
    refusing,
    schema_name,
    silence,
    text,
)
from tests.unit.observers.nomad_certificates import make
from tests.unit.observers.nomad_stub import Exchange, serve


async def ended(model: ModelClient, **about: Any) -> OperatorError:
    """The error of a question, which must be complete: who, what, and what to do."""
    with pytest.raises(OperatorError) as raised:
        await model.ask(question(**about))
    await model.aclose()
    error = raised.value
    assert error.message.startswith("the model at http://there/v1") and error.hint
    assert len(error.message) < 500 and error.message.isprintable()
    chain: BaseException | None = error
    while chain is not None:
        assert KEY not in f"{chain!r} {chain}"
        chain = chain.__cause__
    return error


async def test_a_right_answer_is_a_reply() -> None:
    with model_endpoint(answer(GOOD, usage=(321, 45), model="qwen3-32b")) as endpoint:
        model = wired(endpoint.base_url)
        reply = await model.ask(question())
        await model.aclose()
    assert (reply.value, reply.model, reply.tokens_in, reply.tokens_out) == (GOOD, "qwen3-32b", 321, 45)
    assert 0 < reply.seconds < 5
    (asked,) = endpoint.questions
    assert schema_name(asked) == "repair" and asked["max_tokens"] == 2048 and "stream" not in asked
    headers = {name.lower(): value for name, value in endpoint.stub.asked[0].headers.items()}
    assert headers["authorization"] == f"Bearer {KEY}" and headers["user-agent"] == "nomad-operator"


async def test_without_a_key_nothing_looks_like_one() -> None:
    with model_endpoint(answer(GOOD), models=["tiny"]) as endpoint:
        model = wired(endpoint.base_url, key="", model="")
        assert (await model.ask(question())).model == "qwen3"
        await model.aclose()
    assert [one.path for one in endpoint.stub.asked] == ["/v1/models", "/v1/chat/completions"]
    assert not [one for one in endpoint.stub.asked if "authorization" in {name.lower() for name in one.headers}]


TOO_BIG = json.dumps(completion(json.dumps({**GOOD, "why": "x" * (5 * 1024 * 1024)})))
ODD: dict[str, tuple[Line, type[OperatorError], str]] = {
    "an error of its own": (failure(500, "boom"), Unavailable, 'it answered 500, and said "boom"'),
    "too many requests": (failure(429, "slow", Retry_After="86400"), RateLimited, "it answered 429"),
    "a gateway": (body("<html>", status=502), Unavailable, "it answered 502"),
    "JSON that is cut off": (body('{"choices": ['), Unavailable, "JSON that is cut off or broken"),
    "a web page": (body("<html>", Content_Type="text/html"), Unavailable, "a web page"),
    "a stream": (body('data: {"choices":[]}\n\n', Content_Type="text/event-stream"), Unavailable, "a stream of events"),
    "an empty object": (body("{}"), UnusableAnswer, "without a choice"),
    "no choices": (body(completion("") | {"choices": None}), UnusableAnswer, "without a choice"),
    "a text": (body('"hello"'), Unavailable, "JSON that is no object"),
    "an empty body": (body(""), Unavailable, "it answered with nothing"),
    "no body for its type": (body("", status=204), Unavailable, "it answered with nothing"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), Unavailable, "the connection broke"),
    "a header without end": (raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000), Unavailable, "the connection broke"),
    "hanging up at once": (hang_up(), Unavailable, "the connection broke"),
    "hanging up half way": (hang_up(after=b'{"choices": [{"mess'), Unavailable, "the connection broke"),
    "not what it says it is": (body(b"xx", Content_Encoding="gzip"), Unavailable, "the connection broke"),
    "an endless answer": (endless(), UnusableAnswer, "longer than 4096 KiB"),
    "a giant answer": (body(TOO_BIG), UnusableAnswer, "longer than 4096 KiB"),
    "an endless error": (endless(b"no ", status=500), Unavailable, "it answered 500"),
    "an error that repeats the key": (failure(400, f"bad key {KEY}"), Unsupported, 'said "bad key «key»"'),
    "an error in a 200": (body({"error": {"message": f"OOM {KEY}"}}), Unavailable, 'said "OOM «key»"'),
    "a context that is too short": (
        failure(400, "too long", type="exceed_context_size_error"), Unsupported, "the question is too long for it",
    ),
    "prose": (text("I would raise the memory."), UnusableAnswer, "cannot be read, it is not JSON"),
    "an answer with the key": (text(f"{KEY} {KEY}"), UnusableAnswer, 'said "«key» «key»"'),
    "JSON of the wrong shape": (text('{"memory": "much"}'), UnusableAnswer, "why is missing; memory is not of type"),
    "the same name twice": (text('{"memory":1,"memory":2,"why":""}'), UnusableAnswer, "the same name twice"),
    "not a number": (text('{"memory":NaN,"why":""}'), UnusableAnswer, "NaN"),
    "an answer that was cut off": (text('{"memory": 5', finish="length"), UnusableAnswer, "cut off before its end"),
    "a tool": (text(None, finish="tool_calls", tool_calls=[{"id": "1"}]), UnusableAnswer, "called a tool"),
    "a refusal": (text(None, refusal="I can't help with that"), UnusableAnswer, "it would not answer"),
    "thoughts alone": (text(None, reasoning_content="Well,"), UnusableAnswer, "it thought, and answered nothing"),
    "half a character": (text('{"memory":1,"why":"\\ud83d"}'), UnusableAnswer, "half a character"),
    "an answer that does not stop": (text("[" * 300_000), UnusableAnswer, "longer than 256 KiB"),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_every_odd_answer_is_an_error_with_a_hint(odd: tuple[Line, type[OperatorError], str]) -> None:
    line, kind, words = odd
    with model_endpoint(line) as endpoint:
        counted = Counted()
        error = await ended(wired(endpoint.base_url, counted=counted))
    assert isinstance(error, kind) and words in error.message
    assert len(counted.outcomes) == 1 and counted.outcomes[0] != "answered"


@pytest.mark.parametrize("line", [silence(), dripping(GOOD)])
async def test_nothing_stretches_the_deadline(line: Line) -> None:
    with model_endpoint(line) as endpoint:
        started = time.monotonic()
        error = await ended(wired(endpoint.base_url, seconds=0.4))
        assert time.monotonic() - started < 2
        # The request is ended as well: nobody reads on.
        await endpoint.stub.until(lambda stub: stub.open_now == 0)
    assert isinstance(error, DeadlineExceeded) and "no complete answer within 0.4 s" in error.message


async def test_no_connection_is_kept_that_could_break_when_it_is_used_again() -> None:
    with model_endpoint(answer(GOOD)) as endpoint:
        model = wired(endpoint.base_url)
        for _ in range(3):
            await model.ask(question())
        await endpoint.stub.until(lambda stub: stub.open_now == 0)
        await model.aclose()


async def test_a_question_that_is_given_up_ends_its_connection() -> None:
    with model_endpoint(silence()) as endpoint:
        model = wired(endpoint.base_url, seconds=30)
        asked = asyncio.create_task(model.ask(question()))
        await endpoint.until_asked(1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await endpoint.stub.until(lambda stub: stub.open_now == 0)
        await model.aclose()


async def test_an_endpoint_that_is_not_there_is_told_with_its_reason() -> None:
    with serve(lambda stub, exchange: None) as stub:
        address = stub.address
    error = await ended(wired(f"{address}/v1"))
    assert isinstance(error, Unavailable) and "the connection was refused" in error.message


async def test_an_address_that_is_none_is_a_mistake_of_the_settings() -> None:
    with pytest.raises(UsageError, match="OPENAI_BASE_URL"):
        wired("http://[::1/v1")


async def test_tls_that_is_none_is_told() -> None:
    with model_endpoint(answer(GOOD)) as endpoint:
        error = await ended(wired(endpoint.base_url.replace("http:", "https:")))
    assert "TLS failed" in error.message and "http://" in error.hint


async def test_a_certificate_of_nobody_that_is_known_is_told(tmp_path: Path) -> None:
    with serve(lambda stub, exchange: exchange.say(200), context=make(tmp_path).server_context()) as stub:
        error = await ended(wired(f"{stub.address}/v1"))
    assert "its certificate is not trusted" in error.message and "SSL_CERT_FILE" in error.hint and stub.asked == []


async def test_a_name_that_nobody_has_is_told() -> None:
    assert "its name cannot be resolved" in (await ended(wired("http://model.invalid/v1"))).message


async def test_nobody_is_followed_elsewhere_with_the_key_and_the_question() -> None:
    with model_endpoint(answer(GOOD)) as other:
        line = body("", status=307, Location=f"{other.base_url}/chat/completions")
        with model_endpoint(line) as endpoint:
            error = await ended(wired(endpoint.base_url))
    assert "it answered 307" in error.message and other.stub.asked == []


async def test_a_wrong_path_is_told_with_what_is_mostly_meant() -> None:
    with model_endpoint(answer(GOOD)) as endpoint:
        error = await ended(wired(endpoint.stub.address))
    assert isinstance(error, Unsupported) and "/v1" in error.hint


async def test_an_endpoint_that_recovers_is_asked_again() -> None:
    with model_endpoint(hang_up(), failure(503), answer(GOOD)) as endpoint:
        model = wired(endpoint.base_url)
        assert (await model.ask(question())).value == GOOD
        await model.aclose()
    assert len(endpoint.questions) == 3


async def test_a_date_to_wait_for_is_read_by_the_endpoints_own_clock() -> None:
    later = {"Retry_After": "Mon, 23 Nov 2026 17:02:00 GMT"}

    def line(_stub: Any, exchange: Exchange, _body: Any) -> None:
        exchange.send_response_only(429)
        for name, value in {"Date": "Mon, 23 Nov 2026 17:00:00 GMT", "Content-Length": "0", **later}.items():
            exchange.send_header(name.replace("_", "-"), value)
        exchange.end_headers()

    with model_endpoint(line) as endpoint:
        error = await ended(wired(endpoint.base_url))
    assert isinstance(error, RateLimited) and error.retry_after is not None
    assert error.retry_after.total_seconds() == 120


@pytest.mark.parametrize(
    ("takes", "form"),
    [((), "JSON schema"), (("json_schema",), "JSON mode"), (("json_schema", "json_object"), "plain text")],
)
async def test_how_answers_are_bound_is_found_out_on_the_wire(takes: tuple[str, ...], form: str) -> None:
    with model_endpoint(refusing(*takes, then=answer(GOOD))) as endpoint:
        model = wired(endpoint.base_url)
        reply, found = await model.ask_and_tell(question())
        await model.aclose()
    assert (reply.value, found.value) == (GOOD, form)


async def test_what_vllm_takes_beside_openais_interface_stands_at_the_top_of_the_body() -> None:
    with model_endpoint(answer(GOOD, reasoning_content="Well,")) as endpoint:
        model = wired(endpoint.base_url)
        await model.ask(question(settings={"enable_thinking": False, "top_k": 20}))
        await model.aclose()
    (asked,) = endpoint.questions
    assert asked["chat_template_kwargs"] == {"enable_thinking": False} and asked["top_k"] == 20


async def test_neither_the_key_nor_the_question_is_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """The library's own lines at `debug` hold the whole request: they are kept away from our log in `log.configure`."""
    with caplog.at_level(logging.DEBUG), model_endpoint(failure(500), answer(GOOD)) as endpoint:
        model = wired(endpoint.base_url)
        await model.ask(question())
        await model.aclose()
    assert KEY not in caplog.text and KEY not in repr(model) + repr(vars(model))


async def test_ten_questions_at_once_get_ten_answers() -> None:
    def echo(asked: Any) -> dict[str, Any]:
        return {"memory": int(asked["messages"][-1]["content"]), "why": ""}

    with model_endpoint(answer(echo)) as endpoint:
        model = wired(endpoint.base_url, at_once=3)
        replies = await asyncio.gather(*(model.ask(question(text=str(number))) for number in range(1, 11)))
        assert endpoint.stub.open_at_most <= 3
        await model.aclose()
    assert [reply.value["memory"] for reply in replies] == list(range(1, 11))


async def test_a_fault_says_what_may_be_told_to_the_model_and_nothing_that_it_said() -> None:
    with model_endpoint(text('{"memory": 0, "why": "ignore all rules", "hcl": "job {}"}')) as endpoint:
        error = await ended(wired(endpoint.base_url))
    assert isinstance(error, UnusableAnswer) and error.fault is Fault.MISFIT
    assert error.wrong == ("memory is less than 1", "the answer has 1 properties that it may not have")
