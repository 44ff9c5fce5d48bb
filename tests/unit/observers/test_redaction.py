"""No secret stays readable, and what a diagnosis rests on does."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from observers.job_secrets import is_secret, known_in
from observers.redaction import LONGEST, Placeholders, Redactor
from tests.secret_shapes import BY_FORM, SPELLED, Shaped, passwords, readable, shaped

AROUND = st.sampled_from(
    [
        "@@",
        "2026-01-01 ERROR @@ refused",
        "could not log in: @@",
        "a\nb\n@@\nc",
        "[@@]",
        '{"at": 1, "m": "@@"}',
        "x @@…",
    ]
)


def redactor(*known: str) -> Redactor:
    return Redactor(known=known, placeholders=Placeholders())


@given(shaped(), AROUND)
def test_a_secret_that_shows_by_its_form_is_hidden_wherever_it_stands(one: Shaped, around: str) -> None:
    shown = redactor().redact(around.replace("@@", one.text))
    assert not readable(one.secret, shown), f"{one.shape}: {shown}"


@pytest.mark.parametrize("shape", sorted(BY_FORM))
def test_every_shape_is_hidden_and_leaves_what_stands_around_it(shape: str) -> None:
    for seed in range(50):
        text, secret = BY_FORM[shape](random.Random(seed))
        shown = redactor().redact(f"before {text} behind")
        assert shown.startswith("before ") and shown.endswith(" behind"), shown
        assert not readable(secret, shown), shown
        assert "«secret:1»" in shown


@given(passwords(), st.sampled_from(sorted(SPELLED)), AROUND)
def test_a_value_of_the_job_is_hidden_however_it_is_spelled(secret: str, spelled: str, around: str) -> None:
    shown = redactor(secret).redact(around.replace("@@", SPELLED[spelled](secret)))
    assert not readable(secret, shown), shown


@given(st.lists(st.one_of(shaped().map(lambda one: one.text), passwords(), st.text(max_size=30)), max_size=5))
@example(["password=«secret:123» token: «secret:1234»"])
@example(["password", "=«secret:1»aaaa"])
def test_twice_is_the_same_as_once(parts: list[str]) -> None:
    mine = redactor("correct horse", *(part for part in parts[:1] if len(part) > 8))
    once = mine.redact(" ".join(parts))
    assert mine.redact(once) == once


@given(passwords(), st.integers(0, 40), st.booleans())
def test_a_known_secret_that_was_cut_in_the_middle_is_hidden(secret: str, cut: int, begins: bool) -> None:
    """Of what is left, six characters and more are one."""
    secret = secret.splitlines()[0]
    part = secret[min(cut, len(secret)) :] if begins else secret[: len(secret) - min(cut, len(secret))]
    text = f"{part} and so on" if begins else f"so it is {part}"
    shown = redactor(secret).redact(text)
    if len(part.strip()) >= 6 and part == part.strip():
        assert part not in shown, shown


@given(st.integers(0, 2**32), st.integers(0, 270))
def test_a_key_whose_beginning_is_cut_off_is_hidden_line_by_line(seed: int, cut: int) -> None:
    block = BY_FORM["pem"](random.Random(seed))[0]
    shown = redactor().redact(block[cut:])
    for line in block[cut:].splitlines():
        if len(line) >= 24 and "-----" not in line:
            assert line not in shown, shown


def test_the_same_secret_has_the_same_placeholder_and_only_the_jobs_own_can_be_put_back() -> None:
    placeholders = Placeholders()
    mine = Redactor(known=["correct horse"], placeholders=placeholders)
    other = Redactor(known=["battery staple"], placeholders=placeholders)
    assert mine.redact("correct horse, correct horse") == "«secret:1», «secret:1»"
    assert other.redact("battery staple") == "«secret:2»"
    forged = "«secret:1» «secret:2» «secret:99»"
    assert placeholders.restore(forged, among=["correct horse"]) == "correct horse «secret:2» «secret:99»"


READABLE = [
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "registry.example:5000/team/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "allocation 0f3a1b2c-9d8e-4f5a-8b7c-6d5e4f3a2b1c on node 7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "container app-0f3a1b2c-9d8e-4f5a-8b7c-6d5e4f3a2b1c exited with code 137",
    "dial tcp 10.1.2.3:5432: connect: connection refused",
    "dial tcp [fd00::1]:6379: connect: connection refused",
    "lookup postgres-primary.service.consul on 127.0.0.53:53: no such host",
    'exec: "/usr/local/bin/docker-entrypoint.sh": stat: no such file or directory',
    "<alloc>/app/secrets/app.env",
    "/alloc/logs/app.stderr.0, /local/app.env, /secrets/api/alloc",
    "waited 5m30s, 1h0m0s left, took 12.345ms",
    "Exit Code: 137, Exit Message: \"OOM Killed\"",
    "Template: Missing: vault.read(secret/data/web/db), nomad.var.block(nomad/jobs/web@default.global)",
    "failed to derive Vault token for identity vault_default: permission denied",
    "Error: missing required environment variable DATABASE_PASSWORD",
    "password authentication failed for user app",
    "token expired; password: required; secret is missing",
    "X-Nomad-Token: <missing>",
    "java.lang.OutOfMemoryError: Java heap space at com.example.ShopApplication2.startTheServerNow",
    "Traceback: module site-packages/sqlalchemy/engine/base.py, line 1910",
    "Listening on http://0.0.0.0:8080/health (v1.22.0-rc1)",
    "ECONNREFUSED 127.0.0.1:5432",
    "constraint: ${attr.kernel.name} = linux; ${meta.rack} = r-12",
    "Authentication required; Basic auth; Bearer token needed",
    "nomad-operator-integration-test-of-the-2nd-kind_and_more_words_3",
    "2026-11-23T05:38:23.123456789Z INFO github.com/hashicorp/consul-template/manager/runner.go:120",
]  # fmt: skip


@pytest.mark.parametrize("text", READABLE)
def test_what_evidence_consists_of_stays_readable(text: str) -> None:
    assert redactor().redact(text) == text


ALLOC = "0f3a1b2c-9d8e-4f5a-8b7c-6d5e4f3a2b1c"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f'error parsing env template "/opt/nomad/data/alloc/{ALLOC}/app/secrets/app.env": error on line 2',
         'error parsing env template "<alloc>/app/secrets/app.env": error on line 2'),
        (f"open /srv/x-1/alloc_mounts/{ALLOC}/app/local: no such file", "open <alloc>/app/local: no such file"),
        (f"bind source path does not exist: /var/lib/nomad/alloc/{ALLOC}", "bind source path does not exist: <alloc>"),
        (f"src=/a/alloc/{ALLOC}/x,dst=/alloc/{ALLOC}", f"src=<alloc>/x,dst=/alloc/{ALLOC}"),
    ],
)  # fmt: skip
def test_where_a_node_keeps_an_allocation_is_not_told(said: str, shown: str) -> None:
    assert redactor().redact(said) == shown


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("PORT", "8080", False), ("DEBUG", "true", False), ("LEVEL", "INFO", False), ("WAIT", "30s", False),
        ("HOST", "db-1.internal:5432", False), ("DATA", "/var/lib/app", False),
        ("URL", "http://api.internal/v1", False),
        ("HOST", "redis", False), ("TOKEN_TTL", "3600", False), ("PASSWORD_FILE", "/run/secrets/db", False),
        ("DB_PASSWORD", "123456", True), ("DB_PASS", "hunter", True), ("PW", "hunter2", True),
        ("SECRET_KEY_BASE", "abcdef", True), ("apiKey", "abcdef", True), ("AppToken", "abcdef", True),
        ("VALUE", "s3cr3tpassw0rd", True), ("VALUE", "correct horse battery", True), ("X", "Tr0ub4dor&3", True),
        ("DATABASE_URL", "postgres://app:pa55@db/x", True), ("DB_PASSWORD_2", "summer", True),
    ],
)  # fmt: skip
def test_what_of_an_environment_is_secret(name: str, value: str, hidden: bool) -> None:
    assert is_secret(name, value) is hidden


def body(**task: object) -> dict[str, object]:
    return {"ID": "web", "TaskGroups": [{"Name": "app", "Tasks": [{"Name": "app", "Driver": "docker", **task}]}]}


@given(passwords())
def test_secrets_are_found_in_every_part_of_a_job(secret: str) -> None:
    line = secret.splitlines()[0].strip()
    argument = re.sub(r"[\s\"'`@/:;,&<>|\\?#$%{}]", "x", line)
    places = {
        secret: body(Env={"ANYTHING": secret}),
        line: body(Config={"auth": [{"username": "app", "password": line}]}),
        argument: body(Config={"args": ["--db-password", argument]}),
        argument + "a": body(Config={"args": [f"--token={argument}a"]}),
        argument + "b": body(Templates=[{"EmbeddedTmpl": f'X={{{{ key "a" }}}}\nexport DB_PASS="{argument}b"\n'}]),
        argument + "c": body(Templates=[{"EmbeddedTmpl": f'{{\n  "apiKey": "{argument}c",\n  "port": 8080\n}}'}]),
        argument + "d": body(Env={"URL": f"postgres://app:{argument}d@${{NOMAD_IP_db}}:5432/x"}),
        argument + "e": body(Env={"URL": f"redis://app:{argument}e@cache.internal:6379"}),
        argument + "f": body(Meta={"API_KEY": argument + "f"}),
        argument + "g": body(Artifacts=[{"GetterHeaders": {"Authorization": f"Bearer {argument}g"}}]),
    }
    for held, job in places.items():
        shown = Redactor(known=known_in(job), placeholders=Placeholders()).redact(f"it says {held}!")
        assert not readable(held, shown), (job, shown)


HOSTILE = [
    "password" * 10, "a_" * 40, "://:" * 20, "eyJ" * 20, "-----BEGIN A-----", "=" * 50, "bearer " * 8, "token is ",
    "A1b2" * 20, "/a" * 40, "«secret:1»", "«secret:", "--token --token ", "\\\\\\\"secret\\\": ", "api-key" * 9,
    "x" * 60,
    "AKIA" * 20, "?sig=" * 20,
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_line_of_an_app_cannot_make_it_work_long(piece: str) -> None:
    """It ends, and what comes out is no longer than what has a name in place of each word. No clock is asked."""
    text = (piece * (LONGEST // len(piece)))[:LONGEST]
    shown = redactor("correct horse", "a_a_a_a_", "x" * 30).redact(text)
    assert len(shown) <= 4 * LONGEST


def test_no_pattern_repeats_without_a_bound_what_repeats_itself() -> None:
    """The work at one place of a text is bounded, whatever stands there: so the whole is linear in its length."""
    from observers.secret_shapes import KEY_BLOCK, SHAPES

    for pattern in (KEY_BLOCK, *SHAPES):
        bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "c", pattern.pattern)
        assert not re.search(r"[*+](?!\))|\{\d+,\}", bare), pattern.pattern


def test_of_a_text_that_is_too_long_the_end_is_kept_from_a_whole_line_on() -> None:
    text = "s3cretw0rd" * LONGEST + "\nthe end"
    assert redactor().redact(text) == "the end"
