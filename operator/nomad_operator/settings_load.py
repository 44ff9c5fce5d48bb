"""Reads the settings: environment over `.env` over defaults, every problem told at once, every value's origin known."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from desired.errors import UsageError
from nomad_operator.settings import PREFIX, Settings

ENVIRONMENT = "environment"
DOTENV = ".env"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and, by field name, where each value came from: `environment`, `.env` or `default`."""

    settings: Settings
    origins: Mapping[str, str]


def load(*, env_file: Path | None = Path(DOTENV), required: Collection[str] = ()) -> Loaded:
    """Read everything; UsageError names all problems, one a line. `required` are fields that must be set.

    A blank value counts as not set, so that a template which renders to nothing falls back to the default.
    """
    written = _written(env_file)
    environment = EnvSettingsSource(Settings, case_sensitive=True, env_ignore_empty=True)()
    file = _from_file(env_file) if written else {}
    names = {_name(field, info): field for field, info in Settings.model_fields.items()}
    environment = {name: value for name, value in environment.items() if name in names and _told(value)}
    file = {name: value for name, value in file.items() if name in names and _told(value)}
    values = {**file, **environment}
    problems = [*_unknown(os.environ, names, ENVIRONMENT), *_unknown(written, names, str(env_file))]
    settings: Settings | None = None
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += _invalid(error, values, names)
    problems += [
        f"{_name(field, Settings.model_fields[field])} is not set: {Settings.model_fields[field].description}"
        for field in required
        if _name(field, Settings.model_fields[field]) not in values
    ]
    problems += _half_a_pair(values)
    if problems or settings is None:
        raise UsageError("\n".join(problems), hint="`nomad-operator settings --defaults` explains every setting")
    origins = {
        field: ENVIRONMENT if name in environment else DOTENV if name in file else DEFAULT
        for name, field in names.items()
    }
    for field in ("git_username", "git_token"):
        if origins[field] == DEFAULT and getattr(settings, field):
            origins[field] = origins["git_url"]
    return Loaded(settings, origins)


def _name(field: str, info: FieldInfo) -> str:
    return info.validation_alias if isinstance(info.validation_alias, str) else PREFIX + field.upper()


def _told(value: object) -> bool:
    return not (isinstance(value, str) and not value.strip())


def _written(env_file: Path | None) -> Mapping[str, str | None]:
    """What the file says, also names nobody knows."""
    if env_file is None or not env_file.is_file():
        return {}
    try:
        return dotenv_values(env_file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{env_file} cannot be read: {error}", hint="make it readable, or remove it") from error


def _from_file(env_file: Path | None) -> dict[str, Any]:
    return DotEnvSettingsSource(Settings, env_file=env_file, case_sensitive=True, env_ignore_empty=True)()


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
