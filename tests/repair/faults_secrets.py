"""Family F: templates, and what they read."""

from __future__ import annotations

from collections.abc import Callable

from tests.repair.case import End
from tests.repair.fault import F, Fault
from tests.repair.shapes import Broken

_TEXT = ("*/Templates/*/EmbeddedTmpl",)


def _template(number: int, old: str, new: str, **declared: str) -> Callable[[Broken], None]:
    """`declared`: what rendering ends with, as the world says it."""

    def breaks(one: Broken) -> None:
        one.template(number, old, new)
        if declared:
            one.world["templates"] = [declared]

    return breaks


def _not_env(one: Broken) -> None:
    one.task["Templates"][0]["Envvars"] = False


def _no_vault(one: Broken) -> None:
    one.task["Vault"] = None


def _vault_off(one: Broken) -> None:
    one.world["vault"] = False


def _escapes(one: Broken) -> None:
    one.task["Templates"][0]["DestPath"] = "../../../etc/app.env"


FAULTS = (
    Fault("variable-path-misspelt", _template(0, "nomad/jobs/shop", "nomad/jobs/shpo"), (F.VARIABLE_MISSING,),
          ("shop",), _TEXT, End.APPROVED),
    Fault("variable-path-nobody-can-guess", _template(0, "nomad/jobs/shop", "elsewhere/settings"),
          (F.VARIABLE_MISSING,), ("shop",), (), End.TOLD),
    Fault("variable-field-misspelt", _template(0, ".db_host", ".db_hots"),
          (F.SECRET_FIELD_MISSING, F.CRASH_CONFIG_MISSING), ("shop",), _TEXT, End.APPROVED),
    Fault("consul-key-misspelt", _template(1, "billing/endpoint", "billing/endpiont"), (F.CONSUL_KEY_MISSING,),
          ("billing",), _TEXT, End.TOLD),
    Fault("secret-without-data", _template(0, "secret/data/billing/db", "secret/billing/db"), (F.SECRET_MISSING,),
          ("billing",), _TEXT, End.TOLD),
    Fault("secret-path-misspelt", _template(0, "billing/db", "biling/db"), (F.SECRET_MISSING,), ("billing",), _TEXT,
          End.TOLD),
    Fault("vault-block-missing", _no_vault, (F.VAULT_BLOCK_MISSING,), ("billing",), ("*/Vault/*", "*/Vault"),
          End.APPROVED),
    Fault("vault-not-there", _vault_off, (F.VAULT_NOT_ENABLED, F.VAULT_NOT_ON_NODE), ("billing",), (), End.TOLD,
          of_world=True),
    Fault("function-misspelt",
          _template(0, "nomadVar", "nomadVra", contains="nomadVra",
                    error='(dynamic): parse: template: :1: function "nomadVra" not defined'),
          (F.TEMPLATE_SYNTAX,), ("shop",), _TEXT, of_world=True),
    Fault("block-not-closed",
          _template(0, "{{ end }}\n", "", contains="nomadVar", lacks="end }}",
                    error="(dynamic): parse: template: :5: unexpected EOF"),
          (F.TEMPLATE_SYNTAX,), ("shop",), _TEXT, of_world=True),
    Fault("environment-as-yaml",
          _template(0, "DB_HOST=", "DB_HOST: ", contains="DB_HOST: ",
                    error="Template failed to read environment variables: error parsing env template "
                    '"/alloc/shop/secrets/app.env": error on line 2: missing ='),
          (F.TEMPLATE_ENV_BAD,), ("shop",), _TEXT, of_world=True),
    Fault("template-is-no-environment", _not_env, (F.CRASH_CONFIG_MISSING,), ("shop",), ("*/Envvars",), End.APPROVED),
    Fault("template-escapes", _escapes, (F.TEMPLATE_PATH_ESCAPES,), ("shop",), (), End.TOLD),
)  # fmt: skip
