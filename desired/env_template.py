"""What a task's environment looks up when the task starts: one template, in consul-template's language.

A missing path is waited for. A missing field has to fail the task: an empty password is worse than none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Protocol

from desired.job.spec import Template
from desired.manifest import EnvValue

_ENV_FILE = "${NOMAD_SECRETS_DIR}/app.env"
_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9][A-Za-z0-9-]*)(?:\.(host|port))?\}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What begins with a capital may be one of a Nomad variable's own methods: Keys, Metadata, …
_FIELD_OF_VARIABLE = re.compile(r"[a-z_][A-Za-z0-9_]*")


def env_templates(env: Mapping[str, EnvValue]) -> tuple[Template, ...]:
    """One file for everything that is looked up when the task starts."""
    lines = [line for name, value in env.items() if (line := _line(name, value))]
    if not lines:
        return ()
    return (Template(data="".join(lines), destination=_ENV_FILE, env=True, error_on_missing_key=True),)


def _line(name: str, value: EnvValue) -> str:
    """A line of the file, "" for what is not looked up."""
    if value.service is not None:
        return _of_services(name, value.service)
    expression = looked_up(value, " | toJSON")
    return f"{name}={expression}\n" if expression else ""


class LookedUp(Protocol):
    """What names one place: a variable of the environment, or a file."""

    @property
    def consul(self) -> str | None: ...
    @property
    def vault(self) -> str | None: ...
    @property
    def nomad(self) -> str | None: ...


def looked_up(value: LookedUp, filter: str = "") -> str | None:
    """The expression for a value of Consul, Vault or Nomad; None where it is from none of them.

    In a file of variables it goes through toJSON: a value with a quote, a `#` or a line break stays one value.
    """
    if value.consul is not None:
        return f"{{{{ key {_quoted(value.consul)}{filter} }}}}"
    if value.vault is not None:
        path, _, name = value.vault.partition("#")
        # Version 2 of the key-value engine has the fields one level deeper, and `data` in its paths.
        data = ".Data.data" if "/data/" in path else ".Data"
        return _with(f"secret {_quoted(path)}", _of_secret(data, path, name, filter))
    if value.nomad is not None:
        path, _, name = value.nomad.partition("#")
        return _with(f"nomadVar {_quoted(path)}", _of_variable(path, name, filter))
    return None


# A field by its name is an error where it is missing (`error_on_missing_key`). `index` finds nothing in silence, and so
# says it itself. Source: text/template; consul-template has all of sprig's functions, as sprig_….


def _of_secret(data: str, path: str, name: str, filter: str) -> str:
    if _FIELD.fullmatch(name):
        return f"{{{{ {data}.{name}{filter} }}}}"
    key = _quoted(name)
    return _unless(f"(sprig_hasKey {data} {key})", path, name) + f"{{{{ index {data} {key}{filter} }}}}"


def _of_variable(path: str, name: str, filter: str) -> str:
    if _FIELD_OF_VARIABLE.fullmatch(name):
        return f"{{{{ .{name}.Value{filter} }}}}"
    # What is not there is an item without a key, and not nothing.
    return _with(f"index . {_quoted(name)}", _unless(".Key", path, name) + f"{{{{ .Value{filter} }}}}")


# While nobody offers a service there is no line: the app is without the variable, which it can tell, and not with half
# an address. One instance is chosen by the allocation's id, always the same while it is there.
# Source: consul-template's nomadService with a count and a hash.


def _of_services(name: str, text: str) -> str:
    services = list(dict.fromkeys(match[1] for match in _PLACEHOLDER.finditer(text)))
    chosen = {service: f"$s{number}" for number, service in enumerate(services)}
    pattern, values, end = "", [], 0
    for match in _PLACEHOLDER.finditer(text):
        host, port = f"{chosen[match[1]]}.Address", f"{chosen[match[1]]}.Port"
        verb, asked = {"host": ("%s", [host]), "port": ("%d", [port])}.get(match[2] or "", ("%s:%d", [host, port]))
        pattern += text[end : match.start()].replace("%", "%%") + verb
        values += asked
        end = match.end()
    pattern += text[end:].replace("%", "%%")
    line = f"{name}={{{{ printf {_quoted(pattern)} {' '.join(values)} | toJSON }}}}\n"
    for service, variable in reversed(chosen.items()):
        one = f'nomadService 1 (env "NOMAD_ALLOC_ID") {_quoted(service)}'
        line = _with(one, f"{{{{ {variable} := index . 0 }}}}{line}")
    return line


def _with(what: str, inside: str) -> str:
    return f"{{{{ with {what} }}}}{inside}{{{{ end }}}}"


def _unless(there: str, path: str, name: str) -> str:
    return f"{{{{ if not {there} }}}}{{{{ sprig_fail {_quoted(f'{path} has no {name}')} }}}}{{{{ end }}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
