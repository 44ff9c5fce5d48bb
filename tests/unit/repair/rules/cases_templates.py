"""Templates, and what they read from Vault, Consul and Nomad's variables."""

from __future__ import annotations

from typing import Any

from desired.operations.operation import Kind
from observers.evidence import Cluster, Evidence
from observers.failures.failure_class import FailureClass as F
from tests.unit.observers.failures.failure_evidence import allocation, cluster, crashes, evidence, killing, log
from tests.unit.repair.rules.rule_cases import (
    APP,
    CHOICE,
    NOTHING,
    RuleCase,
    changed,
    op,
    waiting,
)

FILE = (*APP, "secrets/app.env")


def _template(text: str, **more: Any) -> dict[str, Any]:
    template = {"DestPath": "secrets/app.env", "EmbeddedTmpl": text, "Envvars": True, **more}
    return changed("task.Templates", [template], "task.Vault", {"Role": ""})


def _failed(said: str, text: str, *, cluster: Cluster | None = None, **more: Any) -> Evidence:
    return evidence(
        allocation([killing(f"Template failed: {said}")]),
        body=_template(text, **more),
        cluster=Cluster() if cluster is None else cluster,
    )


def _waits(missing: str, text: str, found: Cluster) -> Evidence:
    return evidence(waiting(missing), body=_template(text), cluster=found)


def _bad_line(line: int, text: str) -> Evidence:
    said = (
        "Template failed to read environment variables: error parsing env template "
        f'"<alloc>/app/secrets/app.env": error on line {line}: missing ='
    )
    return evidence(allocation([killing(said)]), body=_template(text))


_V1, _V2 = {"secret": 1}, {"secret": 2}
_READS = '{{ with secret "secret/web/db" }}A={{ .Data.user }}\nB={{ .Data.username }}{{ end }}'
_READS_DATA = '{{ with secret "secret/data/web/db" }}A={{ .Data.data.user }}{{ end }}'
_NO_ENTRY = '(dynamic): execute: template: :1:54: executing "" at <{expression}>: map has no entry for key "{field}"'


def _field(expression: str, field: str, text: str, **found: Any) -> Evidence:
    said = _NO_ENTRY.format(expression=expression, field=field)
    return _failed(said, text, cluster=cluster(**found), ErrMissingKey=True)


_SECRET = [{"Name": "db", "Provider": "vault", "Path": "secret/data/web/db"}]


def _of_block(engine: str, **found: Any) -> Evidence:
    block = {**_SECRET[0], "Config": {"engine": engine}}
    body = changed("task.Secrets", [block], "task.Vault", {"Role": ""}, "task.Env", {"PW": "${secret.db.pasword}"})
    return evidence(allocation(crashes(1)), body=body, cluster=cluster(**found))


