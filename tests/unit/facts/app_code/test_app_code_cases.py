"""Codebases of the shapes that people have: everything that is found in each, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from desired.facts.app_code.extractor import extractor
from desired.facts.codebase import Component
from desired.facts.facts import Facts
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase

CASES = Path(__file__).parent / "cases"


def _read_cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def _found(facts: Facts) -> dict[str, Any]:
    """The facts as the cases write them: a value, and after ` @ ` its place."""
    found: dict[str, Any] = {
        "language": facts.language and facts.language.value,
        "framework": facts.framework and f"{facts.framework.value} @ {facts.framework.place}",
        "kind": facts.kind and facts.kind.value.value,
        "schedule": facts.schedule and f"{facts.schedule.value} @ {facts.schedule.place}",
        "gpu": facts.gpu and f"{facts.gpu.value} @ {facts.gpu.place}",
        "health": facts.health and f"{facts.health.value.path} @ {facts.health.place}",
        "ports": [f"{fact.value.to} @ {fact.place}" for fact in facts.ports.values()],
        "required": sorted(f"{n} @ {f.place}" for n, f in facts.env_uses.items() if f.value.required),
        "optional": {n: f.value.default for n, f in facts.env_uses.items() if not f.value.required},
        "backends": {kind: list(fact.value.variables) for kind, fact in facts.backends.items()},
        "secret_literals": sorted(facts.secret_literals),
        "start": facts.entrypoint and " ".join(facts.entrypoint.value),
    }
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize("case", list(_read_cases()))
def test_a_codebase_says_this_and_nothing_else(case: dict[str, Any]) -> None:
    component = Component("app", case.get("root", ""), case.get("dockerfile"))
    extraction = extractor.extract(MemoryCodebase(case["files"]), component)
    expected = dict(case["expect"])
    dependencies = expected.pop("dependencies", None)
    warnings = expected.pop("warnings", [])
    assert _found(extraction.facts) == expected
    assert [str(problem) for problem in extraction.warnings] == warnings
    if dependencies is not None:
        found = [f"{e}/{n} {f.value.version}".strip() for (e, n), f in extraction.facts.dependencies.items()]
        assert found == dependencies
