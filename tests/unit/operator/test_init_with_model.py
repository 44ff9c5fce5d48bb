"""`init` and `analyze --model` with a model: suggestions with their lines, and nothing lost where it is away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from nomad_operator.cli import main
from tests.doubles.model_endpoint import Body, ModelEndpoint, answer, by_schema, failure, model_endpoint

Run = Callable[..., tuple[int, str, str]]
# What each prompt is answered with, by the name of its schema.
FACTS = {
    "port": {"value": 8123, "path": "src/shop.nim", "line": 1, "confidence": "high"},
    "variables": [
        {"name": "SHOP_DB", "required": True, "path": "src/shop.nim", "line": 2, "confidence": "high"},
        {"name": "ADMIN", "required": True, "path": "src/shop.nim", "line": 2, "confidence": "high"},
    ],
}
DRAFT = {
    "image": {
        "answer": "registry.example/shop:1.4",
        "path": "README.md",
        "line": 3,
        "recalled": None,
        "reason": "it says so",
    }
}
INTENT = {"answers": [{"id": "count", "answer": "3", "words": "a trio, that is three"}]}


def whole(said: Mapping[str, Any]) -> Callable[[Body], Mapping[str, Any]]:
    """The answer with null for everything else that the schema wants."""

    def made(body: Body) -> Mapping[str, Any]:
        schema = body["response_format"]["json_schema"]["schema"]
        return {name: said.get(name) for name in schema["required"]}

    return made


@pytest.fixture
def model() -> Iterator[ModelEndpoint]:
    lines = {"facts": answer(whole(FACTS)), "draft": answer(whole(DRAFT)), "intent": answer(INTENT)}
    with model_endpoint(by_schema(lines)) as endpoint:
        yield endpoint


@pytest.fixture
def run(
    tmp_path: Path, model: ModelEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:  # fmt: skip
    """In a folder with code of a language that no extractor knows, beside a model."""
    monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
    monkeypatch.setenv("NOMAD_OPERATOR_MODEL", "qwen3")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop" / "src").mkdir(parents=True)
    (tmp_path / "shop" / "README.md").write_text("# shop\n\nRun registry.example/shop:1.4 anywhere.\n")
    (tmp_path / "shop" / "src" / "shop.nim").write_text('let port = 8123\nlet db = getEnv("SHOP_DB")\n')
    (tmp_path / "shop" / "config.toml").write_text('api_token = "tok-Zx81kQpLw9vB2nM4"\n')

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


INIT = ("init", "shop", "--no-questions", "--skip-infra-check", "--output", "-")


def test_what_the_code_leaves_open_is_suggested_with_its_line(run: Run, model: ModelEndpoint) -> None:
    code, out, err = run(*INIT, "--prompt", "a trio, that is three, please")
    spec = yaml.safe_load(out)["spec"]
    assert (spec["image"], spec["count"]) == ("registry.example/shop:1.4", 3)
    assert spec["ports"] == {"http": {"to": 8123}}
    assert "model: README.md:3" in out and "model: src/shop.nim:1" in out and "not sure" in out
    assert "ADMIN" not in out, "no line says that"
    assert "env.SHOP_DB" in err and code == 1, "where it comes from nobody knows"
    asked = json.dumps(model.questions)
    assert "tok-Zx81kQpLw9vB2nM4" not in asked and "api_token" in asked


def test_the_same_manifest_without_the_model_asks_for_all_of_it(run: Run, model: ModelEndpoint) -> None:
    code, out, err = run(*INIT, "--no-model")
    assert "image" not in (yaml.safe_load(out)["spec"] or {}) and code == 1
    assert "open: shop: image" in err and model.questions == []


def test_a_model_that_is_away_is_told_once_and_costs_only_its_suggestions(run: Run, model: ModelEndpoint) -> None:
    model.say(failure(500, "no GPU left"))
    without = run(*INIT, "--no-model")
    code, out, err = run(*INIT)
    assert (code, out) == without[:2]
    assert err.count("warning: the model at") == 1


def test_analyze_asks_it_only_when_told_to(run: Run, model: ModelEndpoint) -> None:
    assert run("analyze", "shop", "--json")[0] == 0 and model.questions == []
    code, out, _ = run("analyze", "shop", "--json", "--model")
    facts = {fact["field"]: fact for fact in json.loads(out)["apps"][0]["facts"]}
    assert code == 0
    assert (facts["ports.8123"]["extractor"], facts["ports.8123"]["line"]) == ("model", 1)


def test_analyze_without_a_model_that_is_set_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    code, _, err = run("analyze", "shop", "--model")
    assert code == 2 and "no model is set" in err
