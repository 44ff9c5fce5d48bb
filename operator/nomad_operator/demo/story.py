"""The story: commits arrive, jobs become healthy, drift is restored, a bad commit is held back, a fix goes through."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx

from desired.app import DEFAULT_NAMESPACE, AppKey
from desired.operations.words import line
from desired.state import HclSource
from nomad_operator import log, repair_view
from nomad_operator.api_token import token_of_daemon
from nomad_operator.commands.repair_words import listed, report
from nomad_operator.commands.table import Style
from nomad_operator.demo import apps, broken
from nomad_operator.demo.stage import Narrator, Repository, until
from nomad_operator.embedded.server import serve
from nomad_operator.embedded.world import read_world
from nomad_operator.run import opened, serving, web_of
from nomad_operator.settings import LogFormat, LogLevel, Settings
from nomad_operator.signals import StopSignals
from nomad_operator.web_server import WebServer
from nomad_operator.wiring import Parts, now
from reconcilers.decision import Condition, Step, Truth
from reconcilers.reports import AppReport

_PATIENCE = 60.0


async def play(address: str, *, image: str, prefix: str, port: int = 0, stay: bool = False) -> int:
    """Play it on the Nomad at `address`; 0 if everything came out as told. Its jobs are purged at the end.

    Its page is served at `port` of the loopback, a free one if 0; with `stay` until somebody stops it.
    """
    log.configure(form=LogFormat.AUTO, level=LogLevel.ERROR)
    with tempfile.TemporaryDirectory(prefix="nomad-operator-demo-") as folder:
        repository = Repository(_made(Path(folder) / "repository"))
        settings = Settings(
            nomad_addr=address, git_url=str(repository.folder), git_path="apps", git_poll=timedelta(seconds=1),
            state_url=f"sqlite:///{folder}/state/state.db", verify_soak=timedelta(seconds=2),
            resync=timedelta(seconds=30), image_lookup=False,
        )  # fmt: skip
        narrator = Narrator()
        narrator.heading("You commit six apps: manifests and job files. One manifest has mistakes, one app crashes.")
        repository.commit(apps.files(image, prefix), "six apps")
        async with opened(settings) as parts:
            parts.reports.listen(narrator.transition)
            server = await WebServer.start(
                web_of(settings, parts, token_of_daemon(settings)).application(), host="127.0.0.1", port=port
            )
            narrator.does(f"Its page, to watch meanwhile: {server.address}/")
            story = _Story(parts, repository, narrator, image, prefix, address)
            try:
                async with serving(parts):
                    await parts.daemon.start()
                    running = asyncio.create_task(parts.daemon.run())
                    try:
                        await story.tell()
                        if stay:
                            await _until_stopped(f"The page stays at {server.address}/ until you press Ctrl-C.")
                    finally:
                        await parts.daemon.stop()
                        await running
                        await story.clean_up()
            finally:
                await server.stop()
    return 0


async def _until_stopped(told: str) -> None:
    print(f"\n{told}", flush=True)
    with StopSignals() as signals:
        await signals.wait()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


class _Story:
    """One telling. Every step waits for what it announces."""

    def __init__(
        self, parts: Parts, repository: Repository, narrator: Narrator, image: str, prefix: str, address: str
    ) -> None:
        self._parts = parts
        self._repository = repository
        self._narrator = narrator
        self._image = image
        self._prefix = prefix
        self._address = address
        self._missing_image = "registry.example/gallery:9.9"

    async def tell(self) -> None:
        await self._first_commit()
        await self._drift()
        await self._broken_apps()
        await self._decisions()
        await self._bad_commit()
        await self._fixing_commit()
        self._explain("metrics")
        self._narrator.heading("How it stands")
        self._narrator.table([*self._parts.reports])
        self._repairs()
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

    async def _broken_apps(self) -> None:
        self._narrator.heading(
            "You commit nine more. One is well. Eight are broken: each failure gets a name, and who can mend it."
        )
        await self._put_variable()
        files = broken.files(self._image, self._prefix, self._missing_image)
        files["apps/ledger.yaml"] = broken.ledger(self._image, self._prefix, "exec sleep 3600")
        self._repository.commit(files, "nine apps")
        for name in ("cache", "metrics", "indexer"):
            await self._until(name, _ready)
        await self._until("gallery", lambda report: report.step is Step.LEFT_FAILED)
        await self._until("ledger", _ready)
        for name in ("mill", "billing"):
            await self._until(name, _waits)
        for name in ("proxy", "proxy-too"):
            await self._until(name, lambda report: _waits(report) or _ready(report))

    async def _decisions(self) -> None:
        self._narrator.heading("Two repairs are risky, and wait for you. You read them, and approve.")
        for name in ("proxy", "proxy-too", "billing"):
            key = self._key(name)
            if self._parts.records.get(key).episode is None:
                continue
            for told in self._story(name):
                self._narrator.does(told)
            await self._parts.backend.command(key, "approve")
            await self._until(name, _ready)

    def _story(self, name: str) -> list[str]:
        episode = self._parts.records.get(self._key(name)).episode
        waiting = episode.waiting if episode else None
        return [f"{name}: {line(one)}" for one in waiting.operations] if waiting else []

    def _explain(self, name: str) -> None:
        key = self._key(name)
        self._narrator.heading(f"nomad-operator explain {key.name}")
        record = self._parts.records.get(key)
        print("\n".join(f"  {told}" for told in report(repair_view.story(record), now(), Style.of(sys.stdout))))

    def _repairs(self) -> None:
        self._narrator.heading("nomad-operator repairs list")
        print("\n".join(f"  {told}" for told in listed(self._parts.backend.repairs(), now(), Style.of(sys.stdout))))

    async def _put_variable(self) -> None:
        path = f"nomad/jobs/{self._prefix}billing"
        body = {"Path": path, "Items": {"password": "made-up-for-the-story"}}
        async with httpx.AsyncClient(base_url=self._address, trust_env=False) as client:
            (await client.put(f"/v1/var/{path}", json=body)).raise_for_status()

    async def _bad_commit(self) -> None:
        self._narrator.heading(
            "You commit an api that crashes at start, and a ledger that needs more than its limit. Both are held back."
        )
        bad = apps.api(self._image, self._prefix, command="cat /no-such-file")
        self._repository.commit({"apps/api.nomad.hcl": bad}, "a new api")
        self._repository.commit(
            {"apps/ledger.yaml": broken.ledger(self._image, self._prefix, broken.RAVENOUS)}, "a larger ledger"
        )
        await self._until("api", lambda report: report.reason == "RolledBack")
        await self._until("ledger", lambda report: report.reason == "RolledBack")

    async def _fixing_commit(self) -> None:
        self._narrator.heading("You commit the fix, and mend the manifest.")
        files = {
            "apps/api.nomad.hcl": apps.api(self._image, self._prefix, greeting="good morning"),
            "apps/search.yaml": apps.search(self._image, self._prefix, good=True),
            "apps/ledger.yaml": broken.ledger(self._image, self._prefix, "exec sleep 3600"),
        }
        self._repository.commit(files, "mend the api and the search manifest")
        await self._until("search", _ready)
        await self._until("api", _ready)

    async def clean_up(self) -> None:
        """Nothing of the story stays on a Nomad that is not ours."""
        for one in self._parts.reports:
            if one.key.name.startswith(self._prefix):
                await self._parts.nomad.stop(one.key, purge=True)
        if self._prefix:
            async with httpx.AsyncClient(base_url=self._address, trust_env=False) as client:
                await client.delete(f"/v1/var/nomad/jobs/{self._prefix}billing")

    async def _until(self, name: str, holds: Callable[[AppReport], bool]) -> None:
        await until(self._parts.reports, self._key(name), holds, seconds=_PATIENCE)

    def _key(self, name: str) -> AppKey:
        return AppKey(DEFAULT_NAMESPACE, f"{self._prefix}{name}")


def _waits(report: AppReport) -> bool:
    return Condition.AWAITING_APPROVAL in report.conditions and report.settled


def _ready(report: AppReport) -> bool:
    return report.ready is Truth.TRUE and report.step is Step.STEADY


def _seen(report: AppReport, step: Step) -> bool:
    return any(one.step is step for one in report.transitions)


async def play_embedded(*, port: int = 0, stay: bool = False) -> int:
    """The story on an embedded Nomad of its own."""
    world = apps.WORLD + broken.BEHAVIOURS.lstrip("\n") + broken.TEMPLATES
    nomad = await serve(read_world(world, "the demo's world"))
    try:
        return await play(nomad.address, image="busybox:1", prefix="", port=port, stay=stay)
    finally:
        await nomad.stop()
