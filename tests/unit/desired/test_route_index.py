"""Routes that take requests from each other are found without comparing all: as if all were compared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desired.fabio_tag import FabioRoute
from desired.route_conflicts import Claim, kind_of
from desired.route_index import RouteIndex

claims = st.builds(
    lambda owner, host, path: Claim(owner, owner, FabioRoute(host, path)),
    st.sampled_from("ab"),
    st.sampled_from(["", "x.y", "x.y:80", "z.y", ":33"]),
    st.sampled_from(["/", "/a", "/ab", "/a/b", "/b", "/~", "/a\U0010ffff"]),
)


@given(st.lists(st.tuples(st.booleans(), claims), max_size=20), claims)
def test_whatever_was_put_in_and_taken_out(steps: list[tuple[bool, Claim]], asked: Claim) -> None:
    index, inside = RouteIndex(), dict[Claim, None]()
    for puts, claim in steps:
        if puts:
            index.add(claim)
            inside[claim] = None
        elif claim in inside:
            index.remove(claim)
            del inside[claim]
    found = list(index.taking(asked))
    assert len(found) == len(set(found))
    compared = {one for one in inside if one.host == asked.host and kind_of(asked, one) is not None}
    apart = {one for one in compared if not one.route.path.startswith(asked.route.path)}
    apart = {one for one in apart if not asked.route.path.startswith(one.route.path)}
    assert set(found) == compared - apart
