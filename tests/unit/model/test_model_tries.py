"""How often a question is asked, in which form, and how long that may take: in virtual time, on a scripted endpoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import DeadlineExceeded, Forbidden, OperatorError, RateLimited, Unavailable, Unsupported
from prompts.model.breaker import BreakerSettings
from prompts.model.client import ModelClient
from prompts.model.heard import Heard, Lost
from prompts.model.question import Question, Reply
from prompts.model.token_budget import OutOfTokens, TokenBudget
from prompts.model.unusable import Fault, UnusableAnswer
from tests.doubles.model_clients import GOOD, SCHEMA, Counted, SaidEndpoint, client, question
from tests.doubles.model_endpoint import completion
from tests.virtual_time import run

REFUSED = Lost(Unavailable("the connection was refused", hint="is it running?"), sent=False, again=True)
BROKE = Lost(Unavailable("the connection broke", hint="look"), sent=True, again=True)


def said(content: Any = GOOD, **about: Any) -> Heard:
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    return Heard(200, json.dumps(completion(text, **about)).encode())


def status(number: int, message: str = "no", *, after: float | None = None, **about: Any) -> Heard:
    body = json.dumps({"error": {"message": message, **about}}).encode()
    return Heard(number, body, None if after is None else timedelta(seconds=after))


def _clock() -> float:
    return asyncio.get_running_loop().time()


def at(endpoint: SaidEndpoint, **about: Any) -> ModelClient:
    return client(endpoint, clock=_clock, **about)


async def failure(asked: Coroutine[Any, Any, Reply]) -> OperatorError:
    with pytest.raises(OperatorError) as raised:
        await asked
    assert raised.value.message.startswith("the model at http://there/v1, asked for repair: ") and raised.value.hint
    return raised.value


async def elapsed(asked: Coroutine[Any, Any, Any]) -> float:
    started = _clock()
    await asked
    return _clock() - started


@pytest.mark.parametrize("first", [REFUSED, BROKE, status(500), status(502), status(503), status(429), status(408)])
def test_what_may_pass_is_asked_again_within_the_deadline(first: Heard | Lost) -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(first, first, said())
        assert await elapsed(at(endpoint).ask(question())) == pytest.approx(0.25 + 0.5)
        assert len(endpoint.requests) == 3

    run(story())


def test_it_is_not_asked_for_ever() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(REFUSED)
        assert isinstance(await _plain_failure(at(endpoint).ask(question())), Unavailable)
        assert len(endpoint.requests) == 3

    run(story())


async def _plain_failure(asked: Coroutine[Any, Any, Reply]) -> OperatorError:
    with pytest.raises(OperatorError) as raised:
        await asked
    return raised.value


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (status(401, "Incorrect API key provided: sk-ab***yz"), Forbidden, "it answered 401"),
        (status(403), Forbidden, "it answered 403"),
        (status(404, "The model does not exist"), Unsupported, "it answered 404 for the model 'qwen3'"),
        (status(400, "messages must alternate"), Unsupported, 'refused the question with 400, and said "messages must'),
        (status(422), Unsupported, "refused the question with 422"),
        (status(413), Unsupported, "the question is too long for it"),
        (status(400, "n_ctx", type="exceed_context_size_error"), Unsupported, "the question is too long for it"),
        (status(400, "This model's maximum context length is 8192 tokens."), Unsupported, "too long for it"),
        (status(400, "x", code="context_length_exceeded", param="response_format"), Unsupported, "too long for it"),
        (status(307), Unavailable, "it answered 307"),
        (status(429, "You exceeded your quota", code="insufficient_quota"), RateLimited, "429"),
        (status(501), Unsupported, "refused the question with 501"),
        (Heard(400, b"<html>"), Unsupported, "refused the question with 400"),
    ],
)
def test_what_does_not_pass_is_asked_once_and_told(told: Heard, kind: type[OperatorError], words: str) -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(told)
        error = await failure(at(endpoint).ask(question()))
        assert isinstance(error, kind)
        assert words in error.message and "sk-ab" not in error.message
        assert len(endpoint.requests) == 1

    run(story())


def test_the_endpoint_says_how_long_to_wait_and_is_heard() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(status(429, after=7), said())
        assert await elapsed(at(endpoint).ask(question())) == pytest.approx(7)

    run(story())


def test_a_wait_that_is_longer_than_the_deadline_is_handed_on_instead() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(status(429, after=61), said())
        started = _clock()
        error = await failure(at(endpoint).ask(question()))
        assert isinstance(error, RateLimited) and error.retry_after == timedelta(seconds=61)
        assert _clock() == started and len(endpoint.requests) == 1

    run(story())


def test_one_deadline_holds_for_all_tries_together() -> None:
    async def story() -> None:
        counted = Counted()
        endpoint = SaidEndpoint((25.0, BROKE))
        started = _clock()
        error = await failure(at(endpoint, counted=counted).ask(question()))
        assert isinstance(error, DeadlineExceeded) and "no complete answer within 60 s" in error.message
        assert _clock() - started == pytest.approx(60) and counted.seconds == [pytest.approx(60)]
        assert counted.outcomes == ["too_late"]

    run(story())


def test_only_so_many_are_asked_at_once_and_the_wait_counts() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint((20.0, said()))
        model = at(endpoint, at_once=2, deadline=timedelta(seconds=50))
        results = await asyncio.gather(*(model.ask(question()) for _ in range(8)), return_exceptions=True)
        assert endpoint.at_most == 2 and sum(isinstance(one, Reply) for one in results) == 4
        told = [one.message.rpartition(": ")[2] for one in results if isinstance(one, DeadlineExceeded)]
        assert told == [*["no complete answer within 50 s"] * 2, *["its turn did not come within 50 s"] * 2]

    run(story())


def test_a_question_that_is_given_up_ends_its_request_and_frees_its_place() -> None:
    async def story() -> None:
        counted = Counted()
        endpoint = SaidEndpoint((30.0, said()), said())
        model = at(endpoint, at_once=1, counted=counted)
        first = asyncio.create_task(model.ask(question()))
        await asyncio.sleep(1)
        assert endpoint.at_once == 1
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert endpoint.at_once == 0 and counted.outcomes == ["given_up"]
        assert await elapsed(model.ask(question())) == 0

    run(story())


def test_an_answer_that_the_endpoint_cannot_read_itself_is_the_models_fault_and_asked_again() -> None:
    """Source: llama.cpp's server, on an answer that is cut off in JSON mode or holds broken characters."""

    async def story() -> None:
        counted = Counted()
        words = "The model produced output that does not match the expected peg-native format"
        endpoint = SaidEndpoint(status(500, words, type="server_error"))
        model = at(endpoint, counted=counted)
        for _ in range(4):
            assert _fault(await failure(model.ask(question()))) is Fault.MALFORMED
        assert len(endpoint.requests) == 12 and counted.watched == []
        assert _forms(endpoint) == ["json_schema"] * 12

    run(story())


