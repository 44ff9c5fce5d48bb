"""How operations read, for people: one line, a diff, and JSON; and that no secret is ever in any of it."""

# A row of a table is one line: an operation, and how it reads.
# ruff: noqa: E501

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from desired.job.hcl_read import read_job
from desired.operations import words
from desired.operations.apply import PreconditionGone, apply, current
from desired.operations.edit_hcl import edit, patch
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Kind, Operation, Value
from desired.operations.operation_json import OperationUnreadable, from_json, to_json, to_shown_json
from tests.unit.operations.job_texts import HAND

S = 10**9
FILE = ("web", "app", "local/app.env")


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        (Operation(Kind.MEMORY, ("web", "app"), 64, 128), "memory of web/app: 64 MB → 128 MB"),
        (Operation(Kind.CPU, ("web", "app"), None, 200), "cpu of web/app: none → 200 MHz"),
        (Operation(Kind.DATACENTERS, (), ("dc2",), ("dc1",)), "datacenters: [dc2] → [dc1]"),
        (Operation(Kind.DISK, ("web",), 300, 150), "disk of web: 300 MB → 150 MB"),
        (Operation(Kind.STATIC_PORT, ("web", "http"), 8080, None), "static port http of web: 8080 → dynamic"),
        (Operation(Kind.PORT_TO, ("web", "http"), None, 80), "inner port http of web: none → 80"),
        (Operation(Kind.PORT_LABEL, ("web", "a"), "a", "b"), "port label a of web: a → b"),
        (Operation(Kind.PORT_ADDED, ("web", "b"), None, 80), "port b of web: added, to 80"),
        (Operation(Kind.CHECK_PATH, ("web", "s", "c"), "/x", "/"), "path of check c of service web/s: /x → /"),
        (Operation(Kind.CHECK_INTERVAL, ("web", "s", "c"), 5 * S, 90 * S), "interval of check c of service web/s: 5s → 90s"),
        (Operation(Kind.HEALTHY_DEADLINE, ("web",), 300 * S, 600 * S), "healthy_deadline of web: 5m → 10m"),
        (Operation(Kind.RESCHEDULE_UNLIMITED, ("web",), True, False), "reschedule unlimited of web: true → false"),
        (Operation(Kind.CONSTRAINT_VALUE, ("${attr.x}",), "a", "b"), "constraint on ${attr.x}: a → b"),
        (Operation(Kind.CONSTRAINT_REMOVAL, ("g", "${x}"), "= a", None), "constraint on ${x} of g: removed (= a)"),
        (Operation(Kind.DRIVER_KEY, ("g", "t", "a"), "a", "b"), "driver key of g/t: a → b"),
        (Operation(Kind.DRIVER_KEY, ("g", "t", "a"), "a", None), "driver key of g/t: a → removed"),
        (Operation(Kind.IMAGE, ("g", "t"), "r/a:1", "r/a:2"), "image of g/t: r/a:1 → r/a:2"),
        (Operation(Kind.VAULT_ADDED, ("g", "t"), None, ""), "Vault block of g/t: added"),
        # Structure is shown, contents are not.
        (Operation(Kind.ENV, ("g", "t", "PORT"), "80", "8080"), "env PORT of g/t: 80 → 8080"),
        (Operation(Kind.ENV, ("g", "t", "URL"), "http://db:80/x", None), "env URL of g/t: http://db:80/x → none"),
        (Operation(Kind.ENV, ("g", "t", "MODE"), "hunter2", "x"), "env MODE of g/t: (hidden) → (hidden)"),
        (Operation(Kind.ENV, ("g", "t", "DB_PASSWORD"), "8080", "1"), "env DB_PASSWORD of g/t: (hidden) → (hidden)"),
        (Operation(Kind.ENV, ("g", "t", "URL"), "redis://a:pw@h/0", "/"), "env URL of g/t: (hidden) → /"),
        (
            Operation(Kind.ARGS, ("g", "t"), ("--db-password", "hunter2", "-v"), ("--token=abc", "serve")),
            "args of g/t: [--db-password, (hidden), -v] → [--token=(hidden), serve]",
        ),
        (Operation(Kind.DRIVER_VALUE, ("g", "t", "auth_token"), "abc", None), "driver value auth_token of g/t: (hidden) → none"),
        (
            Operation(Kind.KV_SHAPE, FILE, "secret/app", "secret/data/app"),
            "KV path in template local/app.env of web/app: secret/app → secret/data/app",
        ),
        (
            Operation(Kind.TEMPLATE_SYNTAX, FILE, 'pw=hunter2 {{ key "a/b" }', 'pw=hunter2 {{ key "a/b" }}'),
            'template local/app.env of web/app: …{{ key "a/b" … → …{{ key "a/b" }}',
        ),
        (Operation(Kind.TEMPLATE_SYNTAX, FILE, "hunter2", "hunter3"), "template local/app.env of web/app: … → …"),
    ],
)  # fmt: skip
def test_an_operation_reads_as_one_line(operation: Operation, line: str) -> None:
    assert words.line(operation) == line


