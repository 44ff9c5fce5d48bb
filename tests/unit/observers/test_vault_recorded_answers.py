"""Every refusal that a real Vault was recorded with is understood for what it meant."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from desired.errors import Forbidden, OperatorError, Unavailable, Unsupported
from observers.reach.address import Reach
from observers.vault.answers import Meaning, meaning, refusal
from observers.vault.client import VaultClient
from observers.vault.login import GivenToken, WorkloadIdentity
from tests.service_replay import Asked, Replay, Reply

RECORDED = Path(__file__).parents[2] / "recordings" / "openbao-2.6.2" / "exchanges.jsonl"
EXCHANGES = {
    one["case"]: one for one in (json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines())
}
MEANT = {
    "kv2 write with cas=0 on an existing secret": Meaning.LOGIN_REFUSED,  # the only 400 of a client that writes nothing
    "kv2 list of a missing folder": Meaning.MISSING,
    "kv2 read of a missing path": Meaning.MISSING,
    "kv2 metadata of a missing path": Meaning.MISSING,
    "kv2 read of a deleted version": Meaning.DELETED,
    "read on a mount that does not exist": Meaning.UNKNOWN_MOUNT,
    "kv1 style read on a kv2 mount": Meaning.WRONG_SHAPE,
    "limited: data denied": Meaning.FORBIDDEN,
    "limited: metadata of another app denied": Meaning.FORBIDDEN,
    "limited: metadata of a missing path (allowed)": Meaning.MISSING,
    "limited: metadata of a missing path (not allowed: same answer as an existing one)": Meaning.FORBIDDEN,
    "limited: sys/mounts denied": Meaning.FORBIDDEN,
    "bad token: lookup-self": Meaning.NOBODY,
    "bad token: read": Meaning.NOBODY,
    "no token: read": Meaning.NOBODY,
    "no token: lookup-self": Meaning.NOBODY,
    "jwt auth login, method not mounted": Meaning.NOBODY,
    "jwt auth login, not a JWT": Meaning.LOGIN_REFUSED,
    "jwt auth login, bad signature": Meaning.LOGIN_REFUSED,
    "jwt auth login, unknown role": Meaning.LOGIN_REFUSED,
    "jwt auth login, wrong audience": Meaning.LOGIN_REFUSED,
    "unknown api path": Meaning.NO_SUCH_CALL,
    "revoked token: read": Meaning.NOBODY,
    "sealed: kv2 metadata": Meaning.SEALED,
    "sealed: jwt auth login": Meaning.SEALED,
}
REFUSALS = [case for case, one in EXCHANGES.items() if one["response"]["status"] >= 400 and "sys/health" not in case]


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_understood(case: str) -> None:
    response = EXCHANGES[case]["response"]
    assert meaning(response["status"], response["body"]) is MEANT[case]


@pytest.mark.parametrize("case", REFUSALS)
def test_an_error_says_what_was_asked_and_never_a_secret(case: str) -> None:
    response = EXCHANGES[case]["response"]
    reach = Reach(service="Vault", setting="VAULT_ADDR", address="https://user:pw@vault:8200")
    error = refusal(reach, "list secret/web", response["status"], response["body"])
    assert error.message.startswith("Vault at https://vault:8200, to list secret/web: answered ")
    assert not [word for word in ("battery-staple", "correct-horse", "pw@") if word in error.message + error.hint]
    assert error.hint


class RecordedLogin:
    """Logs in as recorded, and answers to the token that it gave; `refused` are tokens that are no good any more."""

    def __init__(self, login: str = "jwt auth login, valid workload identity", *, ttl: int = 1800) -> None:
        self.logins: list[Asked] = []
        self.renewals = 0
        self.refused: set[str] = set()
        self.renewal_refused = False
        self.away = False
        self._login = EXCHANGES[login]["response"]
        self._ttl = ttl
        self.replay = Replay(self._answer)

    def _answer(self, asked: Asked) -> Reply:
        token = asked.headers.get("X-Vault-Token", "")
        if asked.path.endswith("/login"):
            self.logins.append(asked)
            body = json.loads(json.dumps(self._login["body"]))
            if self._login["status"] == 200:
                body["auth"] |= {"client_token": f"token-{len(self.logins)}", "lease_duration": self._ttl}
            return Reply(self._login["status"], body)
        if token in self.refused or not token:
            return Reply(403, EXCHANGES["bad token: read"]["response"]["body"])
        if asked.path.endswith("renew-self"):
            self.renewals += 1
            if self.renewal_refused and self.away:
                return Reply(503, {"errors": ["Vault is sealed"]})
            if self.renewal_refused:
                return Reply(400, {"errors": ["lease is not renewable"]})
            return Reply(200, {"auth": {"lease_duration": self._ttl, "renewable": True}})
        if asked.path.endswith("lookup-self"):
            return Reply(200, {"data": {"ttl": self._ttl, "renewable": True, "policies": ["x"]}})
        if asked.path.startswith("/v1/sys/internal/ui/mounts/"):
            return Reply(
                200, EXCHANGES["sys/internal/ui/mounts/secret (preflight for the KV version)"]["response"]["body"]
            )
        return Reply(200, EXCHANGES["limited: subkeys allowed"]["response"]["body"])


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def identity(tmp_path: Path) -> WorkloadIdentity:
    (tmp_path / "jwt").write_text("a.signed.identity\n")
    return WorkloadIdentity(file=tmp_path / "jwt", role="nomad-workloads")


def _client(vault: RecordedLogin, login: GivenToken | WorkloadIdentity, clock: Clock) -> VaultClient:
    reach = Reach(service="Vault", setting="VAULT_ADDR", address="http://vault", deadline=timedelta(seconds=5))
    return VaultClient(reach=reach, login=login, adapter=vault.replay, clock=clock)


async def test_a_workload_identity_is_shown_once_and_its_token_used(identity: WorkloadIdentity, clock: Clock) -> None:
    vault = RecordedLogin()
    client = _client(vault, identity, clock)
    for _ in range(3):
        assert await client.keys_of("secret/data/web/db") == ("DB_PASSWORD", "DB_USER")
    (login,) = vault.logins
    assert login.path == "/v1/auth/jwt-nomad/login"
    assert login.body == {"role": "nomad-workloads", "jwt": "a.signed.identity"}
    assert not login.headers.get("X-Vault-Token")
    assert {asked.headers["X-Vault-Token"] for asked in vault.replay.asked[1:]} == {"token-1"}


async def test_a_token_is_renewed_after_two_thirds_of_its_time(identity: WorkloadIdentity, clock: Clock) -> None:
    vault = RecordedLogin(ttl=900)
    client = _client(vault, identity, clock)
    for minutes in (0, 9, 11, 19, 22):
        clock.now = 1000 + minutes * 60
        await client.token()
    assert (len(vault.logins), vault.renewals) == (1, 2)


async def test_after_its_time_is_over_there_is_a_new_login(identity: WorkloadIdentity, clock: Clock) -> None:
    vault = RecordedLogin(ttl=900)
    client = _client(vault, identity, clock)
    await client.token()
    clock.now += 901
    await client.token()
    assert (len(vault.logins), vault.renewals) == (2, 0)


@pytest.mark.parametrize("harm", ["revoked", "not renewable"])
async def test_a_token_that_is_refused_is_replaced_by_a_login(
    identity: WorkloadIdentity, clock: Clock, harm: str
) -> None:
    vault = RecordedLogin(ttl=900)
    client = _client(vault, identity, clock)
    await client.token()
    if harm == "revoked":
        vault.refused.add("token-1")
    else:
        vault.renewal_refused = True
        clock.now += 700
    assert (await client.token()).policies == ("x",)
    assert len(vault.logins) == 2


async def test_a_given_token_is_renewed_and_never_replaced(clock: Clock) -> None:
    vault = RecordedLogin(ttl=900)
    client = _client(vault, GivenToken(token="given"), clock)
    await client.token()
    clock.now += 700
    await client.token()
    assert vault.renewals == 1
    vault.refused.add("given")
    with pytest.raises(Forbidden):
        await client.token()
    assert vault.logins == []


async def test_a_given_token_that_cannot_be_renewed_is_used_until_vault_refuses_it(clock: Clock) -> None:
    vault = RecordedLogin(ttl=900)
    vault.renewal_refused = True
    client = _client(vault, GivenToken(token="given"), clock)
    await client.token()
    for seconds in (700, 1, 1, 10_000):
        clock.now += seconds
        assert (await client.token()).policies == ("x",)
    assert vault.renewals == 1


async def test_while_vault_is_away_a_token_that_holds_is_kept(identity: WorkloadIdentity, clock: Clock) -> None:
    vault = RecordedLogin(ttl=900)
    client = _client(vault, identity, clock)
    await client.token()
    vault.renewal_refused, vault.away = True, True
    clock.now += 700
    for _ in range(3):
        assert (await client.token()).policies == ("x",)
    assert (len(vault.logins), vault.renewals) == (1, 1)
    vault.renewal_refused = False
    clock.now += 31
    await client.token()
    assert (len(vault.logins), vault.renewals) == (1, 2)


@pytest.mark.parametrize(
    ("case", "kind", "words"),
    [
        ("jwt auth login, unknown role", Forbidden, 'role "no-such-role" could not be found'),
        ("jwt auth login, wrong audience", Forbidden, "audience claim does not match"),
        ("jwt auth login, method not mounted", Forbidden, "permission denied"),
        ("sealed: jwt auth login", Unavailable, "Vault is sealed"),
    ],
)
async def test_a_login_that_fails_says_why(
    identity: WorkloadIdentity, clock: Clock, case: str, kind: type[OperatorError], words: str
) -> None:
    with pytest.raises(kind, match=words) as raised:
        await _client(RecordedLogin(case), identity, clock).look("secret/data/web/db")
    assert raised.value.hint and "a.signed.identity" not in raised.value.message


async def test_an_identity_that_is_not_there_is_told_with_its_file(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(Forbidden, match="gone"):
        await _client(RecordedLogin(), WorkloadIdentity(file=tmp_path / "gone"), clock).token()


async def test_without_a_login_vault_is_asked_without_a_token(clock: Clock) -> None:
    vault = RecordedLogin()
    reach = Reach(service="Vault", setting="VAULT_ADDR", address="http://vault")
    with pytest.raises(Forbidden):
        await VaultClient(reach=reach, adapter=vault.replay, clock=clock).look("secret/data/web/db")
    assert all(not asked.headers.get("X-Vault-Token") for asked in vault.replay.asked)


async def test_a_namespace_goes_with_every_request(identity: WorkloadIdentity, clock: Clock) -> None:
    vault = RecordedLogin()
    reach = Reach(service="Vault", setting="VAULT_ADDR", address="http://vault")
    client = VaultClient(reach=reach, login=identity, namespace="team/a", adapter=vault.replay, clock=clock)
    await client.look("secret/data/web/db")
    assert {asked.headers.get("X-Vault-Namespace") for asked in vault.replay.asked} == {"team/a"}


async def test_a_namespace_that_is_not_there_is_told() -> None:
    replay = Replay(lambda asked: Reply(404, {"errors": ["namespace not found"]}))
    reach = Reach(service="Vault", setting="VAULT_ADDR", address="http://vault")
    client = VaultClient(reach=reach, login=GivenToken(token="t"), namespace="nope", adapter=replay)
    with pytest.raises(Unsupported) as raised:
        await client.look("secret/data/web/db")
    assert "VAULT_NAMESPACE" in raised.value.hint


async def test_many_questions_at_once_make_one_login(identity: WorkloadIdentity, clock: Clock) -> None:
    vault = RecordedLogin(ttl=900)
    client = _client(vault, identity, clock)
    await asyncio.gather(*(client.look("secret/data/web/db") for _ in range(10)))
    assert len(vault.logins) == 1
    vault.refused.add("token-1")
    await asyncio.gather(*(client.look("secret/data/web/db") for _ in range(10)))
    assert len(vault.logins) == 2


@pytest.mark.parametrize(
    ("status", "sealed", "standby"),
    [
        (200, False, False),
        (429, False, True),
        (472, False, True),
        (473, False, True),
        (501, True, True),
        (503, True, True),
    ],
)
async def test_health_is_told_whatever_its_status_says(status: int, sealed: bool, standby: bool) -> None:
    """Source: Vault's API, sys/health: a node that does not serve says so by its status; recorded with one sealed."""
    body = EXCHANGES["sealed: sys/health"]["response"]["body"] | {"sealed": sealed, "standby": standby}
    reach = Reach(service="Vault", setting="VAULT_ADDR", address="http://vault")
    health = await VaultClient(reach=reach, adapter=Replay(lambda asked: Reply(status, body))).health()
    assert (health.version, health.sealed, health.standby) == ("2.0.0-HEAD", sealed, standby)


async def test_a_token_that_may_not_look_at_itself_is_used_all_the_same(clock: Clock) -> None:
    vault = RecordedLogin()
    framed = EXCHANGES["limited: data denied"]["response"]["body"]

    def answer(asked: Asked) -> Reply:
        return Reply(403, framed) if asked.path.endswith("lookup-self") else vault._answer(asked)

    reach = Reach(service="Vault", setting="VAULT_ADDR", address="http://vault")
    client = VaultClient(reach=reach, login=GivenToken(token="given"), adapter=Replay(answer), clock=clock)
    assert await client.keys_of("secret/data/web/db") == ("DB_PASSWORD", "DB_USER")
    assert vault.renewals == 0
