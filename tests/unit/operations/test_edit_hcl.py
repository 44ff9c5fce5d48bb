"""Operations written into job files that people wrote: the changed literal, and nothing else of the text."""

# A row of a table is one line: an operation, and what a person sees of it.
# ruff: noqa: E501

from __future__ import annotations

import difflib
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.job.hcl_read import read_job
from desired.operations.apply import PreconditionGone, apply
from desired.operations.edit_hcl import edit, patch
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Kind, Operation, Value
from desired.operations.same_job import same_job
from desired.operations.table import How, Type, row
from tests.unit.operations.job_texts import HAND, job_texts
from tests.unit.operations.some_operations import operations_on

S = 10**9
CHECK = ("web", "web-web", 'service: "web-web" check')
TEXTS = job_texts()
FILE = ("web", "app", "local/app.env")


def op(kind: Kind, at: str, old: Value, new: Value) -> Operation:
    return Operation(kind, tuple(at.split("/")) if at else (), old, new)


def changed_lines(before: str, after: str) -> list[str]:
    told = difflib.unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm="")
    lines = [line.replace("\t", "") for line in told if not line.startswith(("---", "+++", "@@"))]
    # How a diff cuts does not matter: a line that goes and comes is none.
    common = Counter(line[1:] for line in lines if line[0] == "-") & Counter(
        line[1:] for line in lines if line[0] == "+"
    )
    left = []
    for line in lines:
        if common[line[1:]] > 0 and line[0] == "-":
            continue
        left.append(line)
    return [line for line in left if not (line[0] == "+" and common[line[1:]] > 0)]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op(Kind.MEMORY, "web/app", 64, 128), ["-resources { memory = 64 }", "+resources { memory = 128 }"]),
        (
            op(Kind.CPU, "web/app", 100, 200),
            ["-resources { memory = 64 }", "+resources {", "+memory = 64", "+cpu = 200", "+}"],
        ),
        (op(Kind.DATACENTERS, "", ("dc1", "dc2"), ("dc1", "dc3")), ['-               "dc2"] # both', '+               "dc3"] # both']),
        (op(Kind.DATACENTERS, "", ("dc1", "dc2"), ("dc1",)), ['-datacenters = ["dc1",', '-               "dc2"] # both', '+datacenters = ["dc1"] # both']),
        (op(Kind.DATACENTERS, "", ("dc1", "dc2"), ("dc2", "x")), ['-datacenters = ["dc1",', '-               "dc2"] # both', '+datacenters = ["dc2", "x"] # both']),
        (op(Kind.NODE_POOL, "", "default", "gpu"), ['+node_pool   = "gpu"']),
        (op(Kind.STATIC_PORT, "web/admin", 9090, None), ['-static = "9090" # public', "+# public"]),
        (op(Kind.STATIC_PORT, "web/admin", 9090, 9091), ['-static = "9090" # public', '+static = "9091" # public']),
        (op(Kind.STATIC_PORT, "web/debug", None, 80), ['-port "debug" {}', '+port "debug" { static = 80 }']),
        (op(Kind.PORT_TO, "web/http", 8080, None), ['-port "http" { to = 8080 } // the app', '+port "http" {} // the app']),
        (op(Kind.PORT_LABEL, "web/http", "http", "h"), ['-port "http" { to = 8080 } // the app', '+port "h" { to = 8080 } // the app']),
        (op(Kind.PORT_ADDED, "web/new", None, 99), ['+port "new" {', "+to = 99", "+}"]),
        (op(Kind.NETWORK_MODE, "web", None, "bridge"), ['+mode = "bridge"']),
        (Operation(Kind.CHECK_INTERVAL, CHECK, 10 * S, 90 * S), ['-interval = "10s" /* often */', '+interval = "90s" /* often */']),
        (Operation(Kind.CHECK_PORT, CHECK, "http", "admin"), ['+port     = "admin"']),
        (op(Kind.SERVICE_PROVIDER, "web/web-web", "consul", "nomad"), ['+provider = "nomad"']),
        (op(Kind.HEALTHY_DEADLINE, "web", 300 * S, 600 * S), ["+", "+update {", '+healthy_deadline = "10m"', "+}"]),
        (
            op(Kind.ARGS, "web/app", ("-a", "--port=${NOMAD_PORT_http}"), ("-b", "--port=${NOMAD_PORT_http}")),
            ['-"-a", # first', '+"-b", # first'],
        ),
        (
            op(Kind.ARGS, "web/app", ("-a", "--port=${NOMAD_PORT_http}"), ("-a", "--port=${NOMAD_PORT_http}", "-c")),
            ['+"-c",'],
        ),
        (op(Kind.DRIVER_KEY, "web/app/portz", "portz", "ports"), ['-portz = ["http"]', '+ports = ["http"]']),
        (op(Kind.DRIVER_KEY, "web/app/portz", "portz", None), ['-portz = ["http"]']),
        (op(Kind.WORK_DIR, "web/app", None, "/srv"), ['+work_dir = "/srv"']),
        (op(Kind.ENV, "web/app/LEVEL", "debug", "info"), ['-LEVEL: "debug", # noisy', '+LEVEL: "info", # noisy']),
        (op(Kind.ENV, "web/app/MODE", "one", None), ['-MODE = "one"']),
        (op(Kind.ENV, "web/app/NEW", None, "x"), ['+NEW  = "x"']),
        (Operation(Kind.TEMPLATE_KEY, FILE, "web/por", "web/port"), ['-  URL={{ key "web/por" }}', '+  URL={{ key "web/port" }}']),
        (Operation(Kind.TEMPLATE_DELIMITERS, FILE, "{{ }}", "[[ ]]"), ['+left_delimiter = "[["', '+right_delimiter = "]]"']),
        (op(Kind.VAULT_ADDED, "web/app", None, ""), ["+", "+vault {}"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["plain", "crlf", "marked"])
def test_only_what_is_changed_is_touched(operation: Operation, expected: list[str], shape: str) -> None:
    make = {"plain": str, "crlf": lambda text: text.replace("\n", "\r\n"), "marked": lambda text: "\ufeff" + text}[
        shape
    ]
    text = make(HAND)
    made = edit(text, (operation,))
    assert made.startswith("\ufeff") is (shape == "marked")
    assert ("\n" in made.replace("\r\n", "")) is (shape != "crlf")
    found = changed_lines(text.replace("\r\n", "\n"), made.replace("\r\n", "\n"))
    assert Counter(found) == Counter(expected)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_an_edited_file_reads_as_the_job_with_the_operation_applied(name: str) -> None:
    """Every kind of operation, on every file: an edit that is right, or none."""
    text, variables = TEXTS[name]
    body = read_job(text, variables)
    operations = operations_on(body)
    step = 1 if len(text) < 1500 else 5

    @settings(max_examples=25, deadline=None)
    @given(st.sampled_from(operations[::step]))
    def every(operation: Operation) -> None:
        try:
            made = edit(text, (operation,), variables=variables)
        except NotLiteral as error:
            assert error.message
            assert error.hint
            return
        assert same_job(read_job(made, variables), apply(body, (operation,)))
        assert _kept(operation, text, made)

    if operations:
        every()


def _kept(operation: Operation, before: str, after: str) -> bool:
    """All that is not the edit is there as it was. One value is one line of the old text at the most."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(True), after.splitlines(True), autojunk=False)
    changed = sum(i_end - i for tag, i, i_end, _, _ in matcher.get_opcodes() if tag != "equal")
    spec = row(operation.kind)
    single = spec.how is How.VALUE and spec.type in (Type.WHOLE, Type.FLAG, Type.TEXT) and operation.new is not None
    several_lines = "\n" in str(operation.old)
    return changed <= 1 if single and not several_lines else changed <= 14


def test_a_piece_of_several_lines_keeps_the_margin_of_its_heredoc() -> None:
    made = edit(HAND, (Operation(Kind.TEMPLATE_SYNTAX, FILE, "# Settings.\n", "# Set.\n# Two.\n"),))
    assert changed_lines(HAND, made) == ["-  # Settings.", "+  # Set.", "+  # Two."]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_several_operations_are_written_one_after_the_other(random: Any) -> None:
    body = read_job(HAND)
    operations: list[Operation] = []
    now = body
    for operation in random.sample(operations_on(body), 4):
        try:
            now = apply(now, (operation,))
        except PreconditionGone:
            continue
        operations.append(operation)
    try:
        made = edit(HAND, operations)
    except NotLiteral as error:
        assert error.operation in operations
        return
    assert same_job(read_job(made), now)


BUILT = """
variable "memory" { default = 64 }
locals { dc = "dc1" }
job "web" {
  datacenters = [local.dc, "dc2"]
  group "web" {
    dynamic "service" {
      for_each = ["a"]
      content { name = service.value }
    }
    task "app" {
      driver = "docker"
      config {
        image = "web:${var.memory}"
        args  = concat(["a"], ["b"])
      }
      env {
        A = lower("S3CRET")
        B = "x${var.memory}y"
      }
      template {
        data        = "K={{ key \\"a/${var.memory}\\" }}"
        destination = "d"
      }
      resources { memory = var.memory }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("operation", "line", "expression", "variable"),
    [
        (op(Kind.MEMORY, "web/app", 64, 128), 25, "var.memory", "memory"),
        (op(Kind.IMAGE, "web/app", "web:64", "web:65"), 14, '"…${var.memory}"', "memory"),
        (op(Kind.ARGS, "web/app", ("a", "b"), ("a",)), 15, 'concat(["…"], ["…"])', ""),
        (op(Kind.ENV, "web/app/A", "s3cret", "x"), 18, 'lower("…")', ""),
        (op(Kind.ENV, "web/app/B", "x64y", "x65y"), 19, '"…${var.memory}…"', "memory"),
        (op(Kind.SERVICE_PORT, "web/a", None, "x"), 7, "", ""),
        (op(Kind.TEMPLATE_KEY, "web/app/d", "a/64", "a/65"), 22, '"…${var.memory}…"', "memory"),
    ],
)
def test_what_is_no_literal_is_left_alone_and_named(
    operation: Operation, line: int, expression: str, variable: str
) -> None:
    with pytest.raises(NotLiteral) as caught:
        edit(BUILT, (operation,))
    error = caught.value
    assert (error.line, error.expression, error.variable) == (line, expression, variable)
    assert f"in line {line}" in error.message
    assert variable in error.hint
    assert "S3CRET" not in error.message
    assert patch(BUILT, (operation,)).startswith("--- before")


def test_a_literal_beside_a_variable_in_a_list_is_changed() -> None:
    made = edit(BUILT, (op(Kind.DATACENTERS, "", ("dc1", "dc2"), ("dc1", "dc3")),))
    assert changed_lines(BUILT, made) == ['-  datacenters = [local.dc, "dc2"]', '+  datacenters = [local.dc, "dc3"]']


def test_a_variable_from_a_file_beside_is_named_and_left_alone() -> None:
    text = (
        'variable "m" {}\njob "j" {\n  group "g" {\n    task "t" {\n      resources { memory = var.m }\n    }\n  }\n}\n'
    )
    with pytest.raises(NotLiteral) as caught:
        edit(text, (op(Kind.MEMORY, "g/t", 64, 128),), variables="m = 64\n")
    assert caught.value.variable == "m"
    assert "`m`" in caught.value.hint


def test_what_the_file_no_longer_says_is_not_written() -> None:
    with pytest.raises(PreconditionGone):
        edit(HAND, (op(Kind.MEMORY, "web/app", 32, 64),))


JOB = {"Job": {"ID": "j", "TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Resources": {"MemoryMB": 64}}]}]}}