@pytest.mark.parametrize(
    ("kind", "at", "new", "expected"),
    [
        (Kind.MEMORY, ("web", "app"), 128, ["-        memory = 64", "+        memory = 128"]),
        (Kind.HEALTHY_DEADLINE, ("web",), 600 * S, ["+    update {", '+      healthy_deadline = "10m"', "+    }", "+"]),
        (
            Kind.ENV,
            ("web", "app", "LEVEL"),
            "hunter2",
            ['-        LEVEL = "(old value, hidden)"', '+        LEVEL = "(new value, hidden)"'],
        ),
        (Kind.STATIC_PORT, ("web", "admin"), None, ['-      port "admin" {', "-        static = 9090", "-      }", '+      port "admin" {}']),
    ],
)  # fmt: skip
def test_a_diff_shows_what_changes_and_nothing_else(
    kind: Kind, at: tuple[str, ...], new: Value, expected: list[str]
) -> None:
    body = read_job(HAND)
    told = words.diff(body, (Operation(kind, at, current(body, kind, at), new),))
    changed = [line for line in told.splitlines() if line[0] in "+-" and not line.startswith(("+++", "---"))]
    assert sorted(changed) == sorted(expected)


def test_nothing_to_do_is_no_diff() -> None:
    assert words.diff(read_job(HAND), ()) == ""


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (Operation(Kind.MEMORY, ("g", "t"), 64, None), (64, None)),
        (Operation(Kind.ENV, ("g", "t", "A"), "", "x"), ("", "(hidden)")),
        (Operation(Kind.ARGS, ("g", "t"), ("--token=a", "b"), None), (["--token=(hidden)", "b"], None)),
        (Operation(Kind.CHECK_PATH, ("g", "s", "c"), "/a", "/b"), ("/a", "/b")),
    ],
)
def test_json_for_people_hides_what_a_line_hides(operation: Operation, told: tuple[Any, Any]) -> None:
    shown = to_shown_json(operation)
    assert (shown["from"], shown["to"]) == told
    assert (shown["op"], shown["path"]) == (operation.kind.value, operation.path)


SECRETS = ["hunter2-s3cr3t", "Zm9vYmFyc2VjcmV0", "p4ss w0rd!", "s.3cr3t/x+y==", "8f14e45fceea167a5a36dedd4bea2543"]


