"""A secret in any field of evidence that text can come from cannot be read in what is made of it, whatever is added."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.operations.operation import Kind, Operation
from observers import redacted
from observers.evidence import Cluster, Evidence, ImageFacts, LogTail, NodeRoom
from observers.evidence_words import told_lines
from observers.failures.diagnose import diagnose
from observers.failures.diagnosis import Diagnosis
from observers.job_secrets import known_in
from observers.redaction import Placeholders, Redactor
from observers.running import (
    Allocation,
    Check,
    Deployment,
    FieldChange,
    Node,
    Plan,
    Running,
    TaskEvent,
    TaskState,
)
from reconcilers.repair.without_secrets import holds_a_secret
from tests.secret_shapes import Shaped, passwords, readable, shaped

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NAME = "name"

# What is a name that the job, Nomad or the cluster gave, or one of Nomad's own words: it is not looked at. A field that
# is new and stands neither here nor in `observers.redacted` fails these tests.
NAMES: Mapping[type, frozenset[str]] = {
    Evidence: frozenset({"id"}),
    AppKey: frozenset({"namespace", "name"}),
    Allocation: frozenset(
        {"id", "group", "client_status", "desired_status", "node_id", "node_name", "followup_evaluation",
         "next_allocation"}
    ),
    TaskState: frozenset({"state"}),
    TaskEvent: frozenset({"type"}),
    Check: frozenset({"allocation", "name", "status", "group", "task", "service"}),
    Deployment: frozenset({"id", "status"}),
    FieldChange: frozenset({"path", "annotations"}),
    LogTail: frozenset({"allocation", "task", "stream"}),
    NodeRoom: frozenset({"node_class"}),
    Node: frozenset({"id", "name", "status", "datacenter", "node_pool", "version"}),
    ImageFacts: frozenset({"image", "platform"}),
    Cluster: frozenset({"node_pools", "variables", "consul_keys", "secret_paths", "vault_roles"}),
    Diagnosis: frozenset({"group", "task", "service", "check", "port"}),
    Plan: frozenset({"diff_type", "changes", "text"}),
}  # fmt: skip
# Mappings from names to names.
LISTED = frozenset({"variable_keys", "secret_keys"})
# Mappings whose keys are words of Nomad that quote the job.
QUOTED = frozenset({"constraint_filtered", "dimension_exhausted"})


def filled(kind: Any, text: str, field: str = "") -> Any:
    """A value of a type with `text` wherever text can stand."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return filled(next(one for one in inner if one is not type(None)), text, field)
    if origin is not None and issubclass(origin, Mapping):
        key = text if field in QUOTED else (NAME, NAME) if typing.get_origin(inner[0]) is tuple else NAME
        return {key: filled(inner[1], text, field)}
    if origin in (tuple, frozenset):
        return origin([filled(inner[0], text, field)])
    if kind is str:
        return text
    if kind is datetime:
        return NOW
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        names = NAMES.get(typing.cast(type, kind), frozenset())
        made = {
            one.name: filled(hints[one.name], NAME if one.name in names | LISTED else text, one.name)
            for one in fields(kind)
        }
        return typing.cast(Any, kind)(**made)
    return {int: 1, bool: True, float: 1.0}[kind]


def body(secret: str) -> dict[str, Any]:
    task = {"Name": NAME, "Driver": "docker", "Env": {"ANYTHING": secret}}
    return {"ID": NAME, "TaskGroups": [{"Name": NAME, "Tasks": [task]}]}


def evidence(text: str, known: str) -> Evidence:
    hints = {one: kind for one, kind in typing.get_type_hints(Evidence).items() if one != "body"}
    made = {one: filled(kind, NAME if one in NAMES[Evidence] else text, one) for one, kind in hints.items()}
    return Evidence(body=body(known), **made)


def redactor(known: str) -> Redactor:
    return Redactor(known=known_in(body(known)), placeholders=Placeholders())


def written(value: Any) -> str:
    """As a log would write it, and as JSON would."""
    shown = replace(value, body={}) if isinstance(value, Evidence) else value
    flat = asdict(shown)
    if isinstance(value, Evidence):
        flat["usage"] = {}
    return repr(value) + "\n" + json.dumps(flat, default=str, ensure_ascii=False)


def secrets() -> st.SearchStrategy[Shaped]:
    """Those that show by their form, and values of the job that nothing shows but the job."""
    return st.one_of(shaped(), passwords().map(lambda text: Shaped("of the job", text, text)))


@given(secrets())
def test_no_field_of_evidence_shows_a_secret(one: Shaped) -> None:
    hide = redactor(one.secret)
    shown = redacted.redacted(evidence(f"before {one.text} behind", one.secret), hide)
    assert not readable(one.secret, written(shown)), shown
    for line in told_lines(shown, limit=100):
        assert not readable(one.secret, line), line
    for diagnosis in diagnose(shown, NOW):
        assert not readable(one.secret, written(redacted.told(diagnosis, hide)))


@given(secrets())
def test_no_field_of_what_a_pass_tells_shows_a_secret(one: Shaped) -> None:
    hide = redactor(one.secret)
    text = f"before {one.text} behind"
    assert not readable(one.secret, written(redacted.told(filled(Diagnosis, text), hide)))
    assert not readable(one.secret, written(redacted.plan(filled(Plan, text), hide)))
    hints = {name: kind for name, kind in typing.get_type_hints(Running).items() if name != "job"}
    running = Running(job=None, **{name: filled(kind, text, name) for name, kind in hints.items()})
    assert not readable(one.secret, written(redacted.running(running, hide)))


@given(secrets())
def test_twice_is_the_same_as_once_and_the_same_secret_is_called_the_same_everywhere(one: Shaped) -> None:
    hide = redactor(one.secret)
    once = redacted.redacted(evidence(f"before {one.text} behind", one.secret), hide)
    assert redacted.redacted(once, hide) == once
    assert once.refusal == once.warnings == once.logs[0].text == once.images[NAME].user


def test_evidence_is_printed_without_the_job() -> None:
    assert "hunter2xyz" not in repr(evidence("nothing", "hunter2xyz"))


@pytest.mark.parametrize("value", ["/x/«secret:1»", ("a", "--b=«secret:12»")])
def test_what_stands_for_a_secret_is_never_put_in_force(value: Any) -> None:
    operation = Operation(Kind.CHECK_PATH, ("web", "alive"), "/", value)
    assert holds_a_secret(operation, redactor("hunter2xyz").redact)
    assert not holds_a_secret(replace(operation, new="/x"), redactor("hunter2xyz").redact)
