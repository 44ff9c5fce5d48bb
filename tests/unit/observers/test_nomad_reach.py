"""The ways to a Nomad: a unix socket, TLS with a private authority, a client certificate; and wrong settings."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest

from desired.app import AppKey
from desired.errors import Unavailable, UsageError
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from tests.unit.observers.nomad_certificates import Certificates, make
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

KEY = AppKey("default", "web")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("certificates"))


def no_job(stub: Stub, exchange: Exchange) -> None:
    exchange.say(404, "job not found")


async def ask(connection: Connection) -> None:
    client = NomadClient(connection=connection)
    try:
        assert await client.job(KEY) is None
        assert await client.job(KEY) is None
    finally:
        await client.aclose()


async def test_a_unix_socket_is_as_good_as_an_address_and_keeps_its_connection(tmp_path: Path) -> None:
    with serve(no_job, unix=tmp_path / "api.sock") as stub:
        await ask(Connection(address=stub.address, token="secret"))
    assert stub.connections == 1
    assert stub.asked[0].headers["X-Nomad-Token"] == "secret"


async def test_a_socket_that_is_not_there_or_not_ours_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no such socket"):
        await ask(Connection(address=f"unix://{tmp_path}/none.sock"))
    with serve(no_job, unix=tmp_path / "dead.sock"):
        pass
    with pytest.raises(Unavailable, match="refused"):
        await ask(Connection(address=f"unix://{tmp_path}/dead.sock"))
    assert stat.S_ISSOCK((tmp_path / "dead.sock").stat().st_mode)


async def test_a_private_authority_is_trusted_when_it_is_given(certificates: Certificates) -> None:
    with serve(no_job, context=certificates.server_context()) as stub:
        await ask(Connection(address=stub.address, ca_cert=certificates.ca))
    assert stub.connections == 1


async def test_certificates_are_verified_unless_somebody_says_otherwise(certificates: Certificates) -> None:
    with serve(no_job, context=certificates.server_context()) as stub:
        with pytest.raises(Unavailable, match="not trusted") as raised:
            await ask(Connection(address=stub.address))
        assert "NOMAD_CACERT" in raised.value.hint and stub.asked == []
        await ask(Connection(address=stub.address, tls_skip_verify=True))


async def test_only_the_given_authority_is_trusted_then(certificates: Certificates, tmp_path: Path) -> None:
    other = make(tmp_path)
    with serve(no_job, context=certificates.server_context()) as stub, pytest.raises(Unavailable, match="not trusted"):
        await ask(Connection(address=stub.address, ca_cert=other.ca))


async def test_a_certificate_for_another_name_is_told_apart(certificates: Certificates) -> None:
    context = certificates.server_context("elsewhere")
    with serve(no_job, context=context) as stub, pytest.raises(Unavailable, match="another name"):
        await ask(Connection(address=stub.address, ca_cert=certificates.ca))


async def test_a_server_that_wants_a_client_certificate_gets_it_or_we_say_that_it_wants_one(
    certificates: Certificates,
) -> None:
    with serve(no_job, context=certificates.server_context(client=True)) as stub:
        await ask(
            Connection(
                address=stub.address,
                ca_cert=certificates.ca,
                client_cert=certificates.client,
                client_key=certificates.key("client"),
            )
        )
        with pytest.raises(Unavailable) as raised:
            await ask(Connection(address=stub.address, ca_cert=certificates.ca))
    assert "NOMAD_CLIENT_CERT" in raised.value.hint


async def test_the_wrong_scheme_is_recognised_both_ways(certificates: Certificates) -> None:
    with serve(no_job) as stub, pytest.raises(Unavailable, match="does not speak TLS"):
        await ask(Connection(address=stub.address.replace("http:", "https:"), ca_cert=certificates.ca))

    def as_go_does(stub: Stub, exchange: Exchange) -> None:
        exchange.say(400, "Client sent an HTTP request to an HTTPS server.\n")

    with serve(as_go_does) as stub, pytest.raises(Unavailable) as raised:
        await ask(Connection(address=stub.address))
    assert "https://" in raised.value.hint


@pytest.mark.parametrize("address", ["ftp://x", "http://", "unix://", "nomad://x:1"])
def test_an_address_that_cannot_be_one_is_refused_at_once(address: str) -> None:
    with pytest.raises(UsageError, match="not the address"):
        Connection(address=address)


def test_addresses_come_with_a_slash_or_without_a_scheme() -> None:
    assert Connection(address="http://n:4646/").base_url == "http://n:4646"
    assert Connection(address="127.0.0.1:4646").base_url == "http://127.0.0.1:4646"
    assert Connection(address="unix:///secrets/api.sock").socket_path == "/secrets/api.sock"


def test_a_password_in_the_address_is_not_shown() -> None:
    connection = Connection(address="https://me:secret@nomad.example:4646")
    assert connection.shown == "https://nomad.example:4646"


def test_tls_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("not a certificate", encoding="utf-8")
    for path in (tmp_path / "no.pem", tmp_path / "missing.pem"):
        with pytest.raises(UsageError, match=path.name):
            Connection(address="https://n", ca_cert=path).ssl_context()
    with pytest.raises(UsageError, match="needs its key"):
        Connection(address="https://n", client_cert=tmp_path / "no.pem")


def test_verification_is_on_by_default() -> None:
    context = Connection(address="https://n").ssl_context()
    assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED
