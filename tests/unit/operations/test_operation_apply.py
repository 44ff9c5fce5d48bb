"""Applying operations to a job: each does what it says, to nothing else, and only where the job is as it expects."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.job.hcl_read import read_job
from desired.operations.apply import PreconditionGone, apply, current, done, holds, inverse
from desired.operations.operation import Kind, Operation, Value
from desired.operations.operation_json import from_json, to_json
from desired.operations.same_job import same_job
from desired.operations.table import How, row
from tests.unit.job.random_jobs import random_job
from tests.unit.job.test_job_writing import parsed
from tests.unit.operations.job_texts import HAND, job_texts
from tests.unit.operations.some_operations import operations_on

NAMES = sorted(job_texts())
BODIES = {name: read_job(*text) for name, text in job_texts().items()}
CHECK = ("web", "web-web", 'service: "web-web" check')
S = 10**9


def op(kind: Kind, at: str, old: Value, new: Value) -> Operation:
    return Operation(kind, tuple(at.split("/")) if at else (), old, new)


def group(body: Any) -> Any:
    return body["TaskGroups"][0]


def task(body: Any) -> Any:
    return group(body)["Tasks"][0]


def ports(body: Any) -> dict[str, tuple[str, int, int]]:
    [network] = group(body)["Networks"]
    return {
        port["Label"]: (key, port["Value"], port["To"])
        for key in ("DynamicPorts", "ReservedPorts")
        for port in network[key] or ()
    }


IMAGE = "registry:5000/web"
TEMPLATE = ("web", "app", "local/app.env")
OLD_ARGS = ("-a", "--port=${NOMAD_PORT_http}")


def seen(body: Any, path: str) -> Any:
    """`G` is the group, `T` its task, `P` its ports; None where there is nothing."""
    found: Any = body
    for part in path.split(".") if path else ():
        if part in ("G", "T", "P"):
            found = {"G": group, "T": task, "P": ports}[part](body)
        elif found is not None:
            found = found[int(part)] if part.isdigit() else found.get(part)
    return found


@pytest.mark.parametrize(
    ("operation", "where", "before", "after"),
    [
        (op(Kind.MEMORY, "web/app", 64, 128), "T.Resources.MemoryMB", 64, 128),
        (op(Kind.CPU, "web/app", 100, 200), "T.Resources.CPU", None, 200),
        (op(Kind.DISK, "web", 300, 150), "G.EphemeralDisk.SizeMB", None, 150),
        (op(Kind.DATACENTERS, "", ("dc1", "dc2"), ("dc1",)), "Datacenters", ["dc1", "dc2"], ["dc1"]),
        (op(Kind.NODE_POOL, "", "default", "gpu"), "NodePool", None, "gpu"),
        (op(Kind.STATIC_PORT, "web/admin", 9090, None), "P.admin", ("ReservedPorts", 9090, 0), ("DynamicPorts", 0, 0)),
        (op(Kind.STATIC_PORT, "web/http", None, 80), "P.http", ("DynamicPorts", 0, 8080), ("ReservedPorts", 80, 8080)),
        (op(Kind.PORT_TO, "web/debug", None, 5), "P.debug", ("DynamicPorts", 0, 0), ("DynamicPorts", 0, 5)),
        (op(Kind.PORT_LABEL, "web/http", "http", "h"), "P.h", None, ("DynamicPorts", 0, 8080)),
        (op(Kind.PORT_ADDED, "web/new", None, 99), "P.new", None, ("DynamicPorts", 0, 99)),
        (op(Kind.NETWORK_MODE, "web", None, "bridge"), "G.Networks.0.Mode", "", "bridge"),
        (op(Kind.SERVICE_PORT, "web/web-web", "http", "admin"), "G.Services.0.PortLabel", "http", "admin"),
        (op(Kind.SERVICE_PROVIDER, "web/web-web", "consul", "nomad"), "G.Services.0.Provider", "", "nomad"),
        (Operation(Kind.CHECK_PATH, CHECK, "/health", "/"), "G.Services.0.Checks.0.Path", "/health", "/"),
        (Operation(Kind.CHECK_PORT, CHECK, "http", "admin"), "G.Services.0.Checks.0.PortLabel", "", "admin"),
        (Operation(Kind.CHECK_TIMEOUT, CHECK, 2 * S, 4 * S), "G.Services.0.Checks.0.Timeout", 2 * S, 4 * S),
        (Operation(Kind.CHECK_NAME, CHECK, CHECK[-1], "up"), "G.Services.0.Checks.0.Name", "", "up"),
        (op(Kind.HEALTHY_DEADLINE, "web", 300 * S, 600 * S), "G.Update.HealthyDeadline", None, 600 * S),
        (op(Kind.RESTART_ATTEMPTS, "web", 2, 5), "G.RestartPolicy.Attempts", None, 5),
        (op(Kind.RESCHEDULE_UNLIMITED, "web", True, False), "G.ReschedulePolicy.Unlimited", None, False),
        (op(Kind.IMAGE, "web/app", f"{IMAGE}:1", f"{IMAGE}:2"), "T.Config.image", f"{IMAGE}:1", f"{IMAGE}:2"),
        (op(Kind.ARGS, "web/app", OLD_ARGS, ("-b",)), "T.Config.args", list(OLD_ARGS), ["-b"]),
        (op(Kind.DRIVER_KEY, "web/app/portz", "portz", "ports"), "T.Config.ports", None, ["http"]),
        (op(Kind.DRIVER_KEY, "web/app/portz", "portz", None), "T.Config.portz", ["http"], None),
        (op(Kind.ENV, "web/app/MODE", "one", None), "T.Env", {"LEVEL": "debug", "MODE": "one"}, {"LEVEL": "debug"}),
        (op(Kind.ENV, "web/app/NEW", None, "x"), "T.Env.NEW", None, "x"),
        (Operation(Kind.TEMPLATE_DELIMITERS, TEMPLATE, "{{ }}", "[[ ]]"), "T.Templates.0.LeftDelim", None, "[["),
        (Operation(Kind.TEMPLATE_DELIMITERS, TEMPLATE, "{{ }}", "[[ ]]"), "T.Templates.0.RightDelim", None, "]]"),
        (op(Kind.VAULT_ADDED, "web/app", None, ""), "T.Vault.Env", None, True),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Operation) else "",
)
def test_an_operation_does_what_it_says(operation: Operation, where: str, before: Any, after: Any) -> None:
    body = read_job(HAND)
    assert seen(body, where) == before
    assert holds(body, operation)
    assert not done(body, operation)
    changed = apply(body, (operation,))
    assert seen(changed, where) == after
    assert done(changed, operation)
    assert not holds(changed, operation)


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        (op(Kind.MEMORY, "web/app", 32, 64), "64 MB"),
        (op(Kind.MEMORY, "web/other", 64, 128), "no task other in group web"),
        (op(Kind.MEMORY, "api/app", 64, 128), "no group api"),
        (op(Kind.MEMORY, "web", 64, 128), "1 names do not make the address of a task"),
        (op(Kind.STATIC_PORT, "web/none", 1, None), "no port none in web"),
        (op(Kind.STATIC_PORT, "web/http", 80, None), "none"),
        (op(Kind.CHECK_PATH, "web/web-web/up", "/", "/x"), "no check up in web/web-web"),
        (op(Kind.CHECK_PATH, "web/other/up", "/", "/x"), "no service other in web"),
        (Operation(Kind.CHECK_GRACE, CHECK, S, 2 * S), "no check_restart block"),
        (op(Kind.DRIVER_KEY, "web/app/nope", "nope", "ports"), "no nope"),
        (op(Kind.DRIVER_KEY, "web/app/portz", "portz", "image"), "another image there"),
        (op(Kind.PORT_LABEL, "web/http", "http", "admin"), "another admin there"),
        (op(Kind.PORT_ADDED, "web/http", None, 80), "a port http"),
        (op(Kind.CONSTRAINT_VALUE, "web/${attr.x}", "a", "b"), "no constraint ${attr.x} in web"),
        (op(Kind.ENV, "web/app/LEVEL", "info", "x"), "(hidden)"),
        (Operation(Kind.TEMPLATE_KEY, ("web", "app", "local/app.env"), "nowhere", "x"), "a template without it"),
        (op(Kind.VAULT_ADDED, "web/app", "", None), "no vault block"),
        (op(Kind.VAULT_ROLE, "web/app", None, "r"), "no vault block"),
        (Operation(Kind.MEMORY, ("web", "app"), 64, "128"), "a value that is no whole number"),
    ],
)
def test_a_job_that_says_something_else_is_left_alone_and_the_error_says_what_was_found(
    operation: Operation, found: str
) -> None:
    body = read_job(HAND)
    with pytest.raises(PreconditionGone) as caught:
        apply(body, (operation,))
    assert caught.value.found == found
    assert found in caught.value.message
    assert operation.kind.value in caught.value.message
    assert operation.path in caught.value.message
    assert caught.value.hint
    assert not holds(body, operation)


DEEP = """
job "j" {
  type = "batch"
  update { healthy_deadline = "7m" }
  reschedule { delay = "9s" }
  group "one" {
    service {
      name = "${JOB}-s"
      port = "http"
      check_restart { grace = "8s" }
      check { name = "c" }
      check {
        name = "d"
        check_restart { limit = 3 }
      }
    }
    task "t" {
      service { port = "x" }
      template {
        data = "a"
        destination = "d"
      }
    }
  }
  %s
}
"""


@pytest.mark.parametrize(
    ("kind", "at", "value"),
    [
        (Kind.HEALTHY_DEADLINE, "one", 420 * S),
        (Kind.PROGRESS_DEADLINE, "one", 600 * S),
        (Kind.RESCHEDULE_DELAY, "one", 9 * S),
        (Kind.RESCHEDULE_ATTEMPTS, "one", 1),
        (Kind.RESTART_ATTEMPTS, "one", 3),
        (Kind.RESTART_INTERVAL, "one", 24 * 3600 * S),
        (Kind.MEMORY, "one/t", 300),
        (Kind.CORES, "one/t", None),
        (Kind.DATACENTERS, "", ("*",)),
        (Kind.CHECK_GRACE, "one/${JOB}-s/c", 8 * S),
        (Kind.CHECK_GRACE, "one/j-s/d", 8 * S),
        (Kind.CHECK_PORT, "one/j-s/c", "http"),
        (Kind.SERVICE_PORT, "one/t/j-one-t", "x"),
        (Kind.TEMPLATE_ENV, "one/t/d", False),
        (Kind.TEMPLATE_DELIMITERS, "one/t/d", "{{ }}"),
        (Kind.TEMPLATE_KEY, "one/t/d", "a"),
    ],
)
def test_what_is_not_set_is_what_nomad_takes_instead(kind: Kind, at: str, value: Value) -> None:
    assert current(read_job(DEEP % ""), kind, tuple(at.split("/")) if at else ()) == value


def test_a_jobs_own_deadline_is_changed_where_it_stands_if_the_job_has_one_group() -> None:
    operation = op(Kind.HEALTHY_DEADLINE, "one", 420 * S, 600 * S)
    alone = apply(read_job(DEEP % ""), (operation,))
    assert alone["Update"]["HealthyDeadline"] == 600 * S
    assert alone["TaskGroups"][0]["Update"] is None
    several = apply(read_job(DEEP % 'group "two" {\n    task "t" {}\n  }'), (operation,))
    assert several["Update"]["HealthyDeadline"] == 420 * S
    assert [each["Update"] and each["Update"]["HealthyDeadline"] for each in several["TaskGroups"]] == [600 * S, None]


def test_of_several_constraints_on_one_attribute_the_one_with_the_old_value_is_changed() -> None:
    constraint = 'constraint {\n attribute = "${attr.v}"\n operator = "%s"\n value = "%s"\n }\n'
    body = read_job('job "j" {\n' + constraint % (">", "1") + constraint % ("<", "9") + 'task "t" {}\n}')
    changed = apply(body, (Operation(Kind.CONSTRAINT_VALUE, ("${attr.v}",), "9", "8"),))
    assert [each["RTarget"] for each in changed["Constraints"]] == ["1", "8"]
    left = apply(body, (Operation(Kind.CONSTRAINT_REMOVAL, ("${attr.v}",), "> 1", None),))
    assert [each["RTarget"] for each in left["Constraints"]] == ["9"]


def test_of_two_checks_of_one_name_the_second_is_renamed_and_once_is_enough() -> None:
    check = 'check {\n name = "up"\n }'
    body = read_job(
        f'job "j" {{\n group "g" {{\n service {{\n name = "s"\n {check}\n {check}\n }}\n task "t" {{}}\n }}\n}}'
    )
    operation = op(Kind.CHECK_NAME, "g/s/up", "up", "up-2")
    changed = apply(body, (operation,))
    assert [each["Name"] for each in group(changed)["Services"][0]["Checks"]] == ["up", "up-2"]
    assert done(changed, operation)
    assert not holds(changed, operation)


@pytest.mark.parametrize(
    ("text", "old", "new", "made"),
    [
        ("key a/por and a/por", "a/por", "a/port", "key a/port and a/port"),
        ("a/port and a/por", "a/por", "a/port", "a/port and a/port"),
        ("x }} y }}", "}}", "", "x  y "),
        ("secret/app", "secret/", "secret/data/", "secret/data/app"),
    ],
)
def test_a_piece_of_a_template_is_exchanged_everywhere_and_only_once(text: str, old: str, new: str, made: str) -> None:
    body = read_job(DEEP % "")
    body = apply(body, (Operation(Kind.TEMPLATE_SYNTAX, ("one", "t", "d"), "a", text),))
    operation = Operation(Kind.TEMPLATE_SYNTAX, ("one", "t", "d"), old, new)
    changed = apply(body, (operation,))
    assert current(changed, Kind.TEMPLATE_SYNTAX, operation.at) == made
    assert not holds(changed, operation)


def test_keys_of_a_hand_written_json_job_are_found_in_any_case() -> None:
    body = {"ID": "j", "taskgroups": [{"name": "g", "Tasks": [{"NAME": "t", "resources": {"memorymb": 64}}]}]}
    changed = apply(body, (op(Kind.MEMORY, "g/t", 64, 128),))
    assert changed == {
        "ID": "j",
        "taskgroups": [{"name": "g", "Tasks": [{"NAME": "t", "resources": {"memorymb": 128}}]}],
    }


# ---- properties


def leaves(value: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """What is set, by its place. Labels and attributes stand for numbers where the order does not count."""
    if "Config" in path[:-1] or "Env" in path[:-1]:
        return {path: value}
    if isinstance(value, dict):
        return {at: each for key, inner in value.items() for at, each in leaves(inner, (*path, key)).items()}
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        seen: Counter[str] = Counter()
        found = {}
        for each in value:
            name = str(each.get("Label") or each.get("LTarget"))
            found |= leaves(each, (*path, f"{name} {seen[name]}"))
            seen[name] += 1
        return found
    return {} if value is None or value == [] else {path: value}


def touched(before: Any, after: Any, addressed: str) -> set[tuple[Any, ...]]:
    """What differs; but not what a new block says by saying nothing."""
    left, right = leaves(before), leaves(after)
    differ = {path for path in left.keys() | right.keys() if left.get(path, ...) != right.get(path, ...)}
    return {path for path in differ if path in left or path[-1] == addressed or right[path] or "Config" in path}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, Operation]:
    name = draw(st.sampled_from(NAMES))
    operations = OPERATIONS[name]
    return BODIES[name], draw(st.sampled_from(operations))


OPERATIONS = {name: operations_on(body) for name, body in BODIES.items()}
NAMES = [name for name in NAMES if OPERATIONS[name]]


@settings(max_examples=300)
@given(cases())
def test_nothing_but_what_is_addressed_changes(case: tuple[Any, Operation]) -> None:
    body, operation = case
    spec = row(operation.kind)
    kept = copy.deepcopy(body)
    paths = touched(body, apply(body, (operation,)), spec.path[-1] if spec.path else "")
    assert body == kept
    if spec.how in (How.PRESENCE, How.RENAME, How.STATIC):
        # A whole block under its name, in one list.
        assert (
            len({path[: next(i for i, part in enumerate(path) if part == _list_of(operation))] for path in paths}) == 1
        )
        return
    last = {spec.path[-1], *spec.path[:1]} if spec.how is How.DELIMITERS else {spec.path[-1]}
    if operation.kind in (Kind.ENV, Kind.DRIVER_VALUE):
        last = {operation.at[-1]}
    assert {path[-1] for path in paths} == last


def _list_of(operation: Operation) -> str:
    return {
        Kind.PORT_ADDED: "Networks",
        Kind.PORT_LABEL: "Networks",
        Kind.STATIC_PORT: "Networks",
        Kind.CONSTRAINT_REMOVAL: "Constraints",
        Kind.VAULT_ADDED: "Vault",
        Kind.CHECK_NAME: "Checks",
        Kind.DRIVER_KEY: "Config",
    }[operation.kind]


@settings(max_examples=300)
@given(cases())
def test_an_operation_that_was_applied_is_done_and_holds_no_more(case: tuple[Any, Operation]) -> None:
    body, operation = case
    changed = apply(body, (operation,))
    assert done(changed, operation)
    again = holds(changed, operation)
    # Only an entry that both is there and is not there could be changed to the same again.
    assert not again or apply(changed, (operation,)) == changed


@settings(max_examples=200)
@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_taking_operations_back_in_reverse_gives_the_same_job(name: str, random: Any) -> None:
    """What was not set may now be said by its default: the same to Nomad. What was set is what it was."""
    body = BODIES[name]
    applied: list[Operation] = []
    changed = body
    for operation in random.sample(OPERATIONS[name], min(6, len(OPERATIONS[name]))):
        back = inverse(operation)
        # A text that held the new piece before holds more of it now.
        ambiguous = row(operation.kind).how is How.FRAGMENT and str(operation.new) in str(
            current(body, operation.kind, operation.at)
        )
        if back is None or ambiguous or not holds(changed, operation):
            continue
        after = apply(changed, (operation,))
        if holds(after, back):
            changed = after
            applied.append(operation)
    for operation in reversed(applied):
        back = inverse(operation)
        assert back is not None
        changed = apply(changed, (back,))
    before, after = leaves(body), leaves(changed)
    said = {path: value for path, value in before.items() if _says(path, value)}
    assert {path: after.get(path) for path in said} == said
    for operation in applied:
        assert current(changed, operation.kind, operation.at) == current(body, operation.kind, operation.at)
    assert (before == after) is same_job(changed, body)


def _says(path: tuple[Any, ...], value: Any) -> bool:
    return bool(value) or value is False or "Env" in path or "Config" in path


@settings(max_examples=200)
@given(cases())
def test_an_operation_survives_json(case: tuple[Any, Operation]) -> None:
    _, operation = case
    assert from_json(json.loads(json.dumps(to_json(operation)))) == operation


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_any_job_either_takes_an_operation_or_says_why_not(seed: int) -> None:
    """Names with slashes, quotes and line breaks, duplicates, and blocks of every kind."""
    body = parsed(random_job(seed))
    for operation in operations_on(body)[::7]:
        kept = copy.deepcopy(body)
        assert apply(body, (operation,)) != body or row(operation.kind).blank
        assert body == kept
        for wrong in (Operation(operation.kind, operation.at, "\x00no", operation.new),):
            assert holds(body, wrong) in (True, False)
