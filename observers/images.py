"""What an image says of itself, asked of its registry: ports, entrypoint, command, working directory, user.

Nothing is pulled: a manifest and a configuration are a few kilobytes. It is asked as anybody could ask: no password of
a job or of this process leaves for a registry, so what is private stays unknown. Whatever goes wrong is "not known",
never an error, and a registry that could not be reached is left alone for a while: without a network nothing waits.
Source: opencontainers/distribution-spec, spec.md ("Pulling manifests", "Pulling blobs"); docs.docker.com, registry
token authentication.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import timedelta
from time import monotonic
from typing import Any

import httpx

from observers import image_manifest
from observers.evidence import ImageFacts
from observers.image_manifest import MANIFESTS
from observers.image_reference import ImageReference, reference

_DEADLINE = timedelta(seconds=3)
# A tag may be moved; a registry may come back.
_TAG_LASTS = timedelta(minutes=10)
_AWAY_LASTS = timedelta(minutes=5)
_MOST_KEPT = 512
_LARGEST = 4 * 1024 * 1024
_MOST_REDIRECTS = 3
_CHALLENGE = re.compile(r'([A-Za-z]{1,20})="([^"]{0,2000})"')
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _NotToBeHad(Exception):
    """The registry does not say it, or says something that does not hold; nothing to wait for."""


class ImageRegistries:
    """Asks any registry; at most five requests for an image that is not known yet, and three redirects each.

    Safe to use from many tasks of one event loop. `aclose` it at the end.
    """

    def __init__(
        self,
        *,
        insecure: Collection[str] = (),
        deadline: timedelta = _DEADLINE,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`insecure` are registries (`host:port`) that are asked without TLS, as those on the loopback always are."""
        self._insecure = frozenset(insecure)
        self._deadline = deadline
        self._clock = clock
        self._http = httpx.AsyncClient(
            transport=transport, timeout=deadline.total_seconds(), headers={"User-Agent": "nomad-operator"}
        )
        self._known: OrderedDict[tuple[str, str], tuple[float, ImageFacts | None]] = OrderedDict()
        self._away: dict[str, float] = {}

    async def aclose(self) -> None:
        await self._http.aclose()

    async def facts(self, image: str, *, platform: str = "linux/amd64") -> ImageFacts | None:
        """None where it is not known: no reference, no network, private, not there, or none for the platform."""
        wanted = reference(image)
        if wanted is None:
            return None
        now = self._clock()
        held = self._known.get((image, platform))
        if held is not None and now < held[0]:
            return held[1]
        if now < self._away.get(wanted.registry, 0.0):
            return None
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                found: ImageFacts | None = await self._ask(wanted, image, platform)
        except _NotToBeHad:
            found = None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            self._away[wanted.registry] = now + _AWAY_LASTS.total_seconds()
            return None
        lasts = float("inf") if wanted.pinned and found is not None else now + _TAG_LASTS.total_seconds()
        self._known[image, platform] = (lasts, found)
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        return found

    async def _ask(self, wanted: ImageReference, image: str, platform: str) -> ImageFacts:
        asking = _Asking(self._http, wanted, "http" if wanted.loopback or self._plain(wanted) else "https")
        manifest = await asking.json(f"manifests/{wanted.version}", wanted.version if wanted.pinned else "")
        if image_manifest.is_index(manifest):
            digest = image_manifest.for_platform(manifest, platform)
            manifest = await asking.json(f"manifests/{_there(digest)}", _there(digest))
        digest = _there(image_manifest.configuration(manifest))
        return image_manifest.facts(image, await asking.json(f"blobs/{digest}", digest))

    def _plain(self, wanted: ImageReference) -> bool:
        return wanted.registry in self._insecure


class _Asking:
    """The requests for one image; the token of the first is used for the rest."""

    def __init__(self, http: httpx.AsyncClient, wanted: ImageReference, scheme: str) -> None:
        self._http = http
        self._wanted = wanted
        self._home = httpx.URL(f"{scheme}://{wanted.registry}/v2/{wanted.repository}/")
        self._headers = {"Accept": ", ".join((*MANIFESTS, "application/json", "*/*;q=0.1"))}

    async def json(self, path: str, digest: str) -> dict[str, Any]:
        """`digest` is what the answer must have where it is known: what others say of an image is not believed."""
        url = str(self._home.join(path))
        status, body, challenge = await self._get(url, self._headers)
        if status == 401 and "Authorization" not in self._headers:
            self._headers["Authorization"] = f"Bearer {await self._token(challenge)}"
            status, body, _ = await self._get(url, self._headers)
        if status >= 500 or status == 429:
            raise httpx.TransportError(f"{self._wanted.registry} answers {status}")
        if status != 200 or (digest and f"sha256:{hashlib.sha256(body).hexdigest()}" != digest):
            raise _NotToBeHad
        return _mapping(body)

    async def _token(self, challenge: str) -> str:
        """Whatever scope the registry names, only that of reading this repository is asked for."""
        kind, _, rest = challenge.partition(" ")
        said = dict(_CHALLENGE.findall(rest))
        if kind.lower() != "bearer" or "realm" not in said:
            raise _NotToBeHad
        url = httpx.URL(said["realm"])
        parameters = {"scope": f"repository:{self._wanted.repository}:pull"}
        if "service" in said:
            parameters["service"] = said["service"]
        status, body, _ = await self._get(str(url.copy_merge_params(parameters)), {})
        answer = _mapping(body) if status == 200 else {}
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str):
            raise _NotToBeHad
        return token

    async def _get(self, url: str, headers: dict[str, str]) -> tuple[int, bytes, str]:
        for _ in range(_MOST_REDIRECTS + 1):
            self._allowed(httpx.URL(url))
            async with self._http.stream("GET", url, headers=headers) as response:
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
                        raise _NotToBeHad
                return response.status_code, bytes(body), response.headers.get("WWW-Authenticate", "")
        raise _NotToBeHad

    def _allowed(self, url: httpx.URL) -> None:
        """Nobody may be led from a registry to what answers without TLS, such as a cloud's metadata."""
        at_home = (url.scheme, url.netloc) == (self._home.scheme, self._home.netloc)
        if not at_home and url.scheme != "https":
            raise _NotToBeHad


def _mapping(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _NotToBeHad from error
    if not isinstance(found, dict):
        raise _NotToBeHad
    return found


def _there(digest: str | None) -> str:
    """A digest, and nothing that would lead to another path."""
    if digest is None or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise _NotToBeHad
    return digest
