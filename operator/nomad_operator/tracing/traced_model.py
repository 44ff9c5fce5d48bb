"""The model, with each question to it as a generation of the trace: what was asked, with which version of which prompt,
what came back, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from desired import spans
from prompts.model.question import Message, Model, Question, Reply

# A data set is made of it: whole where that is possible, and still JSON where it is not.
_LONGEST = 48 * 1024


class ClosableModel(Model, Protocol):
    """A model that holds connections."""

    async def aclose(self) -> None: ...


class TracedModel:
    """Implements `Model`. What is asked outside of any trace gets one of its own."""

    def __init__(self, *, model: ClosableModel, traces: spans.Traces) -> None:
        self._model = model
        self._traces = traces

    async def aclose(self) -> None:
        await self._model.aclose()

    async def ask(self, question: Question) -> Reply:
        with self._trace(question), spans.step("model", kind="generation") as told:
            if told.recorded:
                _tell_question(question, told)
            reply = await self._model.ask(question)
            if told.recorded:
                _tell_reply(reply, told)
            return reply

    @contextmanager
    def _trace(self, question: Question) -> Iterator[None]:
        if spans.under_way():
            yield
            return
        about = {"app": question.app, "schema": question.schema_name}
        with self._traces.begun("question", session=question.app or question.schema_name, asked=about):
            spans.acts(question.schema_name)
            yield


def _tell_question(question: Question, told: spans.Told) -> None:
    told.set(spans.INPUT, spans.as_text(_messages(question.messages), longest=2 * _LONGEST))
    told.set("langfuse.observation.model.parameters", spans.as_text(dict(question.settings)))
    told.set("langfuse.observation.metadata.schema", question.schema_name)
    prompt = question.prompt
    if prompt is not None:
        told.set("langfuse.observation.metadata.prompt", prompt.name)
        told.set("langfuse.observation.metadata.prompt_version", prompt.version)
        told.set("langfuse.observation.metadata.prompt_label", prompt.label or "file")
    if prompt is not None and prompt.label:
        # Of a file Langfuse has no version to link.
        told.set("langfuse.observation.prompt.name", prompt.name)
        told.set("langfuse.observation.prompt.version", prompt.version)


def _tell_reply(reply: Reply, told: spans.Told) -> None:
    told.answered(dict(reply.value))
    told.set("langfuse.observation.model.name", reply.model)
    usage = {"input": reply.tokens_in, "output": reply.tokens_out, "total": reply.tokens_in + reply.tokens_out}
    told.set("langfuse.observation.usage_details", spans.as_text(usage))


def _messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Each message is cut, never the whole: half of a JSON text is none."""
    room = _LONGEST // max(len(messages), 1)
    return [{"role": one.role, "content": spans.as_text(one.text, longest=max(room, 2))} for one in messages]
