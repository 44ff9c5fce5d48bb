"""Vault, Consul and Fabio that are away, slow, broken or another program: an error in time, that says which and why."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from desired.errors import DeadlineExceeded, Forbidden, OperatorError, RateLimited, Unavailable, Unsupported, UsageError
from observers.consul.client import ConsulClient
from observers.consul.http import TokenUnknown
from observers.fabio.client import FabioClient
from observers.reach.address import Reach
from observers.reach.blocking import Blocking
from observers.reach.breaks import Failure, failure_of
from observers.reach.session import LARGEST_ANSWER
from observers.vault.client import VaultClient
from observers.vault.login import GivenToken
from tests.unit.observers.nomad_certificates import Certificates, make
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

ROOT = Path(__file__).parents[3]
TOKEN = "s.very-secret-token"
SHORT = timedelta(seconds=0.4)


@dataclass(frozen=True)
class Service:
    """One client and one question that it asks."""

    name: str
    setting: str

    async def ask(self, reach: Reach) -> Any:
        client, question = self._client(reach)
        try:
            return await question()
        finally:
            await client.aclose()

    def _client(self, reach: Reach) -> tuple[Any, Callable[[], Awaitable[Any]]]:
        if self.name == "Vault":
            vault = VaultClient(reach=reach, login=GivenToken(token=TOKEN))
            return vault, vault.mounts
        if self.name == "Consul":
            consul = ConsulClient(reach=reach, token=TOKEN)
            return consul, consul.services
        fabio = FabioClient(reach=reach)
        return fabio, fabio.routes

    def reach(self, address: str, **named: Any) -> Reach:
        named = {"deadline": SHORT, "connect_timeout": SHORT, "ca_setting": f"{self.setting}_CA", **named}
        return Reach(service=self.name, setting=self.setting, address=address, **named)


SERVICES = [Service("Vault", "VAULT_ADDR"), Service("Consul", "CONSUL_HTTP_ADDR"), Service("Fabio", "FABIO_URL")]


@pytest.fixture(params=SERVICES, ids=lambda service: service.name)
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


async def _fails(service: Service, reach: Reach) -> OperatorError:
    started = time.monotonic()
    with pytest.raises(OperatorError) as raised:
        await service.ask(reach)
    assert time.monotonic() - started < 5
    error = raised.value
    assert error.hint and service.name in error.message and reach.shown in error.message
    assert TOKEN not in error.message + error.hint
    return error


def _silent(stub: Stub, exchange: Exchange) -> None:
    stub.released.wait(10)
    exchange.hang_up()


def _drip(stub: Stub, exchange: Exchange) -> None:
    exchange.head(200, Content_Length="1000")
    while not stub.released.wait(0.05):
        exchange.wfile.write(b" ")
        exchange.wfile.flush()


def _huge(stub: Stub, exchange: Exchange) -> None:
    """All that it promised, and good JSON."""
    exchange.head(200, Content_Length=str(LARGEST_ANSWER + 2), X_Consul_Index="1")
    exchange.wfile.write(b"[")
    for _ in range(LARGEST_ANSWER >> 20):
        exchange.wfile.write(b" " * (1 << 20))
    exchange.wfile.write(b"]")


def _cut(stub: Stub, exchange: Exchange) -> None:
    exchange.head(200, Content_Length="100")
    exchange.wfile.write(b'{"a')
    exchange.hang_up()


FAULTS: dict[str, tuple[Callable[[Stub, Exchange], None], type[OperatorError], Failure]] = {
    "silent": (_silent, DeadlineExceeded, Failure.TIMED_OUT),
    "drips": (_drip, DeadlineExceeded, Failure.TIMED_OUT),
    "too much": (_huge, Unavailable, Failure.HUNG_UP),
    "cut": (_cut, Unavailable, Failure.HUNG_UP),
    "hangs up": (lambda stub, exchange: exchange.hang_up(), Unavailable, Failure.HUNG_UP),
    "resets": (lambda stub, exchange: exchange.reset(), Unavailable, Failure.HUNG_UP),
    "a page": (lambda stub, exchange: exchange.say(200, "<html>hello</html>"), Unavailable, Failure.NOT_THE_SERVICE),
    "500": (lambda stub, exchange: exchange.say(500, "no"), Unavailable, Failure.UNAVAILABLE),
    "403": (lambda stub, exchange: exchange.say(403, '{"errors": ["permission denied"]}'), Forbidden,
            Failure.UNAUTHORIZED),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_service_that_is_broken_is_told_in_time(service: Service, fault: str) -> None:
    answer, kind, failure = FAULTS[fault]
    deadline = timedelta(seconds=3) if fault == "too much" else SHORT
    with serve(answer) as stub:
        error = await _fails(service, service.reach(stub.address, deadline=deadline))
    assert isinstance(error, kind), error
    assert failure_of(error) is failure or (fault == "a page" and service.name == "Vault"), error


async def test_who_drips_is_hung_up_on(service: Service) -> None:
    """Nobody waits any more; the thread and its connection must not stay for ever."""
    with serve(_drip) as stub:
        await _fails(service, service.reach(stub.address))
        await stub.until(lambda one: one.open_now == 0)


async def test_nothing_leads_a_client_elsewhere(service: Service) -> None:
    """A redirect would take the token along."""
    with serve(lambda stub, exchange: exchange.say(200, "[]")) as other:

        def redirect(stub: Stub, exchange: Exchange) -> None:
            exchange.say(307, "", Location=f"{other.address}{exchange.path}")

        with serve(redirect) as stub:
            error = await _fails(service, service.reach(stub.address))
        assert isinstance(error, Unavailable | Unsupported)
        assert other.asked == []


async def test_who_refuses_the_connection_is_told(service: Service) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await _fails(service, service.reach(f"http://127.0.0.1:{port}"))
    assert failure_of(error) is Failure.REFUSED and service.setting in error.hint


async def test_a_name_that_does_not_resolve_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await _fails(service, service.reach("http://no-such-host.test:1"))
    assert failure_of(error) is Failure.DNS


async def test_a_name_service_that_hangs_holds_nobody_up(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing ends a look-up: it is left behind, in a thread that the end of the process does not wait for."""
    with serve(_silent) as stub:

        def slow(*arguments: object, **named: object) -> None:
            stub.released.wait(10)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        error = await _fails(service, service.reach("http://slow-name.test:1"))
        assert isinstance(error, DeadlineExceeded)


