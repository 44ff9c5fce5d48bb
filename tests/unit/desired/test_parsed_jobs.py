"""What the parser said is kept: by text and variables, bounded, and never what failed."""

from __future__ import annotations

import pytest

from desired.errors import Unavailable
from desired.parsed_jobs import ParsedJobs
from desired.state import HclSource, JobBody


class Parser:
    """Answers with a body that tells how often it was asked; down while `down`."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False

    async def parse(self, source: HclSource) -> JobBody:
        if self.down:
            raise Unavailable("no parser", hint="wait")
        self.asked += 1
        return {"ID": source.text, "Meta": {"asked": self.asked, "variables": source.variables}}


async def test_a_text_is_parsed_once_and_stays_the_same_job() -> None:
    parser = Parser()
    parsed = ParsedJobs(parser=parser)
    first = await parsed.parse(HclSource("a"))
    parser.down = True
    assert await parsed.parse(HclSource("a")) == first


async def test_other_variables_are_another_job() -> None:
    parsed = ParsedJobs(parser=Parser())
    first = await parsed.parse(HclSource("a", "x = 1"))
    assert await parsed.parse(HclSource("a", "x = 2")) != first


async def test_what_failed_is_asked_again() -> None:
    parser = Parser()
    parser.down = True
    parsed = ParsedJobs(parser=parser)
    with pytest.raises(Unavailable):
        await parsed.parse(HclSource("a"))
    parser.down = False
    assert (await parsed.parse(HclSource("a")))["ID"] == "a"


async def test_a_caller_that_changes_its_body_changes_nobody_elses() -> None:
    parsed = ParsedJobs(parser=Parser())
    for _ in range(3):
        body = await parsed.parse(HclSource("a"))
        assert body["Meta"]["asked"] == 1
        body["Meta"]["asked"] = "changed"


async def test_the_longest_unused_go_first_and_the_rest_stays() -> None:
    parser = Parser()
    room_for_two = 2 * len('{"ID":"a","Meta":{"asked":1,"variables":""}}')
    parsed = ParsedJobs(parser=parser, most=room_for_two)
    for text in ("a", "b", "a", "c"):
        await parsed.parse(HclSource(text))
    assert parser.asked == 3
    await parsed.parse(HclSource("a"))
    assert parser.asked == 3, "used last, so still known"
    await parsed.parse(HclSource("b"))
    assert parser.asked == 4, "made room for c"
