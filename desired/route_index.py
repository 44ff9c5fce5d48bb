"""Claims on routes by host and path, to find those that take requests from each other without comparing all. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice, takewhile

from desired.route_conflicts import Claim, kind_of


class RouteIndex:
    """Claims whose route is known; the others cannot be compared. Each stands in it once."""

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self._by_host: dict[str, dict[str, dict[Claim, None]]] = {}
        # Of each host, in order: those that begin with one path stand side by side.
        self._paths: defaultdict[str, list[str]] = defaultdict(list)
        self._patterns: set[str] = set()
        for claim in claims:
            self.add(claim)

    @property
    def hosts(self) -> Collection[str]:
        return self._by_host.keys()

    def add(self, claim: Claim) -> None:
        if claim.route.known:
            paths = self._by_host.setdefault(claim.host, {})
            if claim.route.path not in paths:
                insort(self._paths[claim.host], claim.route.path)
            paths.setdefault(claim.route.path, {})[claim] = None
            if claim.of_a_pattern:
                self._patterns.add(claim.host)

    def remove(self, claim: Claim) -> None:
        """One that was added."""
        if not claim.route.known:
            return
        paths = self._by_host[claim.host]
        del paths[claim.route.path][claim]
        if not paths[claim.route.path]:
            del paths[claim.route.path]
            ordered = self._paths[claim.host]
            del ordered[bisect_left(ordered, claim.route.path)]
        if not paths:
            del self._by_host[claim.host], self._paths[claim.host]
            self._patterns.discard(claim.host)

    def taking(self, claim: Claim) -> Iterator[Claim]:
        """Those that take requests from it, or it from them; its own owner's among them."""
        if not claim.route.known:
            return
        paths, path = self._by_host.get(claim.host, {}), claim.route.path
        for found in (*(path[:length] for length in range(len(path)) if path[:length] in paths), *self._longer(claim)):
            yield from (one for one in paths[found] if kind_of(claim, one) is not None)

    def _longer(self, claim: Claim) -> Iterator[str]:
        """Paths of its host that begin with its own."""
        ordered, path = self._paths.get(claim.host, []), claim.route.path
        return takewhile(lambda one: one.startswith(path), islice(ordered, bisect_left(ordered, path), None))

    def beside(self, claim: Claim) -> Sequence[Claim]:
        """All of the same host, and of hosts that a pattern puts beside it."""
        if not claim.route.known:
            return ()
        others = [host for host in (self._by_host if claim.of_a_pattern else self._patterns) if host != claim.host]
        known = (one for host in (claim.host, *others) for same in self._by_host.get(host, {}).values() for one in same)
        return [one for one in known if kind_of(claim, one) is not None]
