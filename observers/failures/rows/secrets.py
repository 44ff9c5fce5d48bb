"""Family F: Vault, Consul, Nomad variables and templates.

What is missing is silence first: `Missing: …` on a pending task for five minutes before Nomad says more, the same words
for "missing", "denied" and "no vault block". Source: consul-template, nomad/client/allocrunner/taskrunner; recorded in
scenarios consul-key-missing, variable-missing, template-*, vault-*, secret-*; Vault's words from a run of Nomad 2.0.5
against OpenBao 2.6.2.
"""

from __future__ import annotations

from datetime import timedelta

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Lasting, Proof, Row, Where, said

_TEMPLATE = {"destination": "the template's, where exactly one asks for it; the secret's name for a `secret` block"}
_MISSING = {
    "path": "the first that is missing",
    "paths": "all that Nomad lists, comma-separated",
    "more": "how many more it only counts",
    "near": "existing names that resemble it, comma-separated, best first; only where the list was read",
    "waited_seconds": "how long the task has waited",
    "late": "true where it is there by now, and came after Nomad had judged the task unhealthy",
    **_TEMPLATE,
}
_VAULT = {"role": "the role as the job says it, empty for the default", "problem": "Vault's words"}
_LOGIN = r"(?:failed to derive [Vv]ault token|failed to login with JWT|vault: )"

