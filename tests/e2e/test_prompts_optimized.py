"""`prompts optimize` as a process, against an endpoint on the loopback: right, wrong, malformed, slow, hostile.

The endpoint is a script. That a prompt becomes better with it says that measuring, searching and promoting work; it
says nothing about any model.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, langfuse_double
from tests.doubles.model_endpoint import (
    Body,
    Line,
    ModelEndpoint,
    answer,
    failure,
    model_endpoint,
    silence,
    text,
)
from tests.doubles.reading_model import forms, has_examples, reads, said
from tests.e2e.waiting import until
from tests.repair import corpus, shipped
from tests.repair.case import Case

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

_ROOT = Path(__file__).parents[2]
NAMES = (
    "one-path-of-several:web", "one-path-of-several:shop", "one-path-of-several:gate", "one-path-of-several:mesh",
    "lacks-amqp-host:worker", "lacks-http-port:shop", "lacks-bind-port:gate", "lacks-server-port:mesh",
    "not-the-job:licence", "log-injects-a-prompt",
)  # fmt: skip
CASES = [corpus.cases()[name] for name in NAMES]
CLASSES = {"one": "check_wrong_path", "lacks": "crash_config_missing", "not": "crash", "log": "crash"}
# Known without an example: else there would never be one.
EASY = ("one-path-of-several:shop", "one-path-of-several:mesh", "lacks-server-port:mesh", "lacks-amqp-host:worker")


def with_examples(case: Case | None, body: Body) -> bool:
    return case is None or case.name in EASY or has_examples(body)


@pytest.fixture
def endpoint() -> Iterator[ModelEndpoint]:
    with model_endpoint(answer(reads(CASES, knows=with_examples))) as endpoint:
        yield endpoint


class Place:
    """A folder with a small corpus, and the command in it."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        cases = folder / "cases"
        cases.mkdir()
        rows = [shipped.as_shipped(case, CLASSES[case.name.split("-")[0]]) for case in CASES]
        (cases / "some.yaml").write_text(shipped.text(rows), encoding="utf-8")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONPATH": f"{_ROOT / 'operator'}:{_ROOT}",
        }  # fmt: skip
        # Where a tester has added packages, DSPy's own choices among them.
        self.environment["PYTHONPATH"] += f":{os.environ.get('PYTHONPATH', '')}"
        self.environment["OPENAI_BASE_URL"] = base_url
        self.output = folder / "optimized"

    def begin(self, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "nomad_operator", "prompts", "optimize", "repair", "--corpus", "cases", *more],
            cwd=self.folder, env=self.environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *more: str) -> tuple[int, str, str]:
        with self.begin(*more) as process:
            out, err = process.communicate(timeout=200)
        return process.returncode, out, err

    def promote(self, *more: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "nomad_operator", "prompts", "promote", "repair", *more], cwd=self.folder,
            env=self.environment, text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    @property
    def report(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.output / "repair-report.json").read_text())
        return told

    @property
    def made(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.output / "repair.json").read_text())
        return told


@pytest.fixture
def place(tmp_path: Path, endpoint: ModelEndpoint) -> Place:
    return Place(tmp_path / "place", endpoint.base_url)


