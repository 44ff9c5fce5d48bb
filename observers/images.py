"""What an image says of itself (ports, entrypoint, command, working directory, user) and whether it is there at all,
asked of its registry.

Nothing is pulled: a manifest and a configuration are a few kilobytes. No password of a job leaves for a registry; that
of `docker login` leaves for the one it is for. What is private for the operator stays unknown. Whatever goes wrong is
"not known", never an error, and a registry that could not be reached is left alone for a while: without a network
nothing waits.
"""

from __future__ import annotations

import asyncio
import difflib
import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Protocol, TypeVar

import httpx

from observers import image_manifest
from observers.evidence import ImageFacts
from observers.failures.near import near
from observers.image_reference import ImageReference, reference
from observers.registry_credentials import Credentials
from observers.registry_requests import Asking, NotToBeHad, digest_in

T = TypeVar("T")
_DEADLINE = timedelta(seconds=3)
# A tag may be moved; a registry may come back.
_TAG_LASTS = timedelta(minutes=10)
# Who pushes what was missing wants to see that it was heard.
_GONE_LASTS = timedelta(seconds=50)
_AWAY_LASTS = timedelta(minutes=5)
_MOST_KEPT = 512
_MOST_NEAR = 3


class KnownToRegistries(Protocol):
    """Who the operator is to a registry."""

    def of(self, registry: str) -> Credentials | None: ...


@dataclass(frozen=True, slots=True)
class ImageStanding:
    """`there` is None where it is not known. `near` are tags that resemble the one that is not there."""

    there: bool | None = None
    near: tuple[str, ...] = ()


class ImageRegistries:
    """Asks any registry; at most five requests for an image that is not known yet, and three redirects each.

    Safe to use from many tasks of one event loop. `aclose` it at the end.
    """

    def __init__(
        self,
        *,
        insecure: Collection[str] = (),
        credentials: KnownToRegistries | None = None,
        deadline: timedelta = _DEADLINE,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`insecure` are registries (`host:port`) that are asked without TLS, as those on the loopback always are."""
        self._insecure = frozenset(insecure)
        self._credentials = credentials
        self._deadline = deadline
        self._clock = clock
        self._http = httpx.AsyncClient(
            transport=transport, timeout=deadline.total_seconds(), headers={"User-Agent": "nomad-operator"}
        )
        self._known: OrderedDict[tuple[str, str], tuple[float, ImageFacts | None]] = OrderedDict()
        self._standings: OrderedDict[str, tuple[float, ImageStanding]] = OrderedDict()
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
        try:
            found = await self._in_time(wanted, self._ask(wanted, image, platform))
        except _AwayError:
            return None
        lasts = float("inf") if wanted.pinned and found is not None else now + _TAG_LASTS.total_seconds()
        self._known[image, platform] = (lasts, found)
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        return found

    async def standing(self, image: str) -> ImageStanding:
        """Whether the tag or digest is there. That it is not is believed only of a registry that lets its list of the
        image's tags be read: others answer the same about what they hide. At most five requests."""
        wanted = reference(image)
        if wanted is None:
            return ImageStanding()
        now = self._clock()
        held = self._standings.get(image)
        if held is not None and now < held[0]:
            return held[1]
        try:
            found = await self._in_time(wanted, self._ask_standing(wanted)) or ImageStanding()
        except _AwayError:
            # What was not there is not there because nobody can tell any more.
            return held[1] if held is not None else ImageStanding()
        lasts = (_GONE_LASTS if found.there is False else _TAG_LASTS).total_seconds()
        self._standings[image] = (float("inf") if wanted.pinned and found.there else now + lasts, found)
        if len(self._standings) > _MOST_KEPT:
            self._standings.popitem(last=False)
        return found

    async def _in_time(self, wanted: ImageReference, work: Coroutine[Any, Any, T]) -> T | None:
        """None where the registry does not say it."""
        now = self._clock()
        if now < self._away.get(wanted.registry, 0.0):
            work.close()
            raise _AwayError
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                return await work
        except NotToBeHad:
            return None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            self._away[wanted.registry] = now + _AWAY_LASTS.total_seconds()
            raise _AwayError from error

    async def _ask_standing(self, wanted: ImageReference) -> ImageStanding:
        asking = self._asking(wanted)
        status, _ = await asking.ask("HEAD", f"manifests/{wanted.version}")
        if status == 200:
            return ImageStanding(there=True)
        if status != 404:
            return ImageStanding()
        status, body = await asking.ask("GET", "tags/list")
        tags = _tags(body) if status == 200 else None
        if tags is None or wanted.version in tags:
            return ImageStanding()
        return ImageStanding(there=False, near=() if wanted.pinned else _like(wanted.version, tags))

    async def _ask(self, wanted: ImageReference, image: str, platform: str) -> ImageFacts:
        asking = self._asking(wanted)
        manifest = await asking.json(f"manifests/{wanted.version}", wanted.version if wanted.pinned else "")
        if image_manifest.is_index(manifest):
            digest = image_manifest.for_platform(manifest, platform)
            manifest = await asking.json(f"manifests/{digest_in(digest)}", digest_in(digest))
        digest = digest_in(image_manifest.configuration(manifest))
        return image_manifest.facts(image, await asking.json(f"blobs/{digest}", digest))

    def _asking(self, wanted: ImageReference) -> Asking:
        plain = wanted.loopback or wanted.registry in self._insecure
        credentials = self._credentials.of(wanted.registry) if self._credentials is not None else None
        return Asking(self._http, wanted, "http" if plain else "https", credentials)


class _AwayError(Exception):
    """The registry cannot be reached."""


def _like(tag: str, tags: Sequence[str]) -> tuple[str, ...]:
    """Tags that people may have meant; of versions only other numbers are near."""
    return near(tag, tags) or tuple(difflib.get_close_matches(tag, sorted(tags), n=_MOST_NEAR, cutoff=0.6))


def _tags(body: bytes) -> tuple[str, ...] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    tags = told.get("tags") if isinstance(told, dict) else None
    return tuple(str(tag) for tag in tags) if isinstance(tags, list) else None
