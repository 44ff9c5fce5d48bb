"""What is redacted is told as the same failure: over every recording, and over every case that a class is tested on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from observers import redacted
from observers.evidence import Evidence
from observers.failures.diagnose import diagnose
from observers.job_secrets import known_in
from observers.redaction import Placeholders, Redactor
from tests.recorded_evidence import finals
from tests.recordings_reader import MORE, NOMAD, names, read_lines
from tests.unit.observers.failures.failure_evidence import NOW
from tests.unit.observers.failures.test_failures_cited import CASES, Case

SCENARIOS = [(name, folder) for folder in (NOMAD, MORE) for name in names(folder)]

# Everything that is hidden in the answers of the recorded Nomad, by the name of its field. Nothing else may change.
HIDDEN = {
    "Hash": "of a namespace: never read; nothing tells it from a key",
    "Data": "a piece of a log in base64: we ask for plain text",
    "AccessorID": "whose name is `token:acls-disabled`: no more than who drained a node",
    "args": "of a job that holds a header with a token's name",
    "driver.java.runtime": "a version that has no order in it",
    "driver.java.vm": "a version that has no order in it",
}


def redactor(evidence: Evidence) -> Redactor:
    return Redactor(known=known_in(evidence.body), placeholders=Placeholders())


@pytest.mark.parametrize(("name", "folder"), SCENARIOS, ids=[name for name, _ in SCENARIOS])
def test_a_recording_is_told_as_the_same_failure_and_nothing_in_it_is_hidden(name: str, folder: Path) -> None:
    for now, evidence in finals(name, folder):
        shown = redacted.redacted(evidence, redactor(evidence))
        assert [one.signature for one in diagnose(shown, now)] == [one.signature for one in diagnose(evidence, now)]
        assert [one.conclusive for one in diagnose(shown, now)] == [one.conclusive for one in diagnose(evidence, now)]
        assert shown == evidence


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, name)
    elif isinstance(value, str):
        yield name, value


def test_of_all_that_nomad_ever_answered_only_this_is_hidden() -> None:
    bare = Redactor(known=(), placeholders=Placeholders())
    told: dict[str, str] = {}
    for name, folder in SCENARIOS:
        for file in ("exchanges.jsonl", "events.ndjson"):
            for line in read_lines(folder / name / file):
                told |= {text: field for field, text in texts([line.get("body"), line.get("line")])}
    assert len(told) > 3000
    changed = {field: text for text, field in told.items() if bare.redact(text) != text}
    assert changed.keys() == HIDDEN.keys(), changed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.failure.value)
def test_a_cited_case_is_told_as_the_same_failure_with_the_same_facts(case: Case) -> None:
    shown = redacted.redacted(case.evidence, redactor(case.evidence))
    before, after = diagnose(case.evidence, NOW), diagnose(shown, NOW)
    assert [(one.signature, one.cause, one.conclusive) for one in after] == [
        (one.signature, one.cause, one.conclusive) for one in before
    ]
    assert dict(after[0].facts) == dict(before[0].facts)
