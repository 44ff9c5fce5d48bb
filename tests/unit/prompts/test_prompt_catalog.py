"""Prompts as files: read whole, checked against the code that fills them, and filled safely."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import OperatorError
from prompts.catalog import FilePrompts, load
from prompts.model.question import Message, PromptVersion
from prompts.prompt_text import SETTINGS, PromptUnusable, read
from prompts.template import filled, variables_in
from prompts.uses import USES

USE = {"repair": frozenset({"evidence", "spec"})}


def document(**changed: Any) -> dict[str, Any]:
    return {
        "name": "repair", "type": "chat", "version": 3, "labels": ["production"], "tags": [],
        "prompt": [
            {"role": "system", "content": "You mend jobs."},
            {"role": "user", "content": "{{evidence}} of {{ spec }}"},
        ],
        "config": {"temperature": 0.2, "note": "mine"},
    } | changed  # fmt: skip


def written(folder: Path, **changed: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "repair.json").write_text(json.dumps(document(**changed)), encoding="utf-8")
    return folder


async def test_a_file_is_chosen_by_its_name_and_filled(tmp_path: Path) -> None:
    prompts = FilePrompts(uses=USE, packaged=written(tmp_path))
    prompt = await prompts.chosen("repair", by="episode")
    assert prompt.version == PromptVersion("repair", 3)
    assert prompt.messages({"evidence": "exit 1", "spec": "job web"}) == (
        Message("system", "You mend jobs."),
        Message("user", "exit 1 of job web"),
    )


def test_only_what_a_model_takes_is_handed_on(tmp_path: Path) -> None:
    """A config may hold anybody's notes, or an address and a key; the client is handed settings alone."""
    config = {"temperature": 0.2, "base_url": "http://elsewhere", "api_key": "x", "optimized": {"by": "dspy"}}
    prompt = FilePrompts(uses=USE, packaged=written(tmp_path, config=config)).prompt("repair")
    assert prompt.settings == {"temperature": 0.2}
    assert prompt.text.config == config


@pytest.mark.parametrize("values", [{}, {"evidence": "a"}, {"evidence": "a", "spec": "b", "more": "c"}])
def test_a_prompt_is_filled_whole_or_not_at_all(tmp_path: Path, values: dict[str, str]) -> None:
    prompt = FilePrompts(uses=USE, packaged=written(tmp_path)).prompt("repair")
    with pytest.raises(ValueError, match="not filled with its variables"):
        prompt.messages(values)


@given(st.dictionaries(st.sampled_from(["evidence", "spec"]), st.text(), min_size=2))
def test_a_value_is_never_filled_again(values: dict[str, str]) -> None:
    text = "<{{evidence}}|{{ spec }}|{{evidence}}>"
    assert filled(text, values) == f"<{values['evidence']}|{values['spec']}|{values['evidence']}>"


def test_a_value_that_holds_a_variable_stays_as_it_is() -> None:
    assert filled("{{a}} {{b}}", {"a": "{{b}}", "b": r"\1 {{a}} \g<0>"}) == r"{{b}} \1 {{a}} \g<0>"


def test_other_things_in_braces_are_text() -> None:
    text = '{{ key "a/b" }} {{with secret "x"}} {{.Data}} {{end}} {{{x}}} {{ a_1 }} {{a-b}}'
    assert variables_in(text) == {"end", "x", "a_1"}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name: expected a text"),
    ({"version": 0}, "version: expected a number from 1"),
    ({"version": True}, "version: expected a number from 1"),
    ({"version": "3"}, "version: expected a number from 1"),
    ({"type": "text", "prompt": "{{evidence}} {{spec}}"}, "type: expected"),
    ({"labels": "production"}, "labels: expected a list of texts"),
    ({"tags": [1]}, "tags: expected a list of texts"),
    ({"prompt": []}, "prompt: expected a list of messages"),
    ({"prompt": "text"}, "prompt: expected a list of messages"),
    ({"prompt": ["text"]}, "prompt[0]: expected a message"),
    ({"prompt": [{"type": "placeholder", "name": "history"}]}, "prompt[0]: expected a message"),
    ({"prompt": [{"role": "tool", "content": "x"}]}, "prompt[0].role: expected one of"),
    ({"prompt": [{"role": "user", "content": None}]}, "prompt[0].content: expected a text"),
    ({"prompt": [{"role": "user", "content": "x" * 200_000}]}, "at most 131072 are taken"),
    ({"prompt": [{"role": "user", "content": "x"}] * 65}, "at most 64 are taken"),
    ({"config": []}, "config: expected an object"),
    ({"config": {"temperature": "hot"}}, "config.temperature: expected a number from 0 to 2"),
    ({"config": {"temperature": True}}, "config.temperature: expected"),
    ({"config": {"temperature": float("nan")}}, "config.temperature: expected"),
    ({"config": {"max_tokens": 0}}, "config.max_tokens: expected a whole number from 1 to 65536"),
    ({"config": {"reasoning_effort": "much"}}, "config.reasoning_effort: expected one of none, minimal"),
    ({"config": {"enable_thinking": "no"}}, "config.enable_thinking: expected true or false"),
]


