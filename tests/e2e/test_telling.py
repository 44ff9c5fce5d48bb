"""Webhooks of the real process: whoever is named is told what waits for a person, and the address stays a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

SECRET = "Xq7TzWm42LpRv9"


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address, and what it is told."""
    told: list[dict[str, Any]] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == f"/hooks/{SECRET}":
                told.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks/{SECRET}", told
    finally:
        server.shutdown()
        server.server_close()


def test_a_chat_is_told_what_waits_for_a_person_and_what_became_of_it(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    nomad.register(nomad.job_file(web, version="by hand"))
    nomad.until_running(web)
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    with receiver() as (address, told):
        process = operator(
            NOTIFY_URLS=f"slack+{address}, json+{address}", NOTIFY_INTERVAL_SECONDS="2",
            NOTIFY_ON="adoption_required,ready",
        ).start()  # fmt: skip
        until(lambda: len(told) == 2, what="both are told", told=process.said)
        notices = next(message["notices"] for message in told if "notices" in message)
        assert [(one["kind"], one["app"]) for one in notices] == [("adoption_required", f"default/{web}")]
        chat = next(message for message in told if "notices" not in message)
        assert f"`nomad-operator adopt default/{web}`" in chat["text"]
        told.clear()
        assert process.command("adopt", web).returncode == 0
        process.until_ready(web)
        until(lambda: len(told) == 2, what="both are told that it is ready", told=process.said)
        assert all("is ready" in message["text"] for message in told)
        shown = process.get("/metrics").text + json.dumps(process.status()) + process.command("settings").stdout
        assert 'nomad_operator_notifications_total{form="slack",result="sent"} 2.0' in shown
        assert process.stop() == 0
    assert SECRET not in shown + process.said()
