"""A Nomad as a test sees it: what it holds, and what people do there by hand. Plain HTTP, nothing of the product's."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from tests.e2e.waiting import until

Json = Mapping[str, Any]


class NomadSide:
    """One agent. Job names of a test begin with `prefix`; `purge` removes exactly those."""

    def __init__(self, address: str, *, good: str, bad: str, done: str, asks: str) -> None:
        """Tasks, as driver and config: one that runs on, one that fails at once, one that ends well at once, and one
        that asks for LISTEN_PORT in its own words and fails without it."""
        self.address = address
        self.prefix = f"t-{uuid.uuid4().hex[:6]}-"
        self._tasks = {"good": good, "bad": bad, "done": done, "asks": asks}
        self._http = httpx.Client(base_url=address, timeout=30, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def name(self, short: str) -> str:
        return self.prefix + short

    def job_file(
        self, name: str, *, task: str = "good", version: str = "1", count: int = 1, revert: bool = False,
        type: str = "service",
    ) -> str:  # fmt: skip
        """The text of a job; `version` is a value in its environment. A failed allocation fails its deployment."""
        update = f"""
    update {{
      min_healthy_time  = "300ms"
      healthy_deadline  = "20s"
      progress_deadline = "0s"
      auto_revert       = {str(revert).lower()}
    }}"""
        return f"""job "{name}" {{
  type = "{type}"
  group "g" {{
    count = {count}{update if type == "service" else ""}
    restart {{
      attempts = 0
      mode     = "fail"
    }}
    reschedule {{
      attempts  = 0
      unlimited = false
    }}
    task "t" {{
      {self._tasks[task]}
      env {{
        VERSION = "{version}"
      }}
      kill_timeout = "1s"
      resources {{
        cpu    = 10
        memory = 10
      }}
    }}
  }}
}}
"""

    # -- what is there

    def job(self, name: str) -> Any:
        answer = self._http.get(f"/v1/job/{name}")
        return None if answer.status_code == 404 else _good(answer).json()

    def runs(self, name: str, version: str | None = None) -> bool:
        """An allocation of the newest version runs; with `version`, the one whose environment says so."""
        job = self.job(name)
        if job is None or job["Stop"] or (version is not None and version_of(job) != version):
            return False
        allocations = _good(self._http.get(f"/v1/job/{name}/allocations")).json()
        return any(one["ClientStatus"] == "running" and one["JobVersion"] == job["Version"] for one in allocations)

    def index(self) -> int:
        """The Raft index of everything an operator could write."""
        paths = ("/v1/jobs", "/v1/evaluations", "/v1/deployments")
        return max(int(self._http.get(path, params={"namespace": "*"}).headers["X-Nomad-Index"]) for path in paths)

    def attribute(self, name: str) -> str:
        """Of the first node; empty where it has none of this name."""
        node = _good(self._http.get("/v1/nodes")).json()[0]["ID"]
        return str(_good(self._http.get(f"/v1/node/{node}")).json()["Attributes"].get(name, ""))

    def deployments(self, name: str) -> list[Json]:
        return list(_good(self._http.get(f"/v1/job/{name}/deployments")).json() or ())

    # -- what people do by hand

    def register(self, text: str) -> None:
        """`nomad job run`."""
        parsed = _good(self._http.post("/v1/jobs/parse", json={"JobHCL": text, "Canonicalize": False})).json()
        _good(self._http.post("/v1/jobs", json={"Job": parsed}))

    def edit(self, name: str, version: str) -> None:
        """Somebody changes an environment variable in the UI."""
        job = self.job(name)
        job["TaskGroups"][0]["Tasks"][0]["Env"]["VERSION"] = version
        _good(self._http.post("/v1/jobs", json={"Job": job}))

    def scale(self, name: str, count: int) -> None:
        body = {"Count": count, "Target": {"Group": "g"}, "Message": "by hand"}
        _good(self._http.post(f"/v1/job/{name}/scale", json=body))

    def stop(self, name: str, *, purge: bool = False) -> None:
        _good(self._http.delete(f"/v1/job/{name}", params={"purge": str(purge).lower()}))

    def purge(self) -> None:
        found = _good(self._http.get("/v1/jobs", params={"prefix": self.prefix})).json() or ()
        for job in found:
            self.stop(job["ID"], purge=True)

    def until_running(self, name: str, version: str | None = None, *, within: float = 30) -> None:
        until(lambda: self.runs(name, version), within=within, what=f"{name} runs", told=lambda: self.job(name))


def version_of(job: Json) -> str:
    return str(job["TaskGroups"][0]["Tasks"][0]["Env"]["VERSION"])


def _good(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    return answer
