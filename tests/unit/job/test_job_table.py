"""The one table behind reading, writing and checking jobs, and the check of JSON jobs that it drives."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desired.job import api_json, spec
from desired.job.fields import Shape
from desired.job.key_case import with_nomads_keys
from desired.job.lint import lint_job
from desired.job.spec import Job
from desired.job.table import Row, by_hcl, by_json, rows
from tests.unit.job.random_jobs import random_job


def every_block(kind: type, seen: set[type]) -> Iterator[type]:
    if kind not in seen:
        seen.add(kind)
        yield kind
        for row in rows(kind):
            if row.block is not None:
                yield from every_block(row.block, seen)


def test_names_are_told_apart_in_every_block() -> None:
    for kind in every_block(spec.Job, set()):
        names = [row.json.lower() for row in rows(kind)]
        in_hcl = [row.hcl for row in rows(kind) if row.shape not in (Shape.LABEL, Shape.API_ONLY)]
        assert len(set(names)) == len(names), kind
        assert len(set(in_hcl)) == len(in_hcl) == len(by_hcl(kind)), kind


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_json_and_back_is_the_same_typed_job(seed: int) -> None:
    job = random_job(seed)
    assert api_json.from_json(api_json.to_json(job)) == job


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_what_we_write_as_json_has_nothing_to_complain_about(seed: int) -> None:
    assert lint_job(api_json.to_json(random_job(seed))) == ()


def test_a_key_that_nomad_would_ignore_is_found_with_its_line_and_a_suggestion() -> None:
    text = '{\n  "ID": "x",\n  "Datacentres": ["dc1"]\n}\n'
    (problem,) = lint_job({"ID": "x", "Datacentres": ["dc1"]}, "web.json", text)
    assert (problem.path, problem.line, problem.hint) == ("web.json", 3, "did you mean Datacenters?")


def test_hcl_names_in_json_are_led_to_the_api_names() -> None:
    (problem,) = lint_job({"TaskGroups": [{"Name": "g", "restart": {}}]})
    assert "TaskGroups[0].restart" in problem.message
    assert problem.hint == "did you mean RestartPolicy?"


def test_key_case_is_not_held_against_anybody() -> None:
    assert lint_job({"id": "x", "taskgroups": [{"name": "g"}]}) == ()


def test_a_key_that_is_there_twice_by_its_case_is_found() -> None:
    """Nomad would take the last one, and whoever reads the job the one that is written right."""
    (problem,) = lint_job({"TaskGroups": [{"Name": "g", "Tasks": [{"Driver": "docker", "driver": "raw_exec"}]}]})
    assert "driver: is the same as Driver" in problem.message
    assert problem.hint == "write Driver once"


@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_job_is_known_by_its_keys_whatever_their_case(seed: int, random: Random) -> None:
    body = api_json.to_json(random_job(seed))

    def mixed(block: type, value: Any) -> Any:
        named = by_json(block)
        return {random.choice((key, key.lower(), key.upper())): inside(named[key], item) for key, item in value.items()}

    def inside(row: Row, item: Any) -> Any:
        if row.block is None or item is None:
            return item
        if row.shape is Shape.BLOCK_MAP:
            return {name: mixed(row.block, each) for name, each in item.items()}
        return [mixed(row.block, each) for each in item] if isinstance(item, list) else mixed(row.block, item)

    assert with_nomads_keys(mixed(Job, body)) == body


def test_values_of_a_wrong_type_are_found() -> None:
    body = {"Priority": "high", "AllAtOnce": 1, "Datacenters": "dc1", "Meta": {"a": 1}, "TaskGroups": {"g": {}}}
    assert len(lint_job(body)) == 5
