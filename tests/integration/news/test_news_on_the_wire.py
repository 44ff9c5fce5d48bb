"""What really goes over the wire to a receiver: nothing that is secret, whatever apps say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from nomad_operator.from_settings import secrets_of
from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from nomad_operator.news import delivery
from nomad_operator.news.from_settings import notifier
from nomad_operator.news.notice import Kind, Notice, Topic
from nomad_operator.news.target import Form
from nomad_operator.settings import Settings
from observers.redaction import Placeholders, Redactor
from tests.secret_shapes import SPELLED, Shaped, readable, shaped

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Loopback:
    """A receiver on the loopback that keeps every byte of what it is sent."""

    def __init__(self) -> None:
        self.raw = b""
        self.bodies: list[dict[str, object]] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        body = await reader.readexactly(size)
        self.raw += body
        self.bodies.append(json.loads(body))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.close()
            await server.wait_closed()


async def delivered(texts: list[str], form: Form, known: str) -> tuple[Loopback, str]:
    """All notices in one message; what arrived, and what was logged."""
    receiver = Loopback()
    with structlog.testing.capture_logs() as logs:
        async with receiver.listening() as address:
            told = Settings(
                nomad_token=SecretStr(known), notify_urls=SecretStr(f"{form.value}+http://{address}/hooks/{known}")
            )
            metrics = Metrics(version="1")
            made = notifier(told, metrics=metrics, outages=Outages(log=structlog.get_logger(), clock=lambda: 0.0))
            assert made is not None
            redact = Redactor(known=secrets_of(told), placeholders=Placeholders()).redact
            running = asyncio.create_task(made.run())
            for number, text in enumerate(texts):
                made.put(Notice(Kind.UNREADY, Topic(f"default/{number}", "ready"), "False", AT, "SAID", redact(text)))
            # The daemon ends: what waits is sent at once. A machine that has much to do is no reason to send nothing.
            await asyncio.sleep(0)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(delivery, "_LAST_WORDS_SECONDS", 60.0)
                running.cancel()
                await asyncio.wait([running])
            await made.aclose()
    exported = metrics.render("")[0].decode()
    assert f'nomad_operator_notifications_total{{form="{form.value}",result="sent"}} {len(texts)}.0' in exported
    return receiver, "\n".join(map(str, logs)) + exported


@given(
    form=st.sampled_from(Form),
    found=st.lists(shaped(), min_size=1, max_size=4),
    known=st.text(st.sampled_from("abcdefghkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"), min_size=16, max_size=40),
    spelled=st.sampled_from(sorted(SPELLED)),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_no_secret_reaches_a_receiver_a_log_or_a_metric(
    form: Form, found: list[Shaped], known: str, spelled: str
) -> None:
    texts = [f"it said {one.text} and went" for one in found] + [f"with {SPELLED[spelled](known)} it went"]
    receiver, logged = asyncio.run(delivered(texts, form, known))
    sent = json.dumps(receiver.bodies, ensure_ascii=False).replace("\u200b", "")
    # Else nothing would have been tested.
    assert sent.count("SAID") >= len(texts)
    for secret in (known, *(one.secret for one in found)):
        assert not readable(secret, sent), secret
        assert not readable(secret, logged), secret


@pytest.mark.parametrize("form", Form)
async def test_each_form_arrives_as_its_receiver_reads_it(form: Form) -> None:
    receiver, _ = await delivered(["one of two runs"], form, "a-secret-that-nobody-says")
    (body,) = receiver.bodies
    text = body["content" if form is Form.DISCORD else "text"]
    assert isinstance(text, str) and text.startswith("SAID: one of two runs")


def test_news_are_told_in_time_that_people_would_call_at_once() -> None:
    assert delivery._GATHER_SECONDS <= 5


def test_the_example_template_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    from nomad_operator.news.words import Words, read_template

    page = (Path(__file__).parents[3] / "docs/notifications.md").read_text(encoding="utf-8")
    template = page.partition("```jinja\n")[2].partition("```")[0]
    assert template
    file = tmp_path / "news.j2"
    file.write_text(template)
    for form in Form:
        Words(form=form, template=read_template(file))