def test_examples_that_matter_make_it_better_on_cases_it_never_saw(place: Place, endpoint: ModelEndpoint) -> None:
    code, out, err = place.run()
    assert code == 0, err
    report = place.report
    assert report["before"]["score"] < 1.0 == report["after"]["score"]
    assert report["classes"].keys() == {"check_wrong_path", "crash_config_missing", "crash"}
    assert all(one["after"] >= one["before"] for one in report["classes"].values())
    assert report["cost"]["tokens"] == len(endpoint.questions) * 120
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["FAILURE", "CASES", "BEFORE", "AFTER"]
    assert ["all", "5", f"{report['before']['score']:.2f}", "1.00"] in lines
    assert ["wrong", "changes", "0", "0"] in lines
    assert "before: case 5 of 5" in err and "of 1000000 tokens" in err
    # It is a prompt as any other is: in the format of Langfuse, and asked with as it was measured.
    made = place.made
    assert made["labels"] == ["candidate"] and made["config"]["optimized"]["classes"] == report["classes"]
    assert [one["role"] for one in made["prompt"][:3]] == ["system", "user", "assistant"]
    assert made["prompt"][1]["content"].count("<telemetry-") >= 1
    asked_last = endpoint.questions[-1]["messages"]
    assert [one["content"] for one in asked_last[:-1]] == [one["content"] for one in made["prompt"][:-1]]
    # Nothing is left anywhere else.
    assert list(place.home.iterdir()) == []
    assert sorted(one.name for one in place.folder.iterdir()) == ["cases", "home", "optimized"]

    # The same again asks nothing, and tells the same; promoted, it is what is asked with.
    asked = len(endpoint.questions)
    code, out, err = place.run("--json")
    assert code == 0 and len(endpoint.questions) == asked
    told = json.loads(out)
    assert told["classes"] == report["classes"] and told["file"] == "optimized/repair.json" and told["version"] is None
    place.environment["NOMAD_OPERATOR_PROMPTS_PATH"] = "ours"
    assert place.promote("--file", "optimized/repair.json")[0] == 0
    assert json.loads((place.folder / "ours" / "repair.json").read_text())["prompt"] == made["prompt"]


def test_what_is_worse_on_one_class_cannot_be_promoted(place: Place, endpoint: ModelEndpoint) -> None:
    def loses_paths(case: Case | None, body: Body) -> bool:
        if case is not None and case.name.startswith("one-path") and has_examples(body):
            return False
        return with_examples(case, body) or (case is not None and case.name.startswith("one-path"))

    endpoint.say(answer(reads(CASES, knows=loses_paths)))
    place.environment["NOMAD_OPERATOR_PROMPTS_PATH"] = "ours"
    assert place.run()[0] == 0
    classes = place.report["classes"]
    assert classes["check_wrong_path"] == {"cases": 2, "before": 1.0, "after": 0.0}
    assert classes["crash_config_missing"]["after"] > classes["crash_config_missing"]["before"]
    code, out, err = place.promote("--file", "optimized/repair.json", "--yes")
    assert code == 1 and "worse on check_wrong_path (1.00 before, 0.00 with it)" in err and not out
    assert not (place.folder / "ours").exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_ended_goes_on_where_it_was(place: Place, endpoint: ModelEndpoint, how: signal.Signals) -> None:
    whole = Place(place.folder.parent / "whole", endpoint.base_url)
    assert whole.run()[0] == 0
    needed = len(endpoint.questions)
    endpoint.questions.clear()
    with place.begin() as process:
        until(lambda: len(endpoint.questions) >= 8, what="eight questions are asked", told=lambda: "")
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
    assert process.returncode == (130 if how is signal.SIGINT else -9)
    if how is signal.SIGINT:
        assert "interrupted" in err and "the same command goes on" in err and "Traceback" not in err
    assert not (place.output / "repair.json").exists()
    code, _, err = place.run()
    assert code == 0, err
    # One case was in the middle of it.
    assert len(endpoint.questions) <= needed + 1
    assert place.made["prompt"] == whole.made["prompt"]
    assert place.report["classes"] == whole.report["classes"]


def test_a_budget_ends_it_cleanly_and_more_goes_on(place: Place, endpoint: ModelEndpoint) -> None:
    code, _, err = place.run("--budget-tokens", "4000")
    assert code == 1 and "spent" in err and "Traceback" not in err
    assert 0 < len(endpoint.questions) * 120 <= 4000
    assert not (place.output / "repair.json").exists() and place.report["after"] is None
    asked = len(endpoint.questions)
    assert place.run()[0] == 0
    assert place.report["cost"]["tokens"] == len(endpoint.questions) * 120
    assert len(endpoint.questions) > asked and place.made