CASES = (
    RuleCase(
        "kv2-path-without-data",
        F.SECRET_MISSING,
        _waits("vault.read(secret/web/db)", _READS, cluster(kv_versions=_V2)),
        (
            op(Kind.KV_SHAPE, FILE, '"secret/web/db"', '"secret/data/web/db"'),
            op(Kind.KV_SHAPE, FILE, ".Data.", ".Data.data."),
        ),
        "kv-path-shape",
    ),
    RuleCase(
        "kv1-path-with-data",
        F.SECRET_MISSING,
        _waits("vault.read(secret/data/web/db)", _READS_DATA, cluster(kv_versions=_V1)),
        (
            op(Kind.KV_SHAPE, FILE, '"secret/data/web/db"', '"secret/web/db"'),
            op(Kind.KV_SHAPE, FILE, ".Data.data.", ".Data."),
        ),
        "kv-path-shape",
    ),
    RuleCase(
        "path-of-an-unknown-mount",
        F.SECRET_MISSING,
        _waits("vault.read(secret/web/db)", _READS, cluster()),
        NOTHING,
    ),
    RuleCase(
        "secret-misspelt",
        F.SECRET_MISSING,
        _waits(
            "vault.read(secret/data/web/bd)",
            '{{ with secret "secret/data/web/bdd" }}{{ end }}{{ with secret "secret/data/web/bd" }}A={{ .Data.data.a }}'
            "{{ end }}",
            cluster(kv_versions=_V2, secret_paths=("secret/web/database", "secret/web/db1")),
        ),
        NOTHING,
    ),
    RuleCase(
        "secret-misspelt-once",
        F.SECRET_MISSING,
        _waits(
            "vault.read(secret/data/web/databse)",
            '{{ with secret "secret/data/web/databse" }}A={{ .Data.data.a }}{{ end }}',
            cluster(kv_versions=_V2, secret_paths=("secret/web/database", "secret/web/cache")),
        ),
        (op(Kind.SECRET_PATH, FILE, '"secret/data/web/databse"', '"secret/data/web/database"'),),
        "secret-path",
    ),
    RuleCase(
        "field-in-the-shape-of-kv1",
        F.SECRET_FIELD_MISSING,
        _field(
            ".Data.user",
            "user",
            '{{ with secret "secret/data/web/db" }}A={{ .Data.user }}{{ end }}',
            kv_versions=_V2,
            secret_keys={"secret/data/web/db": ("user",)},
        ),
        (op(Kind.KV_SHAPE, FILE, ".Data.", ".Data.data."),),
        "kv-field-shape",
    ),
    RuleCase(
        "one-field-of-two-in-the-shape-of-kv1",
        F.SECRET_FIELD_MISSING,
        _field(
            ".Data.user",
            "user",
            '{{ with secret "secret/data/web/db" }}A={{ .Data.user }}\nB={{ .Data.username }}\n'
            "C={{ .Data.data.c }}{{ end }}",
            kv_versions=_V2,
        ),
        (
            op(Kind.KV_SHAPE, FILE, ".Data.username", ".Data.data.username"),
            op(Kind.KV_SHAPE, FILE, ".Data.user", ".Data.data.user"),
        ),
        "kv-field-shape",
    ),
    RuleCase(
        "field-in-the-shape-of-kv2",
        F.SECRET_FIELD_MISSING,
        _field(
            ".Data.data.user",
            "data",
            '{{ with secret "secret/web/db" }}A={{ .Data.data.user }}{{ end }}',
            kv_versions=_V1,
        ),
        (op(Kind.KV_SHAPE, FILE, ".Data.data.", ".Data."),),
        "kv-field-shape",
    ),
    RuleCase(
        "field-misspelt",
        F.SECRET_FIELD_MISSING,
        _field(
            ".Data.data.pasword",
            "pasword",
            '{{ with secret "secret/data/web/db" }}A={{ .Data.data.pasword }}{{ end }}',
            kv_versions=_V2,
            secret_keys={"secret/data/web/db": ("password", "user")},
        ),
        (op(Kind.TEMPLATE_KEY, FILE, ".Data.data.pasword", ".Data.data.password"),),
        "template-field",
    ),
    RuleCase(
        "field-that-begins-like-another",
        F.SECRET_FIELD_MISSING,
        _field(
            ".Data.data.passwrod",
            "passwrod",
            '{{ with secret "secret/data/web/db" }}A={{ .Data.data.passwrod }}\n'
            "B={{ .Data.data.passwrodname }}{{ end }}",
            kv_versions=_V2,
            secret_keys={"secret/data/web/db": ("password", "passwrodname")},
        ),
        (op(Kind.TEMPLATE_KEY, FILE, "{{ .Data.data.passwrod }}", "{{ .Data.data.password }}"),),
        "template-field",
    ),
    RuleCase(
        "field-as-near-to-two",
        F.SECRET_FIELD_MISSING,
        _field(
            ".Data.data.tokn",
            "tokn",
            '{{ with secret "secret/data/web/db" }}A={{ .Data.data.tokn }}{{ end }}',
            kv_versions=_V2,
            secret_keys={"secret/data/web/db": ("token", "tokyn")},
        ),
        CHOICE,
        "template-field",
    ),
    RuleCase(
        "field-that-nobody-listed",
        F.SECRET_FIELD_MISSING,
        _field(
            ".Data.data.pasword",
            "pasword",
            '{{ with secret "secret/data/web/db" }}A={{ .Data.data.pasword }}{{ end }}',
            kv_versions=_V2,
        ),
        NOTHING,
    ),
    RuleCase(
        "field-in-the-shape-of-kv1-that-renders-as-no-value",
        F.SECRET_FIELD_MISSING,
        evidence(
            allocation(crashes(1)),
            body=_template('{{ with secret "secret/web/db" }}DB={{ .Data.user }}{{ end }}'),
            cluster=cluster(kv_versions=_V2),
        ),
        (op(Kind.KV_SHAPE, FILE, ".Data.", ".Data.data."),),
        "kv-field-shape",
    ),
    RuleCase(
        "field-misspelt-in-a-secret-block",
        F.SECRET_FIELD_MISSING,
        _of_block("kv_v2", secret_keys={"secret/web/db": ("password", "user")}, kv_versions=_V2),
        (op(Kind.ENV, (*APP, "PW"), "${secret.db.pasword}", "${secret.db.password}"),),
        "secret-field",
    ),
    RuleCase(
        "secret-block-for-another-kv-version",
        F.SECRET_FIELD_MISSING,
        _of_block("", secret_keys={"secret/web/db": ("pasword",)}, kv_versions=_V2),
        (op(Kind.SECRET_ENGINE, (*APP, "db"), "kv", "kv_v2"),),
        "secret-engine",
    ),
    RuleCase(
        "consul-key-misspelt",
        F.CONSUL_KEY_MISSING,
        _waits(
            "kv.block(web/confg/url)",
            'URL={{ key "web/confg/url" }}',
            cluster(consul_keys=("web/config/url", "web/config/user")),
        ),
        (op(Kind.TEMPLATE_KEY, FILE, '"web/confg/url"', '"web/config/url"'),),
        "consul-key",
    ),
    RuleCase(
        "consul-key-that-is-not-there",
        F.CONSUL_KEY_MISSING,
        _waits("kv.block(web/url)", 'URL={{ key "web/url" }}', cluster(consul_keys=("web/config/password",))),
        NOTHING,
    ),
    RuleCase(
        "variable-misspelt",
        F.VARIABLE_MISSING,
        _waits(
            "nomad.var.block(nomad/jobs/wbe@default.global)",
            '{{ with nomadVar "nomad/jobs/wbe" }}A={{ .a }}{{ end }}',
            cluster(variables=("nomad/jobs/web", "nomad/jobs")),
        ),
        (op(Kind.TEMPLATE_KEY, FILE, '"nomad/jobs/wbe"', '"nomad/jobs/web"'),),
        "variable-path",
    ),
    RuleCase(
        "function-misspelt",
        F.TEMPLATE_SYNTAX,
        _failed('(dynamic): parse: template: :1: function "kye" not defined', 'A={{ kye "kye/x" }}\nB={{ key "b" }}'),
        (op(Kind.TEMPLATE_SYNTAX, FILE, '{{ kye "kye/x" }}', '{{ key "kye/x" }}'),),
        "template-function",
    ),
    RuleCase(
        "function-that-resembles-only-a-short-word",
        F.TEMPLATE_SYNTAX,
        _failed('(dynamic): parse: template: :1: function "nope" not defined', "{{ with nope }}{{ end }}"),
        NOTHING,
    ),
    RuleCase(
        "function-of-nobody",
        F.TEMPLATE_SYNTAX,
        _failed('(dynamic): parse: template: :1: function "frobnicate" not defined', "A={{ frobnicate }}"),
        NOTHING,
    ),
    RuleCase(
        "braces-of-another-language",
        F.TEMPLATE_SYNTAX,
        _failed(
            '(dynamic): parse: template: :1: function "user" not defined',
            'greeting: Hello {{ user }}\nurl: [[ key "web/url" ]]',
        ),
        (op(Kind.TEMPLATE_DELIMITERS, FILE, "{{ }}", "[[ ]]"),),
        "template-function",
    ),
    RuleCase(
        "block-not-closed",
        F.TEMPLATE_SYNTAX,
        _failed("(dynamic): parse: template: :2: unexpected EOF", '{{ with secret "a/b" }}A={{ .Data.a }}\n'),
        (op(Kind.TEMPLATE_SYNTAX, FILE, "{{ .Data.a }}", "{{ .Data.a }}{{ end }}"),),
        "template-blocks",
    ),
    RuleCase(
        "block-closed-twice",
        F.TEMPLATE_SYNTAX,
        _failed(
            "(dynamic): parse: template: :1: unexpected {{end}}",
            '{{ with secret "a/b" }}A={{ .Data.a }}{{ end }}\n{{end}}',
        ),
        (op(Kind.TEMPLATE_SYNTAX, FILE, "{{end}}", ""),),
        "template-blocks",
    ),
    RuleCase(
        "two-blocks-not-closed",
        F.TEMPLATE_SYNTAX,
        _failed(
            "(dynamic): parse: template: :2: unexpected EOF", '{{ if true }}{{ with secret "a/b" }}A={{ .Data.a }}'
        ),
        NOTHING,
    ),
    RuleCase(
        "environment-written-as-yaml",
        F.TEMPLATE_ENV_BAD,
        _bad_line(2, 'A={{ key "a" }}\nB: {{ key "b" }}\n'),
        (op(Kind.TEMPLATE_SYNTAX, FILE, 'B: {{ key "b" }}', 'B={{ key "b" }}'),),
        "template-environment",
    ),
    RuleCase(
        "value-of-several-lines",
        F.TEMPLATE_ENV_BAD,
        _bad_line(3, 'A={{ key "a" }}\nCERT={{ key "cert" }}\nB=1\n'),
        (op(Kind.TEMPLATE_SYNTAX, FILE, '{{ key "cert" }}', '{{ key "cert" | toJSON }}'),),
        "template-environment",
    ),
    RuleCase(
        "file-marked-as-an-environment",
        F.TEMPLATE_ENV_BAD,
        _bad_line(1, '{\n  "a": {{ key "a" | toJSON }}\n}\n'),
        (op(Kind.TEMPLATE_ENV, FILE, True, False),),
        "template-environment",
    ),
    RuleCase(
        "line-that-sets-nothing",
        F.TEMPLATE_ENV_BAD,
        _bad_line(2, 'A={{ key "a" }}\nset B\n'),
        CHOICE,
        "template-environment",
    ),
    RuleCase(
        "no-vault-block-for-a-secret-block",
        F.VAULT_BLOCK_MISSING,
        evidence(
            body=changed("task.Secrets", _SECRET),
            refusal="1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Task app "
            'validation failed: 1 error occurred:\n\t* Secret "db" has provider "vault" but no vault block\n\n',
        ),
        (op(Kind.VAULT_ADDED, APP, None, ""),),
        "vault-block",
    ),
    RuleCase(
        "no-vault-block-for-a-template",
        F.VAULT_BLOCK_MISSING,
        evidence(
            waiting("vault.read(secret/data/web/db)"),
            body=changed(
                "task.Templates", [{"DestPath": "secrets/app.env", "EmbeddedTmpl": _READS_DATA, "Envvars": True}]
            ),
        ),
        (op(Kind.VAULT_ADDED, APP, None, ""),),
        "vault-block",
    ),
    RuleCase(
        "vault-role-misspelt",
        F.VAULT_ROLE_REFUSED,
        evidence(
            allocation(
                [
                    killing(
                        "Vault: failed to derive vault token: failed to derive Vault token for identity vault_default: "
                        "failed to login with JWT: Error making API request. URL: PUT x Code: 400. Errors: * role "
                        '"web-redaer" could not be found'
                    )
                ]
            ),
            body=changed("task.Vault", {"Role": "web-redaer"}),
            cluster=cluster(vault_roles=("web-reader", "nomad-workloads")),
        ),
        (op(Kind.VAULT_ROLE, APP, "web-redaer", "web-reader"),),
        "vault-role",
    ),
    RuleCase(
        "environment-in-a-file-that-is-none",
        F.CRASH_CONFIG_MISSING,
        evidence(
            allocation(crashes(1)),
            body=_template(
                '# the database\n{{ with secret "a/b" }}\nDB_PASSWORD={{ .Data.p }}\n{{ end }}', Envvars=False
            ),
            logs=(log("DB_PASSWORD is not set"),),
        ),
        (op(Kind.TEMPLATE_ENV, FILE, False, True),),
        "template-not-env",
    ),
    RuleCase(
        "file-that-sets-more-than-variables",
        F.CRASH_CONFIG_MISSING,
        evidence(
            allocation(crashes(1)),
            body=_template("[database]\nDB_PASSWORD=x\n", Envvars=False),
            logs=(log("DB_PASSWORD is not set"),),
        ),
        NOTHING,
    ),
    RuleCase(
        "variable-misspelt-in-the-job",
        F.CRASH_CONFIG_MISSING,
        evidence(
            allocation(crashes(1)),
            body=changed("task.Env", {"DATABSE_URL": "redis://cache"}),
            logs=(log("DATABASE_URL is not set"),),
        ),
        (
            op(Kind.ENV, (*APP, "DATABASE_URL"), None, "redis://cache"),
            op(Kind.ENV, (*APP, "DATABSE_URL"), "redis://cache", None),
        ),
        "near-variable",
    ),
    RuleCase(
        "variable-that-nobody-sets",
        F.CRASH_CONFIG_MISSING,
        evidence(allocation(crashes(1)), logs=(log("DATABASE_URL is not set"),)),
        NOTHING,
    ),
    RuleCase(
        "secret-that-nobody-rendered",
        F.CRASH_CONFIG_MISSING,
        evidence(
            allocation(crashes(1)),
            body=changed("task.Env", {"DB_PASSWORD": "${secret.db.password}"}),
            logs=(log("DB_PASSWORD is not set"),),
        ),
        CHOICE,
        "secret-unrendered",
    ),
)
