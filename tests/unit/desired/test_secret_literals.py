"""No file may hold a secret: what is refused in a manifest is told without its text, and hidden in every diff."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.manifest_file import read_manifests
from desired.policy import Policy
from desired.secret_literals import secret_by_name, secret_kind, secret_settings, secret_words
from observers.job_secrets import known_in

SECRET = "Hunter2Geheim"
LONG = "Zx81Qw77LmNpAAbbCcDd0011223344556677"
FORMS = [
    f"host=db user=x password={SECRET}",
    f"Server=db;User=app;Pwd={SECRET};",
    f"Bearer {LONG}",
    "basic " + LONG,
    f"--password={SECRET}",
    f"serve --api-key {SECRET} --port 80",
    f"sk_live_{LONG}",
    f"AIza{LONG[:35]}",
    f"npm_{LONG}",
    f"postgres://app:{SECRET}@db/x",
]
NAMES = ["MYSQL_PWD", "PGPASS", "PGPASSWORD", "dbPassword", "apiKey", "SMTP_PASS", "DB_PASSWORD_2", "API_TOKEN"]
HARMLESS = [
    ("DSN", "host=db user=x password=${DB_PASSWORD}"),
    ("DSN", "host=db password=$PASSWORD"),
    ("AUTH", "Basic authentication"),
    ("AUTH", "Bearer ${TOKEN}"),
    ("HINT", "give the password=required switch"),
    ("PASSWORD_FILE", "/run/secrets/db"),
    ("DB_PASSWORD", "/run/secrets/db"),
    ("TLS_KEY", "server.key"),
    ("PUBLIC_KEY", LONG),
    ("TOKEN_URL", "https://id.example.org/oauth/token"),
    ("ALLOW_EMPTY_PASSWORD", "yes"),
    ("PWD", "/srv/app"),
    ("CMD", "mysqld --password=$(cat /run/secrets/db)"),
    ("BYPASS", "localhost"),
    ("USAGE", "use --token to say who you are"),
]


def problems(**spec: Any) -> list[str]:
    document = {
        "apiVersion": "nomad-operator/v1",
        "kind": "App",
        "metadata": {"name": "web"},
        "spec": {"image": "busybox:1", **spec},
    }
    text = json.dumps(document, indent=1)
    file = read_manifests(text, "web.yaml", defaults=Policy(), namespace="default")
    return [str(problem) for broken in file.unreadable for problem in broken.problems]


def refused(**spec: Any) -> None:
    told = problems(**spec)
    assert len(told) == 1, told
    assert "must not stand in a file" in told[0]
    assert SECRET not in told[0] and LONG not in told[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_of_a_secret_is_refused_wherever_it_stands(form: str) -> None:
    refused(env={"PLAIN": {"fixed": form}})
    refused(args=["serve", form])
    refused(files={"/etc/app.conf": {"content": f"x {form}\n"}})
    refused(job={"group": {"app": {"task": {"app": {"env": {"PLAIN": form}}}}}})


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_a_secret_is_enough(name: str) -> None:
    refused(env={name: {"fixed": SECRET}})
    refused(files={"/etc/app.conf": {"content": f"workers: 4\n{name}: {SECRET}\n"}})


@pytest.mark.parametrize("args", [["--token", SECRET], ["--db-api-key", SECRET], [f"--api-token={SECRET}"]])
def test_a_flag_says_what_follows_it(args: list[str]) -> None:
    refused(args=args)
    refused(job={"group": {"app": {"task": {"app": {"config": {"args": args}}}}}})


@pytest.mark.parametrize(("name", "text"), HARMLESS)
def test_what_only_speaks_of_secrets_is_no_secret(name: str, text: str) -> None:
    assert problems(env={name: {"fixed": text}}) == []
    assert problems(args=["--file", text]) == []


def test_a_file_of_settings_may_take_its_secrets_from_elsewhere() -> None:
    text = 'password: {{ with secret "kv/db" }}{{ .Data.x }}{{ end }}\ntoken: ${TOKEN}\n# password: as you like\n'
    assert problems(files={"/etc/app.conf": {"template": text}}) == []
    assert problems(args=["--token-file", "/run/token", "--token", "$TOKEN", "--verbose"]) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["PLAIN", *NAMES])
def test_what_is_refused_in_a_file_is_hidden_where_it_is_shown(name: str, form: str) -> None:
    assert secret_kind(form) or secret_by_name(name, form)
    job = {"TaskGroups": [{"Tasks": [{"Env": {name: form}, "Config": {"args": [form]}}]}]}
    assert any(found in form for found in known_in(job))
    assert not [piece for piece in (SECRET, LONG) if piece in _without(form, known_in(job))]


def _without(text: str, known: set[str]) -> str:
    for one in sorted(known, key=len, reverse=True):
        text = text.replace(one, "")
    return text


_OLD = re.compile(r".*\$\{[^}]+\}.*|.*\{\{.*", re.DOTALL)


@given(st.text(alphabet="${}a\n", max_size=12))
def test_what_is_filled_in_is_known_as_an_expression_would_know_it(text: str) -> None:
    assert (not secret_by_name("PASSWORD", f"zz9{text}")) == (_OLD.fullmatch(f"zz9{text}") is not None)


@pytest.mark.parametrize(
    "piece", ["${", "${x", "/a", "a.", "password ", "password=", "a://b:", "-----BEGIN ", " ", "A"]
)
def test_a_megabyte_is_looked_through_in_a_moment(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    begun = time.process_time()
    secret_by_name("PASSWORD", text)
    list(secret_settings(text))
    list(secret_words(["--password", text]))
    secret_kind(text)
    assert time.process_time() - begun < 5
