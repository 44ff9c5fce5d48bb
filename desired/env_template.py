"""What a task's environment looks up when the task starts: one template, in consul-template's language.

A missing path is waited for. A missing field has to fail the task: an empty password is worse than none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from desired.job.spec import Template
from desired.manifest import EnvValue

_ENV_FILE = "${NOMAD_SECRETS_DIR}/app.env"
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What begins with a capital may be one of a Nomad variable's own methods: Keys, Metadata, …
_FIELD_OF_VARIABLE = re.compile(r"[a-z_][A-Za-z0-9_]*")


def env_templates(env: Mapping[str, EnvValue]) -> tuple[Template, ...]:
    """One file for everything that is looked up when the task starts."""
    lines = [f"{name}={expression}\n" for name, value in env.items() if (expression := _expression(value))]
    if not lines:
        return ()
    return (Template(data="".join(lines), destination=_ENV_FILE, env=True, error_on_missing_key=True),)


def _expression(value: EnvValue) -> str | None:
    """Through toJSON: a value with a quote, a `#` or a line break stays one value."""
    if value.consul is not None:
        return f"{{{{ key {_quoted(value.consul)} | toJSON }}}}"
    if value.vault is not None:
        path, _, name = value.vault.partition("#")
        # Version 2 of the key-value engine has the fields one level deeper, and `data` in its paths.
        data = ".Data.data" if "/data/" in path else ".Data"
        return _with(f"secret {_quoted(path)}", _of_secret(data, path, name))
    if value.nomad is not None:
        path, _, name = value.nomad.partition("#")
        return _with(f"nomadVar {_quoted(path)}", _of_variable(path, name))
    return None


# A field by its name is an error where it is missing (`error_on_missing_key`). `index` finds nothing in silence, and so
# says it itself. Source: text/template; consul-template has all of sprig's functions, as sprig_….


def _of_secret(data: str, path: str, name: str) -> str:
    if _FIELD.fullmatch(name):
        return f"{{{{ {data}.{name} | toJSON }}}}"
    key = _quoted(name)
    return _unless(f"(sprig_hasKey {data} {key})", path, name) + f"{{{{ index {data} {key} | toJSON }}}}"


def _of_variable(path: str, name: str) -> str:
    if _FIELD_OF_VARIABLE.fullmatch(name):
        return f"{{{{ .{name}.Value | toJSON }}}}"
    # What is not there is an item without a key, and not nothing.
    return _with(f"index . {_quoted(name)}", _unless(".Key", path, name) + "{{ .Value | toJSON }}")


def _with(what: str, inside: str) -> str:
    return f"{{{{ with {what} }}}}{inside}{{{{ end }}}}"


def _unless(there: str, path: str, name: str) -> str:
    return f"{{{{ if not {there} }}}}{{{{ sprig_fail {_quoted(f'{path} has no {name}')} }}}}{{{{ end }}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
