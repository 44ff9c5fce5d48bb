"""`secretForm: block`: values of Vault and Nomad variables by Nomad's `secret` block, where a block can read them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.draft.job_places import places
from desired.generate import generate
from desired.job.hcl_places import locate
from desired.manifest import AppSpec
from desired.policy import OnFailure
from desired.secret_reads import secret_references
from desired.secret_traps import Looked, Rule, secret_traps
from desired.variable_sources import Source


def made(env: dict[str, Any], form: str = "block") -> tuple[dict[str, Any], str]:
    spec = AppSpec.model_validate({"image": "example/good:1", "env": env, "secretForm": form})
    source, findings = generate(AppKey("default", "web"), spec, OnFailure.ROLLBACK)
    assert source is not None and not findings
    return source.body["TaskGroups"][0]["Tasks"][0], source.text


def test_each_place_has_one_block_and_its_fields_are_named_in_the_environment() -> None:
    task, _ = made(
        {
            "A": {"vault": "secret/data/web/db#user"},
            "B": {"vault": "secret/data/web/db#password"},
            "C": {"vault": "kv/other/db#password"},
            "D": {"nomad": "nomad/jobs/web#token"},
            "E": {"fixed": "as it is"},
        }
    )
    assert task["Env"] == {
        "A": "${secret.db.user}", "B": "${secret.db.password}", "C": "${secret.db_2.password}",
        "D": "${secret.web.token}", "E": "as it is",
    }  # fmt: skip
    told = [(one["Name"], one["Provider"], one["Path"], one.get("Config")) for one in task["Secrets"]]
    assert told == [
        ("db", "vault", "secret/data/web/db", {"engine": "kv_v2"}),
        ("db_2", "vault", "kv/other/db", None),
        ("web", "nomad", "nomad/jobs/web", None),
    ]
    assert not task["Templates"] and task["Vault"] is not None


@pytest.mark.parametrize(
    "env",
    [
        {"A": {"vault": "secret/data/web/db#my-key"}},
        # The block would read my-key as well, and the task would fail.
        {"A": {"vault": "secret/data/web/db#user"}, "B": {"vault": "secret/data/web/db#my-key"}},
        {"A": {"nomad": "nomad/jobs/web#a.b"}},
        {"A": {"vault": "secret/data/w(eb)/db#user"}},
        {"A": {"consul": "web/url"}},
    ],
)
def test_what_a_block_cannot_read_is_read_by_a_template(env: dict[str, Any]) -> None:
    task, _ = made(env)
    assert not task["Secrets"] and not task["Env"] and len(task["Templates"]) == 1


def test_without_asking_for_it_a_template_reads_them() -> None:
    task, _ = made({"A": {"vault": "secret/data/web/db#user"}}, "template")
    assert not task["Secrets"] and len(task["Templates"]) == 1


_PATHS = st.sampled_from(["secret/data/web/db", "secret/data/a/db", "kv/db", "kv/db_2", "secret/data/web/my.db"])
_FIELDS = st.sampled_from(["user", "password", "my-key"])
_VALUES = st.builds(
    lambda kind, path, field: {kind: f"{path}#{field}"}, st.sampled_from(["vault", "nomad"]), _PATHS, _FIELDS
)


@given(st.dictionaries(st.sampled_from("ABCDEF"), _VALUES))
def test_every_reference_has_its_block_every_variable_is_set_once_and_its_place_is_found(env: dict[str, Any]) -> None:
    env = {name: value for name, value in env.items() if not (value.get("nomad") and "my.db" in value["nomad"])}
    task, text = made(env)
    blocks = {one["Name"] for one in task["Secrets"] or ()}
    assert {name for name, _ in secret_references(task)} == blocks and len(blocks) == len(task["Secrets"] or ())
    lines = [line.partition("=")[0] for one in task["Templates"] or () for line in one["EmbeddedTmpl"].splitlines()]
    assert sorted([*(task["Env"] or {}), *lines]) == sorted(env)
    for _, place in places({"env": env, "secretForm": "block"}):
        assert locate(text, place) is not None


def test_a_field_that_no_block_can_read_is_told_before_the_task_fails() -> None:
    task, _ = made({"A": {"vault": "secret/data/web/db#user"}})
    body = {"TaskGroups": [{"Name": "app", "Tasks": [task]}]}
    looks = {(Source.VAULT, "secret/data/web/db"): Looked(there=True, version=2, keys=("my-key", "user"))}
    (told,) = secret_traps(body, looks)
    assert (told.rule, told.error) == (Rule.SECRET_FIELDS, False) and "called my-key" in told.message
    assert secret_traps(body, {next(iter(looks)): Looked(there=True, version=2, keys=("user",))}) == ()
