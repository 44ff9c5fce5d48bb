"""Stories of repairs that go back to git: the loop on the embedded Nomad, a real repository beside it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desired.app import AppKey
from desired.edited_file import FileEditor
from desired.errors import Unavailable
from desired.git_commit import Author
from desired.git_source import GitSource
from desired.policy import Policy, Repair, RepairMode
from desired.write_back import Change, WriteBack, WrittenChange
from nomad_operator import repair_view
from nomad_operator.commands.repair_words import report
from nomad_operator.commands.table import Style
from reconcilers.backoff import Backoff
from reconcilers.decision import Condition, Truth
from reconcilers.record import Record
from reconcilers.repair.episode import Outcome, TryState
from reconcilers.repair.owed import WriteBackTo
from reconcilers.repair.writing import Writing
from reconcilers.requests import Verb
from tests.integration.git.git_world import Upstream
from tests.integration.loop.cluster import FAST, Cluster, job, key
from tests.integration.loop.test_repairs import PROPOSE, WORLD, memory

BRANCH = "nomad-operator/repair/default/web"
WEB = job(command="hungry", memory=128, update=FAST).replace("memory = 128", "memory = 128 # was 64 until May")


class Lines:
    """An outage log."""

    def __init__(self) -> None:
        self.down: dict[str, str] = {}

    def report(self, service: str, problem: str | None, *, hint: str = "") -> bool:
        if problem is None:
            return self.down.pop(service, None) is not None
        self.down[service] = problem
        return True


class Failing:
    """A writer that raises what it is told to, else hands on."""

    def __init__(self, writer: WriteBack) -> None:
        self._writer = writer
        self.error: BaseException | None = None
        self.meanwhile: Callable[[], None] = lambda: None
        self.asked = 0

    async def write(self, change: Change) -> WrittenChange | None:
        self.asked += 1
        self.meanwhile()
        if self.error is not None:
            raise self.error
        return await self._writer.write(change)


class Story:
    """A repository with one app, the loop on it, and the writing beside it."""

    def __init__(self, folder: Path, *, to: WriteBackTo, policy: Policy | None = None, text: str = WEB) -> None:
        self.folder, self.to, self.policy = folder, to, policy
        self.upstream = Upstream(folder / "apps")
        self.upstream.git("config", "receive.denyCurrentBranch", "ignore")
        self.upstream.commit({"web.nomad.hcl": text})
        self.cluster = Cluster(world=WORLD)
        self.lines = Lines()
        self.looks = 0
        self.begin()
        self.follow()

    def begin(self) -> None:
        """Also after a restart of the cluster's operator: nothing is left of what was in memory."""
        source = GitSource(url=str(self.upstream.folder), cache=self.folder / "cache", environment=os.environ)
        self.writer = Failing(WriteBack(push=source.push(Author()), editor=FileEditor(defaults=Policy())))
        self._passes: list[asyncio.Task[Any]] = []
        self.writing = Writing(
            to=self.to, writer=self.writer, desired=self.cluster, records=self.cluster.records,
            notes=self.cluster.requests, stopped=lambda: self.cluster.switch.stopped, wake=self._wake,
            pushed=self._look, outages=self.lines, backoff=Backoff(random=lambda: 1.0),
            clock=lambda: self.cluster.now.timestamp(),
        )  # fmt: skip
        self.cluster.records.listen(self.writing.saved)

    def _wake(self, woken: AppKey) -> None:
        self._passes.append(asyncio.create_task(self.cluster.reconciler.reconcile(woken)))

    def _look(self) -> None:
        self.looks += 1

    def follow(self) -> None:
        """What a poll does."""
        self.cluster.commit(self.upstream.git("show", "main:web.nomad.hcl") + "\n", policy=self.policy)
        self.writing.look()

    def write(self) -> None:
        """What the loop of the writing does, once."""

        async def due() -> None:
            await self.writing.write_due()
            await asyncio.gather(*self._passes)

        self._passes = []
        asyncio.run(due())

    def live(self, minutes: float = 8) -> Any:
        return self.cluster.live("web", minutes=minutes)

    def restart(self) -> None:
        self.cluster.restart()
        self.begin()
        self.writing.look()

    def person(self, text: str) -> str:
        self.upstream.git("reset", "--quiet", "--hard")
        return self.upstream.commit({"web.nomad.hcl": text})

    @property
    def record(self) -> Record:
        return self.cluster.records.get(key("web"))

    def refs(self) -> str:
        return self.upstream.git("for-each-ref")

    def message(self, ref: str) -> str:
        return self.upstream.git("log", "-1", "--format=%B", ref)


