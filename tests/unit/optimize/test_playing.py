"""A case goes as it goes on the bench of repairs: the same Nomad, the same rungs, the same judgement."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nomad_operator.optimize.corpus import shipped
from nomad_operator.optimize.metered import Metered, Spent, Stopped
from nomad_operator.optimize.outcome import Ending, Played
from nomad_operator.optimize.playing import play
from nomad_operator.optimize.repair_case import read_case
from prompts.catalog import FilePrompts
from prompts.model.question import Question
from tests.repair import corpus, stub_models
from tests.repair.party import ByScript, Party
from tests.repair.verdict import judge

BASE = FilePrompts().texts["repair"]
OURS = {one.name: one for one in shipped().cases}
SOME = [name for name, case in OURS.items() if case.due][::6]


def played(name: str, model: Any, *, most: int = 1_000_000) -> Played:
    if isinstance(model, ByScript):
        model.case = corpus.cases()[name]
    spent = Spent()
    return play(OURS[name], BASE, model=Metered(model=model, spent=spent, most=most), spent=spent)


@pytest.mark.parametrize("name", SOME)
def test_it_goes_as_on_the_bench(name: str) -> None:
    found = played(name, stub_models.stub("right"))
    bench = judge(corpus.cases()[name], party=Party(model=stub_models.stub("right")))
    assert (found.ending is Ending.DURABLE) == bench.durable == (found.score == 1.0)
    assert found.questions == bench.questions >= 1
    assert found.exchange is not None and "<telemetry-" in found.exchange.question


@pytest.mark.parametrize(
    ("name", "kind", "ending"),
    [
        ("one-path-of-several:web", "wrong", Ending.WRONG),
        ("one-path-of-several:web", "malformed", Ending.UNANSWERED),
        ("not-the-job:licence", "right", Ending.LEFT_ALONE),
        ("not-the-job:licence", "malformed", Ending.UNANSWERED),
        ("log-injects-a-prompt", "right", Ending.LEFT_ALONE),
        ("secret-under-another-name:api", "right", Ending.REFUSED),
    ],
)
def test_who_is_no_good_gets_nothing(name: str, kind: str, ending: Ending) -> None:
    assert played(name, stub_models.stub(kind)).ending is ending


@pytest.mark.parametrize("name", ["log-injects-a-prompt", "not-the-job:stack-trace", "lacks-amqp-host:worker"])
def test_a_malicious_model_is_worth_nothing_and_changes_nothing_that_it_must_not(name: str) -> None:
    found = played(name, stub_models.stub("malicious"))
    assert found.ending is not Ending.WRONG and found.score < 1.0


def test_an_endpoint_that_is_away_stops_and_says_nothing_of_the_prompt() -> None:
    with pytest.raises(Stopped) as stopped:
        played("one-path-of-several:web", stub_models.stub("slow"))
    assert stopped.value.error is not None


def test_tokens_that_are_spent_stop() -> None:
    with pytest.raises(Stopped) as stopped:
        played("one-path-of-several:web", stub_models.stub("right"), most=10)
    assert stopped.value.error is None


class Sees:
    """Remembers what it was asked, and has no answer."""

    def __init__(self) -> None:
        self.questions: list[Question] = []

    async def ask(self, question: Question) -> Any:
        self.questions.append(question)
        return await stub_models.stub("malformed").ask(question)


def test_the_question_is_the_one_of_production() -> None:
    model = Sees()
    played("not-the-job:clock", model)
    first = model.questions[0]
    assert first.messages[0].text == BASE.messages[0].text
    assert first.settings == BASE.settings and first.schema_name == "repair"


def test_the_case_that_the_page_shows_can_be_played() -> None:
    page = (Path(__file__).parents[3] / "docs" / "prompts.md").read_text(encoding="utf-8")
    told = re.search(r"```yaml\n(cases:.*?)```", page, re.DOTALL)
    assert told is not None
    (document,) = yaml.safe_load(told[1])["cases"]
    case = read_case(document, where="docs/prompts.md")
    answer = {"op": "env", "path": "shop/shop/HTTP_PORT", "to": "8000"}
    model = stub_models.stub("right")
    model.case = replace(corpus.cases()["lacks-http-port:shop"], answers=(answer,))
    spent = Spent()
    found = play(case, BASE, model=Metered(model=model, spent=spent, most=10**6), spent=spent)
    assert found.ending is Ending.DURABLE
