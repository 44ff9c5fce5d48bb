"""A registry that answers the OCI protocol for the images it is given, in process; asked through httpx or a socket.

Source: opencontainers/distribution-spec, spec.md; distribution/distribution, docs/spec/auth/token.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "config": {
        "User": "app",
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}, "9100": {}, "x/tcp": {}},
        "Env": ["PATH=/bin", "SECRET=abc"],
        "Entrypoint": ["/entry.sh"],
        "Cmd": ["serve", "--now"],
        "WorkingDir": "/srv",
    },
}


def digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


@dataclass
class FakeRegistry:
    """`token` is what every read needs; `blobs_at` is where blobs are really kept; `asked` are host and path."""

    host: str = "registry.example"
    token: str = ""
    realm: str = "https://auth.example/token"
    blobs_at: str = ""
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    authorized: list[tuple[str, str]] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    hides_tags: bool = False
    user: str = ""  # who alone gets a token, as a Basic header

    def image(self, name: str, config: Mapping[str, Any] = CONFIG, tag: str = "latest") -> str:
        """Put an image there; the digest of its manifest."""
        raw = json.dumps(config).encode()
        self.blobs[digest(raw)] = raw
        return self.manifest(name, tag, MANIFEST, {"config": {"digest": digest(raw), "size": len(raw)}, "layers": []})

    def index(self, name: str, *images: tuple[str, str], tag: str = "latest") -> str:
        """`images` are platforms and digests."""
        listed = [
            {"digest": each, "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True))}
            for platform, each in images
        ]
        return self.manifest(name, tag, INDEX, {"manifests": listed})

    def manifest(self, name: str, tag: str, kind: str, body: Mapping[str, Any]) -> str:
        raw = json.dumps({"schemaVersion": 2, "mediaType": kind, **body}).encode()
        self.manifests[f"{name}:{tag}"] = self.manifests[f"{name}:{digest(raw)}"] = (kind, raw)
        return digest(raw)

    def answer(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        self.asked.append(f"{url.netloc.decode()}{url.path}")
        if given := request.headers.get("Authorization"):
            self.authorized.append((url.host, given))
        if f"{url.scheme}://{url.netloc.decode()}{url.path}" == self.realm:
            self.scopes.append(url.params["scope"])
            if self.user and given != self.user:
                return httpx.Response(401, json={"errors": [{"code": "UNAUTHORIZED"}]})
            return httpx.Response(200, json={"token": self.token, "expires_in": 300})
        if self.blobs_at and str(url).startswith(self.blobs_at):
            return httpx.Response(200, content=self.blobs[url.path.rpartition("/")[2]])
        assert url.netloc.decode() == self.host, url
        if self.token and given != f"Bearer {self.token}":
            scope = 'scope="repository:everything:push"'
            challenge = f'Bearer realm="{self.realm}",service="the registry",{scope}'
            return httpx.Response(401, headers={"WWW-Authenticate": challenge}, json={"errors": []})
        if url.path.endswith("/tags/list"):
            return self._tags(url.path.removeprefix("/v2/").removesuffix("/tags/list"))
        name, _, rest = url.path.removeprefix("/v2/").rpartition("/manifests/")
        if name and f"{name}:{rest}" in self.manifests:
            kind, raw = self.manifests[f"{name}:{rest}"]
            assert kind in request.headers["Accept"]
            return httpx.Response(200, content=raw, headers={"Content-Type": kind})
        found = url.path.rpartition("/blobs/")[2]
        if found in self.blobs:
            if self.blobs_at:
                return httpx.Response(307, headers={"Location": f"{self.blobs_at}/{found}"})
            return httpx.Response(200, content=self.blobs[found])
        return httpx.Response(404, json={"errors": [{"code": "MANIFEST_UNKNOWN"}]})

    def _tags(self, name: str) -> httpx.Response:
        tags = [each.rpartition(":")[2] for each in self.manifests if each.startswith(f"{name}:")]
        tags = [tag for tag in tags if len(tag) != 64]
        if not tags or self.hides_tags:
            return httpx.Response(404, json={"errors": [{"code": "NAME_UNKNOWN"}]})
        return httpx.Response(200, json={"name": name, "tags": tags})