def test_a_verified_repair_stands_on_a_branch_and_its_message_tells_the_story(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH)
    story.live()
    story.write()
    assert story.upstream.git("diff", "main", BRANCH, "--unified=0").splitlines()[-2:] == [
        "-        memory = 128 # was 64 until May",
        "+        memory = 256 # was 64 until May",
    ]
    subject, *body = story.message(BRANCH).splitlines()
    assert subject == "Repair default/web: memory of app/app: 128 MB → 256 MB" and len(subject) <= 72
    told = "\n".join(body)
    last = story.record.last_episode
    assert last is not None
    for words in ("oom_killed", "Evidence:", "- memory of app/app: 128 MB → 256 MB", "(rule: ", "2026-01-01 00:0"):
        assert words in told
    assert body[-2:] == ["Nomad-Operator-App: default/web", f"Nomad-Operator-Episode: {last.id}"]
    (kept,) = story.record.overlay
    commit = story.upstream.git("rev-parse", BRANCH)
    assert kept.written == f"commit {commit[:12]} on {BRANCH}"
    lines = "\n".join(report(repair_view.story(story.record), story.cluster.now, Style(False, 200)))
    assert f"commit {commit[:12]} on {BRANCH}" in lines


def test_what_is_written_is_not_written_again_whoever_looks(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH)
    story.live()
    story.write()
    refs, asked = story.refs(), story.writer.asked
    story.upstream.commit({"other.nomad.hcl": 'job "other" {}\n'})
    story.follow()
    for _ in range(3):
        story.write()
        story.live(1)
    assert (story.refs().replace("x", ""), story.writer.asked) == (story.refs(), asked)
    story.restart()
    story.write()
    assert story.writer.asked == 0
    assert BRANCH in refs


@pytest.mark.parametrize("to", [WriteBackTo.BRANCH, WriteBackTo.PUSH])
def test_who_is_killed_between_the_push_and_the_note_writes_one_commit(tmp_path: Path, to: WriteBackTo) -> None:
    story = Story(tmp_path, to=to)
    story.live()
    killed = story.record
    story.write()
    refs = story.refs()
    story.cluster.store.__init__()  # type: ignore[misc]
    story.cluster.restart()
    asyncio.run(story.cluster.records.save(killed))
    story.begin()
    story.writing.look()
    story.write()
    assert story.refs() == refs
    assert story.upstream.git("rev-list", "--count", "main..nomad-operator/repair/default/web" if to == "branch"
                              else "main") == ("1" if to == "branch" else "2")  # fmt: skip


def test_a_pushed_repair_comes_back_as_what_git_says_and_nothing_is_registered_for_it(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.PUSH)
    story.live()
    registers = story.cluster.registers
    story.write()
    assert story.looks == 1
    assert story.upstream.git("log", "-1", "--format=%an", "main") == "nomad-operator"
    story.follow()
    story.write()
    report = story.live(40)
    assert story.record.overlay == ()
    assert (story.cluster.registers, report.ready) == (registers, Truth.TRUE)
    last = story.record.last_episode
    assert last is not None and last.outcome is Outcome.REPAIRED and last.durable is True
    assert story.upstream.git("rev-list", "--count", "main") == "2"
    assert not story.lines.down


def test_a_merged_branch_ends_the_overlay(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH)
    story.live()
    story.write()
    registers = story.cluster.registers
    story.upstream.git("merge", "--quiet", "--no-ff", "--message", "merge", BRANCH)
    story.follow()
    story.write()
    story.live(5)
    assert story.record.overlay == ()
    assert story.cluster.registers == registers


