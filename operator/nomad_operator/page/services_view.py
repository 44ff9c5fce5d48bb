"""How the services are: what the daemon meets while it works, and what a look found. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nomad_operator.doctor import Finding
from nomad_operator.log import Outage
from nomad_operator.service_look import Look

# What every daemon works with; other outages have names of their own.
ALWAYS = {
    "git": "the repository of the apps",
    "nomad": "the jobs and allocations",
    "nomad event stream": "what happens in Nomad, as it happens",
    "state": "what the operator remembers",
}
# Without these nothing goes on.
_NEEDED = ("git", "nomad", "state")


@dataclass(frozen=True, slots=True)
class Met:
    """One service that the daemon works with; `since` when it went, `problem` empty while it answers.

    `well` None: nothing is known of it yet.
    """

    name: str
    about: str
    well: bool | None
    problem: str
    hint: str
    since: datetime | None
    needed: bool


@dataclass(frozen=True, slots=True)
class ServicesView:
    met: Sequence[Met]
    found: Sequence[Finding]
    at: datetime | None
    under_way: bool

    @property
    def down(self) -> int:
        return sum(1 for one in self.met if one.well is False)


def services_view(
    *, outages: Mapping[str, Outage], hints: Mapping[str, str], unread: Sequence[str], look: Look, now: datetime,
    clock_now: float,
) -> ServicesView:  # fmt: skip
    """`unread` are what has not been read yet, of `git` and `nomad`; `clock_now` is by the clock of the outages."""
    met = []
    for name in [*ALWAYS, *sorted(outages.keys() - ALWAYS.keys())]:
        outage = outages.get(name)
        since = now - timedelta(seconds=round(max(0.0, clock_now - outage.since))) if outage else None
        met.append(
            Met(
                name=name,
                about=ALWAYS.get(name, ""),
                well=False if outage else None if name in unread else True,
                problem=outage.problem if outage else "",
                hint=hints.get(name, "") if outage else "",
                since=since,
                needed=name in _NEEDED,
            )
        )
    return ServicesView(met=met, found=look.findings, at=look.at, under_way=look.under_way)
