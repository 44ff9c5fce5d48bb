"""A real Prometheus, where one is installed: scrapes an address each second, and answers queries."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.waiting import until


def installed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"charts with {program}, which is not installed")
    return found


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


class Prometheus:
    """`ask` is an instant query; `ask_over` one over some time."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, trust_env=False, timeout=20)

    def up(self) -> bool:
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def ask(self, query: str, *, at: float | None = None) -> list[dict[str, Any]]:
        return self._result("/api/v1/query", query=query, **({} if at is None else {"time": str(at)}))

    def scraped_since(self, moment: float) -> bool:
        return bool(self.ask(f"timestamp(up) > {moment} and up == 1"))

    def ask_over(self, query: str, *, since: float, until_: float) -> list[dict[str, Any]]:
        return self._result("/api/v1/query_range", query=query, start=str(since), end=str(until_), step="5")

    def _result(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        answer = self._http.get(path, params=parameters).json()
        assert answer["status"] == "success", f"{parameters}: {answer}"
        return list(answer["data"]["result"])

    def close(self) -> None:
        self._http.close()


@contextmanager
def prometheus(folder: Path, *, scrapes: str) -> Iterator[Prometheus]:
    """`scrapes` is host:port."""
    program, port = installed("prometheus"), free_port()
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"scrape_configs: [{{job_name: nomad-operator, static_configs: [{{targets: ['{scrapes}']}}]}}]\n"
    )
    process = subprocess.Popen(
        [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    running = Prometheus(f"http://127.0.0.1:{port}")
    try:
        until(running.up, what="Prometheus is ready")
        yield running
    finally:
        running.close()
        process.terminate()
        process.wait(20)
