"""The fleet's rows: filtered, searched, sorted, a page at a time, and counted so that nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomad_operator.page.fleet_view import ROWS, SORTS, STATES, Query, fleet_view

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def row(key: str, ready: str = "True", **more: Any) -> dict[str, Any]:
    return {
        "key": key, "path": "a.yaml", "ready": ready, "reason": "Healthy", "message": "1 of 1 allocations running",
        "step": "Steady", "conditions": ["Ready"], "version": 1, "changed": BEGIN, **more,
    }  # fmt: skip


APPS = [
    row("default/api", "False", reason="NoProgress", message="stood still", conditions=["Ready", "Stalled"]),
    row("default/batch", "Unknown", reason="Running"),
    row("default/old", "True", step="Withdrawn"),
    row("default/web", changed=BEGIN + timedelta(hours=1)),
    row("ops/mill", "False", reason="AwaitingApproval", conditions=["Ready", "AwaitingApproval"]),
    row("ops/shop", conditions=["Ready", "Drifted"]),
]


def keys(**asked: str) -> list[str]:
    return [one["key"] for one in fleet_view(APPS, Query.of(asked)).rows]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"sort": "name"}, ["default/api", "default/batch", "default/old", "default/web", "ops/mill", "ops/shop"]),
        ({}, ["default/api", "ops/mill", "default/batch", "default/old", "default/web", "ops/shop"]),
        ({"sort": "changed", "q": "default/ 1 of"}, ["default/web", "default/batch", "default/old"]),
        ({"state": "not-ready"}, ["default/api", "ops/mill"]),
        ({"state": "waits"}, ["ops/mill"]),
        ({"state": "drifted"}, ["ops/shop"]),
        ({"state": "withdrawn"}, ["default/old"]),
        ({"state": "no-such-state", "q": "MILL"}, ["ops/mill"]),
        ({"q": "stalled"}, ["default/api"]),
        ({"q": "still stood"}, ["default/api"]),
        ({"q": "nobody"}, []),
        ({"state": "ready", "q": "ops"}, ["ops/shop"]),
    ],
)
def test_what_is_asked_for_is_found(asked: dict[str, str], found: list[str]) -> None:
    assert keys(**asked) == found


def test_apps_that_nobody_wants_any_more_do_not_count_as_ready() -> None:
    view = fleet_view(APPS, Query())
    assert (view.ready, view.wanted) == (2, 5)


def test_filters_say_how_many_they_would_leave_and_keep_the_search() -> None:
    choices = {one.name: one for one in fleet_view(APPS, Query(text="ops", sort="name")).choices}
    assert choices["not-ready"].number == 2
    assert choices["waits"].address == "/?q=ops&state=waits&sort=name"
    assert "repair" not in choices and "ready" in choices, "empty ones are left out, but for those all look for"


@pytest.mark.parametrize(
    "asked", [{"page": "x"}, {"page": "-1"}, {"page": "²"}, {"page": "99999999"}, {"sort": "<"}, {"state": "'"}]
)
def test_an_address_that_says_nonsense_is_the_whole_list(asked: dict[str, str]) -> None:
    assert len(fleet_view(APPS, Query.of(asked)).rows) == len(APPS)


def test_only_what_has_changed_may_be_asked_for_and_it_still_has_to_match() -> None:
    view = fleet_view(APPS, Query(state="ready"), only=frozenset({"ops/shop", "ops/mill"}))
    assert [one["key"] for one in view.rows] == ["ops/shop"]


@given(number=st.integers(0, 2 * ROWS + 5), sort=st.sampled_from(sorted(SORTS)))
def test_the_pages_hold_every_app_once(number: int, sort: str) -> None:
    apps = [row(f"default/app-{place:05}", ("True", "False", "Unknown")[place % 3]) for place in range(number)]
    first = fleet_view(apps, Query(sort=sort))
    pages = [fleet_view(apps, Query(sort=sort, page=page + 1)).rows for page in range(first.pages)]
    assert sorted(one["key"] for rows in pages for one in rows) == [one["key"] for one in apps]
    assert all(len(rows) <= ROWS for rows in pages)
    assert first.complete is (number <= ROWS)


@given(text=st.text(max_size=20), state=st.sampled_from(["", *STATES]), page=st.integers(1, 99))
def test_an_address_says_what_was_asked(text: str, state: str, page: int) -> None:
    from urllib.parse import parse_qsl, urlsplit

    asked = Query.of({"q": text, "state": state, "page": str(page)})
    said = dict(parse_qsl(urlsplit(asked.address(page=page)).query, keep_blank_values=True))
    assert Query.of(said) == asked
