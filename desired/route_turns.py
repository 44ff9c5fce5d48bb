"""Which of several apps gets a route, and in which order routes move from one to another. Pure.

An app gets what it asks for if everybody who has it can go elsewhere, and so on; smaller keys are asked first. So who
has a route and wants to keep it keeps it, two that swap both get what they want, and of two that are new the smaller
key wins. What is found stays so while they move: whoever is asked, and in whatever order, finds the same.

Who waits for each other in a circle would wait for ever: there the smallest key goes first, and both have the route
until the other has moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desired.app import AppKey
from desired.route_conflicts import Claim, Kind, RouteConflict, conflicts
from desired.route_index import RouteIndex


@dataclass(frozen=True, slots=True)
class Party:
    """An app as far as routes go; every claim's owner is its key.

    `wants` is what it is to have; one that does not move wants what it has. `has` is what it was verified with, and
    what it runs with. `shown` is what the cluster still shows of it besides: others wait for that, and it gives no
    right.
    """

    key: AppKey
    wants: tuple[Claim, ...] = ()
    has: tuple[Claim, ...] = ()
    shown: tuple[Claim, ...] = ()

    def had(self, claim: Claim) -> bool:
        return any(one.place == claim.place for one in self.has)

    def keeps(self, claim: Claim) -> bool:
        """Whether it has what takes requests from this, and wants it."""
        wanted = {one.place for one in self.wants}
        return any(one.place in wanted for one in RouteIndex(self.has).taking(claim))


@dataclass(frozen=True, slots=True)
class Turn:
    """What one app may do now: nothing against it, or who has what it wants (`lost`), or who goes first (`waits`)."""

    lost: tuple[RouteConflict, ...] = ()
    waits: tuple[RouteConflict, ...] = ()


class Turns:
    """Apps whose routes have to do with each other's; `outside` is what others in the cluster have, who never move."""

    def __init__(self, parties: Iterable[Party], outside: Iterable[Claim] = ()) -> None:
        self._parties = {party.key: party for party in parties}
        self._keys = {str(key): key for key in self._parties}
        self._wanting = RouteIndex(claim for party in self._parties.values() for claim in party.wants)
        self._holding = RouteIndex(claim for party in self._parties.values() for claim in (*party.has, *party.shown))
        self._outside = RouteIndex(outside)

    def of(self, key: AppKey) -> Turn:
        """Of one of the apps, all of those being given that it or they have to do with."""
        party = self._parties[key]
        moving = self._moving()
        if key not in moving:
            return Turn(lost=self._lost(party, moving))
        waits = self._waits(party)
        if waits and not _first_of_a_circle(key, {one: self._waits(self._parties[one]) for one in moving}):
            return Turn(waits=self._conflicts(party, self._holding, waits))
        return Turn()

    def _moving(self) -> frozenset[AppKey]:
        """Who gets what it wants, sooner or later. Who has to go because another one was first in a circle is asked
        before the others: it cannot stay."""
        moving: set[AppKey] = set()
        for key in sorted(self._parties, key=lambda one: (not self._has_to_go(self._parties[one]), one)):
            if key not in moving:
                moving |= self._together(key, moving)
        return frozenset(moving)

    def _has_to_go(self, party: Party) -> bool:
        wanted = {claim.place for claim in party.wants}
        return any(
            self._parties[other].keeps(claim)
            for claim in party.has
            if claim.place not in wanted
            for other in {*self._owners(self._holding, claim)} - {party.key}
        )

    def _together(self, key: AppKey, moving: set[AppKey]) -> set[AppKey]:
        """An app with everybody who has to make room for it; empty where one of them cannot go where it wants."""
        group, todo = {key}, [key]
        while todo:
            party = self._parties[todo.pop()]
            for claim in party.wants:
                taken = {*self._owners(self._wanting, claim)} - {party.key}
                if taken & (moving | group) or any(True for _ in self._outside.taking(claim)):
                    return set()
                for other in self._in_the_way(party, claim):
                    if other not in moving and other not in group:
                        group.add(other)
                        todo.append(other)
        return group

    def _in_the_way(self, party: Party, claim: Claim) -> set[AppKey]:
        """Of what it has already nobody else has to go."""
        return set() if party.had(claim) else {*self._owners(self._holding, claim)} - {party.key}

    def _waits(self, party: Party) -> frozenset[AppKey]:
        return frozenset(other for claim in party.wants for other in self._in_the_way(party, claim))

    def _lost(self, party: Party, moving: frozenset[AppKey]) -> tuple[RouteConflict, ...]:
        """Who will have it, and who has it and stays; and of those that lost as well, the first whose claim harms
        otherwise than these do."""
        to_winners = self._conflicts(party, self._wanting, moving)
        to_holders = self._conflicts(party, self._holding, frozenset(self._parties) - moving)
        losers = (one for one in self._parties if one < party.key and one not in moving)
        told = {(one.kind, one.mine) for one in (*to_winners, *to_holders)}
        first: dict[tuple[Kind, Claim], RouteConflict] = {}
        for one in self._conflicts(party, self._wanting, losers):
            if (one.kind, one.mine) not in told:
                first.setdefault((one.kind, one.mine), one)
        return tuple(dict.fromkeys((*to_winners, *to_holders, *first.values())))

    def _conflicts(self, party: Party, index: RouteIndex, others: Iterable[AppKey]) -> tuple[RouteConflict, ...]:
        names = {str(key) for key in others} - {str(party.key)}
        claims = {one for claim in party.wants for one in index.taking(claim) if one.owner in names}
        return tuple(one for one in conflicts(party.wants, claims) if one.harms)

    def _owners(self, index: RouteIndex, claim: Claim) -> Iterable[AppKey]:
        return (self._keys[one.owner] for one in index.taking(claim))


def _first_of_a_circle(key: AppKey, waits: Mapping[AppKey, frozenset[AppKey]]) -> bool:
    """Whether it waits for nobody but those who wait for it, and is the smallest of them."""
    after = _reached(key, waits)
    if key not in after:
        return False
    circle = {one for one in after if key in _reached(one, waits)}
    return waits[key] <= circle and key == min(circle)


def _reached(start: AppKey, waits: Mapping[AppKey, frozenset[AppKey]]) -> set[AppKey]:
    found: set[AppKey] = set()
    todo = [start]
    while todo:
        for one in waits.get(todo.pop(), frozenset()):
            if one not in found:
                found.add(one)
                todo.append(one)
    return found
