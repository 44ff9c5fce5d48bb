"""A Nomad with ACLs, as who may do everything there: makes policies and tokens, and takes all of it away again."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx

from tests.e2e.waiting import until

# As our policies are written: a capability of the namespace on a line of its own, a block with its name first.
CAPABILITY = re.compile(r'^\s*"([a-z-]+)",.*\n', re.MULTILINE)
BLOCK = re.compile(r"^ *([a-z_]+)\b[^\n=]*{\n", re.MULTILINE)


def without(policy: str, right: str) -> str:
    """The policy without one capability of its namespace, or without the block of this name."""
    if right in CAPABILITY.findall(policy):
        return re.sub(rf'^\s*"{right}",.*\n', "", policy, flags=re.MULTILINE)
    left = re.sub(rf"^( *){right}\b[^\n]*{{\n(?:.*\n)*?\1}}\n", "", policy, flags=re.MULTILINE)
    assert left != policy, right
    return left


class AclSide:
    """One agent; what a test makes has a prefix of its own."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self.token = token
        self.prefix = f"t-{uuid.uuid4().hex[:6]}-"
        self._made: list[str] = []
        self._http = httpx.Client(base_url=address, headers={"X-Nomad-Token": token}, timeout=30, trust_env=False)

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        answer = self._http.request(method, path, json=body, params=query)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text.startswith(("{", "[")) else answer.text

    def token_with(self, *policies: str) -> str:
        """The secret of a token that has exactly these policies."""
        names = [f"{self.prefix}{uuid.uuid4().hex[:8]}" for _ in policies]
        for name, policy in zip(names, policies, strict=True):
            self.call("POST", f"/v1/acl/policy/{name}", {"Name": name, "Rules": policy})
        made = self.call("POST", "/v1/acl/token", {"Name": names[0], "Type": "client", "Policies": names})
        self._made += [f"/v1/acl/token/{made['AccessorID']}", *(f"/v1/acl/policy/{name}" for name in names)]
        return str(made["SecretID"])

    def bind_policy(self, policy: str, *, job: str) -> None:
        """The identities of this job's tasks have it from now on."""
        name = f"{self.prefix}{uuid.uuid4().hex[:8]}"
        bound = {"Namespace": "default", "JobID": job}
        self.call("POST", f"/v1/acl/policy/{name}", {"Name": name, "Rules": policy, "JobACL": bound})
        self._made.append(f"/v1/acl/policy/{name}")

    def register(self, text: str) -> None:
        parsed = self.call("POST", "/v1/jobs/parse", {"JobHCL": text, "Canonicalize": False})
        self.call("POST", "/v1/jobs", {"Job": parsed})

    def log(self, allocation: str, task: str) -> str:
        """What a task has said on standard error."""
        parameters = {"task": task, "type": "stderr", "plain": "true", "origin": "start"}
        return self._http.get(f"/v1/client/fs/logs/{allocation}", params=parameters).text

    def allocations(self, name: str) -> list[dict[str, Any]]:
        return list(self.call("GET", f"/v1/job/{name}/allocations"))

    def close(self) -> None:
        for job in self.call("GET", "/v1/jobs", prefix=self.prefix):
            self.call("DELETE", f"/v1/job/{job['ID']}", purge="true")
        for variable in self.call("GET", "/v1/vars", prefix=self.prefix):
            # One that is a lock can go once whoever holds it has ended.
            path = f"/v1/var/{variable['Path']}"
            until(lambda path=path: self._http.delete(path).status_code < 300, within=60, what=f"{path} is gone")
        for path in self._made:
            self.call("DELETE", path)
        self._http.close()