ROWS = (
    Row(
        failure=FailureClass.VAULT_NOT_ENABLED,
        family=Family.SECRETS,
        cause=Cause.CLUSTER,
        advice="the servers have no Vault cluster {cluster}: configure it there, or drop `vault` from the job",
        facts={"cluster": "its name"},
        words=said(Where.REFUSAL, r'Vault "(?P<cluster>[^"]+)" not enabled but used in the job'),
    ),
    Row(
        failure=FailureClass.VAULT_BLOCK_MISSING,
        family=Family.SECRETS,
        cause=Cause.SPEC,
        advice="{task} reads a secret from Vault and has no `vault {{}}` block: add one",
        facts={"secret": "the secret block's name", "path": "the path it reads", **_TEMPLATE},
        may_help=(Kind.VAULT_ADDED,),
        words=said(Where.REFUSAL, r'Secret "(?P<secret>[^"]+)" has provider "vault" but no vault block'),
        seen="or a task without `vault` that waits for vault.read, or whose read ended with 403",
    ),
    Row(
        failure=FailureClass.VAULT_IDENTITY_MISSING,
        family=Family.SECRETS,
        cause=Cause.CLUSTER,
        advice="the task has no identity for Vault: set default_identity on the servers, or `identity` in the task",
        facts={"identity": "its name, such as vault_default"},
        words=(
            *said(Where.KILLING, _LOGIN + r".*no signed workload identity available"),
            *said(Where.HOOK, _LOGIN + r".*no signed workload identity available"),
            *said(Where.REFUSAL, r"does not have an identity named (?P<identity>vault_\S+) and no default identity"),
        ),
    ),
    Row(
        failure=FailureClass.VAULT_ROLE_REFUSED,
        family=Family.SECRETS,
        cause=Cause.CLUSTER,
        advice="Vault refuses the role {role}: {problem}. Whoever runs Vault must make or mend it, or name another",
        facts={**_VAULT, "near": "roles that resemble it, where Vault listed them"},
        may_help=(Kind.VAULT_ROLE,),
        words=tuple(
            words
            for where in (Where.KILLING, Where.HOOK)
            for words in said(
                where,
                _LOGIN + r'.*(?P<problem>role "(?P<role>[^"]+)" could not be found)',
                _LOGIN
                + r".*(?P<problem>(?:error validating (?:claims|token)|[^*\n]*audience|no known key success)[^\n]*)",
                _LOGIN + r".*Code: 4\d\d\. ?(?:Errors:)?\s*(?P<problem>[^\n]*)",
            )
        ),
        spec_with=("near",),
    ),
    Row(
        failure=FailureClass.VAULT_UNREACHABLE,
        family=Family.SECRETS,
        cause=Cause.TIME,
        advice="Vault cannot be reached from the nodes ({problem}): whoever runs it must act",
        facts={"problem": "what was met"},
        words=tuple(
            words
            for where in (Where.KILLING, Where.HOOK)
            for words in said(
                where,
                _LOGIN + r".*(?P<problem>connection refused|x509[^\n]*|no such host|i/o timeout|no route to host"
                r"|context deadline exceeded|Code: 5\d\d)",
                r"vault\.read\([^)]*\): .*(?P<problem>connection refused|x509[^\n]*|no such host|i/o timeout"
                r"|Code: 5\d\d|Vault is sealed)",
            )
        ),
        lasting=Lasting(timedelta(minutes=5), Cause.CLUSTER),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.VAULT_TOKEN_LOST,
        family=Family.SECRETS,
        cause=Cause.TIME,
        advice="the task's Vault token could not be renewed: Nomad asks for a new one; Vault's keepers if it lasts",
        facts={},
        words=said(Where.KILLING, r"failed to renew vault token") + said(Where.HOOK, r"failed to renew vault token"),
        lasting=Lasting(timedelta(minutes=10), Cause.CLUSTER),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.SECRET_FORBIDDEN,
        family=Family.SECRETS,
        cause=Cause.CLUSTER,
        advice="Vault does not let {task} read {path}: its policy must allow it, or the path be corrected",
        facts={**_MISSING, "mount": "the path's first part", "kv_version": "1 or 2, where Vault was asked"},
        may_help=(Kind.KV_SHAPE, Kind.SECRET_PATH, Kind.VAULT_ROLE),
        words=said(
            Where.KILLING,
            r"Template failed: .*vault\.(?:read|write)\((?P<path>[^)]+)\).*(?:Code: 403|permission denied)",
        ),
        seen="or vault.read missing for 30 s while Vault lists the path; `kv_version` only with a path of wrong shape",
        spec_with=("kv_version",),
    ),
    Row(
        failure=FailureClass.SECRET_MISSING,
        family=Family.SECRETS,
        cause=Cause.EXTERNAL,
        advice="there is no secret {path} for {task}: write it to Vault, or correct the path",
        facts={**_MISSING, "mount": "the path's first part", "kv_version": "1 or 2, where the path's shape is wrong"},
        may_help=(Kind.KV_SHAPE, Kind.SECRET_PATH),
        words=said(
            Where.KILLING,
            r"Template failed: .*vault\.(?:read|list)\((?P<path>[^)]+)\).*no secret exists",
            r"no secret exists at (?P<path>\S+)",
        ),
        seen="or vault.read(path) missing for 30 s",
        spec_with=("near", "kv_version"),
    ),
    Row(
        failure=FailureClass.CONSUL_IDENTITY,
        family=Family.SECRETS,
        cause=Cause.CLUSTER,
        advice="Consul gives the task no token ({problem}): its auth method and roles must be set up",
        facts={"problem": "Nomad's or Consul's words"},
        words=tuple(
            words
            for where in (Where.SETUP, Where.HOOK, Where.KILLING)
            for words in said(
                where,
                r"(?P<problem>no such consul cluster: \S+|failed to derive Consul token[^\n]{0,160}"
                r'|auth method "[^"]+" not found|error getting signed identity[^\n]{0,120})',
            )
        )
        + said(Where.REFUSAL, r"(?P<problem>Consul \S+ not enabled but used in the job)"),
    ),
    Row(
        failure=FailureClass.CONSUL_FORBIDDEN,
        family=Family.SECRETS,
        cause=Cause.CLUSTER,
        advice="Consul refuses {task} ({problem}): its token or policy must allow it",
        facts={"path": "the key, where it is said", "problem": "Consul's words"},
        words=tuple(
            words
            for where in (Where.KILLING, Where.HOOK, Where.SETUP)
            for words in said(
                where,
                r"(?:kv\.(?:block|get|exists)\((?P<path>[^)]+)\).*)?Unexpected response code: 403 "
                r"\((?P<problem>[^\n]{0,160})",
                r"(?P<problem>ACL not found|lacks permission '[^']+' on [^\n]{0,80})",
            )
        ),
    ),
    Row(
        failure=FailureClass.CONSUL_KEY_MISSING,
        family=Family.SECRETS,
        cause=Cause.EXTERNAL,
        advice="Consul has no key {path}, for which {task} waits: write it, or correct the name in the template",
        facts=_MISSING,
        may_help=(Kind.TEMPLATE_KEY,),
        words=said(Where.KILLING, r"Template failed: .*kv\.(?:block|get)\((?P<path>[^)@]+)[^)]*\).*(?:no key|404)"),
        seen="kv.block(path) missing for 30 s",
        spec_with=("near",),
    ),
    Row(
        failure=FailureClass.VARIABLE_MISSING,
        family=Family.SECRETS,
        cause=Cause.EXTERNAL,
        advice="there is no Nomad variable {path} in namespace {namespace}, for which {task} waits: write it, or "
        "correct the path (a job may read nomad/jobs, nomad/jobs/<job> and below)",
        facts={
            **_MISSING,
            "namespace": "where it was looked for",
            "region": "where it was looked for",
        },
        may_help=(Kind.TEMPLATE_KEY, Kind.SECRET_PATH),
        words=said(
            Where.KILLING,
            r"Template failed: .*nomad\.var\.\w+\((?P<path>[^)@]+)(?:@(?P<namespace>[^.)]+)\.(?P<region>[^)]+))?\)",
        ),
        seen="nomad.var.block(path@namespace.region) missing for 30 s",
        spec_with=("near",),
    ),
    Row(
        failure=FailureClass.SECRET_FIELD_MISSING,
        family=Family.SECRETS,
        cause=Cause.EXTERNAL,
        advice="what the template reads has no field {field}: add it to {path}, or correct its name",
        facts={
            "field": "its name",
            "expression": "as the template writes it, such as .Data.data.password",
            "path": "the secret or variable it is read from, where the template names exactly one",
            "source": "vault, variable or other: what the template reads",
            "kv_version": "1 or 2, where the expression has the shape of the other one",
            "near": "existing fields that resemble it, comma-separated, best first; only where they were read",
            "silent": "`true` where Nomad rendered `<no value>` or `null` and started the task",
            **_TEMPLATE,
        },
        may_help=(Kind.TEMPLATE_KEY, Kind.KV_SHAPE, Kind.ENV, Kind.SECRET_ENGINE),
        words=said(
            Where.KILLING,
            r'at <(?P<expression>[^>]*)>: map has no entry for key "(?P<field>[^"]+)"',
            r"at <(?P<expression>[^>]*)>: can't evaluate field (?P<field>\w+)",
        ),
        seen="or a task that ended by itself while the read secret is known not to have the field",
        spec_with=("near", "kv_version"),
    ),
    Row(
        failure=FailureClass.TEMPLATE_SYNTAX,
        family=Family.SECRETS,
        cause=Cause.SPEC,
        advice="a template does not parse ({problem}): correct it",
        facts={
            "problem": "the parser's words",
            "line": "in the template",
            "function": "the name that is not defined, where that is it",
            **_TEMPLATE,
        },
        may_help=(Kind.TEMPLATE_SYNTAX, Kind.TEMPLATE_DELIMITERS),
        words=said(
            Where.KILLING,
            r"Template failed: .*?parse: template: :(?P<line>\d+): "
            r'(?P<problem>function "(?P<function>[^"]+)" not defined|[^\n]+)',
        ),
    ),
    Row(
        failure=FailureClass.TEMPLATE_ENV_BAD,
        family=Family.SECRETS,
        cause=Cause.SPEC,
        advice="line {line} of the template {destination} is no KEY=VALUE: quote it, or drop `env = true`",
        facts={"line": "in what was rendered", "problem": "Nomad's words", **_TEMPLATE},
        may_help=(Kind.TEMPLATE_ENV, Kind.TEMPLATE_SYNTAX),
        words=said(
            Where.KILLING,
            r'Template failed to read environment variables: error parsing env template "(?P<file>[^"]*)": '
            r"error on line (?P<line>\d+): (?P<problem>[^\n]+)",
            r"Template failed to read environment variables: (?P<problem>[^\n]+)",
        ),
    ),
    Row(
        failure=FailureClass.TEMPLATE_PATH_ESCAPES,
        family=Family.SECRETS,
        cause=Cause.SPEC,
        advice="a template's destination leaves the allocation's directory: use local/ or secrets/",
        facts=_TEMPLATE,
        words=(
            *said(Where.KILLING, r"template (?:destination|source) path escapes alloc directory"),
            *said(Where.HOOK, r"template (?:destination|source) path escapes alloc directory"),
            *said(Where.REFUSAL, r"Template \d+: (?:.*: )?(?:destination escapes allocation|invalid destination path)"),
            *said(Where.REFUSAL, r"destination escapes allocation directory"),
        ),
    ),
    Row(
        failure=FailureClass.TEMPLATE_EXECUTION,
        family=Family.SECRETS,
        cause=Cause.SPEC,
        advice="a template fails when it is rendered ({problem}): correct it, or the data it reads",
        facts={
            "problem": "the engine's words",
            "line": "in the template",
            "expression": "what was being evaluated",
            **_TEMPLATE,
        },
        may_help=(Kind.TEMPLATE_SYNTAX, Kind.TEMPLATE_KEY, Kind.KV_SHAPE),
        words=said(
            Where.KILLING,
            r'Template failed: .*?execute: template: :(?P<line>\d+)(?::\d+)?: executing "[^"]*" at '
            r"<(?P<expression>.*?)>: (?P<problem>[^\n]+)",
            r"Template failed: (?P<problem>[^\n]+)",
        ),
    ),
    Row(
        failure=FailureClass.ENTERPRISE_ONLY,
        family=Family.SECRETS,
        cause=Cause.SPEC,
        advice="the job uses what only Nomad Enterprise has ({feature}): drop it",
        facts={"feature": "in Nomad's words"},
        words=said(
            Where.REFUSAL,
            r"(?P<feature>non-default \w+ cluster) requires Nomad Enterprise",
            r"(?P<feature>multiple Vault namespaces) requires Nomad Enterprise",
            r"(?P<feature>[\w -]{3,60}) requires Nomad Enterprise",
            r"(?P<feature>[\w -]{3,60}) (?:is|are) only available in Nomad Enterprise",
        ),
    ),
)
