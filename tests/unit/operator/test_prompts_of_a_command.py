"""Commands that ask a model ask with the prompts that the settings name, and say why where they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nomad_operator.langfuse.from_settings import prompts_of_a_command
from nomad_operator.settings import Settings
from prompts.catalog import FilePrompts
from prompts.model.question import PromptVersion
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, LangfuseDouble, langfuse_double

FILES = FilePrompts()


@pytest.fixture
def double() -> Iterator[LangfuseDouble]:
    with langfuse_double() as double:
        yield double


async def chosen(**about: Any) -> tuple[list[PromptVersion], list[str]]:
    told: list[str] = []
    async with prompts_of_a_command(Settings(**about), told.append) as prompts:
        versions = [(await prompts.chosen(name)).version for name in ("facts", "intent", "facts")]
    return versions, told


def of(double: LangfuseDouble) -> dict[str, Any]:
    return {"langfuse_host": double.address, "langfuse_public_key": PUBLIC_KEY, "langfuse_secret_key": SECRET_KEY}


async def test_what_has_the_label_in_langfuse_is_asked_with(double: LangfuseDouble) -> None:
    double.write("facts", FILES.texts["facts"].document["prompt"], labels=["staging"])
    versions, told = await chosen(**of(double), prompt_label="staging")
    assert [(one.name, one.label) for one in versions] == [("facts", "staging"), ("intent", ""), ("facts", "staging")]
    assert told == []


@pytest.mark.parametrize("mood", ["refuse", "keys", "garbage"])
async def test_that_langfuse_cannot_be_asked_is_told_once(double: LangfuseDouble, mood: str) -> None:
    double.mood_is(mood)
    versions, told = await chosen(**of(double))
    assert [one.label for one in versions] == ["", "", ""]
    assert len(told) == 1 and told[0].endswith("the files are asked with")


async def test_a_version_that_cannot_be_asked_with_is_told(double: LangfuseDouble) -> None:
    double.write("facts", [{"role": "user", "content": "nothing"}], labels=["production"])
    versions, told = await chosen(**of(double))
    assert versions[0].label == ""
    assert len(told) == 1 and "it leaves out {{app}}" in told[0]


async def test_without_langfuse_the_users_own_files_come_first(tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text("{}", encoding="utf-8")
    versions, told = await chosen(prompts_path=tmp_path)
    assert [one.name for one in versions] == ["facts", "intent", "facts"]
    assert len(told) == 1 and "facts.json" in told[0]
