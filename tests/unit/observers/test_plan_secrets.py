"""Nothing secret of a job gets out of a plan's diff, wherever in it it stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observers.nomad.plan_answer import plan

TOKEN = "ghp_" + "a1" * 18
NAMES = ["Env[DB_PASSWORD]", "Env[API_TOKEN]", "Config[auth][0][password]", "auth[password]", "Env[AWS_SECRET]"]


def answer(field: dict[str, str]) -> dict[str, object]:
    inner = {"Type": "Edited", "Name": "Config", "Fields": [field], "Objects": None}
    task = {"Type": "Edited", "Name": "app", "Fields": [field], "Objects": [inner], "Annotations": None}
    group = {"Type": "Edited", "Name": "web", "Fields": None, "Objects": None, "Tasks": [task], "Updates": {}}
    diff = {"Type": "Edited", "ID": "web", "Fields": [field], "Objects": [inner], "TaskGroups": [group]}
    return {"Diff": diff, "JobModifyIndex": 3, "Annotations": None}


@pytest.mark.parametrize("name", NAMES)
def test_a_value_is_hidden_by_its_name(name: str) -> None:
    found = plan(answer({"Type": "Edited", "Name": name, "Old": "hunter2-old", "New": "hunter2-new"}))
    assert "hunter2" not in repr(found)
    assert all(change.old != change.new for change in found.changes), "that it changed is still told"


@pytest.mark.parametrize(
    "value", [TOKEN, f"prefix {TOKEN}\nmore", "postgres://me:hunter22@db/x", "-----BEGIN PRIVATE KEY-----\nabc"]
)
def test_a_value_is_hidden_by_its_form_wherever_it_stands(value: str) -> None:
    found = plan(answer({"Type": "Added", "Name": "EmbeddedTmpl", "Old": "", "New": value}))
    assert value not in repr(found)
    assert json.dumps(value)[1:-1] not in found.text


def test_an_ordinary_value_is_told_as_it_is() -> None:
    found = plan(answer({"Type": "Edited", "Name": "Env[GREETING]", "Old": "hello", "New": "good morning"}))
    assert "hello" in found.text and "good morning" in found.text


@given(st.text(min_size=8, max_size=40).filter(lambda text: text.strip() == text and text.isalnum()))
def test_no_secret_of_any_text_gets_out(secret: str) -> None:
    found = plan(answer({"Type": "Added", "Name": "Env[SOME_SECRET]", "Old": "", "New": f"s3cr3t{secret}"}))
    assert f"s3cr3t{secret}" not in repr(found)