def test_a_proposal_stands_on_the_branch_and_merging_it_approves_it(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH, policy=PROPOSE)
    assert story.live().conditions[Condition.AWAITING_APPROVAL].status is Truth.TRUE
    story.write()
    subject, *body = story.message(BRANCH).splitlines()
    assert subject.startswith("Proposed repair default/web: memory")
    assert any("merging this is one" in line for line in body)
    story.upstream.git("merge", "--quiet", "--ff-only", BRANCH)
    story.follow()
    report = story.live()
    last = story.record.last_episode
    assert last is not None and last.outcome is Outcome.REPAIRED
    assert last.tries[-1].state is TryState.VERIFIED
    assert (memory(story.cluster), story.record.overlay, report.ready) == (256, (), Truth.TRUE)
    refs = story.refs()
    story.write()
    assert story.refs() == refs


def test_a_merged_proposal_that_does_not_help_is_a_failed_attempt_and_another_is_proposed(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH, policy=PROPOSE, text=WEB.replace("128", "64"))
    story.live()
    story.write()
    story.upstream.git("merge", "--quiet", "--ff-only", BRANCH)
    story.follow()
    story.live()
    episode = story.record.episode
    assert episode is not None
    assert [one.state for one in episode.tries] == [TryState.FAILED, TryState.WAITING]
    story.write()
    story.upstream.git("merge", "--quiet", "--ff-only", BRANCH)
    story.follow()
    assert story.live().ready is Truth.TRUE
    assert "memory = 256 # was" in story.upstream.git("show", "main:web.nomad.hcl")
    assert story.record.last_episode is not None and story.record.last_episode.outcome is Outcome.REPAIRED


def test_another_commit_than_the_proposal_ends_the_episode(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH, policy=PROPOSE)
    story.live()
    story.write()
    story.person(WEB.replace("= 128", "= 300"))
    story.follow()
    story.live()
    assert story.record.last_episode is not None
    assert story.record.last_episode.outcome is Outcome.SUPERSEDED
    assert memory(story.cluster) == 300


def test_a_proposal_is_never_pushed_to_the_watched_branch(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.PUSH, policy=PROPOSE)
    refs = story.refs()
    story.live()
    story.write()
    assert story.refs() == refs
    story.cluster.ask("web", Verb.APPROVE)
    story.live()
    story.write()
    assert story.upstream.git("log", "-1", "--format=%an", "main") == "nomad-operator"


def test_an_approved_proposal_that_was_verified_says_so_on_its_branch(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH, policy=PROPOSE)
    story.live()
    story.write()
    story.cluster.ask("web", Verb.APPROVE)
    story.live()
    story.write()
    assert story.message(BRANCH).startswith("Repair default/web")
    assert story.upstream.git("rev-list", "--count", f"main..{BRANCH}") == "1"


@pytest.mark.parametrize("why", ["off", "stopped", "suspended", "mode off"])
def test_who_may_not_write_writes_nothing(tmp_path: Path, why: str) -> None:
    story = Story(tmp_path, to=WriteBackTo.OFF if why == "off" else WriteBackTo.BRANCH)
    story.live()
    refs = story.refs()
    if why == "stopped":
        asyncio.run(story.cluster.switch.stop(story.cluster.now))
    if why == "suspended":
        story.cluster.ask("web", Verb.SUSPEND)
    if why == "mode off":
        story.policy = Policy(repair=Repair(mode=RepairMode.OFF))
        story.follow()
    story.writing.look()
    story.write()
    assert (story.refs(), story.writer.asked) == (refs, 0)
    if why == "stopped":
        asyncio.run(story.cluster.switch.start())
        story.writing.look()
        story.write()
        assert BRANCH in story.refs()


