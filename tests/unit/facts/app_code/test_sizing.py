"""How much an app is given where nothing says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desired.facts.app_code.sizing import ALLOWANCES, size_of, sized
from desired.facts.fact import Fact, Place
from desired.facts.facts import Dependency, Facts, Size


def _fact(value: str) -> Fact[str]:
    return Fact(value, "test", 0.6, Place("somewhere", 3))


def _built(language: str, framework: str = "", *names: str) -> Facts:
    dependencies = [tuple(name.split("/", 1)) for name in names]
    return Facts(
        language=_fact(language) if language else None,
        framework=_fact(framework) if framework else None,
        dependencies={
            (ecosystem, name): Fact(Dependency(ecosystem, name), "test", 0.6, Place("deps", number))
            for number, (ecosystem, name) in enumerate(dependencies, 1)
        },
    )


@pytest.mark.parametrize(
    ("facts", "size"),
    [
        (_built("go", "Gin"), Size.LIGHT),
        (_built("rust"), Size.LIGHT),
        (_built("javascript", "React"), Size.LIGHT),
        (_built("javascript", "Express", "npm/express", "npm/pg"), Size.LIGHT),
        (_built("javascript", "Express", *(f"npm/x{number}" for number in range(20))), Size.MEDIUM),
        (_built("python", "Django", "pypi/django"), Size.MEDIUM),
        (_built("ruby", "Rails"), Size.MEDIUM),
        (_built("java", "Spring Boot"), Size.HEAVY),
        (_built("python", "FastAPI", "pypi/pandas"), Size.HEAVY),
        (_built("python", "FastAPI", "pypi/pandas", "pypi/torch"), Size.COMPUTE),
        (_built("python", "vLLM"), Size.COMPUTE),
        (replace(_built("go"), gpu=Fact(1, "test", 0.5)), Size.COMPUTE),
        (Facts(image_name=_fact("library/redis")), Size.LIGHT),
        (Facts(image_name=_fact("elasticsearch")), Size.HEAVY),
        (Facts(), Size.MEDIUM),
    ],
)
def test_the_size_follows_from_what_it_is_built_with(facts: Facts, size: Size) -> None:
    found = size_of(facts)
    assert found.value is size
    assert found.reason


def test_what_a_source_states_stays() -> None:
    stated = replace(_built("java", "Spring Boot"), memory=Fact(300, "compose", 0.7))
    found = sized(stated)
    assert found.memory == stated.memory
    assert found.cpu is not None and found.cpu.value == ALLOWANCES[Size.HEAVY].cpu
    assert "HEAVY" in found.cpu.reason and "JVM" in found.cpu.reason


def test_a_stated_size_decides_the_rest() -> None:
    found = sized(replace(_built("go"), size=Fact(Size.COMPUTE, "build_yaml", 0.95)))
    assert found.memory is not None and found.memory.value == ALLOWANCES[Size.COMPUTE].memory


def test_memory_is_never_more_than_the_most_that_is_stated() -> None:
    found = sized(replace(_built("java", "Spring Boot"), memory_max=Fact(400, "compose", 0.7)))
    assert found.memory is not None and found.memory.value == 400


def test_sizing_twice_changes_nothing() -> None:
    once = sized(_built("python", "Django", "pypi/django"))
    assert sized(once) == once


def test_sizes_grow() -> None:
    amounts = [(ALLOWANCES[size].cpu, ALLOWANCES[size].memory) for size in Size]
    assert amounts == sorted(amounts)
