"""The requests for one image, and the token for them: what a registry is asked, and what may not be followed.

A password leaves for the registry that it is for, or for whom that registry names to check it, and only with TLS or
where the registry itself is asked without. Source: opencontainers/distribution-spec, spec.md ("Pulling manifests",
"Pulling blobs", "Listing Tags"); docs.docker.com, registry token authentication.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import httpx

from desired import spans
from observers.image_manifest import MANIFESTS
from observers.image_reference import ImageReference
from observers.registry_credentials import Credentials

_LARGEST = 4 * 1024 * 1024
_MOST_REDIRECTS = 3
_CHALLENGE = re.compile(r'([A-Za-z]{1,20})="([^"]{0,2000})"')
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class NotToBeHad(Exception):
    """The registry does not say it, or says something that does not hold; nothing to wait for."""


class Asking:
    """The token of the first request is used for the rest."""

    def __init__(
        self, http: httpx.AsyncClient, wanted: ImageReference, scheme: str, credentials: Credentials | None = None
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._wanted = wanted
        self._home = httpx.URL(f"{scheme}://{wanted.registry}/v2/{wanted.repository}/")
        self._headers = {"Accept": ", ".join((*MANIFESTS, "application/json", "*/*;q=0.1"))}

    async def json(self, path: str, digest: str) -> dict[str, Any]:
        """`digest` is what the answer must have where it is known: what others say of an image is not believed."""
        status, body = await self.ask("GET", path)
        if status != 200 or (digest and f"sha256:{hashlib.sha256(body).hexdigest()}" != digest):
            raise NotToBeHad
        return _mapping(body)

    async def ask(self, method: str, path: str) -> tuple[int, bytes]:
        """The status and the body. A registry that cannot answer just now is an `httpx.TransportError`."""
        url = str(self._home.join(path))
        with spans.call("registry", method, asked={"registry": self._wanted.registry, "path": path}) as told:
            status, body, challenge = await self._send(method, url, self._headers)
            if status == 401 and "Authorization" not in self._headers:
                self._headers["Authorization"] = await self._authorization(challenge)
                status, body, _ = await self._send(method, url, self._headers)
            told.answered({"status": status, "bytes": len(body)})
            if status >= 500 or status == 429:
                raise httpx.TransportError(f"{self._wanted.registry} answers {status}")
            return status, body

    async def _authorization(self, challenge: str) -> str:
        if challenge.partition(" ")[0].lower() == "basic" and self._credentials is not None:
            return self._basic(self._credentials)
        return f"Bearer {await self._token(challenge)}"

    @staticmethod
    def _basic(credentials: Credentials) -> str:
        return "Basic " + base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()

    async def _token(self, challenge: str) -> str:
        """Whatever scope the registry names, only that of reading this repository is asked for."""
        kind, _, rest = challenge.partition(" ")
        said = dict(_CHALLENGE.findall(rest))
        if kind.lower() != "bearer" or "realm" not in said:
            raise NotToBeHad
        url = httpx.URL(said["realm"])
        parameters = {"scope": f"repository:{self._wanted.repository}:pull"}
        if "service" in said:
            parameters["service"] = said["service"]
        headers = {} if self._credentials is None else {"Authorization": self._basic(self._credentials)}
        status, body, _ = await self._send("GET", str(url.copy_merge_params(parameters)), headers)
        answer = _mapping(body) if status == 200 else {}
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str):
            raise NotToBeHad
        return token

    async def _send(self, method: str, url: str, headers: dict[str, str]) -> tuple[int, bytes, str]:
        for _ in range(_MOST_REDIRECTS + 1):
            self._allowed(httpx.URL(url))
            async with self._http.stream(method, url, headers=headers) as response:
                if response.status_code in _REDIRECTS and "Location" in response.headers:
                    there = response.url.join(response.headers["Location"])
                    if there.netloc != response.url.netloc:
                        headers = {name: value for name, value in headers.items() if name != "Authorization"}
                    url = str(there)
                    continue
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > _LARGEST:
                        raise NotToBeHad
                return response.status_code, bytes(body), response.headers.get("WWW-Authenticate", "")
        raise NotToBeHad

    def _allowed(self, url: httpx.URL) -> None:
        """Nobody may be led from a registry to what answers without TLS, such as a cloud's metadata."""
        at_home = (url.scheme, url.netloc) == (self._home.scheme, self._home.netloc)
        if not at_home and url.scheme != "https":
            raise NotToBeHad


def _mapping(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotToBeHad from error
    if not isinstance(found, dict):
        raise NotToBeHad
    return found


def digest_in(digest: str | None) -> str:
    """A digest, and nothing that would lead to another path."""
    if digest is None or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise NotToBeHad
    return digest