@pytest.mark.parametrize("layout", [{"indent": 2}, {"indent": "\t"}, {"indent": None, "separators": (",", ":")}, {}])
@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_json_job_keeps_its_layout(layout: dict[str, Any], wrapped: bool, end: str) -> None:
    given_job = JOB if wrapped else JOB["Job"]
    text = json.dumps(given_job, **layout) + end
    made = edit(text, (op(Kind.MEMORY, "g/t", 64, 128),))
    assert made == text.replace("64", "128")
    added = json.loads(edit(text, (op(Kind.HEALTHY_DEADLINE, "g", 300 * S, 600 * S),)))
    group = (added["Job"] if wrapped else added)["TaskGroups"][0]
    assert group["Update"] == {"HealthyDeadline": 600 * S}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(JOB, indent=2).replace('"ID": "j"', '"ID":  "j"'),
        json.dumps(JOB, indent=2).replace("64", "6.4e1"),
        '{"job": {"web": {"group": {"g": {"task": {"t": {"resources": {"memory": 64}}}}}}}}',
    ],
)
def test_json_that_nothing_writes_so_is_left_alone(text: str) -> None:
    with pytest.raises((NotLiteral, PreconditionGone)):
        edit(text, (op(Kind.MEMORY, "g/t", 64, 128),))


