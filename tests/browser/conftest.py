"""A real browser in front of the real web, with a daemon behind it that only pretends.

The browser is the machine's own: `NOMAD_TEST_CHROMIUM` names it, else one of the usual names is looked for.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from nomad_operator.web_server import WebServer
from tests.unit.page.shown_fleet import FakeShown, web

_POLICY = """
addEventListener("securitypolicyviolation", (one) => console.error("policy", one.violatedDirective, one.blockedURI))
"""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: while it is there a loop runs in this thread, and no asynchronous test can."""
    named = os.environ.get("NOMAD_TEST_CHROMIUM")
    found = named or next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("the page in a browser (Chromium, or NOMAD_TEST_CHROMIUM)")
    with sync_playwright() as playwright:
        # In a container nobody may make the namespaces of its sandbox; it only sees our own pages.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Served:
    """The web on a port of its own, in a thread of its own; may be stopped, and started again on the same port."""

    def __init__(self, shown: FakeShown, options: dict[str, Any]) -> None:
        self.shown = shown
        self._options = options
        self._port = 0
        self.address = ""
        self.start()

    def start(self) -> None:
        up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(up)))
        self._thread.start()
        assert up.wait(10)

    async def _serve(self, up: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        application = web(self.shown, **self._options).application()
        server = await WebServer.start(application, host="127.0.0.1", port=self._port)
        self.address = server.address
        self._port = int(self.address.rpartition(":")[2])
        up.set()
        await self._over.wait()
        self.shown.broadcast.close()
        await server.stop()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(15)
        assert not self._thread.is_alive()

    def in_loop(self, work: Callable[[], object]) -> None:
        """Returns when it was done there: events are for listeners of that loop."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (work(), done.set()))
        assert done.wait(10)

    def becomes(self, key: str, ready: str, reason: str, message: str = "") -> None:
        self.in_loop(lambda: self.shown.becomes(key, ready, reason, message))


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[Served] = []

    def begin(shown: FakeShown, **options: Any) -> Served:
        made.append(Served(shown, options))
        return made[-1]

    yield begin
    for one in made:
        one.stop()


Look = Callable[..., Page]


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """Opens an address in a new tab of a new window. What the browser complains of fails the test at its end."""
    windows: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(address: str, *, complains: bool = False, **window: Any) -> Page:
        """`complains`: it is expected to, since the server goes away."""
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **window})
        windows.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        if not complains:
            page.on(
                "console", lambda one: complaints.append(f"{page.url}: {one.text}") if one.type == "error" else None
            )
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.add_init_script(_POLICY)
        page.goto(address)
        return page

    yield open_page
    for window in windows:
        window.close()
    assert not complaints
