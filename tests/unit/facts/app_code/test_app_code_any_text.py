"""Whatever a file holds, reading it raises nothing, gives the same twice, and every place is one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desired.facts.app_code.extractor import extractor
from desired.facts.app_code.sizing import sized
from desired.facts.codebase import Component
from desired.facts.extractor import Extraction
from desired.facts.fact import Fact, Place
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase

CASES = [
    case
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
NAMES = sorted({name for case in CASES for name in case["files"]})
# Lines that mean something, to be put together in ways that nobody would.
LINES = sorted(
    {line for case in CASES for text in case["files"].values() for line in text.splitlines() if line.strip()}
)
SPLINTERS = [
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        '"',
        "'",
        "`",
        "\\",
        "/*",
        "*/",
        "//",
        "#",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\ufeff",
        "é",
    ),
    *(
        "process.env.",
        'os.environ["',
        "ENV.fetch(",
        "env(",
        "${",
        "%env(",
        "<!DOCTYPE x>",
        "<!ENTITY a 'b'>",
        "-r ..",
        "&a *a",
    ),
    *(
        "99999",
        "0",
        "-1",
        "port",
        "=",
        ":",
        ",",
        ";",
        "@",
        "=>",
        "<<<",
        "{{",
        "%{",
        "#{",
        '"""',
        "|| ",
        "?? ",
        "import ",
        "def f(:",
    ),
]
texts = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(LINES), max_size=12).map("\n".join),
    st.lists(st.one_of(st.sampled_from(SPLINTERS), st.sampled_from(LINES), st.text(max_size=8)), max_size=25).map(
        "".join
    ),
)
trees = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), texts), min_size=1, max_size=6)


def _facts(extraction: Extraction) -> Iterator[Fact[Any]]:
    for name in extraction.facts.__slots__:
        value = getattr(extraction.facts, name)
        if isinstance(value, Fact):
            yield value
        elif value is not None:
            yield from value.values()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=trees, root=st.sampled_from(["", "apps/api", "services/billing", "backend"]), data=st.data())
def test_any_text_in_any_file_is_read_without_raising(
    files: dict[str, str | None], root: str, data: st.DataObject
) -> None:
    dockerfile = data.draw(st.sampled_from([None, *(name for name in files if "Dockerfile" in name)]))
    codebase = MemoryCodebase(files)
    component = Component("app", root, dockerfile)
    extraction = extractor.extract(codebase, component)
    assert extraction == extractor.extract(codebase, component)
    sized(extraction.facts)
    for fact in _facts(extraction):
        assert 0 < fact.confidence <= 1
        if fact.place is not None:
            text = files[fact.place.path]
            assert fact.place.line is None or (text is not None and 1 <= fact.place.line <= text.count("\n") + 1)
    for port in extraction.facts.ports:
        assert 0 < port < 65536
    for problem in extraction.warnings:
        assert problem.path in files and problem.line >= 0


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_a_real_codebase_cut_off_anywhere_is_read_without_raising(case: dict[str, Any]) -> None:
    component = Component("app", case.get("root", ""), case.get("dockerfile"))
    for name, text in case["files"].items():
        for cut in range(0, len(text), 7):
            extractor.extract(MemoryCodebase({**case["files"], name: text[:cut]}), component)


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_the_ends_of_lines_change_nothing(ending: str) -> None:
    for case in CASES:
        component = Component("app", case.get("root", ""), case.get("dockerfile"))
        files = {name: text.replace("\n", ending) for name, text in case["files"].items()}
        found = extractor.extract(MemoryCodebase(files), component)
        assert found == extractor.extract(MemoryCodebase(case["files"]), component), case["name"]


def test_files_that_cannot_be_read_are_passed_over() -> None:
    files: dict[str, str | None] = dict.fromkeys(NAMES)
    assert extractor.extract(MemoryCodebase(files), Component("app")).warnings == ()


def test_a_place_is_shown_as_people_write_it() -> None:
    assert str(Place("app.py", 3)) == "app.py:3"
