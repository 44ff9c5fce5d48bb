"""Of several dependency files that cannot be read each is told, also of the projects that the app is not."""

from __future__ import annotations

import pytest

from desired.facts.analyze import analyze
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase


def test_every_file_that_cannot_be_read_is_told_with_its_place() -> None:
    files = {
        "package.json": '{"dependencies": ',
        "pyproject.toml": "[project\n",
        "service/pom.xml": "<project><a>",
        "worker/composer.json": "{",
        "app.py": "import flask\n",
    }
    told = {str(problem).partition(":")[0] for problem in analyze(MemoryCodebase(files, "shop")).warnings}
    assert told == files.keys() - {"app.py"}


def test_an_app_whose_dependencies_cannot_be_read_is_not_said_to_have_none() -> None:
    (app,) = analyze(MemoryCodebase({"requirements.txt": "!!!\n", "app.py": "import os\n"}, "shop")).apps
    assert app.facts.size is not None
    assert app.facts.size.reason == "a small python app with no dependency that is known"


@pytest.mark.parametrize("files", [{}, {"notes.txt": "x", "a/picture.svg": "<svg/>"}])
def test_a_folder_that_tells_nothing_is_told(files: dict[str, str]) -> None:
    (problem,) = analyze(MemoryCodebase(files, "shop")).warnings
    assert str(problem).startswith("shop: nothing tells what this is") and f"among {len(files)} files" in str(problem)


@pytest.mark.parametrize("code", [{"requirements.txt": "flask\n", "app.py": "import flask\n"}, {}])
def test_a_crontab_beside_an_app_that_is_something_else_is_told_without_its_command(code: dict[str, str]) -> None:
    files = {**code, "crontab": "# nightly\n0 3 * * * backup --password hunter2\n", "Dockerfile": "FROM x\nEXPOSE 80\n"}
    told = [str(one) for one in analyze(MemoryCodebase(files, "shop")).warnings]
    assert [one for one in told if one.startswith("crontab:2: a crontab runs something at `0 3 * * *`")]
    assert not any("hunter2" in one for one in told)
