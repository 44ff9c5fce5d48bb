"""Where an image is to be asked for, from the reference that a job holds. Pure.

Source: github.com/distribution/reference, normalize.go and reference.go: what a name without a host means;
nomad/drivers/docker/driver.go StartTask: `https://` in front is dropped.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_HUB = "docker.io"
# Docker Hub is called by one name and answers at another.
_ANSWERS_AT = {_HUB: "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_HOST = r"(?:[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,12}|\[[0-9A-Fa-f:]{2,39}\])(?::\d{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-{1,8})[a-z0-9]+){0,16}"
_REFERENCE = re.compile(
    rf"(?:(?P<host>{_HOST})/)?(?P<repository>{_PART}(?:/{_PART}){{0,12}})"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class ImageReference:
    """`registry` is the host, with its port, that answers for the image; `version` a tag or a digest."""

    registry: str
    repository: str
    version: str

    @property
    def pinned(self) -> bool:
        """What it names never changes."""
        return self.version.startswith("sha256:")

    @property
    def loopback(self) -> bool:
        """Whoever runs a registry there runs it without TLS, and Docker asks it so, too."""
        host = self.registry[: self.registry.find("]") + 1] or self.registry.partition(":")[0]
        try:
            return ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            return host == "localhost"


def reference(image: str) -> ImageReference | None:
    """None for what is none, or holds something that is filled in later."""
    image = image.removeprefix("https://")
    first, slash, _ = image.partition("/")
    hosted = bool(slash) and ("." in first or ":" in first or first == "localhost")
    found = _REFERENCE.fullmatch(image if hosted else f"{_HUB}/{image}") if len(image) <= _LONGEST else None
    if found is None:
        return None
    host, repository = found["host"] or _HUB, found["repository"]
    if host in _ANSWERS_AT and "/" not in repository:
        repository = f"library/{repository}"
    return ImageReference(_ANSWERS_AT.get(host, host), repository, found["digest"] or found["tag"] or "latest")