# What it costs.


def test_tokens_are_set_aside_before_a_word_is_sent() -> None:
    async def story() -> None:
        endpoint, counted = SaidEndpoint(said()), Counted()
        budget = TokenBudget(per_hour=2000, per_purse=10_000, clock=_clock)
        error = await _plain_failure(at(endpoint, budget=budget, counted=counted).ask(question()))
        assert isinstance(error, OutOfTokens) and endpoint.requests == []
        assert counted.outcomes == ["out_of_tokens"] and budget.spent == 0

    run(story())


@pytest.mark.parametrize(
    ("lines", "spent"),
    [
        ([said(usage=(700, 30))], 730),
        ([REFUSED, said(usage=(700, 30))], 730),
        ([status(503), status(429), said(usage=(700, 30))], 730),
        ([said("prose", usage=(700, 30)), said(usage=(800, 40))], 1570),
    ],
)
def test_afterwards_what_the_endpoint_counted_is_what_is_spent(lines: list[Heard | Lost], spent: int) -> None:
    async def story() -> None:
        budget, counted = TokenBudget(per_hour=10**6, per_purse=10**6, clock=_clock), Counted()
        reply = await at(SaidEndpoint(*lines), budget=budget, counted=counted).ask(question(purse="e1"))
        assert budget.spent == spent == reply.tokens_in + reply.tokens_out
        assert counted.tokens == [(reply.tokens_in, reply.tokens_out)]

    run(story())


