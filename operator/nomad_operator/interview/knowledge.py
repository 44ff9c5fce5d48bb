"""What the services beside know by name, as plain values. No value of a secret, and no value of a key, is in here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from desired.conventions import Conventions


@dataclass(frozen=True, slots=True)
class Knowledge:
    """`vault` are the secrets by their path as templates read it, `variables` those of Nomad; with the names of their
    fields, None where those are not known. `keys` and `services` are Consul's.

    `away` are services that were named and did not answer, each with what failed: nothing is known of theirs.
    """

    conventions: Conventions = field(default_factory=Conventions)
    vault: Mapping[str, tuple[str, ...] | None] = field(default_factory=lambda: MappingProxyType({}))
    variables: Mapping[str, tuple[str, ...] | None] = field(default_factory=lambda: MappingProxyType({}))
    keys: frozenset[str] = frozenset()
    services: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def confirmed(self) -> frozenset[str]:
        """Places that were seen to be there, as manifests write them."""
        return frozenset((*_places(self.vault), *_places(self.variables), *self.keys))


def _places(found: Mapping[str, tuple[str, ...] | None]) -> Iterator[str]:
    for path, fields in found.items():
        yield from (f"{path}#{name}" for name in fields or ())
