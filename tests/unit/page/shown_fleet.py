"""A daemon as the page sees it, made of documented JSON, and the page served in front of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from desired.app import AppKey
from nomad_operator.metrics import Metrics
from nomad_operator.page.hosts import Hosts
from nomad_operator.page.pages import Pages
from nomad_operator.page.readers import Readers
from nomad_operator.page.services_view import ServicesView, services_view
from nomad_operator.page.site import Site
from nomad_operator.service_look import Look
from nomad_operator.web import Web
from nomad_operator.web_events import Broadcast, Listening

AT = "2026-01-02T03:04:05Z"
NOW = datetime(2026, 1, 2, 4, 0, tzinfo=UTC)
API_TOKEN = "an-api-token-that-is-long"
READ_TOKEN = "a-token-for-reading-alone"
HOSTILE = "<script>alert(1)</script> \"' & \x1b[31mred\x1b[0m \u202egnp.exe\u202c " + "x" * 3000


def operation(line: str = "memory of app/app: 32 MB → 64 MB") -> dict[str, Any]:
    return {"op": "memory", "path": "app/app", "from": 32, "to": 64, "line": line}


def attempt(**more: Any) -> dict[str, Any]:
    return {
        "number": 1, "state": "verified", "pending": False, "class": "oom_killed", "rung": "rule",
        "source": "memory-growth", "reason": "it was killed for want of memory", "proposal": "c2150dc37b64349b",
        "operations": [operation()], "told": "", "at": AT, "endedAt": AT, **more,
    }  # fmt: skip


def episode(**more: Any) -> dict[str, Any]:
    """One that has ended well; `full` adds what a story holds."""
    return {
        "id": "e1", "class": "oom_killed", "cause": "spec", "attempt": 1, "startedAt": AT, "message": "OOM Killed",
        "hint": "give it more memory", "waiting": None, "outcome": "repaired", "endedAt": AT, "durable": None,
        "told": "it stayed healthy", **more,
    }  # fmt: skip


def full(**more: Any) -> dict[str, Any]:
    return {
        **episode(), "where": {"group": "app", "task": "app"}, "facts": {}, "failingSince": AT,
        "evidence": ["task app: Terminated: OOM Killed"], "choices": [], "tries": [attempt()], **more,
    }  # fmt: skip


def open_episode(**more: Any) -> dict[str, Any]:
    kept = {name: value for name, value in full().items() if name not in ("outcome", "endedAt", "durable", "told")}
    return {**kept, **more}


def waiting() -> dict[str, Any]:
    return {
        "proposal": "c2150dc37b64349b", "reason": "it was killed for want of memory", "why": "mode is propose",
        "operations": [operation()], "since": AT,
    }  # fmt: skip


def past(**more: Any) -> dict[str, Any]:
    return {**episode(), "key": "default/web", "rung": "rule", "undone": "", "operations": [operation()], **more}


def condition(kind: str, status: str = "True", reason: str = "Healthy", message: str = "") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": AT}


def app(key: str, ready: str = "True", reason: str = "Healthy", message: str = "1 of 1 running", **more: Any) -> Any:
    return {
        "key": key, "kind": "App", "source": {"path": "apps/web.yaml", "revision": "0123456789abcdef"},
        "ready": ready, "reason": reason, "message": message, "step": "Steady", "settled": True,
        "conditions": [condition("Ready", ready, reason, message)],
        "job": {"version": 3, "modifyIndex": 120, "specHash": "ab" * 32}, "episode": None, "lastEpisode": None,
        "overlay": [], "suspended": False, "questions": [], "values": [], "failed": [],
        "lastGood": {"specHash": "ab" * 32, "version": 2, "revision": "0123", "verifiedAt": AT}, "diff": "",
        "transitions": [
            {"at": AT, "app": key, "step": "Steady", "ready": ready, "reason": reason, "message": message}
        ],
        **more,
    }  # fmt: skip


class FakeShown:
    """Changes as a test says; everything else is documented JSON."""

    def __init__(self, *apps: dict[str, Any]) -> None:
        self.apps = {one["key"]: one for one in apps or (app("default/web"), app("default/api", "False", "NoProgress"))}
        self.stories: dict[str, dict[str, Any]] = {}
        self.earlier: dict[str, list[dict[str, Any]]] = {}
        self.ended: list[dict[str, Any]] = []
        self.full = False
        self.operator: dict[str, Any] = {
            "version": "0.1.0", "leader": True, "revision": "0123456789abcdef", "repairs": "on", "mode": "act",
            "sourceProblem": "", "sourceHint": "", "nomadProblem": "", "nomadHint": "", "stateProblem": "",
            "stateHint": "",
        }  # fmt: skip
        self.sources: list[dict[str, Any]] = []
        self.not_read: list[str] = []
        self.outages: dict[str, Any] = {}
        self.look = Look(None, (), True)
        self.broadcast = Broadcast()

    # -- what pages ask

    def head(self) -> dict[str, Any]:
        return {"operator": self.operator, "sources": self.sources}

    def fleet(self) -> dict[str, Any]:
        return {**self.head(), "apps": [_row(self.apps[key]) for key in sorted(self.apps)]}

    def app(self, key: AppKey) -> dict[str, Any] | None:
        return self.apps.get(str(key))

    def explain(self, key: AppKey) -> dict[str, Any] | None:
        nothing = {"key": str(key), "open": False, "episode": None, "now": None, "overlay": [], "writeBack": None}
        return self.stories.get(str(key), nothing) if str(key) in self.apps else None

    def past_stories(self, key: AppKey) -> list[dict[str, Any]]:
        return self.earlier.get(str(key), [])

    def repairs(self) -> dict[str, Any]:
        apps = [
            {name: one[name] for name in ("key", "episode", "lastEpisode", "overlay")}
            for one in self.apps.values()
            if one["episode"] or one["overlay"]
        ]
        return {"repairs": self.operator["repairs"], "apps": apps}

    def past_repairs(self) -> dict[str, Any]:
        return {"since": AT, "full": self.full, "episodes": self.ended}

    def missing(self) -> list[str]:
        return self.not_read

    def services(self) -> ServicesView:
        return services_view(
            outages=self.outages, hints={"nomad": "start it"}, unread=["git"] if self.not_read else [],
            look=self.look, now=NOW, clock_now=100.0,
        )  # fmt: skip

    # -- what the rest of the web asks

    def status(self) -> dict[str, Any]:
        return {**self.head(), "apps": list(self.apps.values())}

    def prune_candidates(self) -> dict[str, Any]:
        return {"held": "", "apps": []}

    def subscribe(self) -> AbstractContextManager[Listening]:
        return self.broadcast.subscribe()

    async def wake_source(self) -> None:
        """Nobody asks here."""

    # -- what a test does

    def becomes(self, key: str, ready: str, reason: str, message: str = "") -> Mapping[str, Any]:
        """The app changes; the transition is what is told of it."""
        self.apps[key] = app(key, ready, reason, message)
        transition = {"at": AT, "app": key, "step": "Steady", "ready": ready, "reason": reason, "message": message}
        self.broadcast.publish(transition)
        return transition


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": one["key"], "path": one["source"]["path"], "ready": one["ready"], "reason": one["reason"],
        "message": one["message"], "step": one["step"], "conditions": [each["type"] for each in one["conditions"]],
        "version": one["job"]["version"], "changed": datetime.fromisoformat(one["transitions"][-1]["at"]),
    }  # fmt: skip


def web(
    shown: FakeShown, *, read_token: str | None = None, listens: str = "", names: tuple[str, ...] = (),
    alone: bool = True, now: Callable[[], float] = lambda: 1000.0,
) -> Web:  # fmt: skip
    """The daemon's own web, in front of a daemon that only pretends."""
    token = SecretStr(read_token) if read_token is not None else None
    site = Site(
        readers=Readers(read_token=token, api_token=SecretStr(API_TOKEN), now=now),
        hosts=Hosts(listens=listens, names=names),
    )
    pages = Pages(
        shown=shown, services=shown.services, readers=site.readers, rendering=site.rendering, alone=alone,
        now=lambda: NOW,
    )  # fmt: skip
    backend: Any = shown
    return Web(
        backend=backend, metrics=Metrics(version="0"), api_token=SecretStr(API_TOKEN), site=site, pages=pages
    )  # fmt: skip
