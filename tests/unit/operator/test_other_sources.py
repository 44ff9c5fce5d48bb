"""Other repositories are followed in their own time: seldom, together, and without anybody waiting for a bad one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta

import pytest

from desired.errors import InvalidDesired, Unavailable, UsageError
from desired.file_tree import FileTree, Poll
from desired.problem import Problem
from nomad_operator.other_sources import OtherSources, Remote
from tests.virtual_time import run

SHOP = Remote("https://git.example.org/shop", "main")
CART = Remote("https://git.example.org/cart", "main")


class Server:
    """A repository somewhere; counts how often it is asked."""

    def __init__(self) -> None:
        self.tip = "1"
        self.revision: str | None = None
        self.error: Exception | None = None
        self.takes = 0.0
        self.polls: list[float] = []

    async def poll(self) -> Poll:
        self.polls.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes)
        if self.error is not None:
            raise self.error
        before, self.revision = self.revision, self.tip
        return Poll(self.tip, changed=before != self.tip)

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]:
        return {}

    async def folder(self, revision: str, path: str) -> FileTree:
        return FileTree(revision, {})

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        return {}


class World:
    def __init__(self, *, most: int = 50) -> None:
        self.servers = {SHOP: Server(), CART: Server()}
        self.news = 0
        self.kept: list[Collection[Remote]] = []
        self.others = OtherSources(
            open=self._open, drop=lambda kept: self.kept.append(set(kept)), news=self._told,
            every=timedelta(seconds=60), most=most, clock=lambda: asyncio.get_running_loop().time(),
        )  # fmt: skip

    def _told(self) -> None:
        self.news += 1

    def _open(self, remote: Remote) -> Server:
        if remote not in self.servers:
            raise UsageError("not here", hint="elsewhere")
        return self.servers[remote]


def test_a_quiet_repository_is_asked_once_a_minute_and_is_no_news() -> None:
    async def main() -> None:
        world = World()
        world.others.follow([SHOP])
        await asyncio.sleep(601)
        assert world.servers[SHOP].polls == [float(60 * number) for number in range(11)]
        assert world.news == 1
        world.others.close()

    run(main())


@pytest.mark.parametrize(("within", "tip"), [(None, "2"), (5.0, "1")])
def test_who_has_time_sees_what_is_there_now_and_not_what_was_known_before(within: float | None, tip: str) -> None:
    async def main() -> None:
        world = World()
        server = world.servers[SHOP]
        server.revision, server.tip, server.takes = "1", "2", 3.0
        world.others.follow([SHOP])
        await world.others.looked([SHOP], within=within)
        assert server.revision == tip
        world.others.close()

    run(main())


def test_a_commit_and_a_problem_are_news_when_they_come_and_when_they_go() -> None:
    async def main() -> None:
        world = World()
        shop = world.servers[SHOP]
        world.others.follow([SHOP])
        await asyncio.sleep(1)
        shop.tip = "2"
        await asyncio.sleep(60)
        assert (world.news, shop.revision) == (2, "2")
        shop.error = Unavailable("it is away")
        await asyncio.sleep(60)
        assert world.news == 3 and str(world.others.problem(SHOP)) == "it is away" and shop.revision == "2"
        await asyncio.sleep(3600)
        assert world.news == 3
        shop.error = InvalidDesired((Problem("main", message="no such ref"),))
        await asyncio.sleep(700)
        assert world.news == 4
        shop.error = None
        await asyncio.sleep(700)
        assert world.news == 5 and world.others.problem(SHOP) is None
        world.others.close()

    run(main())


def test_what_is_away_is_asked_less_and_less_but_never_seldomer_than_in_ten_minutes() -> None:
    async def main() -> None:
        world = World()
        shop = world.servers[SHOP]
        shop.error = Unavailable("it is away")
        world.others.follow([SHOP])
        await asyncio.sleep(7200)
        waits = [after - before for before, after in zip(shop.polls, shop.polls[1:], strict=False)]
        assert waits[:4] == [120, 240, 480, 600] and set(waits[4:]) == {600}
        world.others.close()

    run(main())


def test_a_webhook_hurries_all_and_no_storm_of_them_asks_more_than_every_five_seconds() -> None:
    async def main() -> None:
        world = World()
        world.others.follow([SHOP, CART])
        await asyncio.sleep(1)
        for _ in range(30):
            world.others.hurry()
            await asyncio.sleep(1)
        assert all(2 <= len(server.polls) <= 8 for server in world.servers.values())
        world.others.close()

    run(main())


def test_a_repository_that_hangs_holds_nobody_up() -> None:
    async def main() -> None:
        world = World()
        world.servers[CART].takes = 3600
        world.others.follow([SHOP, CART])
        before = asyncio.get_running_loop().time()
        await world.others.looked([SHOP, CART], within=5)
        assert asyncio.get_running_loop().time() - before == pytest.approx(5)
        assert world.servers[SHOP].revision == "1" and world.servers[CART].revision is None
        await asyncio.sleep(121)
        assert len(world.servers[SHOP].polls) == 3
        world.others.close()

    run(main())


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        ("check NOMAD_OPERATOR_GIT_REF: a branch", "check `ref` of its source"),
        ("check NOMAD_OPERATOR_GIT_URL; many", "check `git` of its source"),
        ("check that the token (NOMAD_OPERATOR_GIT_TOKEN or", "may everybody read it"),
        ("is the git server up?", "is the git server up?"),
    ],
)
def test_what_to_do_about_it_is_told_of_the_manifest_and_not_of_the_main_repository(hint: str, told: str) -> None:
    async def main() -> None:
        world = World()
        world.servers[SHOP].error = Unavailable("no", hint=hint)
        world.others.follow([SHOP])
        await asyncio.sleep(1)
        problem = world.others.problem(SHOP)
        assert problem is not None and problem.hint.startswith(told)
        world.others.close()

    run(main())


def test_what_nobody_names_any_more_is_let_go() -> None:
    async def main() -> None:
        world = World()
        world.others.follow([SHOP, CART])
        await asyncio.sleep(1)
        world.others.follow([CART])
        await asyncio.sleep(600)
        assert len(world.servers[SHOP].polls) == 1 and len(world.servers[CART].polls) == 11
        assert world.kept[-1] == {CART} and world.others.source(SHOP) is None
        world.others.close()

    run(main())


def test_one_more_than_are_allowed_is_refused_and_those_that_are_followed_stay() -> None:
    async def main() -> None:
        world = World(most=1)
        world.others.follow([SHOP])
        world.others.follow([SHOP, CART])
        refused = world.others.problem(CART)
        assert refused is not None and "1 other repositories are already" in str(refused)
        assert world.others.source(SHOP) is not None and world.others.source(CART) is None
        world.others.follow([CART])
        assert world.others.problem(CART) is None
        world.others.close()

    run(main())


def test_what_must_not_be_asked_is_refused_with_its_reason() -> None:
    async def main() -> None:
        world = World()
        spy = Remote("file:///private", "HEAD")
        world.others.follow([spy, SHOP])
        await world.others.looked([spy, SHOP], within=None)
        assert str(world.others.problem(spy)) == "not here" and world.servers[SHOP].revision == "1"
        world.others.close()

    run(main())
