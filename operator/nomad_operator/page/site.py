"""What every copy serves around its answers, whether it acts or not: the page's own files, the way in, and the gate."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.middleware import Middleware
from starlette.routing import Route

from nomad_operator.page.assets import Assets
from nomad_operator.page.gate import Gate
from nomad_operator.page.hosts import Hosts
from nomad_operator.page.login import Login
from nomad_operator.page.readers import Readers
from nomad_operator.page.rendering import Rendering
from nomad_operator.settings import Settings


class Site:
    """One for each application."""

    def __init__(self, *, readers: Readers, hosts: Hosts) -> None:
        self.readers = readers
        self._hosts = hosts
        self._assets = Assets()
        self.rendering = Rendering(asset=self._assets.address)

    def routes(self) -> list[Route]:
        return [*self._assets.routes(), *Login(readers=self.readers, rendering=self.rendering).routes()]

    def middleware(self) -> list[Middleware]:
        return [Middleware(Gate, readers=self.readers, hosts=self._hosts)]


def site_of(settings: Settings, api_token: SecretStr) -> Site:
    """As the settings say who may read, and by which names."""
    advertised = urlsplit(settings.advertise or "").hostname
    # The other copies ask by the name that this one gave them.
    names = {*settings.hosts, *([advertised] if advertised and settings.hosts else [])}
    return Site(
        readers=Readers(read_token=settings.read_token, api_token=api_token, now=time.time),
        hosts=Hosts(listens=settings.listen_at[0], names=names),
    )
