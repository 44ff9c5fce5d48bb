"""What the servers do not have is refused at its place, and nothing is claimed of a version that nobody knows."""

from __future__ import annotations

import asyncio

import pytest

from desired.app import AppKey
from desired.errors import Unavailable
from desired.job.hcl_places import locate
from desired.job.hcl_read import LocalParser
from desired.objection import Objection
from desired.reasons import Reason
from desired.state import HclSource
from observers.nomad.feature_examiner import FeatureExaminer
from observers.running import Agent

JOB = """job "web" {
  group "a" {
    task "plain" {
      driver = "docker"
    }
    task "app" {
      driver = "docker"
      secret "db" {
        provider = "vault"
        path     = "secret/data/db"
      }
    }
  }
  group "b" {
    disconnect {
      lost_after = "1h"
    }
    task "app" {
      driver = "docker"
    }
  }
}
"""
WEB = AppKey("default", "web")


class Server:
    """Says its version, and counts who asks."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.asked = 0
        self.away = False
        self.now = 0.0
        self.examiner = FeatureExaminer(nomad=self, clock=lambda: self.now)

    async def agent(self) -> Agent:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("nobody answers", hint="wait")
        return Agent(version=self.version, region="global", acl_enabled=False)

    async def objections(self, text: str = JOB) -> list[Objection]:
        return list(await self.examiner.objections(WEB, await LocalParser().parse(HclSource(text))))


@pytest.mark.parametrize(
    ("version", "lines"),
    [("1.7.7", [14, 6]), ("1.8.0", [6]), ("1.10.5+ent", [6]), ("1.11.0", []), ("2.0.5", []), ("", []), ("dev", [])],
)
async def test_each_task_or_group_that_uses_what_is_not_there_is_named(version: str, lines: list[int]) -> None:
    found = await Server(version).objections()
    places = [locate(JOB, one.at) for one in found]
    assert [place.line for place in places if place] == lines
    for one in found:
        assert (one.rule, one.reason, one.warning) == ("nomad-version", Reason.VALIDATION_FAILED, False)
        assert version in one.message and one.fix


async def test_of_the_job_as_a_whole_the_job_is_the_place() -> None:
    (found,) = await Server("1.7.0").objections('job "web" {\n  ui {\n    description = "x"\n  }\n  group "a" {}\n}\n')
    assert found.at == ()


async def test_the_version_is_asked_once_for_all_jobs() -> None:
    server = Server("2.0.5")
    await asyncio.gather(*(server.objections() for _ in range(8)))
    server.now = 10_000.0
    await server.objections()
    assert server.asked == 1


@pytest.mark.parametrize("before", ["1.9.0", ""])
async def test_what_was_missing_or_unknown_is_asked_again_after_a_minute(before: str) -> None:
    server = Server(before)
    first = await server.objections()
    server.version = "1.12.0" if before else "1.9.0"
    assert await server.objections() == first
    assert server.asked == 1
    server.now = 61.0
    assert bool(await server.objections()) is not bool(first)
    assert server.asked == 2


async def test_a_server_that_is_away_is_an_error_and_asked_again_at_once() -> None:
    server = Server("1.9.0")
    server.away = True
    with pytest.raises(Unavailable):
        await server.objections()
    server.away = False
    assert len(await server.objections()) == 1


async def test_a_function_of_templates_that_this_version_lacks_is_told_with_its_line() -> None:
    data = 'data = "{{ key \\"a\\" }}\\n{{ sprig_quote (key \\"b\\" | hmacSHA256Hex \\"c\\") }}"'
    text = f'job "web" {{\n group "a" {{\n  task "t" {{\n   template {{\n    {data}\n   }}\n  }}\n }}\n}}\n'
    (found,) = await Server("1.6.3").objections(text)
    assert (found.rule, found.line) == ("nomad-version", 2)
    assert "hmacSHA256Hex in templates needs Nomad 1.7.0" in found.message
    assert await Server("2.0.5").objections(text) == []
