"""A daemon as the web sees it, with two apps, for the tests of the web and of the commands."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from desired.app import AppKey
from desired.errors import Conflict
from nomad_operator.web_events import Broadcast, Listening

AT = "2026-01-02T03:04:05Z"
WEB = {
    "key": "default/web",
    "kind": "App",
    "source": {"path": "apps/web.yaml", "revision": "0123456789abcdef"},
    "ready": "True",
    "reason": "Healthy",
    "message": "healthy for 60 s",
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "Healthy", "message": "", "lastTransitionTime": AT},
        {"type": "Drifted", "status": "True", "reason": "Drifted", "message": "by hand", "lastTransitionTime": AT},
    ],
    "job": {"version": 3, "modifyIndex": 120, "specHash": "ab" * 32},
    "episode": None,
    "overlay": [],
    "questions": [],
    "diff": "+ Count: 1 -> 2\n- evil \x1b[2Jline",
    "failed": [
        {"specHash": "cd" * 32, "reason": "NoProgress", "message": "stood still", "at": AT, "tries": 1, "retryAt": None}
    ],
    "lastGood": {"specHash": "ab" * 32, "version": 2, "revision": "0123", "verifiedAt": AT},
    "transitions": [
        {"at": AT, "app": "default/web", "step": "steady", "ready": "True", "reason": "Healthy", "message": "ok"}
    ],
}
DEEP = {**WEB, "key": "default/team/deep", "ready": "False", "reason": "NoProgress", "message": "x" * 300, "diff": ""}


class FakeBackend:
    """Remembers what it was asked to do."""

    def __init__(self) -> None:
        self.apps: dict[str, dict[str, Any]] = {str(app["key"]): dict(app) for app in (WEB, DEEP)}
        self.asked: list[tuple[str, str]] = []
        self.arguments: list[str] = []
        self.repairs_stopped = False
        self.rolled_back = False
        self.not_read: list[str] = []
        self.woken = 0
        self.confirmed = False
        self.broadcast = Broadcast()
        self.memories: Any = None  # nothing is remembered

    def status(self) -> dict[str, Any]:
        operator = {"version": "0.1.0", "leader": True, "revision": "0123456789abcdef", "repairs": "off"}
        sources = [{"path": "apps/bad.yaml", "problem": "3:1: no such key"}]
        return {"operator": operator, "sources": sources, "apps": list(self.apps.values())}

    def app(self, key: AppKey) -> dict[str, Any] | None:
        return self.apps.get(str(key))

    async def command(self, key: AppKey, verb: str, argument: str = "") -> dict[str, Any]:
        if verb == "adopt":
            raise Conflict(f"{key} is not there to be adopted", hint="only a job that was there before is")
        if verb == "suspend":
            raise KeyError("secret")
        self.asked.append((str(key), verb))
        self.arguments.append(argument)
        return self.apps[str(key)]

    def explain(self, key: AppKey) -> dict[str, Any] | None:
        if str(key) not in self.apps:
            return None
        return {"key": str(key), "open": False, "episode": None, "overlay": []}

    def repairs(self) -> dict[str, Any]:
        return {"repairs": "stopped" if self.repairs_stopped else "on", "apps": []}

    async def stop_repairs(self, *, rollback: bool) -> dict[str, Any]:
        self.repairs_stopped, self.rolled_back = True, rollback
        return self.repairs()

    async def start_repairs(self) -> dict[str, Any]:
        self.repairs_stopped = False
        return self.repairs()

    def prune_candidates(self) -> dict[str, Any]:
        gone = {
            "key": "default/gone", "withdrawnSince": AT, "prune": True,
            "confirmed": self.confirmed, "message": "its file is gone",
        }  # fmt: skip
        return {"held": "5 of 9 apps at once", "apps": [gone]}

    async def confirm_prune(self) -> dict[str, Any]:
        self.confirmed = True
        return self.prune_candidates()

    def missing(self) -> list[str]:
        return self.not_read

    async def wake_source(self) -> None:
        self.woken += 1

    def subscribe(self) -> AbstractContextManager[Listening]:
        return self.broadcast.subscribe()
