"""The fleet as its page shows it: counted, filtered, searched, sorted, a page of it at a time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from reconcilers.decision import Condition, Step, Truth

ROWS = 1000

_NOT_WANTED = frozenset({Step.WITHDRAWN.value, Step.PRUNE_HELD.value, Step.PRUNING.value, Step.PRUNED.value})
_FOR_PEOPLE = frozenset({
    Condition.AWAITING_APPROVAL.value, Condition.QUESTIONS_OPEN.value, Condition.ADOPTION_REQUIRED.value,
})  # fmt: skip
_TOLD = _FOR_PEOPLE | {
    Condition.DRIFTED.value, Condition.REPAIRING.value, Condition.OBSERVE_FAILED.value, Condition.STALLED.value,
    Condition.SUSPENDED.value,
}  # fmt: skip
_ATTENTION = {Truth.FALSE.value: 0, Truth.UNKNOWN.value: 1, Truth.TRUE.value: 2}

Row = Mapping[str, Any]

# What a person may look at alone, by the word in the address.
STATES: Mapping[str, tuple[str, Callable[[Row], bool]]] = {
    "not-ready": ("Not ready", lambda row: row["ready"] == Truth.FALSE.value),
    "in-progress": ("In progress", lambda row: row["ready"] == Truth.UNKNOWN.value),
    "ready": ("Ready", lambda row: row["ready"] == Truth.TRUE.value),
    "waits": ("Waits for you", lambda row: not _FOR_PEOPLE.isdisjoint(row["conditions"])),
    "repair": ("Under repair", lambda row: Condition.REPAIRING.value in row["conditions"]),
    "drifted": ("Drifted", lambda row: Condition.DRIFTED.value in row["conditions"]),
    "suspended": ("Suspended", lambda row: Condition.SUSPENDED.value in row["conditions"]),
    "withdrawn": ("Withdrawn", lambda row: row["step"] in _NOT_WANTED),
}
# Shown also where there are none: everybody looks for them.
_ALWAYS = ("not-ready", "in-progress", "ready")
SORTS = {"attention": "what needs attention first", "name": "name", "changed": "changed last"}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for, as the address says it; what it says wrongly is as if it were not said."""

    text: str = ""
    state: str = ""
    sort: str = "attention"
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Query:
        state, sort, page = asked.get("state", ""), asked.get("sort", ""), asked.get("page", "")
        return cls(
            text=asked.get("q", "")[:_LONGEST].strip(),
            state=state if state in STATES else "",
            sort=sort if sort in SORTS else "attention",
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    def address(self, **changed: Any) -> str:
        """The address of the same with something else; any change but that of the page begins at the first."""
        other = replace(self, **{"page": 1, **changed})
        said = {"q": other.text, "state": other.state, "sort": other.sort, "page": str(other.page)}
        usual = {"q": "", "state": "", "sort": "attention", "page": "1"}
        query = urlencode({name: value for name, value in said.items() if value != usual[name]})
        return f"/?{query}" if query else "/"


@dataclass(frozen=True, slots=True)
class Choice:
    """One filter, with how many apps it would leave."""

    label: str
    number: int
    address: str
    chosen: bool
    name: str


@dataclass(frozen=True, slots=True)
class FleetView:
    """`rows` are those of this page; `found` is how many there are on all pages."""

    query: Query
    wanted: int
    ready: int
    choices: Sequence[Choice]
    rows: Sequence[Row]
    found: int
    pages: int

    @property
    def complete(self) -> bool:
        """Everything that was found stands on this page."""
        return self.pages <= 1


def flags(row: Row) -> list[str]:
    """The conditions that a row names besides its reason."""
    return [one for one in row["conditions"] if one in _TOLD and one != row["reason"]]


def fleet_view(apps: Sequence[Row], query: Query, *, only: Collection[str] | None = None) -> FleetView:
    """`apps` by their keys. `only` leaves the rows of these alone, and of all pages."""
    wanted = [row for row in apps if row["step"] not in _NOT_WANTED]
    found = [row for row in apps if _is_found(row, query)]
    pages = max(1, -(-len(found) // ROWS))
    query = replace(query, page=min(query.page, pages))
    if only is not None:
        shown = [row for row in found if row["key"] in only]
    else:
        begin = (query.page - 1) * ROWS
        shown = _sorted(found, query.sort)[begin : begin + ROWS]
    return FleetView(
        query=query,
        wanted=len(wanted),
        ready=sum(1 for row in wanted if row["ready"] == Truth.TRUE.value),
        choices=_choices(apps, query),
        rows=shown,
        found=len(found),
        pages=pages,
    )


def _is_found(row: Row, query: Query) -> bool:
    if query.state and not STATES[query.state][1](row):
        return False
    if not query.text:
        return True
    # The same that stands in a row: a browser searches the text of the row itself.
    told = " ".join((row["key"], row["reason"], *flags(row), row["message"])).casefold()
    return all(word in told for word in query.text.casefold().split())


def _sorted(rows: list[Row], by: str) -> list[Row]:
    match by:
        case "name":
            return rows
        case "changed":
            return sorted(rows, key=lambda row: row["changed"], reverse=True)
        case _:
            return sorted(rows, key=lambda row: _ATTENTION.get(row["ready"], 1))


def _choices(apps: Sequence[Row], query: Query) -> list[Choice]:
    everything = Choice("All", len(apps), query.address(state=""), not query.state, "")
    choices = [everything]
    for name, (label, holds) in STATES.items():
        number = sum(1 for row in apps if holds(row))
        if number or name in _ALWAYS or name == query.state:
            choices.append(Choice(label, number, query.address(state=name), query.state == name, name))
    return choices