@pytest.mark.parametrize(
    "error", [Unavailable("the git server is away", hint="wait"), RuntimeError("a bug")], ids=["outage", "bug"]
)
def test_what_cannot_be_written_is_told_and_tried_again_with_growing_pauses(
    tmp_path: Path, error: BaseException
) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH)
    story.live()
    story.writer.error = error
    for _ in range(3):
        story.writing.look()
        story.write()
    assert story.writer.asked == 1
    for _ in range(60):
        story.write()
        story.cluster.passes("web")
        story.live(0.1)
    assert 5 <= story.writer.asked <= 12
    assert list(story.lines.down) == ["write-back of default/web"]
    told = repair_view.story(story.record)["writeBack"]["told"]
    assert told.startswith("not written so far: ")
    assert story.cluster.reports.get(key("web")).ready is Truth.TRUE  # type: ignore[union-attr]
    story.writer.error = None
    story.live(6)
    story.write()
    assert BRANCH in story.refs()
    assert not story.lines.down
    assert repair_view.story(story.record)["writeBack"]["told"] == ""


def test_where_a_person_has_committed_to_the_branch_that_is_told_and_left_alone(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.BRANCH)
    story.upstream.git("branch", BRANCH)
    refs = story.refs()
    story.live()
    story.write()
    assert story.refs() == refs
    assert "did not make" in repair_view.story(story.record)["writeBack"]["told"]
    story.upstream.git("branch", "--delete", "--force", BRANCH)
    story.live(1)
    story.write()
    assert story.message(BRANCH).startswith("Repair")


def test_a_value_that_is_no_literal_is_offered_as_a_patch(tmp_path: Path) -> None:
    text = 'variable "half" {\n  default = 64\n}\n' + WEB.replace("memory = 128", "memory = 2 * var.half")
    story = Story(tmp_path, to=WriteBackTo.PUSH, text=text)
    refs = story.refs()
    story.live()
    story.write()
    assert story.refs() == refs
    (kept,) = story.record.overlay
    assert kept.written.startswith("needs a hand: ")
    lines = "\n".join(report(repair_view.story(story.record), story.cluster.now, Style(False, 200)))
    assert "needs a hand" in lines and "+" in lines and "256" in lines
    asked = story.writer.asked
    story.live(10)
    story.write()
    assert story.writer.asked == asked


def test_a_repair_that_git_contradicts_meanwhile_is_not_written(tmp_path: Path) -> None:
    """The commit is there before the operator has seen it."""
    story = Story(tmp_path, to=WriteBackTo.PUSH)
    story.live()
    theirs = story.person(WEB.replace("= 128", "= 300"))
    story.write()
    assert story.upstream.git("rev-parse", "main") == theirs
    assert story.looks == 1
    story.follow()
    story.live(5)
    story.write()
    assert story.upstream.git("rev-parse", "main") == theirs
    assert story.record.overlay == ()


def test_a_merge_that_writes_the_same_job_in_another_order_approves_it_as_well(tmp_path: Path) -> None:
    """A static port made dynamic stands among the other dynamic ports where its file has it."""
    ports = 'network {\n      port "a" {\n        static = 8080\n      }\n      port "b" {}\n    }\n'
    network = ports + '    service {\n      provider = "nomad"\n      port     = "a"\n    }'
    text = job(update=FAST, group=network)
    holder = job("holder", count=2, group='network {\n      port "x" {\n        static = 8080\n      }\n    }')
    story = Story(tmp_path, to=WriteBackTo.BRANCH, text=text)
    story.cluster.register_by_hand(holder)
    story.live(1)
    found = story.live()
    assert found.conditions[Condition.AWAITING_APPROVAL].status is Truth.TRUE
    story.write()
    story.upstream.git("merge", "--quiet", "--ff-only", BRANCH)
    assert "static" not in story.upstream.git("show", "main:web.nomad.hcl")
    story.follow()
    assert story.live().ready is Truth.TRUE
    last = story.record.last_episode
    assert last is not None and last.outcome is Outcome.REPAIRED


def test_repairs_that_are_stopped_while_one_is_being_written_are_not_pushed(tmp_path: Path) -> None:
    story = Story(tmp_path, to=WriteBackTo.PUSH)
    story.live()
    refs = story.refs()
    story.writer.meanwhile = lambda: setattr(story.cluster.switch, "_stopped_at", "now")
    story.write()
    assert (story.refs(), story.writer.asked) == (refs, 1)
