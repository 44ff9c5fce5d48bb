"""Tags for Fabio are read as the real one read them; what harms it is an error, and no more than that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.fabio_tag import (
    FabioRoute,
    Severity,
    fabio_route,
    fabio_routes,
    fabio_tag,
    is_fabio_tag,
    service_problems,
    tag_problems,
)

RECORDINGS = Path(__file__).parents[2] / "recordings"
TRIALS = [
    json.loads(line)
    for line in (RECORDINGS / "fabio-1.7.3-tags" / "trials.jsonl").read_text(encoding="utf-8").splitlines()
]
# What Fabio takes, and what is refused all the same: shares of a weight that are none.
STRICTER = {"urlprefix-a.cluster/ weight=NaN", "urlprefix-a.cluster/ weight=0x1p-2", "urlprefix-a.cluster/ weight=1_0",
            "urlprefix-a.cluster/ weight=-inf"}  # fmt: skip


def _errors(tags: list[str]) -> list[str]:
    return [one.message for one in service_problems(tags) if one.severity is Severity.ERROR]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: repr(trial["tags"]))
def test_an_error_is_what_stopped_the_real_fabio(trial: dict[str, Any]) -> None:
    assert bool(_errors(trial["tags"])) is (trial["became"] != "followed" or bool(STRICTER & set(trial["tags"])))


@pytest.mark.parametrize(
    "trial", [one for one in TRIALS if one["became"] == "followed"], ids=lambda trial: repr(trial["tags"])
)
def test_a_route_is_what_the_real_fabio_made_of_the_tag(trial: dict[str, Any]) -> None:
    made = {(host, path) for host, path, *_ in trial["routes"] or ()}
    read = fabio_routes(trial["tags"])
    if STRICTER & set(trial["tags"]) or any(not route.known for route in read):
        return
    if not any(is_fabio_tag(tag) for tag in trial["tags"]):
        assert not read and not made
    elif made:
        assert {(route.host, route.path) for route in read} == made


def test_the_trials_hold_all_three_ends() -> None:
    assert {one["became"] for one in TRIALS} == {"followed", "frozen", "crashed"}
    assert len(TRIALS) > 80


@pytest.mark.parametrize("tag", ["urlprefix-[a.cluster/", "urlprefix-[a-].cluster/"])
def test_a_pattern_in_a_host_that_breaks_every_request_is_an_error(tag: str) -> None:
    (message,) = _errors([tag])
    assert "every request" in message


@pytest.mark.parametrize(
    ("tag", "route"),
    [
        ("urlprefix-API.Cluster/v1 strip=/v1", FabioRoute("api.cluster", "/v1", (("strip", "/v1"),))),
        ("urlprefix-/front", FabioRoute("", "/front")),
        ("urlprefix-:3333 proto=tcp", FabioRoute(":3333", "", (("proto", "tcp"),))),
        ("urlprefix-nohost", FabioRoute("nohost", "/")),
        ("urlprefix-", None),
        ("http", None),
    ],
)
def test_a_tag_is_read(tag: str, route: FabioRoute | None) -> None:
    assert fabio_route(tag) == route


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("urlprefix-nohost", "without a slash"),
        ("urlprefix- strip=/x", "option stands where the host should"),
        ("urlprefix-http://app.cluster/", "like a URL"),
        ("urlprefix-https://app.cluster/", "like a URL"),
        ("urlprefix-app.cluster//v1", "both slashes of //v1"),
        ("urlprefix-app.cluster/ strip", "without a value"),
        ("urlprefix-app.cluster/v1 strip=/v2", "takes nothing"),
        ("urlprefix-app.cluster/ stirp=/x", "no option stirp"),
        ("urlprefix-app.cluster/ weight=3", "no share"),
        ("urlprefix-app.cluster/ proto=ftp", "no proto ftp"),
        ("urlprefix-app.cluster/ redirect=301", "redirects nothing"),
        ("urlprefix-:3333", "proto=tcp"),
    ],
)
def test_what_harms_only_this_route_is_a_warning(tag: str, words: str) -> None:
    (problem,) = tag_problems(tag)
    assert problem.severity is Severity.WARNING and words in problem.message and problem.hint


@pytest.mark.parametrize("tag", ["urlprefix-a.b/ weight=0.5", "urlprefix-a.b/x strip=/x", "urlprefix-${HOST}/", "web"])
def test_a_tag_that_is_well_has_no_problem(tag: str) -> None:
    assert tag_problems(tag) == ()


@given(
    host=st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,8}){0,3}", fullmatch=True),
    path=st.from_regex(r"/([a-z0-9_.-]{1,8}/?){0,4}", fullmatch=True),
    strip=st.booleans(),
)
def test_a_tag_that_is_written_is_read_back(host: str, path: str, strip: bool) -> None:
    tag = fabio_tag(host, path, strip=strip)
    assert tag_problems(tag) == () or "//" in path
    route = fabio_route(tag)
    assert route is not None and (route.host, route.path) == (host, path)
    assert route.strip == (path if strip and path != "/" else "")


@given(st.text(max_size=60))
def test_no_tag_breaks_the_reader(text: str) -> None:
    for tag in (text, f"urlprefix-{text}"):
        tag_problems(tag)
        fabio_route(tag)
    service_problems([f"urlprefix-{text}", text])


@given(st.text(max_size=30), st.sampled_from(['"', "\t", "\n", "\r", "\f"]))
def test_whatever_stands_around_it_a_quotation_mark_or_a_tab_before_the_options_is_an_error(
    text: str, harm: str
) -> None:
    assert _errors([f"urlprefix-a{harm}b{text}"])
