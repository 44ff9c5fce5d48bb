"""The story: commits arrive, jobs become healthy, drift is restored, a bad commit is held back, a fix goes through."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from desired.app import DEFAULT_NAMESPACE, AppKey
from desired.state import HclSource
from nomad_operator import log
from nomad_operator.demo import apps
from nomad_operator.demo.stage import Narrator, Repository, until
from nomad_operator.embedded.server import serve
from nomad_operator.embedded.world import read_world
from nomad_operator.run import opened
from nomad_operator.settings import LogFormat, LogLevel, Settings
from nomad_operator.wiring import Parts
from reconcilers.decision import Step, Truth
from reconcilers.reports import AppReport

_PATIENCE = 60.0


async def play(address: str, *, image: str, prefix: str) -> int:
    """Play it on the Nomad at `address`; 0 if everything came out as told. Its jobs are purged at the end."""
    log.configure(form=LogFormat.AUTO, level=LogLevel.ERROR)
    with tempfile.TemporaryDirectory(prefix="nomad-operator-demo-") as folder:
        repository = Repository(_made(Path(folder) / "repository"))
        settings = Settings(
            nomad_addr=address, git_url=str(repository.folder), git_path="apps", git_poll=timedelta(seconds=1),
            state_url=f"sqlite:///{folder}/state/state.db", verify_soak=timedelta(seconds=2),
            resync=timedelta(seconds=30),
        )  # fmt: skip
        narrator = Narrator()
        narrator.heading("You commit six apps: manifests and job files. One manifest has mistakes, one app crashes.")
        repository.commit(apps.files(image, prefix), "six apps")
        async with opened(settings) as parts:
            parts.reports.listen(narrator.transition)
            await parts.daemon.start()
            running = asyncio.create_task(parts.daemon.run())
            story = _Story(parts, repository, narrator, image, prefix)
            try:
                await story.tell()
            finally:
                await parts.daemon.stop()
                await running
                await story.clean_up()
    return 0


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


class _Story:
    """One telling. Every step waits for what it announces."""

    def __init__(self, parts: Parts, repository: Repository, narrator: Narrator, image: str, prefix: str) -> None:
        self._parts = parts
        self._repository = repository
        self._narrator = narrator
        self._image = image
        self._prefix = prefix

    async def tell(self) -> None:
        await self._first_commit()
        await self._drift()
        await self._bad_commit()
        await self._fixing_commit()
        self._narrator.heading("How it stands")
        self._narrator.table([*self._parts.reports])
        print("\nNext: README.md, 'Your own repository'. `nomad-operator graph` draws the machine you just watched.")

    async def _first_commit(self) -> None:
        for name in ("shop", "api", "worker"):
            await self._until(name, _ready)
        await self._until("report", lambda report: report.step is Step.COMPLETED)
        await self._until("mailer", lambda report: report.step is Step.LEFT_FAILED)
        state = self._parts.source.state
        for file in state.unreadable if state else ():
            for problem in file.problems:
                self._narrator.does(f"problem: {problem}")

    async def _drift(self) -> None:
        self._narrator.heading("Somebody stops the worker by hand, and changes the api's greeting.")
        await self._parts.nomad.stop(self._key("worker"))
        changed = apps.api(self._image, self._prefix, greeting="changed by hand")
        body = await self._parts.nomad.parse(HclSource(changed))
        job = await self._parts.nomad.job(self._key("api"))
        assert job is not None
        await self._parts.nomad.register(body, index=job.job_modify_index, submission=None)
        for name in ("worker", "api"):
            await self._until(name, lambda report: report.step is Step.CORRECTING or _seen(report, Step.CORRECTING))
        for name in ("worker", "api"):
            await self._until(name, _ready)

    async def _bad_commit(self) -> None:
        self._narrator.heading("You commit an api that crashes at start. It is held back; the good version serves on.")
        bad = apps.api(self._image, self._prefix, command="cat /no-such-file")
        self._repository.commit({"apps/api.nomad.hcl": bad}, "a new api")
        await self._until("api", lambda report: report.reason == "RolledBack")

    async def _fixing_commit(self) -> None:
        self._narrator.heading("You commit the fix, and mend the manifest.")
        files = {
            "apps/api.nomad.hcl": apps.api(self._image, self._prefix, greeting="good morning"),
            "apps/search.yaml": apps.search(self._image, self._prefix, good=True),
        }
        self._repository.commit(files, "mend the api and the search manifest")
        await self._until("search", _ready)
        await self._until("api", _ready)

    async def clean_up(self) -> None:
        """Nothing of the story stays on a Nomad that is not ours."""
        for report in self._parts.reports:
            if report.key.name.startswith(self._prefix):
                await self._parts.nomad.stop(report.key, purge=True)

    async def _until(self, name: str, holds: Callable[[AppReport], bool]) -> None:
        await until(self._parts.reports, self._key(name), holds, seconds=_PATIENCE)

    def _key(self, name: str) -> AppKey:
        return AppKey(DEFAULT_NAMESPACE, f"{self._prefix}{name}")


def _ready(report: AppReport) -> bool:
    return report.ready is Truth.TRUE and report.step is Step.STEADY


def _seen(report: AppReport, step: Step) -> bool:
    return any(one.step is step for one in report.transitions)


async def play_embedded() -> int:
    """The story on an embedded Nomad of its own."""
    serving = await serve(read_world(apps.WORLD, "the demo's world"))
    try:
        return await play(serving.address, image="busybox:1", prefix="")
    finally:
        await serving.stop()
