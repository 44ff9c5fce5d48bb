"""The model that the settings name: none without an endpoint, one line in the log when it goes, and what is counted."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from desired.errors import OperatorError
from desired.git_command import GitCommand
from desired.work_tree import WorkTree
from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from nomad_operator.model_from_settings import model
from nomad_operator.settings import Settings
from nomad_operator.wiring import assemble
from observers.redaction import Placeholders
from prompts.model.client import ModelClient, Outcome
from prompts.model.token_budget import OutOfTokens
from prompts.model.unusable import Fault
from reconcilers.memory_store import MemoryStore
from tests.doubles.model_clients import GOOD, question
from tests.doubles.model_endpoint import answer, failure, model_endpoint, text

DOCS = Path(__file__).parents[3] / "docs"
KEY = "sk-0123456789abcdef"


class Lines:
    """The log."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def info(self, event: str, **values: Any) -> None:
        self.lines.append({"event": event, **values})

    warning = info


def _model(metrics: Metrics, lines: Lines, **settings: Any) -> ModelClient | None:
    outages = Outages(log=lines, clock=lambda: 0.0)
    return model(Settings(**settings), metrics=metrics, outages=outages, placeholders=Placeholders())


def _made(metrics: Metrics, lines: Lines, **settings: Any) -> ModelClient:
    made = _model(metrics, lines, **settings)
    assert made is not None
    return made


def test_without_an_endpoint_and_a_key_there_is_no_model() -> None:
    metrics = Metrics(version="1")
    assert _model(metrics, Lines(), model="qwen3") is None
    assert metrics.registry.get_sample_value("nomad_operator_dependency_up", {"service": "model"}) is None


async def test_a_key_alone_means_openai_and_opens_no_connection() -> None:
    made = _made(Metrics(version="1"), Lines(), openai_api_key=SecretStr(KEY))
    await made.aclose()


async def test_what_is_asked_is_counted_by_prompt_and_outcome() -> None:
    metrics = Metrics(version="1")
    with model_endpoint(answer(GOOD, usage=(300, 20)), text("no", usage=(300, 5))) as endpoint:
        made = _made(metrics, Lines(), openai_base_url=endpoint.base_url)
        await made.ask(question())
        with pytest.raises(OperatorError):
            await made.ask(question())
        await made.aclose()

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"nomad_operator_{name}", {"prompt": "repair", **labels})

    assert (
        value("model_questions_total", outcome="answered") == value("model_questions_total", outcome="malformed") == 1
    )
    assert (value("model_tokens_total", direction="in"), value("model_tokens_total", direction="out")) == (600, 25)
    assert value("model_seconds_count") == 2


async def test_an_endpoint_that_fails_is_one_line_and_none_of_its_words_is_the_key() -> None:
    metrics, lines = Metrics(version="1"), Lines()
    with model_endpoint(failure(400, "no", code="x"), failure(401, f"bad key {KEY}")) as endpoint:
        made = _made(metrics, lines, openai_base_url=endpoint.base_url, openai_api_key=SecretStr(KEY))
        for _ in range(6):
            with pytest.raises(OperatorError) as raised:
                await made.ask(question())
            assert KEY not in raised.value.message
        await made.aclose()
    assert [(line["event"], line["service"]) for line in lines.lines] == [("dependency down", "model")]
    assert "it answered 401" in lines.lines[0]["problem"] and "OPENAI_API_KEY" in lines.lines[0]["hint"]
    assert KEY not in str(lines.lines)
    assert metrics.registry.get_sample_value("nomad_operator_dependency_up", {"service": "model"}) == 0
    assert len(endpoint.questions) == 4


@pytest.mark.parametrize("setting", ["model_tokens_per_hour", "model_tokens_per_episode"])
async def test_a_budget_of_nothing_asks_nothing(setting: str) -> None:
    with model_endpoint(answer(GOOD)) as endpoint:
        made = _made(Metrics(version="1"), Lines(), openai_base_url=endpoint.base_url, model="m", **{setting: 0})
        with pytest.raises(OutOfTokens):
            await made.ask(question(purse="e1"))
        await made.aclose()
    assert endpoint.stub.asked == []


async def test_as_many_are_asked_at_once_as_the_settings_say() -> None:
    with model_endpoint(answer(GOOD)) as endpoint:
        made = _made(Metrics(version="1"), Lines(), openai_base_url=endpoint.base_url, model_concurrency=2)
        await asyncio.gather(*(made.ask(question()) for _ in range(6)))
        await made.aclose()
    assert endpoint.stub.open_at_most <= 2


async def test_the_parts_hold_the_model_and_close_its_connections(tmp_path: Path) -> None:
    followed = WorkTree(folder=tmp_path, git=GitCommand(environment={}))
    with model_endpoint(answer(GOOD)) as endpoint:
        settings = Settings(openai_base_url=endpoint.base_url)
        parts = assemble(settings, store=MemoryStore({}), followed=followed, origin="here")
        assert parts.model is not None
        assert (await parts.model.ask(question())).value == GOOD
        await parts.close()
        await endpoint.stub.until(lambda stub: stub.open_now == 0)
    without = assemble(Settings(), store=MemoryStore({}), followed=followed, origin="here")
    assert without.model is None
    await without.close()


def test_the_outcomes_that_are_described_are_those_that_are_counted() -> None:
    described = {one.name: one.meaning for one in Metrics(version="1").described}
    assert set(re.findall(r"`(\w+)`", described["nomad_operator_model_questions_total"])) == {*Outcome, *Fault}


def test_the_defaults_that_the_page_lists_are_those_of_the_settings() -> None:
    page = (DOCS / "services.md").read_text(encoding="utf-8").partition("## The model")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(NOMAD_OPERATOR_MODEL_\w+)` \| (\d+|true|false) \|", page, re.MULTILINE))
    fields = {str(info.validation_alias): info.default for info in Settings.model_fields.values()}
    found = {name: default for name, default in fields.items() if name.startswith("NOMAD_OPERATOR_MODEL_")}
    assert rows == {name: str(getattr(value, "seconds", value)).lower() for name, value in found.items()}
