"""Reads the settings: environment over `.env` over defaults, every problem told at once, every value's origin known."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from desired.errors import UsageError
from nomad_operator.settings import PREFIX, Memory, Settings
from nomad_operator.settings_values import expand_user, unreadable

ENVIRONMENT = "environment"
DOTENV = ".env"
DEFAULT = "default"

# What is written by the operator itself, or by others only later, need not be there.
READ_AT_START = frozenset({
    "nomad_token_file", "nomad_cacert", "nomad_client_cert", "nomad_client_key", "git_token_file", "git_ssh_key_file",
    "git_known_hosts_file", "vault_cacert", "consul_cacert",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and, by field name, where each value came from: `environment`, `.env` or `default`."""

    settings: Settings
    origins: Mapping[str, str]


def load(*, env_file: Path | None = Path(DOTENV), required: Collection[str] = ()) -> Loaded:
    """Read everything; UsageError names all problems, one a line. `required` are fields that must be set.

    A blank value counts as not set, so that a template which renders to nothing falls back to the default.
    """
    loaded, problems = read(env_file=env_file, required=required)
    if problems:
        raise UsageError("\n".join(problems), hint="`nomad-operator settings --defaults` explains every setting")
    return loaded


def read(*, env_file: Path | None = Path(DOTENV), required: Collection[str] = ()) -> tuple[Loaded, list[str]]:
    """The same with all problems beside it: what is wrong has its default."""
    names = {_name(field, info): field for field, info in Settings.model_fields.items()}
    written, problems = _written(env_file, names)
    environment = EnvSettingsSource(Settings, case_sensitive=True, env_ignore_empty=True)()
    environment = {name: value for name, value in environment.items() if name in names and _told(value)}
    file = {name: value for name, value in written.items() if name in names and value and _told(value)}
    values = {**file, **environment}
    problems += [*_unknown(os.environ, names, ENVIRONMENT), *_unknown(written, names, str(env_file))]
    settings: Settings | None = None
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += _invalid(error, values, names)
        wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
        environment, file = (
            {name: value for name, value in told.items() if name not in wrong} for told in (environment, file)
        )
        with suppress(ValidationError):  # what only together is wrong
            settings = Settings(**{**file, **environment})
    problems += [
        f"{_name(field, Settings.model_fields[field])} is not set: {Settings.model_fields[field].description}"
        for field in required
        if _name(field, Settings.model_fields[field]) not in values
    ]
    problems += _half_a_pair(values)
    if settings is not None and settings.memory is Memory.SERVER and settings.qdrant_url is None:
        problems.append(f"{PREFIX}MEMORY is server, and QDRANT_URL is not set")
    problems += _unreadable(values, names)
    if settings is None:
        settings, environment, file = Settings(), {}, {}
    origins = {
        field: ENVIRONMENT if name in environment else DOTENV if name in file else DEFAULT
        for name, field in names.items()
    }
    for field in ("git_username", "git_token"):
        if origins[field] == DEFAULT and getattr(settings, field):
            origins[field] = origins["git_url"]
    return Loaded(settings, origins), problems


def _name(field: str, info: FieldInfo) -> str:
    return info.validation_alias if isinstance(info.validation_alias, str) else PREFIX + field.upper()


def _told(value: object) -> bool:
    return not (isinstance(value, str) and not value.strip())


def _written(env_file: Path | None, names: Collection[str]) -> tuple[Mapping[str, str | None], list[str]]:
    """What the file says, also names nobody knows, and which of its lines say nothing."""
    if env_file is None or not env_file.is_file():
        return {}, []
    try:
        lines = list(parse_stream(StringIO(env_file.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{env_file} cannot be read: {error}", hint="make it readable, or remove it") from error
    # The line itself may hold a secret.
    problems = [f"{env_file}:{line.original.line} is not NAME=value" for line in lines if line.error]
    problems += [
        f"{env_file}:{line.original.line} gives {line.key} no value: write {line.key}=value"
        for line in lines
        if line.value is None and line.key is not None and (line.key in names or line.key.startswith(PREFIX))
    ]
    readable = "".join(line.original.string for line in lines if not line.error)
    return dotenv_values(stream=StringIO(readable)), problems


def _unreadable(values: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Files that have to be there before anything is asked for."""
    problems = []
    for name, field in names.items():
        given = values.get(name)
        if field not in READ_AT_START or not isinstance(given, str):
            continue
        with suppress(ValueError):  # it is told as an invalid value
            if why := unreadable(expand_user(given)):
                problems.append(f"{name}={given} {why}")
    return problems


def _half_a_pair(values: Collection[str]) -> list[str]:
    pair = ("NOMAD_CLIENT_CERT", "NOMAD_CLIENT_KEY")
    given = [name for name in pair if name in values]
    return [f"{given[0]} is set alone: a client certificate and its key belong together"] if len(given) == 1 else []


def _unknown(given: Collection[str], names: Collection[str], where: str) -> list[str]:
    problems = []
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
            guess = f"; did you mean {near[0]}?" if near else ""
            problems.append(f"{name} ({where}) is not a setting{guess}")
    return problems


def _invalid(error: ValidationError, values: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """One line a field, in our words: pydantic's own may repeat a secret."""
    problems = []
    for one in error.errors(include_url=False, include_context=True):
        name = str(one["loc"][0]) if one["loc"] else "settings"
        field = names.get(name)
        if field is None:
            problems.append(f"{name}: {one['msg']}")
            continue
        extra = Settings.model_fields[field].json_schema_extra
        about = extra if isinstance(extra, dict) else {}
        given = str(values.get(name, ""))
        # An address with an @ in it may hold a password.
        shown = name if about.get("secret") or "@" in given else f"{name}={given}"
        cause = one.get("ctx", {}).get("error")
        if isinstance(cause, ValueError):
            problems.append(f"{shown} {cause}")
        else:
            problems.append(f"{shown}: expected {about.get('allowed') or 'another value'} {about.get('unit')}".rstrip())
    return list(dict.fromkeys(problems))
