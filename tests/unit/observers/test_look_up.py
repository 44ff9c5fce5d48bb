"""Every place that a job reads is asked for once, where there is somebody to ask; who is away leaves it unknown."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from desired.errors import Unavailable
from desired.secret_reads import SecretRead
from desired.secret_traps import Looked
from desired.variable_sources import Source
from observers.look_up import LookUp
from observers.vault.standing import Mount, Secret, Standing

V2 = Mount("secret", "kv", version=2)


class FakeVault:
    """Answers with one standing; `asked` are the paths."""

    def __init__(self, standing: Standing = Standing.PRESENT, keys: tuple[str, ...] | None = ("A",)) -> None:
        self._standing, self._keys = standing, keys
        self.asked: list[str] = []
        self.away = False

    async def look(self, path: str) -> Secret:
        self.asked.append(path)
        if self.away:
            raise Unavailable("Vault is sealed")
        return Secret(path, self._standing, mount=V2, keys=self._keys, said="said")

    async def paths_near(self, path: str) -> Sequence[str]:
        return ("secret/data/web/db",)


class FakeConsul:
    """Two keys."""

    async def key(self, key: str) -> str | None:
        return {"web/url": "http://x"}.get(key)

    async def keys_near(self, key: str) -> Sequence[str]:
        return ("web/url",)


class FakeVariables:
    """One variable in one namespace."""

    async def variable_keys(self, namespace: str, path: str) -> Sequence[str] | None:
        return ("token",) if (namespace, path) == ("team", "nomad/jobs/web") else None

    async def variable_paths(self, namespace: str) -> Sequence[str]:
        return ("nomad/jobs/web",)


def _read(source: Source, path: str, field: str = "") -> SecretRead:
    return SecretRead(source, path, "web", "main", field)


async def test_every_place_is_asked_for_once() -> None:
    vault = FakeVault()
    reads = [_read(Source.VAULT, "secret/data/a", field) for field in ("", "A", "B")]
    found = await LookUp(vault=vault).places(reads, namespace="default")
    assert vault.asked == ["secret/data/a"]
    assert found.looks == {(Source.VAULT, "secret/data/a"): Looked(there=True, version=2, mount="secret", keys=("A",))}
    assert found.unread == ()


@pytest.mark.parametrize(
    ("standing", "looked"),
    [
        (Standing.MISSING, Looked(there=False, version=2, mount="secret", near=("secret/data/web/db",), said="said")),
        (Standing.DELETED, Looked(there=False, version=2, mount="secret", said="its newest version was deleted")),
        (Standing.FORBIDDEN, Looked(version=2, mount="secret", forbidden=True, said="said")),
        (Standing.UNKNOWN_MOUNT, Looked(there=False, version=2, mount="secret", said="said")),
        (Standing.WRONG_SHAPE, Looked(there=False, version=2, mount="secret", said="said")),
        (Standing.NOT_A_STORE, Looked(version=2, mount="secret")),
    ],
)
async def test_a_standing_in_vault_is_what_is_known(standing: Standing, looked: Looked) -> None:
    found = await LookUp(vault=FakeVault(standing)).places([_read(Source.VAULT, "x/y")], namespace="default")
    assert found.looks == {(Source.VAULT, "x/y"): looked}


async def test_consul_and_nomads_variables_are_asked_for_what_is_theirs() -> None:
    reads = [
        _read(Source.CONSUL, "web/url"), _read(Source.CONSUL, "web/ur"), _read(Source.NOMAD, "nomad/jobs/web"),
        _read(Source.NOMAD, "nomad/jobs/wbe"),
    ]  # fmt: skip
    found = await LookUp(consul=FakeConsul(), variables=FakeVariables()).places(reads, namespace="team")
    assert found.looks == {
        (Source.CONSUL, "web/url"): Looked(there=True),
        (Source.CONSUL, "web/ur"): Looked(there=False, near=("web/url",)),
        (Source.NOMAD, "nomad/jobs/web"): Looked(there=True, keys=("token",)),
        (Source.NOMAD, "nomad/jobs/wbe"): Looked(there=False, near=("nomad/jobs/web",)),
    }


async def test_a_service_that_is_not_there_is_not_asked_and_one_that_is_away_is_told() -> None:
    vault = FakeVault()
    vault.away = True
    reads = [_read(Source.VAULT, "secret/data/a"), _read(Source.CONSUL, "web/url")]
    found = await LookUp(vault=vault).places(reads, namespace="default")
    assert found.looks == {}
    assert found.unread == ("vault: secret/data/a: Vault is sealed",)


async def test_no_more_than_some_places_are_asked_for() -> None:
    vault = FakeVault()
    reads = [_read(Source.VAULT, f"secret/data/{number}") for number in range(70)]
    found = await LookUp(vault=vault).places(reads, namespace="default")
    assert len(vault.asked) == len(found.looks) == 64 and len(found.unread) == 6