_HANGING = """
import asyncio, socket, sys, threading, time
from datetime import timedelta
from observers.reach.address import Reach
from observers.vault.client import VaultClient
from desired.errors import DeadlineExceeded

socket.getaddrinfo = lambda *arguments, **named: time.sleep(60)

async def main():
    deadline = timedelta(seconds=0.2)
    vault = VaultClient(reach=Reach(service="Vault", setting="X", address="http://a.test", deadline=deadline))
    try:
        await vault.health()
    except DeadlineExceeded:
        print("told")

asyncio.run(main())
"""


def test_a_name_service_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", _HANGING], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.returncode) == ("told\n", 0), done.stderr


async def test_an_address_may_have_a_path_of_its_own(service: Service) -> None:
    """Behind a proxy that gives each service a prefix."""
    with serve(lambda stub, exchange: exchange.say(200, "{}", X_Consul_Index="1")) as stub:
        try:
            await service.ask(service.reach(f"{stub.address}/inside/"))
        except Unavailable:
            assert service.name == "Fabio"  # an object is no table
        assert [asked.path.startswith("/inside/") for asked in stub.asked if "lookup" not in asked.path] == [True]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize(
    ("server", "trusts", "words"),
    [("server", False, "not trusted"), ("elsewhere", True, "for another name"), (None, True, "does not speak TLS")],
)
async def test_what_is_wrong_with_tls_is_told(
    service: Service, certificates: Certificates, server: str | None, trusts: bool, words: str
) -> None:
    context = certificates.server_context(server) if server else None
    with serve(lambda stub, exchange: exchange.say(200, "[]"), context=context) as stub:
        address = stub.address.replace("http://", "https://")
        reach = service.reach(address, ca_cert=certificates.ca if trusts else None)
        error = await _fails(service, reach)
    assert failure_of(error) is Failure.TLS and words in error.message


async def test_a_ca_of_ones_own_is_trusted(service: Service, certificates: Certificates) -> None:
    context = certificates.server_context()
    with serve(lambda stub, exchange: exchange.say(200, "{}", X_Consul_Index="1"), context=context) as stub:
        try:
            await service.ask(service.reach(stub.address, ca_cert=certificates.ca))
        except Unavailable as error:
            assert "no table" in error.message
        assert stub.asked


def test_a_ca_that_is_no_certificate_is_told_with_its_setting(service: Service, tmp_path: Path) -> None:
    reach = service.reach("https://127.0.0.1:1", ca_cert=tmp_path / "none.pem")
    with pytest.raises(UsageError, match=r"none\.pem") as raised:
        service._client(reach)
    assert f"{service.setting}_CA" in raised.value.hint


@pytest.mark.parametrize(
    ("status", "text", "kind", "words"),
    [
        (403, "ACL not found", TokenUnknown, "does not know the token"),
        (403, "Permission denied: token with AccessorID 'x' lacks permission 'key:read' on \"x\"", Forbidden, "policy"),
        (500, "No cluster leader", Unavailable, "electing a leader"),
        (500, "rpc error", Unavailable, "log"),
        (429, "Your IP is issuing too many concurrent connections", RateLimited, "passes"),
        (400, "Client sent an HTTP request to an HTTPS server.", Unavailable, "https://"),
        (404, "404 page not found", Unsupported, "does CONSUL_HTTP_ADDR name Consul"),
    ],
)
async def test_consuls_words_are_understood(status: int, text: str, kind: type[OperatorError], words: str) -> None:
    """Source: recorded with Consul 1.12.9 with ACLs, and 1.21.4 without."""
    service = SERVICES[1]
    with serve(lambda stub, exchange: exchange.say(status, text)) as stub:
        error = await _fails(service, service.reach(stub.address))
        assert {asked.headers.get("X-Consul-Token") for asked in stub.asked} == {TOKEN}
    assert type(error) is kind and words in error.hint


async def test_consul_without_acls_knows_no_tokens() -> None:
    service = SERVICES[1]
    with serve(lambda stub, exchange: exchange.say(401, "ACL support disabled")) as stub:
        client = ConsulClient(reach=service.reach(stub.address), token=TOKEN)
        assert await client.policies() is None
        await client.aclose()


async def test_a_value_that_is_no_json_answer_is_not_repeated() -> None:
    """py-consul puts the whole answer into its error."""
    service = SERVICES[1]
    with serve(lambda stub, exchange: exchange.say(200, '[{"Key": "a", "Value": "s3cr3t')) as stub:
        error = await _fails(service, service.reach(stub.address))
    assert "s3cr3t" not in error.message + error.hint


async def test_no_more_calls_than_allowed_are_under_way() -> None:
    reach = replace(SERVICES[0].reach("http://x"), max_calls=2, deadline=timedelta(seconds=5))
    run, now, most = Blocking(reach=reach), 0, 0
    together = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 2:
            loop.call_soon_threadsafe(together.set)
        asyncio.run_coroutine_threadsafe(together.wait(), loop).result(5)
        now -= 1

    await asyncio.gather(*(run("work", work) for _ in range(6)))
    assert most == 2
