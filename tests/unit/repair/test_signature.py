"""The same failure of two apps has the same signature; another failure has another. Whatever the apps are called."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.cause import Cause
from observers.evidence import Evidence, LogTail
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from reconcilers.repair.signature import Signature, normalised, signature

AT = datetime(2026, 1, 1, tzinfo=UTC)


def body(
    job: str, group: str, task: str, *, label: str = "http", image: str = "registry.local:5000/team/shop:1.2.3"
) -> dict[str, Any]:
    service = {"Name": f"{job}-service", "PortLabel": label, "Checks": [{"Name": f"{job}-alive"}]}
    return {
        "ID": job,
        "Name": job,
        "TaskGroups": [
            {
                "Name": group,
                "Networks": [{"DynamicPorts": [{"Label": label}]}],
                "Services": [service],
                "Tasks": [{"Name": task, "Config": {"image": image, "command": f"run-{task}"}}],
            }
        ],
    }


def of(
    words: str, *, job: str = "shop", group: str = "shop", task: str = "app", label: str = "http",
    failure: FailureClass = FailureClass.CRASH, log: str = "", **facts: str,
) -> Signature:  # fmt: skip
    made = body(job, group, task, label=label)
    evidence = Evidence(id="e", key=AppKey("default", job), at=AT, body=made, since=AT)
    if log:
        evidence = replace(evidence, logs=(LogTail("a", task, "stderr", log),))
    told = Diagnosis(failure, Cause.SPEC, words, group=group, task=task, port=label, facts=facts)
    return signature(told, evidence, made)


# Words, and the same words of another app; `{job}`, `{group}`, `{task}` and `{label}` are what those are called.
SAME = {
    "an exit code and a time": (
        "2026-01-01T10:00:00.123Z task {task} exited with code 1 after 12.5s",
        "23:59:59,120 task {task} exited with code 7 after 3m",
    ),
    "a quoted name": ('Task "{task}" of group "{group}" was killed', 'Task "{task}" of group "{group}" was killed'),
    "amounts": ("memory exhausted: 256 MB of 300 MiB", "memory exhausted: 8192 MB of 4,096 MiB"),
    "addresses": (
        "dial tcp 10.0.0.7:8080: connect: connection refused",
        "dial tcp [fd00:1:2::3]:443: connect: connection refused",
    ),
    "hosts": ("cannot reach http://db.{job}.internal:5432/x", "cannot reach http://orders-db.service.consul/other/y"),
    "ids": (
        "allocation 0a1b2c3d-aaaa-bbbb-cccc-0123456789ab on 1234abcd failed",
        "allocation 9f8e7d6c-1111-2222-3333-ba9876543210 on deadbee1 failed",
    ),
    "a label": ('port "{label}" is not declared', 'port "{label}" is not declared'),
    "a name of several words": ("{job}-service is unhealthy", "{job}-service is unhealthy"),
    "an image": ("pull registry.local:5000/team/shop:1.2.3: gone", "pull registry.local:5000/team/shop: gone"),
    "the command": ("run-{task}: no such option", "run-{task}: no such option"),
    "what stands for a secret": ("password «secret:1» was refused", "password «secret:23» was refused"),
    "case": ("Out Of Memory", "out of memory"),
}  # fmt: skip
NAMES = (
    {"job": "shop", "group": "shop", "task": "app", "label": "http"},
    {"job": "billing-v2", "group": "workers", "task": "billing", "label": "metrics"},
    {"job": "memory", "group": "port", "task": "task", "label": "killed"},
    {"job": "team/x", "group": "a", "task": "b", "label": "c"},
)


@pytest.mark.parametrize("words", SAME.values(), ids=SAME)
@pytest.mark.parametrize("names", NAMES, ids=lambda names: names["job"])
def test_the_same_failure_of_another_app_has_the_same_signature(words: tuple[str, str], names: dict[str, str]) -> None:
    first = of(words[0].format(**NAMES[0]), **NAMES[0])
    assert of(words[1].format(**names), **names).exact == first.exact


OTHER = {
    "another variable": ("KeyError: 'DATABASE_URL'", "KeyError: 'API_PORT'"),
    "another file": ("open /etc/shop/config.yaml: no such file", "open /etc/shop/users.csv: no such file"),
    "another problem": ("connection refused", "connection reset by peer"),
    "another scheme": ("https://x.internal/ gave no answer", "http://x.internal/ gave no answer"),
    "another architecture": ("no match for platform amd64", "no match for platform arm64"),
}


@pytest.mark.parametrize("words", OTHER.values(), ids=OTHER)
def test_another_failure_has_another_signature(words: tuple[str, str]) -> None:
    assert of(words[0]).exact != of(words[1]).exact


def test_the_class_is_part_of_it() -> None:
    assert of("it ended", failure=FailureClass.CRASH).exact != of("it ended", failure=FailureClass.OOM_KILLED).exact


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"name": "DATABASE_URL"}, {"name": "API_PORT"}, False),
        ({"status": "404"}, {"status": "405"}, False),
        ({"used": "120"}, {}, True),  # whether it could be measured
        ({"kills": "1"}, {"kills": "17"}, True),
        ({"label": "http"}, {}, True),  # a name of the app's own
        ({"labels_there": "http,app"}, {"labels_there": "app"}, True),
    ],
)
def test_facts_tell_failures_apart_unless_they_are_names_or_amounts(
    first: dict[str, str], second: dict[str, str], same: bool
) -> None:
    assert (of("it failed", **first).exact == of("it failed", **second).exact) is same


def test_the_text_for_similarity_has_the_evidence_and_is_bounded() -> None:
    told = of(
        "it crashed", log="\n".join(f"line {letter}: no route to shop-service" for letter in "abcdefgh" * 40)
    ).text
    assert "no route to <name>" in told
    assert len(told) <= 600


def test_what_the_evidence_adds_does_not_change_the_signature() -> None:
    assert of("it crashed", log="first").exact == of("it crashed", log="other words").exact


# Names as people give them: not a word that Nomad uses itself.
names = st.from_regex(r"[a-z]{3,8}-[a-z]{2,8}", fullmatch=True)
numbers = st.integers(min_value=0, max_value=10**9)


@given(names, names, names, numbers, numbers)
def test_neither_names_nor_numbers_are_part_of_it(job: str, group: str, task: str, one: int, other: int) -> None:
    words = "task {} of {} in {}: heap of {} bytes is too small, see line {}"
    first = of(words.format("app", "shop", "shop", 1, 2))
    assert of(words.format(task, group, job, one, other), job=job, group=group, task=task).exact == first.exact


@given(st.text(max_size=200), st.lists(names, max_size=4))
def test_normalising_twice_is_the_same_as_once(text: str, called: list[str]) -> None:
    once = normalised(text, called)
    assert normalised(once, called) == once


@given(names, st.integers(min_value=10, max_value=10**6), st.uuids())
def test_nothing_of_the_app_stays_in_the_text(name: str, number: int, uuid: object) -> None:
    told = normalised(
        f"{name} at 10.1.2.3:{number} in {uuid} used {number} MB, http://{name}.internal:{number}/", [name]
    )
    assert not re.search(rf"{re.escape(name)}|\d", told)