def test_where_the_endpoint_does_not_count_it_is_estimated_from_what_was_said() -> None:
    async def story() -> None:
        long = question(text="word " * 3000)
        budget = TokenBudget(per_hour=10**6, per_purse=10**6, clock=_clock)
        reply = await at(SaidEndpoint(said(usage=None)), budget=budget).ask(long)
        assert 4000 < reply.tokens_in < 6000 and 50 < reply.tokens_out < 200
        assert budget.spent == reply.tokens_in + reply.tokens_out

    run(story())


@pytest.mark.parametrize("lost", [(0.0, BROKE), (0.0, status(500)), (61.0, said())])
def test_a_call_that_broke_may_have_cost_all_it_could(lost: tuple[float, Heard | Lost]) -> None:
    async def story() -> None:
        budget = TokenBudget(per_hour=10**6, per_purse=10**6, clock=_clock)
        await _plain_failure(
            at(SaidEndpoint(lost), budget=budget, retries=0).ask(question(settings={"max_tokens": 500}))
        )
        assert 500 < budget.spent < 700

    run(story())


def test_a_question_given_up_half_way_stays_paid() -> None:
    async def story() -> None:
        budget = TokenBudget(per_hour=10**6, per_purse=10**6, clock=_clock)
        model = at(SaidEndpoint((30.0, said())), budget=budget)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await model.ask(question())
        assert budget.spent > 2048

    run(story())


# The circuit breaker.


def test_an_endpoint_that_is_away_is_left_alone_and_found_again() -> None:
    async def story() -> None:
        counted = Counted()
        endpoint = SaidEndpoint(*[REFUSED] * 3, said())
        model = at(endpoint, counted=counted, retries=0, breaker=BreakerSettings(failures=3))
        for _ in range(5):
            await _plain_failure(model.ask(question()))
        assert len(endpoint.requests) == 3
        await asyncio.sleep(30)
        await model.ask(question())
        assert [error and error.message for error in counted.watched] == [REFUSED.error.message, None]
        assert counted.outcomes == [*["unavailable"] * 5, "answered"]

    run(story())


def test_a_trial_that_was_cancelled_does_not_keep_the_others_out() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(*[REFUSED] * 3, (30.0, said()), said())
        model = at(endpoint, retries=0, breaker=BreakerSettings(failures=3))
        for _ in range(3):
            await _plain_failure(model.ask(question()))
        await asyncio.sleep(30)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await model.ask(question())
        await model.ask(question())

    run(story())


@pytest.mark.parametrize(
    ("line", "opens"),
    [
        ((0.0, REFUSED), True),
        ((61.0, said()), True),
        ((0.0, status(500)), True),
        ((0.0, status(401)), True),
        ((0.0, status(404)), True),
        ((0.0, Heard(200, b"<html>")), True),
        ((0.0, status(429)), False),
        ((0.0, status(400)), False),
        ((0.0, said("prose")), False),
        ((0.0, said(None)), False),
        ((0.0, said(finish="length")), False),
    ],
)
def test_bad_answers_do_not_open_the_breaker_but_no_answers_do(line: tuple[float, Heard | Lost], opens: bool) -> None:
    async def story() -> None:
        counted = Counted()
        model = at(SaidEndpoint(line), counted=counted, retries=0)
        for _ in range(4):
            await _plain_failure(model.ask(question()))
        assert bool(counted.watched) is opens

    run(story())


def test_a_question_without_tokens_says_nothing_of_the_endpoint() -> None:
    async def story() -> None:
        counted = Counted()
        budget = TokenBudget(per_hour=0, per_purse=0, clock=_clock)
        model = at(SaidEndpoint(said()), counted=counted, budget=budget)
        for _ in range(5):
            await _plain_failure(model.ask(question()))
        assert counted.watched == []

    run(story())


# In which form.