@settings(max_examples=150)
@given(
    st.sampled_from(SECRETS),
    st.sampled_from(SECRETS),
    st.sampled_from(["value", "before", "within", "password arg", "meta", "auth", "template"]),
)
def test_no_secret_is_in_a_line_a_diff_a_patch_json_or_an_error(old: str, new: str, where: str) -> None:
    """Whatever an environment and the text of a template hold, and what stands under a name that promises a secret."""
    assume(old != new)
    text = f'''
job "j" {{
  group "g" {{
    meta {{ db_password = "{old}" }}
    task "t" {{
      driver = "docker"
      config {{
        args = ["--token={old}", "--secret", "{old}", "-v"]
        auth {{
          username = "me"
          password = "{old}"
        }}
      }}
      env {{
        PLAIN = "{old}"
        NEAR  = "near"
      }}
      template {{
        data = "A={old}\\nB={{{{ key \\"a/b\\" }}}}\\nC={old}"
        destination = "d"
      }}
      resources {{ memory = 64 }}
    }}
  }}
}}
'''
    task = ("g", "t")
    operation = {
        "value": Operation(Kind.ENV, (*task, "PLAIN"), old, new),
        "before": Operation(Kind.ENV, (*task, "PLAIN"), old, None),
        "within": Operation(Kind.ENV, (*task, "ADDED"), None, f"x {new}"),
        "password arg": Operation(
            Kind.ARGS, task, (f"--token={old}", "--secret", old, "-v"), (f"--token={new}", "--secret", new)
        ),
        "meta": Operation(Kind.MEMORY, task, 64, 128),
        "auth": Operation(Kind.DRIVER_KEY, (*task, "auth"), "auth", "auths"),
        "template": Operation(Kind.TEMPLATE_SYNTAX, (*task, "d"), f"A={old}\n", f"A={new}\n"),
    }[where]
    body = read_job(text)
    told = [
        words.line(operation),
        words.diff(body, (operation,), context=50),
        patch(text, (operation,)),
        json.dumps(to_shown_json(operation)),
    ]
    for wrong in (Operation(Kind.ENV, (*task, "PLAIN"), new, "x"), operation):
        try:
            apply(apply(body, (operation,)), (wrong,))
        except PreconditionGone as error:
            told += [error.message, error.hint, error.found]
    dynamic = text.replace(f'PLAIN = "{old}"', f'PLAIN = "${{lower("{old}")}}"')
    try:
        edit(dynamic, (operation,))
    except (NotLiteral, PreconditionGone) as error:
        told += [error.message, error.hint]
    for one in told:
        assert old not in one, one
        assert new not in one, one


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "an operation is an object"),
        ({"op": "memory", "path": "g/t", "from": 1}, "wrong or missing: to"),
        ({"op": "memory", "path": "g/t", "from": 1, "to": 2, "why": ""}, "wrong or missing: why"),
        ({"op": "reboot", "path": "g/t", "from": 1, "to": 2}, "kind that is not known"),
        ({"op": "memory", "path": "g", "from": 1, "to": 2}, "1 parts, which name no task"),
        ({"op": "memory", "path": "g/t/x", "from": 1, "to": 2}, "3 parts"),
        ({"op": "datacenters", "path": "g", "from": None, "to": ["a"]}, "1 parts, which name no job"),
        ({"op": "memory", "path": ["g", "t"], "from": 1, "to": 2}, "is a text, not list"),
        ({"op": "memory", "path": "g/t~2", "from": 1, "to": 2}, "`~` is written `~0`"),
        ({"op": "memory", "path": "g/t", "from": "1", "to": 2}, "`from` is no whole number"),
        ({"op": "memory", "path": "g/t", "from": 1, "to": True}, "`to` is no whole number"),
        ({"op": "memory", "path": "g/t", "from": 1, "to": 2.5}, "`to` is neither"),
        ({"op": "args", "path": "g/t", "from": None, "to": [1]}, "`to` is neither"),
        ({"op": "args", "path": "g/t", "from": None, "to": "a"}, "`to` is no list of texts"),
        ({"op": ["memory"], "path": "g/t", "from": 1, "to": 2}, "kind that is not known"),
    ],
)
def test_what_is_no_operation_is_refused(told: Any, why: str) -> None:
    with pytest.raises(OperationUnreadable) as caught:
        from_json(told)
    assert why in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (
            Operation(Kind.MEMORY, ("web", "app"), 64, 128),
            {"op": "memory", "path": "web/app", "from": 64, "to": 128},
        ),
        (
            Operation(Kind.DATACENTERS, (), ("a",), None),
            {"op": "datacenters", "path": "", "from": ["a"], "to": None},
        ),
        (
            Operation(Kind.CONSTRAINT_VALUE, ("",), "a", "b"),
            {"op": "constraint_value", "path": "", "from": "a", "to": "b"},
        ),
        (
            Operation(Kind.TEMPLATE_ENV, ("g", "t", "a/b~c"), True, False),
            {"op": "template_env", "path": "g/t/a~1b~0c", "from": True, "to": False},
        ),
    ],
)
def test_an_operation_is_written_and_read_as_the_overlay_says_it(operation: Operation, told: dict[str, Any]) -> None:
    assert to_json(operation) == told
    assert from_json(told) == operation