ENDINGS: dict[str, tuple[Line, int, str]] = {
    "malformed": (text("well, {"), 0, "no other prompt was found"),
    "failing": (failure(503), 1, "the run ended early"),
    "without a right": (failure(401), 1, "OPENAI_API_KEY"),
    "slow": (silence(), 1, "the run ended early"),
}


@pytest.mark.parametrize("kind", ENDINGS)
def test_an_endpoint_that_is_no_good_ends_it_with_a_reason(place: Place, endpoint: ModelEndpoint, kind: str) -> None:
    line, code, told = ENDINGS[kind]
    endpoint.say(line)
    place.environment["NOMAD_OPERATOR_MODEL_TIMEOUT_SECONDS"] = "1"
    found, _, err = place.run()
    assert (found, told in err) == (code, True), err
    assert "Traceback" not in err and not (place.output / "repair.json").exists()


def test_what_was_too_slow_once_is_asked_again(place: Place, endpoint: ModelEndpoint) -> None:
    """An endpoint's bad hour is not held against a prompt for ever."""
    endpoint.say(silence())
    place.environment["NOMAD_OPERATOR_MODEL_TIMEOUT_SECONDS"] = "1"
    assert place.run()[0] == 1
    endpoint.say(answer(reads(CASES, knows=with_examples)))
    place.environment["NOMAD_OPERATOR_MODEL_TIMEOUT_SECONDS"] = "60"
    assert place.run()[0] == 0
    assert "late" not in place.report["before"]["endings"]


def test_a_hostile_model_gets_nothing_into_a_prompt(place: Place, endpoint: ModelEndpoint) -> None:
    """It does whatever it can at every place that it may name, and calls it an instruction."""

    def hostile(body: Body) -> dict[str, Any]:
        made = [
            {"op": form["properties"]["op"]["enum"][0], "path": form["properties"]["path"]["enum"][0], "to": to}
            for form in forms(body)
            for to in ("privileged", "/:/host", ["sh", "-c", "id"], 64000)
        ]
        return said(body, made[:1])

    endpoint.say(answer(hostile))
    code, _, err = place.run()
    assert code in (0, 1) and "Traceback" not in err
    assert place.report["before"]["wrong"] == 0
    if (place.output / "repair.json").exists():
        assert "privileged" not in json.dumps([one for one in place.made["prompt"] if one["role"] == "assistant"])


def test_in_langfuse_it_is_a_candidate_and_promoted_by_the_command(place: Place) -> None:
    with langfuse_double() as double:
        place.environment |= {
            "LANGFUSE_HOST": double.address, "LANGFUSE_PUBLIC_KEY": PUBLIC_KEY, "LANGFUSE_SECRET_KEY": SECRET_KEY,
        }  # fmt: skip
        code, out, err = place.run()
        assert code == 0, err
        (one,) = double.prompts["repair"]
        assert "candidate" in one["labels"] and "production" not in one["labels"]
        assert one["prompt"] == place.made["prompt"] and "version 1, candidate" in out
        # The same again is no other version.
        assert place.run()[0] == 0 and len(double.prompts["repair"]) == 1
        assert place.promote("--label", "candidate", "--yes")[0] == 0
        assert "production" in double.prompts["repair"][0]["labels"]


def test_two_at_once_do_not_write_over_one_another(place: Place, endpoint: ModelEndpoint) -> None:
    go = threading.Event()
    right = answer(reads(CASES, knows=with_examples))

    def waits(stub: Any, exchange: Any, body: Body) -> None:
        go.wait(60)
        right(stub, exchange, body)

    endpoint.say(waits)
    with place.begin() as first:
        until(lambda: bool(endpoint.questions), what="the first one asks", told=lambda: "")
        code, _, err = place.run()
        assert code == 2 and "in use" in err
        go.set()
        first.communicate(timeout=120)
    assert first.returncode == 0