def _forms(endpoint: SaidEndpoint) -> list[str]:
    return [request.get("response_format", {"type": "plain"})["type"] for request in endpoint.requests]


NO_FORMAT = status(400, "response_format json_schema is not supported")


@pytest.mark.parametrize(
    ("lines", "first", "second"),
    [
        ([said()], ["json_schema"], ["json_schema"]),
        ([NO_FORMAT, said()], ["json_schema", "json_object"], ["json_object"]),
        ([NO_FORMAT, NO_FORMAT, said()], ["json_schema", "json_object", "plain"], ["plain"]),
        ([status(422, param="response_format"), said()], ["json_schema", "json_object"], ["json_object"]),
        ([status(500, "failed to parse grammar"), said()], ["json_schema", "json_object"], ["json_object"]),
        # Taken, and not honoured.
        ([said("Sure! It needs memory."), said()], ["json_schema", "json_object"], ["json_object"]),
        ([said("Sure!"), said("Sure!"), said()], ["json_schema", "json_object", "plain"], ["plain"]),
    ],
)
def test_what_an_endpoint_takes_is_found_out_once_and_kept(
    lines: list[Heard], first: list[str], second: list[str]
) -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(*lines)
        model = at(endpoint)
        assert (await model.ask(question())).value == GOOD
        assert _forms(endpoint) == first
        endpoint.requests.clear()
        await model.ask(question())
        assert _forms(endpoint) == second

    run(story())


def test_an_endpoint_that_has_shown_that_it_binds_answers_is_not_doubted_for_one_that_is_odd() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(said(), said("Sure!"), said({"memory": 0, "why": ""}), said())
        model = at(endpoint)
        await model.ask(question())
        assert _fault(await _plain_failure(model.ask(question()))) is Fault.MALFORMED
        assert _fault(await _plain_failure(model.ask(question()))) is Fault.MISFIT
        await model.ask(question())
        assert _forms(endpoint) == ["json_schema"] * 4

    run(story())


def test_an_endpoint_that_talked_nonsense_in_every_form_is_asked_in_the_best_one_again() -> None:
    """A model that was being loaded, say: for the rest of the process it would be bound to nothing."""

    async def story() -> None:
        endpoint = SaidEndpoint(said("Sure!"), said("Sure!"), said("Sure!"), said())
        model = at(endpoint)
        assert _fault(await _plain_failure(model.ask(question()))) is Fault.MALFORMED
        await model.ask(question())
        assert _forms(endpoint) == ["json_schema", "json_object", "plain", "json_schema"]

    run(story())


def test_one_schema_that_is_too_much_does_not_take_the_form_from_the_others() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(said(), NO_FORMAT, said(), said())
        model = at(endpoint)
        for _ in range(3):
            await model.ask(question())
        assert _forms(endpoint) == ["json_schema", "json_schema", "json_object", "json_schema"]

    run(story())


@pytest.mark.parametrize(
    ("first", "bound"),
    [
        ('{"memory": 0, "why": ""}', True),
        ('{"memory": 1e999, "why": ""}', True),
        ('{"memory": 1, "why": "\\ud83d"}', True),
        ('{"memory": "much", "why": ""}', False),
        ('{"memory": 1}', False),
        ('{"memory": 1, "why": "", "hcl": ""}', False),
        ("[]", False),
        ('```json\n{"memory": 1, "why": ""}```\n```', False),
    ],
)
def test_a_bound_that_is_not_kept_is_no_sign_that_nothing_is_bound(first: str, bound: bool) -> None:
    """llama.cpp and vLLM enforce types, names and enums, and not every bound of a number."""

    async def story() -> None:
        endpoint = SaidEndpoint(said(first), said())
        model = at(endpoint)
        if bound:
            await failure(model.ask(question()))
        await model.ask(question())
        assert _forms(endpoint) == ["json_schema", "json_schema" if bound else "json_object"]

    run(story())


def _fault(error: OperatorError) -> Fault:
    assert isinstance(error, UnusableAnswer)
    return error.fault


