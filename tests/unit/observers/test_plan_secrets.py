"""Nothing secret of a job gets out of a plan's diff, wherever in it it stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observers.nomad.plan_answer import plan
from tests.secret_shapes import Shaped, passwords, readable, shaped

TOKEN = "ghp_" + "a1" * 18
NAMES = ["Env[DB_PASSWORD]", "Env[API_TOKEN]", "Config[auth][0][password]", "auth[password]", "Env[AWS_SECRET]"]


def answer(field: dict[str, str]) -> dict[str, object]:
    inner = {"Type": "Edited", "Name": "Config", "Fields": [field], "Objects": None}
    task = {"Type": "Edited", "Name": "app", "Fields": [field], "Objects": [inner], "Annotations": None}
    group: dict[str, object] = {
        "Type": "Edited",
        "Name": "web",
        "Fields": None,
        "Objects": None,
        "Tasks": [task],
        "Updates": {},
    }
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
    found = plan(answer({"Type": "Edited", "Name": "Env[GREETING]", "Old": "hello", "New": "good-morning"}))
    assert "hello" in found.text and "good-morning" in found.text


@given(st.text(min_size=8, max_size=40).filter(lambda text: text.strip() == text and text.isalnum()))
def test_no_secret_of_any_text_gets_out(secret: str) -> None:
    found = plan(answer({"Type": "Added", "Name": "Env[SOME_SECRET]", "Old": "", "New": f"s3cr3t{secret}"}))
    assert f"s3cr3t{secret}" not in repr(found)


def changed(name: str, new: str, old: str = "") -> dict[str, str]:
    return {"Type": "Edited" if old else "Added", "Name": name, "Old": old, "New": new}


def task(*fields: dict[str, str], **objects: list[dict[str, str]]) -> dict[str, object]:
    inner = [{"Type": "Edited", "Name": name, "Fields": parts, "Objects": None} for name, parts in objects.items()]
    one = {"Type": "Edited", "Name": "app", "Fields": list(fields), "Objects": inner, "Annotations": None}
    group: dict[str, object] = {
        "Type": "Edited",
        "Name": "web",
        "Fields": None,
        "Objects": None,
        "Tasks": [one],
        "Updates": {},
    }
    diff = {"Type": "Edited", "ID": "web", "Fields": None, "Objects": None, "TaskGroups": [group]}
    return {"Diff": diff, "JobModifyIndex": 3, "Annotations": None}


ARGS = [changed("args[0]", "--password=Hunter2Geheim!"), changed("args[10]", "Zx81Qw77"), changed("args[9]", "--token")]
SETTINGS = "user=app\npassword=Hunter2Geheim!\napi_key: Zx81Qw77\nworkers=4\n"


@pytest.mark.parametrize(
    "answered",
    [
        task(Config=ARGS),
        task(Template=[changed("EmbeddedTmpl", SETTINGS)]),
        task(Artifact=[changed("GetterHeaders[Authorization]", "Basic Hunter2Geheim!")]),
        task(Artifact=[changed("GetterOptions[sshkey]", "Zx81Qw77")]),
        task(changed("Env[AUTHORIZATION]", "Bearer Zx81Qw77")),
        task(changed("Env[CONNECTION]", "Server=db;User=app;Pwd=Hunter2Geheim!;")),
        task(changed("Env[PGPASS]", "Zx81Qw77", old="Hunter2Geheim!")),
        task(changed("Env[NEUTRAL]", "Hunter2Geheim!")),
        task(changed("Env[STRIPE]", "sk_live_Zx81Qw77Hunter2Geheim")),
        task(changed("Env[PIN]", "Zx81Qw77"), Config=[changed("command", "login Zx81Qw77 now")]),
    ],
    ids=lambda answered: str(answered)[80:130],
)
def test_a_secret_is_hidden_where_people_write_them(answered: dict[str, object]) -> None:
    found = plan(answered)
    assert not [one for one in ("Hunter2Geheim", "Zx81Qw77") if one in repr(found)]
    assert "(hidden" in found.text


def test_of_a_text_only_the_secrets_in_it_are_hidden() -> None:
    text = plan(task(Template=[changed("EmbeddedTmpl", SETTINGS)])).text
    assert "workers=4" in text and "user=app" in text and "api_key" in text


def test_that_only_a_secret_within_a_text_changed_is_told() -> None:
    (change,) = plan(task(Config=[changed("args[0]", "--password=Zx81Qw77", "--password=Hunter2Geheim!")])).changes
    assert change.old != change.new


@given(shaped(), st.sampled_from(["args[0]", "EmbeddedTmpl", "Env[PLAIN]", "labels[0][note]", "Meta[note]"]))
def test_what_has_the_form_of_a_secret_is_hidden_in_any_field(secret: Shaped, name: str) -> None:
    for holder in ("Config", "Template", "Service"):
        found = plan(task(**{holder: [changed(name, secret.text)]}))
        assert not readable(secret.secret, repr(found.changes)) and not readable(secret.secret, found.text)


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("/Y8Qu2F5CV8iSY/Ui/tBaIGAAQaKE/RGVe0naCZD", True),
        ("/var/lib/docker/overlay2/l/XK7PQ2ZRTM4A9/merged", False),
        ("/srv/app/releases/20261123-0f3a9bc1/public", False),
    ],
)
def test_a_key_that_looks_like_a_path_is_hidden_and_a_path_is_not(value: str, hidden: bool) -> None:
    text = plan(task(Config=[changed("Env[PLAIN]", value)])).text
    assert (value in text) is not hidden


NAMED = ["Env[DB_PASSWORD]", "Env[MYSQL_PWD]", "auth[0][password]", "GetterHeaders[Token]"]


@given(passwords(), st.sampled_from(NAMED))
def test_any_password_is_hidden_under_its_name_and_wherever_else_it_stands(password: str, name: str) -> None:
    found = plan(task(changed(name, password), Config=[changed("command", f"run {password} now")]))
    assert not readable(password, repr(found.changes)) and not readable(password, found.text)
