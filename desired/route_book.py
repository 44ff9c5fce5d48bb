"""Every app's routes at hand: who has to do with one of them, and what the cluster shows of whom.

Held by `reconcilers.route_parties`, which puts in what has changed; what is asked costs no more than what it concerns.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from desired.app import AppKey
from desired.route_conflicts import Claim, Origin
from desired.route_index import RouteIndex
from desired.route_turns import Party


@dataclass(frozen=True, slots=True)
class Near:
    """An app and all whose routes have to do with its own or with each other's; and what nobody of them shows."""

    parties: tuple[Party, ...]
    outside: tuple[Claim, ...] = ()


class RouteBook:
    """A service that is shown is of the app whose job has one of its name."""

    def __init__(self) -> None:
        self._parties: dict[AppKey, Party] = {}
        self._keys: dict[str, AppKey] = {}
        self.wanting = RouteIndex()
        self._holding = RouteIndex()
        self._by_service: defaultdict[str, set[AppKey]] = defaultdict(set)

    def get(self, key: AppKey) -> Party:
        return self._parties.get(key, Party(key))

    def named(self, owner: str) -> Party:
        return self._parties[self._keys[owner]]

    def put(self, party: Party) -> None:
        """In the place of what was known of that app."""
        before = self.get(party.key)
        self._parties[party.key], self._keys[str(party.key)] = party, party.key
        for index, old, new in (
            (self.wanting, before.wants, party.wants),
            (self._holding, before.has, party.has),
        ):
            for claim in dict.fromkeys(old):
                index.remove(claim)
            for claim in new:
                index.add(claim)
        for claim in (*before.wants, *before.has):
            self._by_service[claim.service].discard(party.key)
        for claim in (*party.wants, *party.has):
            self._by_service[claim.service].add(party.key)

    def near(self, own: Party, shown: RouteIndex) -> Near:
        """`own` is put in the place of what is known of that app. `shown` is what the cluster shows of all services."""
        parties, todo = {own.key: own}, [own]
        of: defaultdict[AppKey, dict[Claim, None]] = defaultdict(dict)
        outside: dict[Claim, None] = {}
        while todo:
            party = todo.pop()
            for claim in (*party.wants, *party.has):
                keys = {self._keys[one.owner] for index in (self.wanting, self._holding) for one in index.taking(claim)}
                for seen in shown.taking(claim):
                    owners = self._owners(seen, own)
                    keys |= {one.key for one in owners}
                    for one in owners:
                        of[one.key][replace(seen, owner=str(one.key), origin=Origin.DESIRED)] = None
                    if not owners:
                        outside[seen] = None
                # A set without the keys of a dict would look at all of them.
                for key in (key for key in keys if key not in parties):
                    parties[key] = self.get(key)
                    todo.append(parties[key])
        return Near(tuple(replace(one, shown=tuple(of[one.key])) for one in parties.values()), tuple(outside))

    def outside(self, own: Party, shown: RouteIndex) -> list[Claim]:
        """What is shown beside its routes, and of no app."""
        beside = dict.fromkeys(one for claim in own.wants for one in (*shown.beside(claim), *shown.taking(claim)))
        return [one for one in beside if not self._owners(one, own)]

    def _owners(self, seen: Claim, own: Party) -> Sequence[Party]:
        """Of several with a service of this name, those that speak of this route. A name that only the node knows may
        be any that it can become."""
        keys = self._by_service.get(seen.service) or {
            key
            for name, keys in self._by_service.items()
            if "${" in name and _may_become(name, seen.service)
            for key in keys
        }
        known = [self.get(key) for key in sorted(keys) if key != own.key]
        if any(
            claim.service == seen.service or _may_become(claim.service, seen.service)
            for claim in (*own.wants, *own.has)
        ):
            known.append(own)
        speaking = [one for one in known if any(seen.place == claim.place for claim in (*one.wants, *one.has))]
        return speaking or known


def _may_become(name: str, service: str) -> bool:
    """Whether a service is called so once Nomad has put in what only the node knows."""
    if "${" not in name:
        return False
    parts: Iterable[str] = re.split(r"\$\{[^}]*\}", name)
    return re.fullmatch(".*".join(re.escape(part) for part in parts), service, re.IGNORECASE) is not None
