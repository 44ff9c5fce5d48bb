"""Who claims the same route is told once, worst first; nobody is in conflict with itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.fabio_tag import FabioRoute
from desired.route_conflicts import Claim, Kind, Origin, conflicts, free_hostname


def _claim(source: str, owner: str = "default/other", service: str = "", origin: Origin = Origin.DESIRED) -> Claim:
    host, slash, path = source.partition("/")
    return Claim(owner, service or owner.rpartition("/")[2], FabioRoute(host, slash + path), origin)


MINE = _claim("api.cluster/v1", "default/api")


@pytest.mark.parametrize(
    ("mine", "other", "kind"),
    [
        ("api.cluster/v1", "api.cluster/v1", Kind.EXACT_MATCH),
        ("api.cluster/v1", "api.cluster/v1/users", Kind.PATH_OVERLAP),
        ("api.cluster/v1", "api.cluster/v10", Kind.PATH_OVERLAP),
        ("api.cluster/v1", "api.cluster/", Kind.PATH_OVERLAP),
        ("api.cluster/v1", "api.cluster/v2", Kind.HOSTNAME_COLLISION),
        ("api.cluster/v1", "api.cluster:80/v1", Kind.EXACT_MATCH),
        ("api.cluster/v1", "web.cluster/v1", None),
        ("api.cluster/v1", "/v1", None),
        ("/v1", "/v1", Kind.EXACT_MATCH),
        ("/v1", "/v1/users", Kind.PATH_OVERLAP),
        ("/v1", "/", None),
        ("/v1", "/v2", None),
        (":3333", ":3333", Kind.EXACT_MATCH),
        (":80", ":443", None),
        ("${HOST}/v1", "${HOST}/v1", None),
    ],
)
def test_two_claims_are_told_for_what_they_are(mine: str, other: str, kind: Kind | None) -> None:
    found = conflicts([_claim(mine, "default/api")], [_claim(other)])
    assert [one.kind for one in found] == ([kind] if kind else [])


def test_an_app_that_runs_is_not_in_conflict_with_itself() -> None:
    running = [_claim("api.cluster/v1", "api", origin=origin) for origin in (Origin.TABLE, Origin.CONSUL)]
    assert conflicts([MINE], [MINE, *running]) == ()


def test_another_service_is_told_once_and_by_the_name_that_says_most() -> None:
    others = [
        _claim("api.cluster/v1", "legacy", origin=Origin.TABLE),
        _claim("api.cluster/v1", "legacy", origin=Origin.CONSUL),
        _claim("api.cluster/v1", "team/legacy"),
    ]
    (found,) = conflicts([MINE], others)
    assert found.other.owner == "team/legacy"
    assert str(found) == "api.cluster/v1 is claimed by app team/legacy too: requests would be shared"


def test_the_worst_comes_first() -> None:
    others = [_claim("api.cluster/v2", "a/a"), _claim("api.cluster/v1/x", "b/b"), _claim("api.cluster/v1", "c/c")]
    assert [one.kind for one in conflicts([MINE], others)] == list(Kind)


def test_two_apps_with_services_of_one_name_are_in_conflict() -> None:
    (found,) = conflicts([MINE], [_claim("api.cluster/v1", "other/api", service="api")])
    assert found.kind is Kind.EXACT_MATCH


_SOURCES = st.sampled_from(["a.x/", "a.x/1", "a.x/12", "b.x/", "/", "/1", ":33"])
_CLAIMS = st.lists(
    st.builds(_claim, _SOURCES, st.sampled_from(["n/a", "n/b", "n/c"]), st.just(""), st.sampled_from(list(Origin))),
    max_size=6,
)


@given(_CLAIMS, _CLAIMS)
def test_the_order_of_claims_changes_nothing(mine: list[Claim], others: list[Claim]) -> None:
    mine = [claim for claim in mine if claim.origin is Origin.DESIRED]
    told = {str(one) for one in conflicts(mine, others)}
    assert told == {str(one) for one in conflicts(mine[::-1], others[::-1])}


@given(_CLAIMS)
def test_a_conflict_between_desired_apps_is_seen_from_both_sides(claims: list[Claim]) -> None:
    desired = [claim for claim in claims if claim.origin is Origin.DESIRED]
    pairs = {(one.mine.owner, one.other.owner, one.kind) for one in conflicts(desired, desired)}
    assert {(b, a, kind) for a, b, kind in pairs} == pairs


def test_a_free_host_is_the_apps_name_then_with_its_namespace_then_with_a_number() -> None:
    assert free_hostname("Flask_API", [], suffix=".cluster") == "flask-api.cluster"
    assert free_hostname("api", ["API.cluster"], suffix="cluster", further=["team"]) == "api-team.cluster"
    assert free_hostname("api", ["api.cluster", "api-2.cluster"], suffix=".cluster") == "api-3.cluster"
    assert free_hostname("api", [], suffix="") == "api"
