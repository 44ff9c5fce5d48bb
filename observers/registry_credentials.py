"""Who the operator is to a registry: what `docker login` has written, in the folder that DOCKER_CONFIG names.

Only what stands in the file itself is used: no helper is run. It is read again when it changes.
Source: github.com/docker/cli, cli/config/configfile and types.AuthConfig.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What Docker Hub is called there, and where it answers.
_HUB = ("https://index.docker.io/v1/", "index.docker.io", "docker.io")
_HUB_ANSWERS_AT = "registry-1.docker.io"
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and its password, for one registry."""

    username: str
    password: str = field(repr=False)


class RegistryCredentials:
    """`folder` holds `config.json`; None knows nobody. What cannot be read is no credentials, never an error."""

    def __init__(self, *, folder: Path | None) -> None:
        self._file = folder / "config.json" if folder is not None else None
        self._read: tuple[float, Mapping[str, Credentials]] | None = None

    def of(self, registry: str) -> Credentials | None:
        """Of the host, with its port, that answers for images."""
        known = self._known()
        names = _HUB if registry == _HUB_ANSWERS_AT else (registry, f"https://{registry}", f"http://{registry}")
        return next((known[name] for name in names if name in known), None)

    def _known(self) -> Mapping[str, Credentials]:
        if self._file is None:
            return {}
        try:
            about = self._file.stat()
            if self._read is not None and self._read[0] == about.st_mtime:
                return self._read[1]
            told = json.loads(self._file.read_text()) if about.st_size <= _LARGEST else None
        except (OSError, ValueError, RecursionError):
            return {}
        found = _credentials(told)
        self._read = (about.st_mtime, found)
        return found


def _credentials(told: Any) -> Mapping[str, Credentials]:
    auths = told.get("auths") if isinstance(told, Mapping) else None
    if not isinstance(auths, Mapping):
        return {}
    found = {}
    for registry, entry in auths.items():
        if isinstance(entry, Mapping) and (one := _entry(entry)) is not None:
            found[registry if registry in _HUB else registry.rstrip("/")] = one
    return found


def _entry(entry: Mapping[str, Any]) -> Credentials | None:
    auth, name, password = entry.get("auth"), entry.get("username"), entry.get("password")
    if isinstance(auth, str) and auth:
        try:
            name, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
    if not isinstance(name, str) or not isinstance(password, str) or not name or not password:
        return None
    return Credentials(name, password.rstrip("\0"))
