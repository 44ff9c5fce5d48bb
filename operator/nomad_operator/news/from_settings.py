"""The notifier that the settings ask for."""

from __future__ import annotations

import asyncio
import random
import time

import httpx

from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from nomad_operator.news.delivery import Notifier, Receiver
from nomad_operator.news.target import targets
from nomad_operator.news.words import Words, read_template
from nomad_operator.settings import Settings


def notifier(settings: Settings, *, metrics: Metrics, outages: Outages) -> Notifier | None:
    """None where nobody is to be told. Nothing is sent yet."""
    if settings.notify_urls is None:
        return None
    # Redirects are not followed: where one leads, nobody has checked. Proxies are the environment's, as for git.
    client = httpx.AsyncClient(follow_redirects=False)
    template = read_template(settings.notify_template_file)
    return Notifier(
        receivers=[
            Receiver(
                target=target,
                kinds=settings.notify_on,
                words=Words(form=target.form, template=template),
                interval=settings.notify_interval,
                client=client,
                counted=metrics,
                outages=outages,
                clock=time.monotonic,
                sleep=asyncio.sleep,
                random=random.random,
            )
            for target in targets(settings.notify_urls.get_secret_value())
        ],
        client=client,
    )
