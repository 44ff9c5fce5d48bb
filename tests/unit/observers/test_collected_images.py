"""Images are asked for where they may decide a repair, and what could not be read is named, to people as well."""

from __future__ import annotations

from typing import Any

import pytest

from desired.cause import Cause
from desired.errors import Forbidden, Unavailable
from observers.evidence import Evidence, ImageFacts
from observers.evidence_words import told_lines
from observers.failures.diagnose import diagnose
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass as F
from observers.nomad.collect import Collector
from tests.unit.observers.failures.failure_evidence import (
    NOW,
    allocation,
    check,
    crashes,
    driver_failure,
    evidence,
    job,
    placed,
    running,
)

IMAGE = "registry.example/team/app:1.0"


class Asked:
    """Both a Nomad and the registries; `away` raise, or say nothing."""

    def __init__(self, *known: ImageFacts, away: type[Exception] | None = None) -> None:
        self.images: list[str] = []
        self._known = {one.image: one for one in known}
        self._away = away

    async def facts(self, image: str) -> ImageFacts | None:
        self.images.append(image)
        return self._known.get(image)

    async def logs(self, allocation: str, task: str, kind: str, **_: Any) -> str | None:
        if self._away is not None:
            raise self._away("away")
        return f"{kind} of {task} in {allocation}\n"

    def __getattr__(self, name: str) -> Any:
        async def read(*_: Any, **__: Any) -> Any:
            if self._away is not None:
                raise self._away("away")
            return ()

        return read


async def collected(asked: Asked, found: Evidence, *failures: F) -> Evidence:
    first = [Diagnosis(failure, Cause.SPEC, "words") for failure in failures]
    return await Collector(reads=asked, images=asked).collect(found, first)


@pytest.mark.parametrize(
    ("failure", "asks"),
    [(F.COMMAND_NOT_FOUND, True), (F.WORK_DIR_INVALID, True), (F.CHECK_FAILING, True), (F.CHECK_TOO_EARLY, True),
     (F.CRASH_PORT_PRIVILEGED, True), (F.OOM_KILLED, False), (F.IMAGE_TAG_MISSING, False), (F.CPU_EXHAUSTED, False),
     (F.VARIABLE_MISSING, False)],
)  # fmt: skip
async def test_an_image_is_asked_for_only_where_it_may_decide(failure: F, asks: bool) -> None:
    asked = Asked(ImageFacts(IMAGE, ports=(80,)))
    found = await collected(asked, evidence(allocation()), failure)
    assert asked.images == ([IMAGE] if asks else []) and list(found.images) == asked.images


@pytest.mark.parametrize(
    ("driver", "image", "asks"),
    [("docker", "a:1", True), ("podman", "a:1", True), ("exec", "a:1", False), ("docker", "", False),
     ("docker", "${meta.image}", False)],
)  # fmt: skip
async def test_only_what_is_an_image_is_asked_for(driver: str, image: str, asks: bool) -> None:
    asked = Asked()
    found = await collected(asked, evidence(body=job(Driver=driver, Config={"image": image})), F.COMMAND_NOT_FOUND)
    assert asked.images == ([image] if asks else [])
    assert found.images == {} and found.unread == (("image a:1",) if asks else ())


async def test_of_very_many_images_no_more_than_three_are_asked_for() -> None:
    body = job()
    (task,) = body["TaskGroups"][0]["Tasks"]
    body["TaskGroups"][0]["Tasks"] = [{**task, "Name": f"t{n}", "Config": {"image": f"a:{n}"}} for n in range(9)]
    asked = Asked()
    await collected(asked, evidence(body=body), F.COMMAND_NOT_FOUND)
    assert len(asked.images) == 3


async def test_what_an_image_says_names_a_failure_that_had_no_name() -> None:
    """A check that nothing answers, of an app that logs nothing: the image says where it listens."""
    silent = evidence(running(), checks=(check('Get "http://10.0.0.1/health": EOF'),))
    before = diagnose(silent, NOW)
    asked = Asked(ImageFacts(IMAGE, ports=(3000,)))
    first = await Collector(reads=asked, images=asked).collect(silent, before)
    (after, *_) = diagnose(first, NOW)
    assert F.CHECK_WRONG_PORT not in [one.failure for one in before]
    assert (after.failure, after.facts["listens_on"], after.facts["said_by"]) == (F.CHECK_WRONG_PORT, "3000", "image")


async def test_what_could_not_be_read_is_named_once_and_told_to_people() -> None:
    whole = await collected(Asked(), evidence(allocation(crashes(1))), F.CRASH)
    assert whole.unread == () and len(whole.logs) == 2
    found = await collected(Asked(away=Unavailable), evidence(allocation(crashes(1), id="0123456789")), F.CRASH)
    assert found.unread == ("the stderr of app in allocation 01234567", "the stdout of app in allocation 01234567")
    assert "could not be read: the stderr of app in allocation 01234567" in told_lines(found, limit=50)[-1]
    room = await collected(Asked(away=Forbidden), placed("memory", exhausted=True), F.NODE_POOL_MISSING)
    assert room.unread == ("the node pools", "the nodes") and room.cluster.nodes is None


async def test_logs_of_what_is_ill_come_first() -> None:
    well = [allocation(crashes(1), id=f"well{number}", healthy=True) for number in range(4)]
    ill = allocation([*crashes(1), driver_failure("no")], id="ill")
    found = await collected(Asked(), evidence(*well, ill), F.CRASH)
    assert found.logs[0].allocation == "ill" and len({tail.allocation for tail in found.logs}) == 2
