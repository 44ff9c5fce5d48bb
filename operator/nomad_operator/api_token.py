"""The bearer token of the daemon's API: given, or made at first start and kept in a file only its user can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from desired.errors import StateUnusable
from nomad_operator.settings import Settings


def token_of_daemon(settings: Settings) -> SecretStr:
    """The token in force; makes one and its file (mode 0600) where there is none. Safe to repeat."""
    known = _known(settings)
    return known if known is not None else _make(settings.token_file)


def token_of_command(settings: Settings) -> SecretStr | None:
    """The token a command may use; None where none was given and no daemon of this machine has made one.

    StateUnusable if there is a file that this user may not read, or none where the settings name one.
    """
    known = _known(settings)
    if known is None and settings.api_token_file is not None:
        raise StateUnusable(
            f"there is no API token in {settings.api_token_file}",
            hint="NOMAD_OPERATOR_API_TOKEN_FILE names that file; the daemon makes it at its first start",
        )
    return known


def token_for_reading(settings: Settings) -> SecretStr | None:
    """What a command that only reads may show the daemon; None where there is nothing: most daemons want nothing."""
    if settings.read_token is not None:
        return settings.read_token
    try:
        return token_of_command(settings)
    except StateUnusable:
        return None


def _known(settings: Settings) -> SecretStr | None:
    if settings.api_token is not None:
        return settings.api_token
    try:
        token = settings.token_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StateUnusable(
            f"the API token in {settings.token_file} cannot be read: {error}",
            hint="run the command as the daemon's user, or set NOMAD_OPERATOR_API_TOKEN",
        ) from error
    return SecretStr(token) if token else None


def _make(path: Path) -> SecretStr:
    token = secrets.token_urlsafe(32)
    written = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        written.unlink(missing_ok=True)
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
        written.replace(path)
    except OSError as error:
        raise StateUnusable(
            f"the API token cannot be written to {path}: {error.strerror or error}",
            hint="make its folder writable, or set NOMAD_OPERATOR_API_TOKEN",
        ) from error
    return SecretStr(token)
