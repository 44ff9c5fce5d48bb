"""What the services beside know by name, as plain values. No value of a secret, and no value of a key, is in here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from desired.conventions import Conventions
from desired.draft.value import Draft


@dataclass(frozen=True, slots=True)
class Knowledge:
    """`vault` are the secrets by their path as templates read it, `variables` those of Nomad; with the names of their
    fields, None where those are not known. `stores` are Vault's mounts of which every secret is known. `keys` and
    `services` are Consul's, `catalog` are the services of Nomad's own; `hosts` are those that somebody has a route for.

    `away` are services that were named and did not answer, each with what failed: nothing is known of theirs.
    """

    conventions: Conventions = field(default_factory=Conventions)
    vault: Mapping[str, tuple[str, ...] | None] = field(default_factory=lambda: MappingProxyType({}))
    variables: Mapping[str, tuple[str, ...] | None] = field(default_factory=lambda: MappingProxyType({}))
    keys: frozenset[str] = frozenset()
    services: tuple[str, ...] = ()
    catalog: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    away: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stores: frozenset[str] = frozenset()

    @property
    def as_answers(self) -> frozenset[str]:
        """The same in the words of answers."""
        vault = {f"vault: {place}" for place in _places(self.vault)}
        nomad = {f"nomad: {place}" for place in _places(self.variables)}
        return frozenset(vault | nomad | {f"consul: {key}" for key in self.keys})

    @property
    def confirmed(self) -> frozenset[str]:
        """Places that were seen to be there, as manifests write them."""
        return frozenset((*_places(self.vault), *_places(self.variables), *self.keys))


def missing(draft: Draft, knowledge: Knowledge) -> Iterator[str]:
    """What the draft looks up and is not there, as far as that can be known."""
    for value in draft.values:
        if value.at[0] not in ("env", "files") or not isinstance(value.data, Mapping):
            continue
        reference = value.data.get("vault")
        path, _, name = str(reference or "").partition("#")
        fields = knowledge.vault.get(path)
        if reference and path not in knowledge.vault and path.partition("/")[0] in knowledge.stores:
            yield f"{value.id}: Vault has no {path}"
        elif reference and fields is not None and name not in fields:
            yield f"{value.id}: {path} has no field {name}; it has {', '.join(fields) or 'none'}"
        key = value.data.get("consul")
        if key and knowledge.keys and key not in knowledge.keys:
            yield f"{value.id}: Consul shows no key {key}"


def _places(found: Mapping[str, tuple[str, ...] | None]) -> Iterator[str]:
    for path, fields in found.items():
        yield from (f"{path}#{name}" for name in fields or ())
