"""What Nomad accepts and what then goes wrong is told before; each rule was measured on a real Nomad and Vault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from desired.secret_reads import SecretRead, secret_reads
from desired.secret_traps import Looked, Rule, secret_traps
from desired.variable_sources import Source

WITH_DB = '{{ with secret "secret/data/web/db" }}DB_PASSWORD={{ .Data.data.DB_PASSWORD }}{{ end }}'
PLACE = (Source.VAULT, "secret/data/web/db")


def _job(template: str = "", **task: Any) -> dict[str, Any]:
    templates = [{"EmbeddedTmpl": template, "Envvars": True, "DestPath": "secrets/app.env"}] if template else []
    whole = {"Name": "main", "Vault": {"Role": ""}, "Templates": templates, **task}
    return {"ID": "web", "TaskGroups": [{"Name": "web", "Tasks": [whole]}]}


def _rules(body: Mapping[str, Any], looked: Looked | None = None) -> list[Rule]:
    return [trap.rule for trap in secret_traps(body, {PLACE: looked} if looked else None)]


def _secret(engine: str | None = "kv_v2", key: str = "DB_PASSWORD", **block: Any) -> dict[str, Any]:
    config = {"engine": engine} if engine else None
    secret = {"Name": "db", "Provider": "vault", "Path": "secret/data/web/db", "Config": config, **block}
    return {"Secrets": [secret], "Env": {"DB_PASSWORD": f"${{secret.{secret['Name']}.{key}}}"}}


THERE = Looked(there=True, version=2, keys=("DB_PASSWORD", "DB_USER"))


@pytest.mark.parametrize(
    ("body", "looked", "rules"),
    [
        (_job(WITH_DB), THERE, []),
        (_job(**_secret()), THERE, []),
        (_job(), None, []),
        (_job(WITH_DB, Vault=None), None, [Rule.VAULT_BLOCK_MISSING]),
        (_job(**_secret(), Vault=None), None, [Rule.VAULT_BLOCK_MISSING]),
        (_job(WITH_DB, Vault={"Policies": ["web"]}), None, [Rule.VAULT_POLICIES_IGNORED]),
        (_job(**_secret(Name="my-db")), None, [Rule.SECRET_NAME]),
        (_job(**_secret(Env={"A": "b"})), None, [Rule.SECRET_ENV]),
        (_job(**_secret(engine=None)), None, [Rule.SECRET_ENGINE]),
        (_job(**_secret(engine="kv")), Looked(there=True, version=2), [Rule.SECRET_ENGINE]),
        (_job(**_secret(Path="secret/web/db", engine=None)), None, []),
        (_job(Env={"A": "${secret.db.X}"}), None, [Rule.SECRET_UNKNOWN]),
        (_job(WITH_DB.replace(".Data.data.", ".Data.")), None, [Rule.KV_SHAPE]),
        (_job(WITH_DB), Looked(there=True, version=1), [Rule.KV_SHAPE]),
        (_job(WITH_DB.replace("DB_PASSWORD }}", "NOPE }}")), THERE, [Rule.FIELD_MISSING]),
        (_job(**_secret(key="NOPE")), THERE, [Rule.FIELD_MISSING]),
        (_job(WITH_DB), Looked(there=False, version=2), [Rule.PATH_MISSING, Rule.PATH_MISSING]),
        (_job(WITH_DB), Looked(forbidden=True), [Rule.PATH_FORBIDDEN]),
        (_job(WITH_DB, Templates=[{"EmbeddedTmpl": WITH_DB, "DestPath": "secrets/app.env"}]), None,
         [Rule.ENV_NOT_SET]),
        (_job(Templates=[{"EmbeddedTmpl": "A=b", "DestPath": "local/app.conf"}]), None, []),
    ],
)  # fmt: skip
def test_a_trap_is_told_by_its_rule(body: dict[str, Any], looked: Looked | None, rules: list[Rule]) -> None:
    found = _rules(body, looked)
    assert list(dict.fromkeys(found)) == list(dict.fromkeys(rules))
    assert all(trap.hint and trap.where == "web/main" for trap in secret_traps(body, {PLACE: looked} if looked else {}))


def test_what_was_meant_is_asked() -> None:
    traps = secret_traps(_job(WITH_DB.replace("DB_PASSWORD }}", "DB_PASWORD }}")), {PLACE: THERE})
    assert [trap.hint for trap in traps] == ["did you mean DB_PASSWORD?"]
    near = Looked(there=False, near=("secret/data/web/dbs", "secret/data/web/api"))
    assert secret_traps(_job(WITH_DB), {PLACE: near})[0].hint == "did you mean secret/data/web/dbs?"


def test_whether_nomad_says_anything_is_told() -> None:
    quiet = _job(WITH_DB.replace("DB_PASSWORD }}", "NOPE }}"))
    loud = _job()
    loud["TaskGroups"][0]["Tasks"][0]["Templates"] = [
        {**quiet["TaskGroups"][0]["Tasks"][0]["Templates"][0], "ErrMissingKey": True}
    ]
    assert "<no value>" in secret_traps(quiet, {PLACE: THERE})[0].message
    assert "the task fails" in secret_traps(loud, {PLACE: THERE})[0].message
    assert "${secret.db.NOPE}" in secret_traps(_job(**_secret(key="NOPE")), {PLACE: THERE})[0].message


def test_a_consul_key_that_is_missing_is_waited_for_without_an_end() -> None:
    (trap,) = secret_traps(_job('URL={{ key "web/url" }}'), {(Source.CONSUL, "web/url"): Looked(there=False)})
    assert "without an end" in trap.message and trap.rule is Rule.PATH_MISSING


def test_reads_are_told_with_their_task_and_block() -> None:
    body = _job('{{ key "a/b" }}{{ with nomadVar "nomad/jobs/web" }}{{ .token }}{{ end }}', **_secret())
    assert secret_reads(body) == (
        SecretRead(Source.CONSUL, "a/b", "web", "main"),
        SecretRead(Source.NOMAD, "nomad/jobs/web", "web", "main"),
        SecretRead(Source.NOMAD, "nomad/jobs/web", "web", "main", "token"),
        SecretRead(Source.VAULT, "secret/data/web/db", "web", "main", versioned=True, block="db"),
        SecretRead(Source.VAULT, "secret/data/web/db", "web", "main", "DB_PASSWORD", versioned=True, block="db"),
    )


@pytest.mark.parametrize(
    "body",
    [
        {}, {"TaskGroups": None}, {"TaskGroups": [{"Tasks": [None, {}]}]}, {"TaskGroups": [3]},
        _job(Templates=None, Secrets=None, Vault="x"), _job(Templates=[3], Secrets=[3], Env={"a": None}),
    ],
)  # fmt: skip
def test_no_shape_of_a_job_breaks_the_reader(body: dict[str, Any]) -> None:
    assert secret_traps(body) == ()


TRAPS: list[tuple[dict[str, Any], Looked | None, bool]] = [
    (_job(WITH_DB.replace("DB_PASSWORD }}", "NOPE }}")), THERE, True),
    (_job(WITH_DB.replace(".Data.data.", ".Data.")), THERE, True),
    (_job(**_secret(engine=None)), THERE, True),
    (_job(Env={"A": "${secret.db.X}"}), None, True),
    (_job(WITH_DB, Vault=None), THERE, True),
    # Told by Nomad, or written any moment.
    (_job(WITH_DB), Looked(there=False, version=2), False),
    # Nobody was asked which version it is.
    (_job(WITH_DB.replace(".Data.data.", ".Data.")), None, False),
    (_job(**_secret(engine=None)), None, False),
    # The template can do without.
    (_job('{{ with secret "secret/data/web/db" }}{{ if .Data.data.NOPE }}{{ .Data.data.NOPE }}{{ end }}{{ end }}'),
     THERE, False),
]  # fmt: skip


@pytest.mark.parametrize(("body", "looked", "error"), TRAPS)
def test_only_what_is_wrong_without_a_doubt_and_without_a_word_is_an_error(
    body: dict[str, Any], looked: Looked | None, error: bool
) -> None:
    (found,) = {trap.error for trap in secret_traps(body, {PLACE: looked} if looked else None)}
    assert found is error


@pytest.mark.parametrize("block", [{"Cluster": "other"}, {"Namespace": "team"}, {"Cluster": "default"}])
def test_what_is_read_from_another_vault_is_not_judged_by_this_one(block: dict[str, str]) -> None:
    body = _job(WITH_DB.replace("DB_PASSWORD }}", "NOPE }}"), Vault=block)
    assert bool(secret_traps(body, {PLACE: THERE})) is (block == {"Cluster": "default"})


def test_each_is_told_at_its_place_in_the_job_file() -> None:
    (field,) = secret_traps(_job(WITH_DB.replace("DB_PASSWORD }}", "NOPE }}")), {PLACE: THERE})
    assert field.at == ("group", "web", "task", "main", "template", "0", "data")
    (block,) = secret_traps(_job(**_secret(key="NOPE")), {PLACE: THERE})
    assert block.at == ("group", "web", "task", "main", "secret", "db")
