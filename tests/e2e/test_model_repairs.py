"""What no rule knows, a model may propose: through the real process, with a person's approval and Nomad's verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.doubles.model_endpoint import ModelEndpoint, answer, failure, model_endpoint, text
from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream


@pytest.fixture
def model() -> Iterator[ModelEndpoint]:
    with model_endpoint(failure(500)) as endpoint:
        yield endpoint


def says(web: str, *operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "diagnosis": "the app asks for LISTEN_PORT, which nothing sets", "fixable": bool(operations), "who": "",
        "confidence": "high", "operations": list(operations), **more,
    }  # fmt: skip


SET = {"op": "env", "path": "g/t/LISTEN_PORT", "to": "1", "because": "the log says so"}


def begun(
    operator: Start, model: ModelEndpoint, upstream: Upstream, nomad: NomadSide, **settings: str
) -> tuple[OperatorProcess, str]:  # fmt: skip
    process = operator(MODEL="qwen3", **settings)
    process.environment["OPENAI_BASE_URL"] = model.base_url
    web = nomad.name("web")
    process.start()
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, task="asks")})
    return process, web


def test_a_proposal_waits_for_a_person_and_is_verified_then(
    nomad: NomadSide, upstream: Upstream, operator: Start, model: ModelEndpoint
) -> None:
    model.say(answer(says("", SET)))
    process, web = begun(operator, model, upstream, nomad)
    until(lambda: process.app(web).get("reason") == "AwaitingApproval", what="it waits", told=lambda: process.app(web))
    waiting = process.app(web)["episode"]["waiting"]
    assert [(one["op"], one["path"], one["to"]) for one in waiting["operations"]] == [("env", "g/t/LISTEN_PORT", "1")]
    assert not nomad.runs(web)
    process.ask(web, "approve")
    until(lambda: process.app(web).get("ready") == "True", what="it is repaired", told=lambda: process.app(web))
    assert nomad.runs(web)
    (kept,) = process.app(web)["overlay"]
    assert (kept["rung"], kept["op"]) == ("model", "env")
    asked = json.dumps(model.questions[0])
    assert "LISTEN_PORT is nowhere" in asked and "a-token-for-tests" not in asked


def test_without_a_person_it_acts_only_where_the_settings_say_so(
    nomad: NomadSide, upstream: Upstream, operator: Start, model: ModelEndpoint
) -> None:
    model.say(answer(says("", SET)))
    process, web = begun(operator, model, upstream, nomad, REPAIR_AUTO="env")
    until(lambda: process.app(web).get("ready") == "True", what="it is repaired", told=lambda: process.app(web))
    assert process.app(web)["lastEpisode"]["outcome"] == "repaired"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (answer(says("", who="whoever writes the app gives LISTEN_PORT a default")), "gives LISTEN_PORT a default"),
        (answer(says("", {**SET, "to": "31337"})), "nobody knows where"),
        (answer(says("", {**SET, "path": "g/t/LD_PRELOAD"})), "model:"),
        (text("I am sorry, I can not help with that."), "model:"),
        (failure(500), "model:"),
    ],
    ids=["not the job", "untraceable", "another place", "no answer", "away"],
)
def test_whatever_else_it_answers_nothing_is_changed_and_people_are_told(
    line: Any, told: str, nomad: NomadSide, upstream: Upstream, operator: Start, model: ModelEndpoint
) -> None:
    model.say(line)
    process, web = begun(operator, model, upstream, nomad, REPAIR_AUTO="all")

    def ended() -> Any:
        return (process.app(web) or {}).get("lastEpisode")

    until(ended, what="the episode ends", told=lambda: process.app(web))
    assert process.app(web)["lastEpisode"]["outcome"] == "exhausted"
    assert told in json.dumps(process.get(f"/api/v1/explain/default/{web}").json())
    assert process.app(web)["overlay"] == []
