"""How one path of Vault stands, as plain values: there, gone, not ours to see. Values of secrets have no place here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What became of a path. FORBIDDEN hides existence: the same is answered whether there is something or not."""

    PRESENT = "present"
    MISSING = "missing"
    DELETED = "deleted"  # its newest version was deleted or destroyed
    UNKNOWN_MOUNT = "unknown mount"
    NOT_A_STORE = "not a key-value store"
    WRONG_SHAPE = "wrong shape"  # /data/ where the mount has no versions, or none where it has
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Mount:
    """A secrets engine. `path` ends with no slash; `version` is that of a key-value store, None for other engines."""

    path: str
    type: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """What is known of one path, as people wrote it.

    `name` is the path inside of the mount. `keys` are the names of its fields, None where they are not known: on a
    mount without versions only the secret itself holds them, and that is never read. `said` is what to tell people.
    """

    path: str
    standing: Standing
    mount: Mount | None = None
    name: str = ""
    keys: tuple[str, ...] | None = None
    said: str = ""

    @property
    def there(self) -> bool:
        return self.standing is Standing.PRESENT


@dataclass(frozen=True, slots=True)
class Health:
    """What Vault says of itself to anybody."""

    version: str
    sealed: bool
    initialized: bool
    standby: bool


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What a token says of itself. `ttl_seconds` is 0 for one that never ends."""

    policies: tuple[str, ...]
    ttl_seconds: int
    renewable: bool
    path: str = ""
