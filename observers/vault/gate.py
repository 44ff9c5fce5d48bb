"""The only requests that may ever leave for Vault: none of them can answer with the value of a secret.

The client has no call that reads a secret; this stands behind it, over whatever a library sends. A request that is not
in the table is a bug, and is not sent.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import requests

_PART = r"[^/?]+"
_SOME = rf"{_PART}(?:/{_PART})*"

# method, path below /v1/
_ALLOWED = (
    ("GET", r"sys/(?:health|seal-status)"),
    ("GET", rf"sys/internal/ui/mounts(?:/{_SOME})?"),
    ("POST", r"sys/capabilities-self"),
    ("GET", r"auth/token/lookup-self"),
    ("POST", r"auth/token/renew-self"),
    ("POST", rf"auth/{_SOME}/login"),
    # Names below a folder, whatever the engine is.
    ("LIST", _SOME),
)
_TABLE = tuple((method, re.compile(f"{pattern}/?")) for method, pattern in _ALLOWED)


class NeverSent(RuntimeError):
    """Something tried to send what this operator never sends."""


class VaultGate:
    """A gate for one Vault; `base_url` may have a path of its own."""

    def __init__(self, base_url: str) -> None:
        self._root = urlsplit(base_url).path.rstrip("/") + "/v1/"
        self._versioned: set[str] = set()

    def versioned(self, mount: str) -> None:
        """Vault said that this mount is a key-value store with versions: metadata and names of fields may be asked for.

        A path alone does not tell: `secret/data/metadata/x` reads the secret metadata/x, with its values.
        """
        self._versioned.add(mount)

    def __call__(self, request: requests.PreparedRequest) -> None:
        path = unquote(urlsplit(request.url or "").path)
        method = (request.method or "").upper()
        inner = path.removeprefix(self._root)
        if inner == path or {".", "..", ""} & set(inner.rstrip("/").split("/")):
            raise NeverSent(f"{method} {path} is not sent to Vault")
        if not any(method == allowed and pattern.fullmatch(inner) for allowed, pattern in _TABLE) and not (
            method == "GET" and self._only_names(inner)
        ):
            raise NeverSent(f"{method} {path} is not sent to Vault")

    def _only_names(self, inner: str) -> bool:
        return any(inner.startswith((f"{mount}/metadata/", f"{mount}/subkeys/")) for mount in self._versioned)
