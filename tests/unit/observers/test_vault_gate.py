"""No request that could answer with the value of a secret ever leaves, whatever is asked of the client."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.errors import OperatorError
from nomad_operator.probes.attempt import Attempt
from nomad_operator.probes.vault import probe_vault
from observers.look_up import LookUp
from observers.reach.address import Reach
from observers.secret_examiner import SecretExaminer
from observers.vault.client import VaultClient
from observers.vault.gate import NeverSent, VaultGate
from observers.vault.login import GivenToken
from tests.service_replay import Asked, Replay, Reply

ROOT = Path(__file__).parents[3]
MOUNTS = {"secret": "2", "kv": "1", "team/kv": "2", "metadata": "1", "team/data": "2"}
_PARTS = st.sampled_from(
    ["secret", "kv", "team", "data", "metadata", "subkeys", "web", "db", "..", ".", "%2e%2e", "a b"]
)
_PATHS = st.lists(_PARTS, min_size=1, max_size=6).map("/".join)


def _answer(asked: Asked) -> Reply:
    """A Vault where everything is there and everything is allowed."""
    inner = asked.path.removeprefix("/v1/")
    if inner == "sys/internal/ui/mounts":
        engines = {f"{path}/": {"type": "kv", "options": {"version": v}} for path, v in MOUNTS.items()}
        return Reply(200, {"data": {"secret": engines}})
    if inner.startswith("sys/internal/ui/mounts/"):
        wanted = inner.removeprefix("sys/internal/ui/mounts/")
        for path, version in MOUNTS.items():
            if wanted == path or wanted.startswith(f"{path}/"):
                return Reply(200, {"data": {"path": f"{path}/", "type": "kv", "options": {"version": version}}})
        return Reply(403, {"errors": ["preflight capability check returned 403"]})
    if asked.method == "LIST":
        return Reply(200, {"data": {"keys": ["db", "web/", "data", "metadata/"]}})
    return Reply(200, {"data": {"subkeys": {"A": None}, "policies": [], "ttl": 100, "renewable": True}})


def _reads_a_value(asked: Asked) -> bool:
    """As Vault routes: version 2 answers with values below `data`, version 1 everywhere."""
    inner = asked.path.removeprefix("/v1/")
    if asked.method != "GET" or inner.startswith(("sys/", "auth/")):
        return False
    for path, version in MOUNTS.items():
        if inner.startswith(f"{path}/"):
            return version == "1" or not inner.removeprefix(f"{path}/").startswith(("metadata/", "subkeys/"))
    return True


def _client(replay: Replay) -> VaultClient:
    reach = Reach(service="Vault", setting="VAULT_ADDR", address="http://vault", deadline=timedelta(seconds=5))
    return VaultClient(reach=reach, login=GivenToken(token="t"), adapter=replay)


def _questions(client: VaultClient) -> list[Callable[[str], Awaitable[Any]]]:
    """Everything public that takes a path; a new one is asked without being named here."""
    paths = [name for name in dir(client) if not name.startswith("_") and name not in _WITHOUT_PATH]
    return [getattr(client, name) for name in paths]


_WITHOUT_PATH = {"aclose", "health", "token", "mounts", "capabilities"}


@given(_PATHS)
async def test_nothing_that_reads_a_value_is_sent_for_any_path(path: str) -> None:
    replay = Replay(_answer)
    client = _client(replay)
    for ask in _questions(client):
        with suppress(OperatorError):
            await ask(path)
    assert [asked for asked in replay.asked if _reads_a_value(asked)] == []
    assert {asked.method for asked in replay.asked} <= {"GET", "LIST"}


@given(_PATHS, st.sampled_from([".Data.data.DB", ".Data.DB"]))
async def test_what_a_job_reads_is_looked_up_before_it_is_registered_without_any_value(path: str, field: str) -> None:
    replay = Replay(_answer)
    examiner = SecretExaminer(places=LookUp(vault=_client(replay)), now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    template = {"EmbeddedTmpl": f'{{{{ with secret "{path}" }}}}A={{{{ {field} }}}}{{{{ end }}}}'}
    block = {"Name": "db", "Provider": "vault", "Path": path}
    task = {"Name": "app", "Vault": {}, "Templates": [template], "Secrets": [block], "Env": {"B": "${secret.db.B}"}}
    with suppress(OperatorError):
        await examiner.objections(AppKey("default", "web"), {"TaskGroups": [{"Name": "web", "Tasks": [task]}]})
    assert [asked for asked in replay.asked if _reads_a_value(asked)] == []
    assert {asked.method for asked in replay.asked} <= {"GET", "LIST"}


async def test_doctor_reads_no_value_either() -> None:
    replay = Replay(_answer)
    client = _client(replay)
    attempt = Attempt(service="vault", address="", timeout_seconds=5, clock=lambda: 0.0)
    await probe_vault(client, attempt, login=True)
    assert len(replay.asked) >= 4
    assert [asked for asked in replay.asked if _reads_a_value(asked)] == []
    assert {asked.path for asked in replay.asked if asked.method == "POST"} == {"/v1/sys/capabilities-self"}


def _prepared(method: str, path: str) -> requests.PreparedRequest:
    return requests.Request(method, f"http://vault/{path}").prepare()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "v1/secret/data/web/db"),
        ("GET", "v1/secret/web/db"),
        ("GET", "v1/secret/data/metadata/web"),
        ("GET", "v1/other/metadata/web"),
        ("GET", "v1/secret/metadata/../data/web"),
        ("GET", "v1/secret/metadata/%2e%2e/data/web"),
        ("GET", "v1/cubbyhole/x"),
        ("GET", "v1/database/creds/web"),
        ("POST", "v1/secret/data/web/db"),
        ("PUT", "v1/secret/data/web/db"),
        ("PATCH", "v1/secret/data/web/db"),
        ("DELETE", "v1/secret/metadata/web/db"),
        ("POST", "v1/sys/seal"),
        ("POST", "v1/sys/wrapping/unwrap"),
        ("POST", "v1/auth/token/create"),
        ("GET", "ui/"),
    ],
)
def test_what_is_not_a_question_for_names_is_not_sent(method: str, path: str) -> None:
    gate = VaultGate("http://vault")
    gate.versioned("secret")
    with pytest.raises(NeverSent):
        gate(_prepared(method, path))


def test_names_are_asked_for_only_on_a_mount_that_vault_said_has_versions() -> None:
    gate = VaultGate("http://vault/prefix")
    question = _prepared("GET", "prefix/v1/secret/subkeys/web/db")
    with pytest.raises(NeverSent):
        gate(question)
    gate.versioned("secret")
    gate(question)


def test_no_module_names_a_call_that_reads_a_secret() -> None:
    """hvac has such calls; nothing of the product may name them."""
    files = subprocess.run(
        ["git", "ls-files", "operator", "reconcilers", "desired", "observers", "prompts"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in files if name.endswith(".py")}
    users = {name for name, text in texts.items() if re.search(r"^(import|from) hvac\b", text, re.MULTILINE)}
    assert users and all(name.startswith("observers/vault/") for name in users)
    reads = re.compile(r"\.read_secret(_version)?\b|\.generate_credentials\b|\.unwrap\b|vault\.read\(|/data/")
    assert [name for name in users if reads.search(re.sub(r'""".*?"""', "", texts[name], flags=re.DOTALL))] == []
