"""Certificates are renewed under a running process: new ones are picked up, half of a renewal spoils nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from desired.app import AppKey
from desired.errors import Unavailable
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from tests.unit.observers.nomad_certificates import Certificates, make
from tests.unit.observers.nomad_stub import serve
from tests.unit.observers.test_nomad_reach import no_job

KEY = AppKey("default", "web")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("new"))


def _lay(certificates: Certificates, folder: Path, *names: str) -> None:
    for name in names:
        shutil.copy(certificates.folder / name, folder / f"{name}.new")
        (folder / f"{name}.new").replace(folder / name)


async def test_renewed_files_are_used_without_a_restart(tmp_path: Path, old: Certificates, new: Certificates) -> None:
    _lay(old, tmp_path, "ca.pem", "client.pem", "client.key")
    mine = Certificates(tmp_path)
    with serve(no_job, context=new.server_context(client=True)) as stub:
        client = NomadClient(
            connection=Connection(
                address=stub.address, ca_cert=mine.ca, client_cert=mine.client, client_key=mine.key("client")
            )
        )
        with pytest.raises(Unavailable):
            await client.job(KEY)
        # Half of it: the certificate without its key.
        _lay(new, tmp_path, "ca.pem", "client.pem")
        with pytest.raises(Unavailable):
            await client.job(KEY)
        _lay(new, tmp_path, "client.key")
        assert await client.job(KEY) is None
        await client.aclose()


async def test_half_of_a_renewal_spoils_nothing(tmp_path: Path, old: Certificates, new: Certificates) -> None:
    _lay(old, tmp_path, "ca.pem", "client.pem", "client.key")
    mine = Certificates(tmp_path)
    with serve(no_job, context=old.server_context(client=True)) as stub:
        client = NomadClient(
            connection=Connection(
                address=stub.address, ca_cert=mine.ca, client_cert=mine.client, client_key=mine.key("client")
            )
        )
        assert await client.job(KEY) is None
        _lay(new, tmp_path, "client.pem")
        assert await client.job(KEY) is None
        await client.aclose()
