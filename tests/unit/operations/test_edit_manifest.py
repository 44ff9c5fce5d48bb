"""Operations written into manifests: a field of the manifest's own where it has one, else an entry under `spec.job`."""

# A row of a table is one line: an operation, and what a person sees of it.
# ruff: noqa: E501

from __future__ import annotations

import difflib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.app import AppKey
from desired.errors import UsageError
from desired.manifest_file import read_manifests
from desired.operations.apply import PreconditionGone, apply
from desired.operations.edit_manifest import ManifestEditor
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Kind, Operation, Value
from desired.operations.same_job import same_job
from desired.policy import OnFailure, Policy
from tests.unit.operations.some_operations import operations_on

S = 10**9
KEY = AppKey("prod", "web")
CHECK = ("app", "web", 'service: "web" check')
ENV_FILE = ("app", "app", "${NOMAD_SECRETS_DIR}/app.env")

RICH = """\
# The shop's front.
apiVersion: nomad-operator/v1
kind: App
metadata:
  name: web
  namespace: prod
spec:
  image: web:1  # pinned
  count: 2
  resources: {cpu: 500, memory: 64}
  ports:
    http: {to: 8080}
    admin:
      static: 9090

  env:
    # where it listens
    HOST: {fixed: 0.0.0.0}
    PORT: {fixed: 8080}
    URL: {consul: web/por}
    PW: {vault: "secret/web#passwrd"}
  check:
    path: /health   # cheap
  job:
    constraint:
      - attribute: ${attr.kernel.name}
        value: linux
      - {attribute: "${meta.x}", regexp: a.*}
    group:
      app:
        update:
          min_healthy_time: 5s
        task:
          app:
            template:
              - destination: local/a
                data: |
                  x = {{ key "a/b" }}
                  y = 1
            config:
              labels: [a]
"""

SMALL = """\
apiVersion: nomad-operator/v1
kind: App
metadata: {name: web, namespace: prod}
spec:
  image: web:1
  ports:
    http: {to: 8080}
    admin: {to: 9090}
  env:
    URL: {consul: web/por}
    PW: {vault: "secret/web#passwrd"}
"""

ODD = """\
apiVersion: nomad-operator/v1
kind: App
metadata:
    name: web
    namespace: prod
spec:
    image: >-
        web:1
    args:
    - "-a"   # first
    - '--b'
    - c
    env:
        X:
            fixed: "1" # one
        LONG:
            fixed: |
                a
                b
    ports:
        http:
            to: 8080 # in
    resources:
    job:
        datacenters: ["dc1"]
        group:
            app:
                service:
                    name: web
                    tags: [x]
                task:
                    app:
                        kill_timeout: 5s
                    side:
                        driver: docker
                        config: {image: "s:1"}
                        resources: {memory: 20}
# end
"""

OTHERS = f"{SMALL.replace('name: web', 'name: other')}---\n{SMALL}---\nkind: ConfigMap\n"
JSON = json.dumps(yaml.safe_load(SMALL), indent=2)
TEXTS = {
    "odd": ODD,
    "odd-crlf": ODD.replace("\n", "\r\n"),
    "rich": RICH,
    "small": SMALL,
    "others": OTHERS,
    "json": JSON,
    "comment": "---\n# first\n" + RICH + "# last\n",
}


def op(kind: Kind, at: str, old: Value, new: Value) -> Operation:
    return Operation(kind, tuple(at.split("/")) if at else (), old, new)


def editor(defaults: Policy | None = None) -> ManifestEditor:
    return ManifestEditor(KEY, defaults or Policy(), "default")


def body(text: str, defaults: Policy | None = None) -> Any:
    file = read_manifests(text, "a.yaml", defaults=defaults or Policy(), namespace="default")
    [made] = [each.source for each in file.manifests if each.key == KEY]
    assert made is not None
    return made.body


