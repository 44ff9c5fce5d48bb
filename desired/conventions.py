"""What a cluster's people agreed on, as JSON in Consul: where secrets are, how hosts are named. All of it is optional.

The text comes from outside: what is wrong in it is told, and the rest of it still holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

KEY = "config/nomad-agent/conventions"
_APP = "{app_name}"
_SOURCES = ("fixed", "consul", "vault", "nomad")


@dataclass(frozen=True, slots=True)
class SecretMapping:
    """Where the secret of a variable is: `path` as people wrote it (see `Conventions.secret`), `key` its field."""

    path: str
    key: str


@dataclass(frozen=True, slots=True)
class SourceRule:
    """A row before those of `desired.variable_sources`: names by shell pattern, and where their value comes from.

    `value` is the fixed text, the key or the path#field; `{app_name}` and `{name}` (in small letters) stand in it.
    """

    pattern: str
    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Conventions:
    """Nothing agreed on: as if there were none."""

    path_patterns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    mappings: Mapping[str, SecretMapping] = field(default_factory=lambda: MappingProxyType({}))
    rules: tuple[SourceRule, ...] = ()
    fabio_port: int | None = None
    hostname_suffix: str = ""

    def secret(self, variable: str, app: str) -> str | None:
        """`path#field` of a variable's secret, None where nothing is agreed on.

        A mapping's path is the name of a pattern, a whole path where it has a "/", or else the last part of the path
        of the app's own secrets.
        """
        mapping = self.mappings.get(variable)
        if mapping is None:
            return None
        path = self.path_patterns.get(mapping.path) or (
            mapping.path if "/" in mapping.path else f"secret/data/{_APP}/{mapping.path}"
        )
        return f"{path.replace(_APP, app)}#{mapping.key}"


def conventions(text: str) -> tuple[Conventions, tuple[str, ...]]:
    """The conventions in a text of JSON, and what in it was not understood, each in a sentence without values."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Conventions(), (f"not JSON: {error}",)
    if not isinstance(given, dict):
        return Conventions(), ("not a JSON object",)
    problems: list[str] = []
    vault, fabio = (_object(given, name, name, problems) for name in ("vault", "fabio"))
    patterns = {
        name: value
        for name, value in _object(vault, "path_patterns", "vault.path_patterns", problems).items()
        if _is(isinstance(value, str) and bool(value), f"vault.path_patterns.{name} is not a path", problems)
    }
    mappings = dict(_mappings(_object(vault, "env_var_mappings", "vault.env_var_mappings", problems), problems))
    port, suffix = fabio.get("default_port"), fabio.get("hostname_suffix", "")
    port_known = port is None or (type(port) is int and 0 < port < 65536)
    _is(port_known, "fabio.default_port is not a port", problems)
    _is(isinstance(suffix, str), "fabio.hostname_suffix is not a text", problems)
    return (
        Conventions(
            path_patterns=MappingProxyType(patterns),
            mappings=MappingProxyType(mappings),
            rules=tuple(_rules(given.get("env_var_sources", []), problems)),
            fabio_port=port if port_known else None,
            hostname_suffix=suffix if isinstance(suffix, str) else "",
        ),
        tuple(problems),
    )


def _mappings(given: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, SecretMapping]]:
    for name, value in given.items():
        path, key = (value.get("path"), value.get("key")) if isinstance(value, dict) else (None, None)
        where = f"vault.env_var_mappings.{name}"
        if isinstance(path, str) and isinstance(key, str) and path and key:
            yield name, SecretMapping(path=path, key=key)
        else:
            problems.append(f"{where} has no path and key")


def _rules(given: object, problems: list[str]) -> Iterator[SourceRule]:
    for index, row in enumerate(given if isinstance(given, list) else [given]):
        cells = [row.get(name) for name in ("pattern", "source", "value")] if isinstance(row, dict) else []
        texts = [cell for cell in cells if isinstance(cell, str) and cell]
        if len(texts) == 3 and texts[1] in _SOURCES:
            yield SourceRule(*texts)
        else:
            problems.append(f"env_var_sources[{index}] needs pattern, source ({', '.join(_SOURCES)}) and value")


def _object(given: Mapping[str, Any], name: str, where: str, problems: list[str]) -> Mapping[str, Any]:
    value = given.get(name, {})
    return value if _is(isinstance(value, dict), f"{where} is not an object", problems) else {}


def _is(right: bool, otherwise: str, problems: list[str]) -> bool:
    if not right:
        problems.append(otherwise)
    return right
