"""Which apps nobody wants any more, and what holds their pruning back. Pure.

The records are the only ground for pruning: what the operator never applied it never stops. An incomplete read names no
app as withdrawn, because a rename may hide in a file that could not be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desired.app import AppKey
from desired.state import DesiredState
from reconcilers.record import Record

# So many apps may always be withdrawn together: deleting a few files is everyday work.
_ALWAYS_ALLOWED = 3

# No confirmation helps against this one: it is how such a hold begins.
NOT_READ = "not every file could be read"


@dataclass(frozen=True, slots=True)
class PruneRules:
    """`max_share` is a share of all apps (0 to 1); `enabled` is the process-wide switch."""

    enabled: bool = True
    max_share: float = 0.3


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """Keys that no file speaks of. `held` says why they may not be pruned now; empty if nothing holds them.

    `confirmed` go all the same: a person let exactly those go, and what was withdrawn later is asked about by itself.
    """

    keys: frozenset[AppKey]
    held: str = ""
    confirmed: frozenset[AppKey] = frozenset()

    def holds(self, key: AppKey) -> str:
        """Why this one may not be pruned now; empty if it may."""
        return "" if key in self.confirmed else self.held


def withdrawals(records: Iterable[Record], state: DesiredState, origin: str, rules: PruneRules) -> Withdrawals:
    """Only records of this origin count: another repository's apps are nobody's business here."""
    own = [record for record in records if record.origin == origin]
    spoken_of = state.apps.keys() | state.conflicts.keys() | {file.key for file in state.unreadable if file.key}
    gone = frozenset(record.key for record in own if record.key not in spoken_of)
    if held := _all_held(state, rules):
        return Withdrawals(gone, held)
    confirmed = frozenset(one.key for one in own if one.key in gone and one.withdrawal and one.withdrawal.confirmed)
    return Withdrawals(gone, _too_many(own, gone, rules), confirmed)


def _all_held(state: DesiredState, rules: PruneRules) -> str:
    if not rules.enabled:
        return "pruning is switched off (PRUNE=false)"
    if not state.complete:
        unread = [file.path for file in state.unreadable] + [path for pair in state.conflicts.values() for path in pair]
        return f"{NOT_READ} ({', '.join(sorted(unread)[:3])}): a rename may hide there"
    return ""


def _too_many(own: list[Record], gone: frozenset[AppKey], rules: PruneRules) -> str:
    applied = [record for record in own if record.applied is not None]
    going = [record for record in applied if record.key in gone and record.prune]
    unconfirmed = [record for record in going if not (record.withdrawal and record.withdrawal.confirmed)]
    if len(unconfirmed) > max(_ALWAYS_ALLOWED, rules.max_share * len(applied)):
        return (
            f"{len(unconfirmed)} of {len(applied)} apps were withdrawn at once, more than {rules.max_share:.0%}; "
            "`nomad-operator prune --confirm` stops them"
        )
    return ""
