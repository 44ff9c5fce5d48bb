"""The Vaults that the client is held to: the recorded one, and a real one with a small world of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from observers.reach.address import Reach
from observers.vault.client import VaultClient
from observers.vault.login import GivenToken
from tests.service_replay import Asked, Recording, Replay, Reply

ADDRESS = os.environ.get("VAULT_TEST_ADDR", "")
TOKEN = os.environ.get("VAULT_TEST_TOKEN", "")
# Where a run on a real one is written down, to be replayed by all others.
WRITE_TO = os.environ.get("VAULT_TEST_RECORD", "")
RECORDED = Path(__file__).parents[2] / "recordings" / "openbao-2.6.2-names" / "exchanges.jsonl"

KV2, KV1, POLICY = "conformance", "conformance-old", "nomad-operator-conformance"
SECRETS = ("correct-horse", "battery-staple", "sk_test_not_real")
POLICIES = {
    "limited": f"""
path "{KV2}/metadata/web/*" {{ capabilities = ["read", "list"] }}
path "{KV2}/metadata/web" {{ capabilities = ["list"] }}
path "{KV2}/subkeys/web/*" {{ capabilities = ["read"] }}
path "{KV2}/data/web/*" {{ capabilities = ["read"] }}
""",
    "without-subkeys": f'path "{KV2}/metadata/*" {{ capabilities = ["read", "list"] }}',
}
# `nobody` is a token that Vault does not know.
PERSONAS = ("root", *POLICIES, "nobody")


class RecordedVault:
    """Answers by persona, method and path, as the real one did."""

    def __init__(self) -> None:
        lines = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
        self._answers = {(one["persona"], one["method"], one["path"]): one for one in lines}
        self.adapter = Replay(self._find)

    def token(self, persona: str) -> str:
        return persona

    def client(self, persona: str = "root") -> VaultClient:
        return _client("http://vault", self.adapter, persona)

    def _find(self, asked: Asked) -> Reply:
        persona = asked.headers.get("X-Vault-Token", "")
        one = self._answers[persona, asked.method, asked.path]
        return Reply(one["status"], one["body"])


class RealVault:
    """Two mounts and two policies of its own, taken away at the end."""

    def __init__(self) -> None:
        self._tokens = {"root": TOKEN, "nobody": "s.nobodyknowsthistoken"}
        self._written: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        self.adapter = Recording(self._keep)
        self.version = str(self._do("GET", "sys/health", None).get("version"))

    def client(self, persona: str = "root") -> VaultClient:
        return _client(ADDRESS, self.adapter, self._tokens[persona])

    def build(self) -> None:
        self.take_away()
        self._do("POST", f"sys/mounts/{KV2}", {"type": "kv", "options": {"version": "2"}})
        self._do("POST", f"sys/mounts/{KV1}", {"type": "kv", "options": {"version": "1"}})
        for name in ("web/db", "billing/db"):
            self._do("POST", f"{KV2}/data/{name}", {"data": {"DB_PASSWORD": SECRETS[0], "DB_USER": SECRETS[1]}})
        self._do("POST", f"{KV2}/data/web/api/stripe", {"data": {"STRIPE_KEY": SECRETS[2], "more": {"inner": "x"}}})
        for name in ("web/gone", "web/shredded"):
            self._do("POST", f"{KV2}/data/{name}", {"data": {"X": "y"}})
        self._do("DELETE", f"{KV2}/data/web/gone", None)
        self._do("PUT", f"{KV2}/destroy/web/shredded", {"versions": [1]})
        self._do("POST", f"{KV1}/web/db", {"DB_PASSWORD": SECRETS[0]})
        for persona, policy in POLICIES.items():
            self._do("PUT", f"sys/policies/acl/{POLICY}-{persona}", {"policy": policy})
            made = self._do(
                "POST", "auth/token/create", {"policies": [f"{POLICY}-{persona}"], "ttl": "10m", "renewable": True}
            )
            self._tokens[persona] = made["auth"]["client_token"]

    def take_away(self) -> None:
        for mount in (KV1, KV2):
            self._do("DELETE", f"sys/mounts/{mount}", None)
        for persona in POLICIES:
            self._do("DELETE", f"sys/policies/acl/{POLICY}-{persona}", None)

    def write(self) -> None:
        """Everything that was asked, once, in a stable order, without what differs from run to run."""
        if WRITE_TO:
            lines = [json.dumps(one, sort_keys=True) for _, one in sorted(self._written.items())]
            Path(WRITE_TO).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _keep(self, asked: Asked, reply: Reply) -> None:
        known = {token: persona for persona, token in self._tokens.items()}
        persona = known.get(asked.headers.get("X-Vault-Token", ""), "")
        self._written[persona, asked.method, asked.path] = {
            "persona": persona,
            "method": asked.method,
            "path": asked.path,
            "status": reply.status,
            "body": _scrubbed(reply.body),
        }

    def _do(self, method: str, path: str, body: Any) -> Any:
        answer = requests.request(
            method, f"{ADDRESS}/v1/{path}", json=body, headers={"X-Vault-Token": TOKEN}, timeout=10
        )
        assert answer.status_code < 300 or method == "DELETE", answer.text
        return answer.json() if answer.content else {}


_CHANGING = {"accessor", "uuid", "request_id", "cluster_id", "cluster_name", "id", "server_time_utc", "display_name"}


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "<scrubbed>" if key in _CHANGING else _scrubbed(inner) for key, inner in value.items()}
    return [_scrubbed(inner) for inner in value] if isinstance(value, list) else value


def _client(address: str, adapter: requests.adapters.BaseAdapter, token: str) -> VaultClient:
    reach = Reach(service="Vault", setting="VAULT_ADDR", address=address, deadline=timedelta(seconds=10))
    return VaultClient(reach=reach, login=GivenToken(token=token), adapter=adapter)


Clients = Callable[[str], VaultClient]
