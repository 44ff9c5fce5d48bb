"""The pages themselves: what the daemon tells, laid into templates. Nothing here changes anything, or waits for others.

What is told is gathered at once in the loop; drawing a thousand rows is left to a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desired.app import AppKey
from nomad_operator.commands.repair_words import CHOICES, OUTCOMES, STATES, WHO
from nomad_operator.page.app_view import commands, diff_lines
from nomad_operator.page.chart import chart, label
from nomad_operator.page.fleet_view import Query, flags, fleet_view
from nomad_operator.page.readers import Readers
from nomad_operator.page.rendering import Rendering, answer
from nomad_operator.page.repairs_view import FATES, fate, repairs_view
from nomad_operator.page.services_view import ServicesView
from nomad_operator.web_answers import told

# A copy that does not act says so when it passes a question on.
PASSED_ON = "x-nomad-operator-passed-on"
# What has changed is asked for by name; more than this, and everything is asked for.
_MOST_KEYS = 200
_SHOWN_EPISODES = 100


class Shown(Protocol):
    """What the daemon tells; see `nomad_operator.backend`. Returns at once."""

    def head(self) -> dict[str, Any]: ...

    def fleet(self) -> dict[str, Any]: ...

    def app(self, key: AppKey) -> dict[str, Any] | None: ...

    def explain(self, key: AppKey) -> dict[str, Any] | None: ...

    def past_stories(self, key: AppKey) -> list[dict[str, Any]]: ...

    def repairs(self) -> dict[str, Any]: ...

    def past_repairs(self) -> dict[str, Any]: ...

    def missing(self) -> list[str]: ...


class Pages:
    """`services` tells how the services are, as seen last. `alone`: there are no other copies."""

    def __init__(
        self,
        *,
        shown: Shown,
        services: Callable[[], ServicesView],
        readers: Readers,
        rendering: Rendering,
        alone: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._shown = shown
        self._services = services
        self._readers = readers
        self._rendering = rendering
        self._alone = alone
        self._now = now

    def routes(self) -> list[Route]:
        get = ["GET"]
        return [
            Route("/", told(self._fleet), methods=get),
            Route("/parts/fleet", told(self._fleet_rows), methods=get),
            Route("/apps/{namespace}/{name:path}", told(self._app), methods=get),
            Route("/repairs", told(self._repairs), methods=get),
            Route("/services", told(self._seen_services), methods=get),
        ]

    async def _fleet(self, request: Request) -> Response:
        fleet = self._shown.fleet()
        query = Query.of(request.query_params)
        view = fleet_view(fleet["apps"], query)
        more = {"view": view, "sources": fleet["sources"], "flags": flags}
        return await self._draw(request, "fleet.html", fleet, more)

    async def _fleet_rows(self, request: Request) -> Response:
        """The rows of what has changed, or all, with the counts and problems above them."""
        keys = request.query_params.getlist("key")[:_MOST_KEYS]
        fleet = self._shown.fleet()
        view = fleet_view(fleet["apps"], Query.of(request.query_params), only=frozenset(keys) if keys else None)
        more = {"view": view, "sources": fleet["sources"], "flags": flags}
        return await self._draw(request, "fleet_parts.html", fleet, more)

    async def _app(self, request: Request) -> Response:
        head = self._shown.head()
        asked = f"{request.path_params['namespace']}/{request.path_params['name']}"
        try:
            key = AppKey.parse(asked)
        except ValueError:
            key = None
        app = self._shown.app(key) if key is not None else None
        if app is None or key is None:
            return await self._draw(request, "no_app.html", head, {"asked": asked}, status=404)
        story = self._shown.explain(key) or {
            "episode": None,
            "overlay": [],
            "now": None,
            "writeBack": None,
            "open": False,
        }
        files = [one["problem"] for one in head["sources"] if one.get("key") == app["key"]]
        return await self._draw(
            request, "app.html", head,
            {
                "app": app, "story": story, "earlier": self._shown.past_stories(key), "commands": commands(app),
                "diff": diff_lines(app["diff"]), "files": files, "states": STATES, "outcomes": OUTCOMES, "who": WHO,
                "choices": CHOICES,
            },
        )  # fmt: skip

    async def _repairs(self, request: Request) -> Response:
        past, open_now = self._shown.past_repairs(), self._shown.repairs()
        view = repairs_view(past["episodes"], self._now())
        return await self._draw(
            request, "repairs.html", self._shown.head(),
            {
                "view": view, "chart": chart(view.bars, by_day=view.by_day), "fates": FATES, "fate": fate,
                "label": label, "past": past, "episodes": past["episodes"][:_SHOWN_EPISODES],
                "apps": open_now["apps"], "outcomes": OUTCOMES,
            },
        )  # fmt: skip

    async def _seen_services(self, request: Request) -> Response:
        return await self._draw(request, "services.html", self._shown.head(), {"view": self._services()})

    async def _draw(
        self, request: Request, template: str, head: Mapping[str, Any], more: Mapping[str, Any], *, status: int = 200
    ) -> Response:
        given = {
            "operator": head["operator"],
            "missing": self._shown.missing(),
            "role": self._role(request),
            "may_leave": not self._readers.everybody,
            **more,
        }
        body = await asyncio.to_thread(self._rendering.render, template, given)
        return answer(request, body, status=status)

    def _role(self, request: Request) -> str:
        if PASSED_ON in request.headers:
            return "passed-on"
        return "alone" if self._alone else "acts"
