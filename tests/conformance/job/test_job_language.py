"""Our reader of the job language against a real Nomad's: recorded answers always, a server where one is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from desired.job.hcl_read import JobFileInvalid, read_job
from desired.job.hcl_write import to_hcl
from nomad_operator.embedded.canonical import api_canonical
from tests import recordings_reader

HERE = Path(__file__).parent
NAMES = [
    *(path.name for path in sorted((HERE / "cases").iterdir())),
    *yaml.safe_load((HERE / "snippets.yaml").read_text(encoding="utf-8")),
]

# Where we answer otherwise, and why. The table must stay true: a case that agrees again has to leave it.
DEVIATIONS = {
    "divide-by-zero": "HCL makes infinity of it and fails one step later; we fail at the division",
    "duration-list": "the text holds Go's dump of a type; ours names the type",
    "jsondecode-bad": "the text is that of Go's JSON decoder",
}

Ask = Callable[[str, str], tuple[int, Any]]


def ours(text: str, variables: str = "") -> tuple[int, Any]:
    try:
        return 200, read_job(text, variables)
    except JobFileInvalid as invalid:
        return 400, invalid.nomad_text


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", NAMES)
def test_a_case_reads_as_a_real_nomad_read_it(
    name: str, texts: dict[str, dict[str, str]], answers: dict[str, Any]
) -> None:
    case = texts[name]
    status, body = ours(case["job"], case.get("variables", ""))
    agrees = {"status": status, "body": without_nulls(body)} == answers[name]
    if name in DEVIATIONS:
        assert not agrees, "this case agrees: take it out of DEVIATIONS"
    else:
        assert {"status": status, "body": without_nulls(body)} == answers[name]


def test_every_deviation_is_a_case() -> None:
    assert set(NAMES) >= set(DEVIATIONS)


@pytest.mark.parametrize("scenario", recordings_reader.names())
def test_recorded_parses_give_the_recorded_jobs_and_errors(scenario: str) -> None:
    for exchange in recordings_reader.read(scenario).exchanges:
        request = exchange.request
        if exchange.path != "/v1/jobs/parse" or not isinstance(request, dict):
            continue
        status, body = ours(request["JobHCL"], request.get("Variables", ""))
        if status == 200 and request.get("Canonicalize"):
            body = api_canonical(body)
        if exchange.status in (200, 400):
            assert (status, body) == (exchange.status, exchange.body), f"exchange {exchange.number}"


@pytest.mark.parametrize("name", NAMES)
def test_what_was_read_reads_the_same_after_it_was_written(name: str, texts: dict[str, dict[str, str]]) -> None:
    case = texts[name]
    status, body = ours(case["job"], case.get("variables", ""))
    if status == 200:
        assert read_job(to_hcl(body)) == body


@pytest.mark.real
def test_a_real_server_reads_every_case_as_we_do(texts: dict[str, dict[str, str]], ask: Ask) -> None:
    wrong = []
    for name, case in texts.items():
        mine = ours(case["job"], case.get("variables", ""))
        if name not in DEVIATIONS and mine != ask(case["job"], case.get("variables", "")):
            wrong.append(name)
    assert wrong == []


@pytest.mark.real
def test_a_real_server_reads_recorded_job_files_and_our_own_writing_of_them_as_we_do(ask: Ask) -> None:
    wrong = []
    for scenario in recordings_reader.names():
        for name, text in recordings_reader.read(scenario).jobs.items():
            mine = ours(text)
            if mine != ask(text, "") or (mine[0] == 200 and ask(to_hcl(mine[1]), "") != mine):
                wrong.append((scenario, name))
    assert wrong == []
