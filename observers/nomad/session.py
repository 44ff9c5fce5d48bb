"""The one `requests.Session` that every call shares: bounded, never redirected, over TCP, TLS or a unix socket."""

from __future__ import annotations

import socket
import warnings
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import InsecureRequestWarning

from observers.nomad.connection import Connection
from observers.nomad.tls import RenewedTls


def open_session(connection: Connection) -> requests.Session:
    """A session for this connection; nothing is sent yet. UsageError if the TLS files are unusable."""
    session = _Session()
    if not connection.socket_path:
        # Asked once: with trust_env, requests reads the environment and .netrc again for every single request, and
        # REQUESTS_CA_BUNDLE would win over what we verify with.
        session.proxies.update(get_environ_proxies(connection.base_url))
    session.trust_env = False
    if connection.tls_skip_verify:
        # Somebody decided it; urllib3 would say so with every request.
        warnings.simplefilter("ignore", InsecureRequestWarning)
    adapter = _adapter(connection)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _Session(requests.Session):
    """A session that follows no redirect: requests would send the token along to wherever it is sent."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def _adapter(connection: Connection) -> HTTPAdapter:
    if connection.socket_path:
        return _SocketAdapter(connection.socket_path, connection.max_connections)
    return _BoundedAdapter(connection.max_connections, RenewedTls(connection) if connection.secure else None)


class _BoundedAdapter(HTTPAdapter):
    """Never more connections than told; a request beyond that waits for one."""

    def __init__(self, most: int, tls: RenewedTls | None) -> None:
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=most, pool_block=True)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._tls is not None:
            kwargs["ssl_context"] = self._tls.context
        super().init_poolmanager(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        if self._tls is not None:
            self._tls.refresh()
        return super().send(*args, **kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leaves trust to our context; requests would add its own bundle to what we trust, for each connection."""


class _SocketAdapter(HTTPAdapter):
    """Whatever the URL says, the request goes to one unix socket."""

    def __init__(self, path: str, most: int) -> None:
        self._pool = _SocketPool(path, most)
        super().__init__(pool_connections=1, pool_maxsize=most, pool_block=True)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        return request.path_url

    def close(self) -> None:
        self._pool.close()
        super().close()


class _SocketPool(HTTPConnectionPool):
    def __init__(self, path: str, most: int) -> None:
        super().__init__("localhost", maxsize=most, block=True)
        self._path = path

    def _new_conn(self) -> Any:
        return _SocketConnection(self._path, self.timeout.connect_timeout)


class _SocketConnection(HTTPConnection):
    def __init__(self, path: str, timeout: Any) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        connected = socket.socket(socket.AF_UNIX)
        try:
            if isinstance(self.timeout, (int, float)):
                connected.settimeout(self.timeout)
            connected.connect(self._path)
        except BaseException:
            connected.close()
            raise
        self.sock = connected
