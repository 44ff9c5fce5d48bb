"""What a registry answers about an image, read: which manifest is the one, and what its configuration says. Pure.

Source: opencontainers/image-spec, manifest.md, image-index.md and config.md; Docker's own kinds have the same fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from observers.evidence import ImageFacts

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_MOST_PORTS = 32
_MOST_WORDS = 64


def for_platform(index: Mapping[str, Any], platform: str) -> str | None:
    """The digest of the manifest for a platform (`linux/amd64`), or of the only one there is, or None."""
    found = [one for one in _parts(index.get("manifests")) if _runs(one)]
    for one in found:
        if _platform(_part(one.get("platform"))) == platform:
            return _digest(one)
    return _digest(found[0]) if len(found) == 1 else None


def is_index(manifest: Mapping[str, Any]) -> bool:
    return isinstance(manifest.get("manifests"), list)


def configuration(manifest: Mapping[str, Any]) -> str | None:
    """The digest of the image's configuration; None where there is none: a manifest of schema 1, an artifact."""
    return _digest(_part(manifest.get("config")))


def facts(image: str, said: Mapping[str, Any]) -> ImageFacts:
    """What the configuration says. Its environment is left where it is: it may hold a secret, and nobody needs it."""
    config = _part(said.get("config"))
    return ImageFacts(
        image=image,
        ports=tuple(sorted(filter(None, map(_tcp, _part(config.get("ExposedPorts")))))[:_MOST_PORTS]),
        entrypoint=_words(config.get("Entrypoint")),
        command=_words(config.get("Cmd")),
        working_dir=_text(config.get("WorkingDir")),
        user=_text(config.get("User")),
        platform=_platform(said),
    )


def _runs(one: Mapping[str, Any]) -> bool:
    """Signatures and the like are listed for a platform that is `unknown`."""
    return _part(one.get("platform")).get("os") != "unknown"


def _platform(said: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (_text(said.get("os")), _text(said.get("architecture")))))


def _tcp(port: str) -> int:
    number, _, protocol = port.partition("/")
    return int(number) if number.isdecimal() and len(number) <= 5 and protocol in ("", "tcp") else 0


def _digest(holder: Mapping[str, Any]) -> str | None:
    return _text(holder.get("digest")) or None


def _words(value: Any) -> tuple[str, ...]:
    return tuple(str(word) for word in value[:_MOST_WORDS]) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _part(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _parts(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
