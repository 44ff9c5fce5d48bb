"""Objects to images that their registry does not have: the tag or digest would be looked for by every node, in vain.

A registry that cannot be asked, or hides what it has, says nothing. What may be on the nodes all the same is only told:
an image that the app has run with, and one without a registry's name, which people load or build there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from desired.app import AppKey
from desired.objection import Objection
from desired.reasons import Reason
from desired.secret_reads import tasks_of
from desired.state import JobBody
from observers.image_reference import reference
from observers.images import ImageStanding

RULE = "image-missing"
_CONTAINERS = frozenset({"docker", "podman"})
_MOST_IMAGES = 16


class Registries(Protocol):
    """Who knows whether an image is there."""

    async def standing(self, image: str) -> ImageStanding: ...


class ImageExaminer:
    """`ran_with` are the images that an app has run with: nodes may hold them when a registry has lost them."""

    def __init__(self, *, registries: Registries, ran_with: Callable[[AppKey], Collection[str]]) -> None:
        self._registries = registries
        self._ran_with = ran_with

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        named = list(_named(body))[:_MOST_IMAGES]
        images = list(dict.fromkeys(image for _, image, _ in named))
        standings = dict(zip(images, await asyncio.gather(*map(self._registries.standing, images)), strict=True))
        missing = [one for one in named if standings[one[1]].there is False]
        ran_with = self._ran_with(key) if missing else ()
        return tuple(
            _objection(where, image, standings[image], warning=image in ran_with or _may_be_on_the_node(config))
            for where, image, config in missing
        )


def images_of(body: JobBody) -> frozenset[str]:
    """What its containers are made of."""
    return frozenset(image for _, image, _ in _named(body))


def _named(body: JobBody) -> Iterator[tuple[tuple[str, str], str, Mapping[str, Any]]]:
    for group, task in tasks_of(body):
        config = task.get("Config")
        image = config.get("image") if isinstance(config, Mapping) else None
        if task.get("Driver") in _CONTAINERS and isinstance(image, str) and image and "${" not in image:
            yield (group, str(task.get("Name") or "")), image, config if isinstance(config, Mapping) else {}


def _may_be_on_the_node(config: Mapping[str, Any]) -> bool:
    """Docker asks no registry for what is there already, unless it is told to, or the tag is the one that moves.

    Source: nomad/drivers/docker/driver.go, createImage.
    """
    image = str(config.get("image") or "").removeprefix("https://")
    first, slash, _ = image.partition("/")
    hosted = bool(slash) and ("." in first or ":" in first or first == "localhost")
    wanted = reference(image)
    moves = wanted is not None and wanted.version == "latest"
    return not hosted and not moves and config.get("force_pull") is not True


def _objection(where: tuple[str, str], image: str, standing: ImageStanding, *, warning: bool) -> Objection:
    wanted = reference(image)
    registry = wanted.registry if wanted is not None else "the registry"
    such = f", such as {' or '.join(standing.near)}" if standing.near else ""
    return Objection(
        RULE,
        f"{'/'.join(where)}: {registry} has no image {image}",
        f"push it there, or name a tag that is there{such}",
        ("group", where[0], "task", where[1], "config", "image"),
        warning=warning,
        reason=Reason.IMAGE_MISSING,
    )
