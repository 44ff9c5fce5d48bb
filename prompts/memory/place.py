"""Where Qdrant keeps the notes: a folder of our own, or a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """Qdrant inside this process. One process at a time can have it open."""

    path: Path

    @property
    def shown(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Server:
    """`url` holds no credentials."""

    url: str
    api_key: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        return self.url


Place = Folder | Server