def test_without_a_schema_in_the_request_it_stands_in_words_in_the_first_message() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(NO_FORMAT, said())
        await at(endpoint).ask(question())
        with_schema, in_words = endpoint.requests
        assert with_schema["response_format"]["json_schema"] == {"name": "repair", "strict": True, "schema": SCHEMA}
        assert [one["role"] for one in in_words["messages"]] == ["system", "user"]
        assert in_words["messages"][0]["content"].startswith("You repair jobs.")
        assert json.dumps(SCHEMA, separators=(",", ":")) in in_words["messages"][0]["content"]
        assert "schema" not in str(with_schema["messages"])

    run(story())


def test_a_plain_answer_may_think_aloud_and_stand_in_a_fence() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(NO_FORMAT, NO_FORMAT, said(f"<think>{{}}</think>```json\n{json.dumps(GOOD)}\n```"))
        assert (await at(endpoint).ask(question())).value == GOOD

    run(story())


# What prompts set.


def test_settings_of_a_prompt_go_where_they_belong_and_others_stay() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(said())
        settings = {
            "temperature": 0.2, "top_p": 0.9, "max_tokens": 300, "seed": 7, "top_k": 20, "enable_thinking": False,
            "optimizer": "MIPROv2", "supported_languages": ["en"],
        }  # fmt: skip
        await at(endpoint).ask(question(settings=settings))
        (request,) = endpoint.requests
        wanted = {"model": "qwen3", "temperature": 0.2, "top_p": 0.9, "max_tokens": 300, "seed": 7}
        assert {name: request[name] for name in wanted} == wanted
        assert request["extra_body"] == {"top_k": 20, "chat_template_kwargs": {"enable_thinking": False}}
        assert request.keys() == {*wanted, "messages", "response_format", "extra_body"}

    run(story())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("temperature", "hot"), ("temperature", 3), ("top_p", -0.1), ("max_tokens", 0), ("max_tokens", 1.5),
        ("max_tokens", True), ("seed", "x"), ("enable_thinking", "no"), ("reasoning_effort", "max"), ("model", 7),
        ("model", "x" * 201), ("model", "line\nline"), ("temperature", float("nan")), ("top_p", float("inf")),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named_and_nothing_is_asked(setting: str, value: Any) -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(said())
        error = await _plain_failure(at(endpoint).ask(question(settings={setting: value})))
        assert isinstance(error, Unsupported) and setting in error.message and endpoint.requests == []

    run(story())


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Unrecognized request argument supplied: chat_template_kwargs", "chat_template_kwargs"),
        ("Unsupported value: 'temperature' does not support 0.2 with this model.", "temperature"),
        ("Unknown parameter: 'top_k'", "top_k"),
    ],
)
def test_a_setting_that_the_endpoint_does_not_know_is_left_out_from_then_on(told: str, name: str) -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(status(400, told), said())
        model = at(endpoint)
        asked = question(settings={"temperature": 0.2, "top_k": 20, "enable_thinking": False})
        await model.ask(asked)
        await model.ask(asked)
        sent = [{*request, *request["extra_body"]} for request in endpoint.requests]
        assert [name in one for one in sent] == [True, False, False]
        assert len(sent[0] - sent[1]) == 1

    run(story())


def test_the_bound_of_an_answer_takes_its_new_name_and_is_never_left_out() -> None:
    async def story() -> None:
        told = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        endpoint = SaidEndpoint(status(400, told), said())
        await at(endpoint).ask(question(settings={"max_tokens": 99}))
        assert [(one.get("max_tokens"), one.get("max_completion_tokens")) for one in endpoint.requests] == [
            (99, None), (None, 99),
        ]  # fmt: skip
        never = SaidEndpoint(status(400, "max_tokens: unknown"))
        await failure(at(never).ask(question(settings={"max_tokens": 99})))
        assert len(never.requests) == 1

    run(story())


def test_a_template_without_a_system_role_is_asked_with_one_message() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(status(500, "jinja: System role not supported"), said())
        await at(endpoint).ask(question())
        assert endpoint.requests[1]["messages"] == [{"role": "user", "content": "You repair jobs.\n\nIt died."}]

    run(story())