def changes(before: str, after: str) -> list[str]:
    told = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in told if not line.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (
            op(Kind.MEMORY, "app/app", 64, 128),
            ["-  resources: {cpu: 500, memory: 64}", "+  resources: {cpu: 500, memory: 128}"],
        ),
        (
            op(Kind.DISK, "app", 300, 150),
            ["-  resources: {cpu: 500, memory: 64}", "+  resources: {cpu: 500, memory: 64, disk: 150}"],
        ),
        (op(Kind.IMAGE, "app/app", "web:1", "web:2"), ["-  image: web:1  # pinned", "+  image: web:2  # pinned"]),
        (op(Kind.PORT_TO, "app/http", 8080, 80), ["-    http: {to: 8080}", "+    http: {to: 80}"]),
        (op(Kind.STATIC_PORT, "app/admin", 9090, 9091), ["-      static: 9090", "+      static: 9091"]),
        (
            Operation(Kind.CHECK_PATH, CHECK, "/health", "/up"),
            ["-    path: /health   # cheap", "+    path: /up   # cheap"],
        ),
        (Operation(Kind.CHECK_PROTOCOL, CHECK, None, "https"), ["+    protocol: https"]),
        (Operation(Kind.CHECK_INTERVAL, CHECK, 10 * S, 30 * S), ["+    interval: 30s"]),
        (op(Kind.ENV, "app/app/PORT", "8080", "80"), ["-    PORT: {fixed: 8080}", '+    PORT: {fixed: "80"}']),
        (op(Kind.ENV, "app/app/HOST", "0.0.0.0", None), ["-    HOST: {fixed: 0.0.0.0}"]),
        (op(Kind.ENV, "app/app/NEW", None, "a: b"), ['+    NEW: {fixed: "a: b"}']),
        (op(Kind.DATACENTERS, "", ("*",), ("dc1",)), ["+  datacenters: [dc1]"]),
        (op(Kind.NODE_POOL, "", "default", "gpu"), ["+    node_pool: gpu"]),
        (op(Kind.MIN_HEALTHY_TIME, "app", 5 * S, 9 * S), ["-          min_healthy_time: 5s", "+          min_healthy_time: 9s"]),
        (op(Kind.HEALTHY_DEADLINE, "app", 300 * S, 600 * S), ["+          healthy_deadline: 10m"]),
        (op(Kind.RESTART_ATTEMPTS, "app", 2, 5), ["+        restart:", "+          attempts: 5"]),
        (op(Kind.NETWORK_MODE, "app", None, "bridge"), ["+        network:", "+          mode: bridge"]),
        (
            op(Kind.SERVICE_PROVIDER, "app/web", "nomad", "consul"),
            ["+        service:", "+          - name: web", "+            provider: consul"],
        ),
        (op(Kind.CONSTRAINT_VALUE, "${attr.kernel.name}", "linux", "windows"), ["-        value: linux", "+        value: windows"]),
        (op(Kind.CONSTRAINT_REMOVAL, "${meta.x}", "regexp a.*", None), ['-      - {attribute: "${meta.x}", regexp: a.*}']),
        (op(Kind.DRIVER_KEY, "app/app/labels", "labels", "label"), ["-              labels: [a]", "+              label: [a]"]),
        (op(Kind.WORK_DIR, "app/app", None, "/srv"), ["+              work_dir: /srv"]),
        (
            Operation(Kind.TEMPLATE_KEY, ("app", "app", "local/a"), "a/b", "a/c"),
            ['-                  x = {{ key "a/b" }}', '+                  x = {{ key "a/c" }}'],
        ),
        (Operation(Kind.TEMPLATE_KEY, ENV_FILE, "web/por", "web/port"), ["-    URL: {consul: web/por}", "+    URL: {consul: web/port}"]),
        (
            Operation(Kind.TEMPLATE_KEY, ENV_FILE, ".Data.passwrd", ".Data.password"),
            ['-    PW: {vault: "secret/web#passwrd"}', '+    PW: {vault: "secret/web#password"}'],
        ),
    ],
)  # fmt: skip
def test_only_what_is_changed_is_touched(operation: Operation, expected: list[str]) -> None:
    made = editor().edit(RICH, (operation,))
    assert changes(RICH, made) == expected
    assert same_job(body(made), apply(body(RICH), (operation,)))


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        # One field of the manifest is several values of the job: it is written once.
        (
            (
                Operation(Kind.KV_SHAPE, ENV_FILE, "secret/web", "secret/data/web"),
                Operation(Kind.KV_SHAPE, ENV_FILE, ".Data.passwrd", ".Data.data.passwrd"),
            ),
            ['-    PW: {vault: "secret/web#passwrd"}', '+    PW: {vault: "secret/data/web#passwrd"}'],
        ),
        (
            (op(Kind.SERVICE_PORT, "app/web", "http", "admin"), Operation(Kind.CHECK_PORT, CHECK, "http", "admin")),
            ["+  check:", "+    port: admin"],
        ),
        (
            (Operation(Kind.CHECK_TYPE, CHECK, "tcp", "http"), Operation(Kind.CHECK_PATH, CHECK, None, "/up")),
            ["+  check:", "+    path: /up"],
        ),
        (
            (
                op(Kind.PORT_LABEL, "app/http", "http", "web"),
                op(Kind.DRIVER_PORTS, "app/app", ("http", "admin"), ("web", "admin")),
                op(Kind.SERVICE_PORT, "app/web", "http", "web"),
                Operation(Kind.CHECK_PORT, CHECK, "http", "web"),
            ),
            ["-    http: {to: 8080}", "+    web: {to: 8080}"],
        ),
        # The service stays where it was.
        (
            (Operation(Kind.CHECK_PORT, CHECK, "http", "admin"),),
            [
                "+  check:", "+    port: admin",
                "+  job:", "+    group:", "+      app:", "+        service:", "+          - name: web", "+            port: http",
            ],
        ),
        (
            (op(Kind.MEMORY, "app/app", 300, 600), op(Kind.HEALTHY_DEADLINE, "app", 300 * S, 600 * S)),
            [
                "+  resources:", "+    memory: 600",
                "+  job:", "+    group:", "+      app:", "+        update:", "+          healthy_deadline: 10m",
            ],
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", [SMALL, OTHERS], ids=["alone", "among others"])
def test_several_operations_make_one_edit_of_what_is_one_field(
    operations: tuple[Operation, ...], expected: list[str], text: str
) -> None:
    made = editor().edit(text, operations)
    assert sorted(changes(text, made)) == sorted(expected)
    assert same_job(body(made), apply(body(text), operations))


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_an_edited_manifest_makes_the_job_with_the_operation_applied(name: str) -> None:
    """Every kind of operation: an edit that is right, or none."""
    text = TEXTS[name]
    before = body(text)

    @settings(max_examples=30, deadline=None)
    @given(st.sampled_from(operations_on(before)))
    def every(operation: Operation) -> None:
        try:
            made = editor().edit(text, (operation,))
        except NotLiteral as error:
            assert error.operation == operation
            assert error.hint
            return
        assert same_job(body(made), apply(before, (operation,)))
        matcher = difflib.SequenceMatcher(None, text.splitlines(True), made.splitlines(True), autojunk=False)
        assert sum(i_end - i for tag, i, i_end, _, _ in matcher.get_opcodes() if tag != "equal") <= 4
        assert ("\n" in made.replace("\r\n", "")) is (name != "odd-crlf")

    every()


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op(Kind.ARGS, "app/app", ("-a", "--b", "c"), ("-a", "--d", "c")), ["-    - '--b'", "+    - '--d'"]),
        (op(Kind.ARGS, "app/app", ("-a", "--b", "c"), ("-a", "c")), ["-    - '--b'"]),
        (op(Kind.ARGS, "app/app", ("-a", "--b", "c"), ("x y", "-a", "--b", "c")), ["+    - \"x y\""]),
        (op(Kind.ARGS, "app/app", ("-a", "--b", "c"), ("-a", "--b", "c", "d")), ["+    - d"]),
        (op(Kind.ENV, "app/app/X", "1", "2"), ['-            fixed: "1" # one', '+            fixed: "2" # one']),
        (op(Kind.MEMORY, "app/app", 300, 400), ["+        memory: 400"]),
        (op(Kind.MEMORY, "app/side", 20, 40), ["-                        resources: {memory: 20}", "+                        resources: {memory: 40}"]),
        (op(Kind.SERVICE_PROVIDER, "app/web", "nomad", "consul"), ["+                    provider: consul"]),
        (op(Kind.IMAGE, "app/app", "web:1", "web:2"), ["-    image: >-", "-        web:1", "+    image: web:2"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_layout_that_people_chose_stays(operation: Operation, expected: list[str], end: str) -> None:
    text = ODD.replace("\n", end)
    made = editor().edit(text, (operation,))
    assert changes(text, made) == expected
    assert ("\n" in made.replace("\r\n", "")) is (end == "\n")


def test_a_field_of_the_manifests_own_stands_before_what_is_merged_into_the_job() -> None:
    made = editor().edit(RICH, (op(Kind.DATACENTERS, "", ("*",), ("dc1",)),))
    assert "  datacenters: [dc1]\n  job:\n" in made


def test_the_operators_settings_count_for_what_the_manifest_makes() -> None:
    """`onFailure: hold` as the process's default makes another job: no update block to change the deadline in."""
    hold = Policy(on_failure=OnFailure.HOLD)
    operation = op(Kind.HEALTHY_DEADLINE, "app", 300 * S, 600 * S)
    made = editor(hold).edit(SMALL, (operation,))
    assert same_job(body(made, hold), apply(body(SMALL, hold), (operation,)))


@pytest.mark.parametrize(
    "operation",
    [
        # A generated check has no name by which an entry could be merged into it.
        Operation(Kind.CHECK_METHOD, CHECK, "GET", "HEAD"),
        # Merging takes nothing away.
        op(Kind.DRIVER_KEY, "app/app/image", "image", None),
        Operation(Kind.TEMPLATE_SYNTAX, ENV_FILE, "toJSON", "quote"),
    ],
)
def test_what_a_manifest_cannot_say_is_left_alone_and_shown_as_a_patch(operation: Operation) -> None:
    with pytest.raises(NotLiteral) as caught:
        editor().edit(RICH, (op(Kind.MEMORY, "app/app", 64, 128), operation))
    assert caught.value.operation == operation
    assert editor().patch(RICH, (operation,)).startswith("--- before")


def test_what_the_manifest_no_longer_makes_is_not_written() -> None:
    with pytest.raises(PreconditionGone):
        editor().edit(RICH, (op(Kind.MEMORY, "app/app", 32, 64),))


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("name: web", "name: other"),
        "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: web, namespace: prod}\nspec: {jobFile: a.nomad}\n",
    ],
)
def test_a_file_that_makes_no_job_of_the_app_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        editor().edit(text, (op(Kind.MEMORY, "app/app", 32, 64),))


def test_a_value_that_an_alias_shares_is_not_changed_for_others() -> None:
    text = SMALL.replace("http: {to: 8080}", "http: &p {to: 8080}").replace("admin: {to: 9090}", "admin: *p")
    operation = op(Kind.PORT_TO, "app/http", 8080, 80)
    made = editor().edit(text, (operation,))
    assert same_job(body(made), apply(body(text), (operation,)))
    assert "&p {to: 8080}" in made
