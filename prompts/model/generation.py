"""A span for each question to the model, as Langfuse shows generations. It costs nothing where nobody collects spans.

What it holds was redacted by whoever wrote the question; an answer holds what the model made of that.

Source: Langfuse's OpenTelemetry attributes (`langfuse.observation.*`), OpenTelemetry's semantic conventions for
generative AI.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from desired.errors import OperatorError
from prompts.model.question import Question, Reply

_LANGFUSE = "langfuse.observation"


@contextmanager
def generation(tracer: Tracer, question: Question) -> Iterator[Span]:
    """The current span for as long as the question is asked; its error is told in it."""
    name = question.prompt.name if question.prompt is not None else question.schema_name
    with tracer.start_as_current_span(
        f"model {name}", kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
    ) as span:
        if span.is_recording():
            span.set_attributes(_asked(question))
        try:
            yield span
        except OperatorError as error:
            span.set_status(StatusCode.ERROR, error.message)
            span.set_attributes({f"{_LANGFUSE}.level": "ERROR", f"{_LANGFUSE}.status_message": error.message})
            raise


def answered(span: Span, reply: Reply, *, form: str) -> None:
    """What came back; `form` is how the answer was bound to its schema."""
    if span.is_recording():
        usage = {"input": reply.tokens_in, "output": reply.tokens_out}
        span.set_attributes({
            f"{_LANGFUSE}.output": json.dumps(dict(reply.value), ensure_ascii=False),
            f"{_LANGFUSE}.model.name": reply.model,
            f"{_LANGFUSE}.usage_details": json.dumps(usage),
            f"{_LANGFUSE}.metadata.form": form,
            "gen_ai.response.model": reply.model,
            "gen_ai.usage.input_tokens": reply.tokens_in,
            "gen_ai.usage.output_tokens": reply.tokens_out,
        })  # fmt: skip


def own_tracer() -> Tracer:
    """The one that all spans of this program come from."""
    return trace.get_tracer("nomad_operator")


def _asked(question: Question) -> dict[str, Any]:
    messages = [{"role": one.role, "content": one.text} for one in question.messages]
    told: dict[str, Any] = {
        f"{_LANGFUSE}.type": "generation",
        f"{_LANGFUSE}.input": json.dumps(messages, ensure_ascii=False),
        f"{_LANGFUSE}.model.parameters": json.dumps(dict(question.settings), default=str),
        f"{_LANGFUSE}.metadata.schema": question.schema_name,
        "gen_ai.operation.name": "chat",
    }
    prompt = question.prompt
    if prompt is not None:
        told |= {
            f"{_LANGFUSE}.metadata.prompt": prompt.name,
            f"{_LANGFUSE}.metadata.prompt_version": prompt.version,
            f"{_LANGFUSE}.metadata.prompt_label": prompt.label,
        }
        # Langfuse does not know the version of a prompt from a file, and would link another one.
        if prompt.label:
            told |= {f"{_LANGFUSE}.prompt.name": prompt.name, f"{_LANGFUSE}.prompt.version": prompt.version}
    if question.purse:
        told[f"{_LANGFUSE}.metadata.purse"] = question.purse
    return told | ({"session.id": question.app} if question.app else {})