NAMES = """\
variable "memory" {
  type    = number
  default = 64 # MB
}
variable "shared" { default = 80 }
locals {
  dcs   = ["dc-1", "dc2"] # both
  first = local.second
  second = "a"
  twice = 2 * 50
}
job "web" {
  datacenters = local.dcs
  group "web" {
    network {
      port "a" { to = var.shared }
      port "b" { to = var.shared }
    }
    task "app" {
      driver = "docker"
      config {
        image = "web:1"
        args  = ["-x", local.first]
      }
      resources {
        memory = var.memory
        cpu    = local.twice
      }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op(Kind.MEMORY, "web/app", 64, 128), ["-default = 64 # MB", "+default = 128 # MB"]),
        (op(Kind.DATACENTERS, "", ("dc-1", "dc2"), ("dc1", "dc2")), ['-dcs   = ["dc-1", "dc2"] # both', '+dcs   = ["dc1", "dc2"] # both']),
        (op(Kind.ARGS, "web/app", ("-x", "a"), ("-x", "b")), ['-second = "a"', '+second = "b"']),
    ],
)  # fmt: skip
def test_a_name_of_the_files_own_is_followed_to_its_literal(operation: Operation, expected: list[str]) -> None:
    made = edit(NAMES, (operation,))
    assert [line[:1] + line[1:].strip() for line in changed_lines(NAMES, made)] == expected


@pytest.mark.parametrize(
    ("operation", "variables"),
    [
        # Another port would change as well.
        (op(Kind.PORT_TO, "web/a", 80, 81), ""),
        # The value stands beside the file.
        (op(Kind.MEMORY, "web/app", 100, 128), "memory = 100"),
        (op(Kind.CPU, "web/app", 100, 128), ""),
    ],
)
def test_a_name_that_others_use_or_set_is_left_alone(operation: Operation, variables: str) -> None:
    with pytest.raises(NotLiteral):
        edit(NAMES, (operation,), variables=variables)


HEREDOC = """\
job "web" {
  group "web" {
    task "app" {
      driver = "docker"
      config {
        image   = "web:1"
        command = "sh"
        args = ["-c", <<-EOF
          set -e   # stop at once

            echo $${HOME} %%{x} "quoted"
          exec noed server.js
        EOF
        ]
      }
    }
  }
}
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_heredoc_stays_one_and_only_its_lines_that_differ_change(end: str) -> None:
    text = HEREDOC.replace("\n", end)
    old = read_job(text)["TaskGroups"][0]["Tasks"][0]["Config"]["args"]
    script = old[1].replace("noed", "node")
    made = edit(text, (op(Kind.ARGS, "web/app", tuple(old), (old[0], script)),))
    assert made == text.replace("noed", "node")


def test_a_heredoc_that_cannot_hold_the_new_text_is_written_as_a_quoted_one() -> None:
    old = read_job(HEREDOC)["TaskGroups"][0]["Tasks"][0]["Config"]["args"]
    made = edit(HEREDOC, (op(Kind.ARGS, "web/app", tuple(old), (old[0], "exec node server.js")),))
    assert 'args = ["-c", "exec node server.js"' in made