@pytest.mark.parametrize(("changed", "told"), MISTAKES, ids=[told[:40] for _, told in MISTAKES])
def test_what_is_wrong_with_a_prompt_is_told(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(PromptUnusable, match=re.escape(told)):
        read(document(**changed), where="repair.json")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(PromptUnusable) as told:
        read(document(name=1, version=-1, type="", prompt=[{}], config={"top_p": 2}), where="repair.json")
    assert len(told.value.problems) == 6


@pytest.mark.parametrize("given", [None, [], "text", 3])
def test_a_prompt_is_an_object(given: object) -> None:
    with pytest.raises(PromptUnusable, match="no JSON object"):
        read(given, where="repair.json")


def test_what_is_written_reads_the_same() -> None:
    text = read(document() | {"createdBy": "API", "commitMessage": "better"}, where="x")
    assert read(text.document, where="y") == text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{{evidence}}", "it leaves out {{spec}}"),
        ("{{evidence}} {{spec}} {{specs}}", "nothing fills {{specs}}"),
        ("nothing", "it leaves out {{evidence}}, {{spec}}"),
    ],
)
def test_variables_that_do_not_agree_with_the_code_are_told(tmp_path: Path, content: str, told: str) -> None:
    folder = written(tmp_path, prompt=[{"role": "user", "content": content}])
    with pytest.raises(PromptUnusable, match=re.escape(told)):
        FilePrompts(uses=USE, packaged=folder)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"{", "no JSON"), (b"\xff", "cannot be read"), (b"[" * 100_000, "no JSON"), (b"{}", "name: expected"),
        (json.dumps(document(name="other")).encode(), "as the file is called"),
    ],
)  # fmt: skip
def test_a_file_of_the_users_that_is_wrong_leaves_the_packaged_one(tmp_path: Path, raw: bytes, told: str) -> None:
    packaged, own = written(tmp_path / "packaged"), tmp_path / "own"
    own.mkdir()
    (own / "repair.json").write_bytes(raw)
    problems: list[OperatorError] = []
    prompts = FilePrompts(uses=USE, packaged=packaged, folder=own, unusable=problems.append)
    assert prompts.prompt("repair").version.version == 3
    assert [told in problem.message for problem in problems] == [True]


def test_a_file_of_the_users_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    prompts = FilePrompts(uses=USE, packaged=written(tmp_path / "a"), folder=written(tmp_path / "b", version=9))
    assert prompts.prompt("repair").version.version == 9


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PromptUnusable, match="cannot be read"):
        load(tmp_path / "repair.json", "repair", USE["repair"])


def test_files_and_code_agree() -> None:
    """Every prompt that the code asks with has its file, with its variables; no file is without a use."""
    prompts = FilePrompts()
    assert prompts.texts.keys() == USES.keys()
    packaged = {Path(file.name).stem for file in files("prompts").iterdir() if file.name.endswith(".json")}
    assert packaged == USES.keys()


def test_a_packaged_prompt_is_written_as_it_is_read() -> None:
    """In the order of its keys too: what `prompts pull` writes shows no other difference than what changed."""
    for name, text in FilePrompts().texts.items():
        held = json.loads((files("prompts") / f"{name}.json").read_text(encoding="utf-8"))
        assert list(held.items()) == list(text.document.items())


def test_settings_have_bounds() -> None:
    for name, (allowed, told) in SETTINGS.items():
        assert not allowed(None) and not allowed([object()]), name
        assert told, name
