"""Questions to the model as generations: what was asked with which prompt, what came back, and what it cost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from desired import spans
from desired.errors import Unavailable
from nomad_operator.metrics import Metrics
from nomad_operator.tracing.places import tracer
from nomad_operator.tracing.recorder import Recorded, Recorder
from nomad_operator.tracing.traced_model import TracedModel
from prompts.model.question import Message, PromptVersion, Question, Reply

TRACER = tracer({})


class Answering:
    def __init__(self, answer: Reply | Exception) -> None:
        self.answer = answer
        self.closed = False

    async def ask(self, question: Question) -> Reply:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def aclose(self) -> None:
        self.closed = True


REPLY = Reply({"diagnosis": "too little memory"}, "qwen3", 120, 30, 1.5)


def question(prompt: PromptVersion | None = None, text: str = "exit 137") -> Question:
    return Question(
        (Message("system", "Mend it."), Message("user", text)), "repair", {"type": "object"}, {"temperature": 0.2},
        prompt=prompt, app="default/web",
    )  # fmt: skip


async def asked(asking: Question, answer: Reply | Exception = REPLY) -> list[Recorded]:
    kept: list[Recorded] = []
    recorder = Recorder(tracer=TRACER, take=kept.append)
    model = TracedModel(model=Answering(answer), traces=recorder)
    try:
        with recorder.begun("pass", session="default/web", asked=None):
            spans.acts("Climbing")
            await model.ask(asking)
    except Unavailable:
        pass
    return kept


def generation(kept: list[Recorded]) -> dict[str, Any]:
    (one,) = [span for span in kept[0].spans if span.name == "model"]  # type: ignore[attr-defined]
    return dict(one.attributes)  # type: ignore[attr-defined]


async def test_a_question_is_a_generation_with_its_prompt() -> None:
    told = generation(await asked(question(PromptVersion("repair", 4, "candidate"))))
    assert told["langfuse.observation.type"] == "generation"
    assert told["langfuse.observation.model.name"] == "qwen3"
    assert json.loads(told["langfuse.observation.input"]) == [
        {"role": "system", "content": "Mend it."}, {"role": "user", "content": "exit 137"}
    ]  # fmt: skip
    assert json.loads(told["langfuse.observation.output"]) == {"diagnosis": "too little memory"}
    assert json.loads(told["langfuse.observation.usage_details"]) == {"input": 120, "output": 30, "total": 150}
    assert json.loads(told["langfuse.observation.model.parameters"]) == {"temperature": 0.2}
    assert told["langfuse.observation.prompt.name"] == "repair"
    assert told["langfuse.observation.prompt.version"] == 4
    assert told["langfuse.observation.metadata.prompt_label"] == "candidate"


async def test_a_prompt_from_a_file_is_named_and_not_linked() -> None:
    told = generation(await asked(question(PromptVersion("repair", 4))))
    assert "langfuse.observation.prompt.name" not in told
    assert told["langfuse.observation.metadata.prompt"] == "repair"
    assert told["langfuse.observation.metadata.prompt_label"] == "file"


async def test_what_was_asked_in_vain_is_told_with_its_error() -> None:
    told = generation(await asked(question(), Unavailable("the model is away")))
    assert told["langfuse.observation.level"] == "WARNING"
    assert told["langfuse.observation.status_message"] == "the model is away"
    assert "langfuse.observation.output" not in told


async def test_a_long_question_is_cut_and_still_json() -> None:
    told = generation(await asked(question(text='"\\' * 100_000)))
    system, user = json.loads(told["langfuse.observation.input"])
    assert system["content"] == "Mend it."
    assert user["content"].endswith("…")


async def test_a_question_outside_of_a_pass_is_a_trace_of_its_own() -> None:
    kept: list[Recorded] = []
    model = Answering(REPLY)
    traced = TracedModel(model=model, traces=Recorder(tracer=TRACER, take=kept.append))
    assert await traced.ask(question()) is REPLY
    assert [(one.name, one.session, one.tags) for one in kept] == [("question", "default/web", ("repair",))]
    await traced.aclose()
    assert model.closed


async def test_where_nothing_is_traced_a_question_is_only_asked() -> None:
    assert await TracedModel(model=Answering(REPLY), traces=spans.Untraced()).ask(question()) is REPLY


def test_versions_that_are_counted_are_bounded() -> None:
    metrics = Metrics(version="1")
    for version in range(1, 1000):
        metrics.prompt_went("repair", version, "production", "healthy")
    told = [line for line in metrics.render("")[0].decode().splitlines() if "prompt_outcomes_total{" in line]
    assert len(told) == 201
    assert any('version="other"' in line and line.endswith(" 799.0") for line in told)


@pytest.mark.parametrize(("label", "shown"), [("", "file"), ("candidate", "candidate")])
def test_a_version_is_counted_under_its_label(label: str, shown: str) -> None:
    metrics = Metrics(version="1")
    metrics.prompt_went("repair", 3, label, "validated")
    assert (
        f'prompt_outcomes_total{{label="{shown}",outcome="validated",prompt="repair",version="3"}} 1.0'
        in metrics.render("")[0].decode()
    )