def test_a_refusal_that_repeats_the_request_teaches_nothing_wrong() -> None:
    """FastAPI's errors hold the whole body, with every name in it."""

    async def story() -> None:
        detail = [{"loc": ["body", "temperature"], "msg": "too hot", "input": {"response_format": {}, "seed": 1}}]
        endpoint = SaidEndpoint(Heard(422, json.dumps({"detail": detail}).encode()), said())
        await at(endpoint).ask(question(settings={"temperature": 0.2, "seed": 1}))
        assert endpoint.requests[1].keys() == endpoint.requests[0].keys() - {"temperature"}

    run(story())


def test_an_endpoint_that_refuses_all_is_asked_only_so_often() -> None:
    async def story() -> None:
        words = "response_format schema temperature top_p seed top_k min_p chat_template_kwargs max_completion_tokens"
        endpoint = SaidEndpoint(status(400, words))
        settings = {"temperature": 0, "top_p": 1, "seed": 1, "top_k": 1, "min_p": 0, "enable_thinking": True}
        await failure(at(endpoint).ask(question(settings=settings)))
        assert len(endpoint.requests) <= 12

    run(story())


# Which model.


def _models(*names: Any) -> Heard:
    return Heard(200, json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode())


def test_the_only_model_that_is_listed_is_the_one_that_is_asked() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(said(), models=_models("qwen3-32b"))
        model = at(endpoint, model="")
        await model.ask(question())
        endpoint._models = None
        await model.ask(question())
        assert [one["model"] for one in endpoint.requests] == ["qwen3-32b"] * 2

    run(story())


@pytest.mark.parametrize(
    ("models", "kind", "words"),
    [
        (_models("a", "b"), Unsupported, "it lists 2 models, and none was chosen"),
        (_models(), Unavailable, "it lists no model"),
        (_models(None, 7, ""), Unavailable, "it lists no model"),
        (Heard(200, b'{"data": null}'), Unavailable, "it lists no model"),
        (Heard(200, b'{"data": ["a"]}'), Unavailable, "it lists no model"),
        (Heard(200, b"<html>"), Unavailable, "a web page"),
        (status(401), Forbidden, "it answered 401"),
        (status(404), Unsupported, "it answered 404"),
    ],
)
def test_where_no_one_model_is_listed_that_is_told(models: Heard, kind: type[OperatorError], words: str) -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(said(), models=models)
        error = await failure(at(endpoint, model="").ask(question()))
        assert isinstance(error, kind) and words in error.message and endpoint.requests == []

    run(story())


def test_the_prompts_own_model_comes_before_the_settings() -> None:
    async def story() -> None:
        endpoint = SaidEndpoint(said())
        await at(endpoint).ask(question(settings={"model": "qwen3-coder"}))
        assert endpoint.requests[0]["model"] == "qwen3-coder"

    run(story())


_odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["stop", "length", json.dumps(GOOD)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "error",
                    "usage",
                    "prompt_tokens",
                    "finish_reason",
                    "detail",
                    "loc",
                    "msg",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_body = (
    st.binary(max_size=40)
    | _odd.map(lambda told: json.dumps(told).encode())
    | _odd.map(lambda told: json.dumps(completion(told)).encode())
    | _odd.map(lambda told: json.dumps({"choices": [{"message": told}], "usage": told}).encode())
    | _odd.map(lambda told: json.dumps(completion(json.dumps(told))).encode())
)


@given(st.sampled_from([200, 204, 300, 400, 404, 422, 429, 500, 501, 599]), _body)
def test_no_body_brings_anything_else_than_a_reply_or_an_error(number: int, raw: bytes) -> None:
    async def story() -> None:
        try:
            reply = await at(SaidEndpoint(Heard(number, raw))).ask(question())
        except OperatorError as error:
            assert error.message.isprintable() and error.hint
        else:
            assert reply.value == GOOD

    run(story())


def test_a_schema_with_a_rule_that_nobody_checks_is_a_mistake_of_ours() -> None:
    async def story() -> None:
        wrong = Question(question().messages, "repair", {"type": "object", "format": "date"})
        with pytest.raises(ValueError, match="'format'"):
            await at(SaidEndpoint(said())).ask(wrong)

    run(story())
