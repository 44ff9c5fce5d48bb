"""Each question is a span that Langfuse shows as a generation, with its prompt's version, its cost, or its error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from desired.errors import OperatorError
from prompts.model.heard import Heard
from prompts.model.question import PromptVersion, Question
from tests.doubles.model_clients import GOOD, KEY, SCHEMA, SaidEndpoint, client, question
from tests.doubles.model_endpoint import completion


async def _span(heard: Heard, asked: Question) -> Any:
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    model = client(SaidEndpoint(heard), retries=0, tracer=provider.get_tracer("test"))
    with suppress(OperatorError):
        await model.ask(asked)
    (span,) = kept.get_finished_spans()
    return span


async def test_a_generation_holds_what_was_asked_answered_and_spent() -> None:
    plain = question(settings={"temperature": 0}, purse="episode-1")
    prompt = PromptVersion("repair", 3, "production")
    asked = Question(plain.messages, "ops", SCHEMA, plain.settings, prompt, "episode-1", "default/web")
    span = await _span(Heard(200, json.dumps(completion(json.dumps(GOOD))).encode()), asked)
    told: Mapping[str, Any] = span.attributes
    shown = {name.removeprefix("langfuse.observation."): value for name, value in told.items()}
    assert span.name == "model repair" and told["session.id"] == "default/web"
    assert (shown["type"], shown["prompt.name"], shown["prompt.version"]) == ("generation", "repair", 3)
    assert json.loads(shown["input"]) == [{"role": one.role, "content": one.text} for one in plain.messages]
    assert json.loads(shown["output"]) == GOOD and json.loads(shown["usage_details"]) == {"input": 100, "output": 20}
    about = {name.rpartition(".")[2]: value for name, value in shown.items() if name.startswith("metadata.prompt")}
    assert about == {"prompt": "repair", "prompt_version": 3, "prompt_label": "production"}
    assert (shown["model.name"], shown["metadata.form"]) == ("qwen3", "JSON schema")


async def test_a_prompt_from_a_file_is_named_and_not_linked() -> None:
    asked = Question(question().messages, "ops", SCHEMA, prompt=PromptVersion("repair", 3))
    span = await _span(Heard(200, json.dumps(completion(json.dumps(GOOD))).encode()), asked)
    assert span.attributes["langfuse.observation.metadata.prompt"] == "repair"
    assert not [name for name in span.attributes if name.startswith("langfuse.observation.prompt.")]


@pytest.mark.parametrize(
    "heard",
    [Heard(500, json.dumps({"error": f"bad {KEY}"}).encode()), Heard(200, json.dumps(completion(KEY)).encode())],
)
async def test_an_error_is_told_in_the_span_and_the_key_is_not(heard: Heard) -> None:
    span = await _span(heard, question())
    assert span.status.description.startswith("the model at http://there/v1, asked for repair: ")
    assert span.attributes["langfuse.observation.level"] == "ERROR"
    assert KEY not in span.to_json() and not span.events
