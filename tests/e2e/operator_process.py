"""`nomad-operator run` as a process of its own, and what a test can see and do from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.waiting import until

_ROOT = Path(__file__).parents[2]
# Short times, so that a whole life fits into a test. The event stream does the waking; a resync hides in few tests.
_SETTINGS = {
    "LISTEN": "127.0.0.1:0",
    "VERIFY_SOAK_SECONDS": "1",
    "VERIFY_TIMEOUT_SECONDS": "15",
    "GIT_POLL_SECONDS": "1",
    "RESYNC_SECONDS": "300",
    "PRUNE_GRACE_SECONDS": "0",
    "API_TOKEN": "a-token-for-tests",
    # No test may depend on what a registry says, or on the way there.
    "IMAGE_LOOKUP": "false",
}


class OperatorProcess:
    """One state folder; `start` may be called again after the process ended."""

    def __init__(self, *, folder: Path, nomad: str, git_url: str, **settings: str) -> None:
        self.folder = folder
        self.state = folder / "state.db"
        folder.mkdir(parents=True, exist_ok=True)
        ours = {**_SETTINGS, "GIT_URL": git_url, "STATE_URL": f"sqlite:///{self.state}", **settings}
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": f"{_ROOT / 'operator'}:{_ROOT}",
            "NOMAD_ADDR": nomad,
            **{f"NOMAD_OPERATOR_{name}": value for name, value in ours.items()},
        }
        self.log: list[Mapping[str, Any]] = []
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._http: httpx.Client | None = None

    # -- life

    def start(self, *, ready: bool = True) -> OperatorProcess:
        """Returns when it serves, or when it has read git and Nomad completely."""
        self.begin("run")
        address = until(self._address, what="the operator listens", told=self.said)
        headers = {"authorization": f"Bearer {self.environment['NOMAD_OPERATOR_API_TOKEN']}"}
        self._http = httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=15)
        if ready:
            until(lambda: self.get("/readyz").status_code == 200, what="the operator is ready", told=self.said)
        return self

    def begin(self, *arguments: str) -> OperatorProcess:
        """A command whose end is not waited for."""
        self.log, self.lines = [], []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nomad_operator", *arguments], env=self.environment, cwd=self.folder, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.lines.append(line)
            try:
                self.log.append(json.loads(line))
            except ValueError:
                continue

    def _address(self) -> str | None:
        if self.exit_code is not None:
            raise AssertionError(f"the operator ended with {self.exit_code}\n{self.said()}")
        return next((str(line["address"]) for line in list(self.log) if line.get("event") == "started"), None)

    def said(self) -> str:
        """Everything it wrote since it was started."""
        return "".join(self.lines)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, *, within: float = 20) -> int:
        """Until the process has ended and all that it said was read."""
        assert self._process is not None and self._reader is not None
        code = self._process.wait(within)
        self._reader.join(within)
        assert self._process.stderr is not None
        self._process.stderr.close()
        if self._http is not None:
            self._http.close()
            self._http = None
        return code

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        self.signal(signal.SIGKILL)
        self.wait()

    def end(self) -> None:
        """At the end of a test, whatever state it is in."""
        if self._process is not None:
            if self.exit_code is None:
                self.signal(signal.SIGKILL)
            self.wait()

    # -- what it tells

    def get(self, path: str) -> httpx.Response:
        assert self._http is not None
        return self._http.get(path)

    def post(self, path: str, **options: Any) -> httpx.Response:
        assert self._http is not None
        return self._http.post(path, **options)

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.get("/api/v1/status").json()
        return answer

    def app(self, name: str) -> dict[str, Any]:
        """As `status APP` shows it; empty while the operator does not know it."""
        answer = self.get(f"/api/v1/apps/default/{name}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    def ask(self, name: str, verb: str) -> None:
        answer = self.post(f"/api/v1/apps/default/{name}/{verb}")
        assert answer.status_code == 200, answer.text

    def until_app(self, name: str, *, within: float = 30, **expected: object) -> dict[str, Any]:
        """The app as soon as all these fields have these values."""

        def found() -> dict[str, Any] | None:
            app = self.app(name)
            return app if app and all(app.get(field) == value for field, value in expected.items()) else None

        answer = until(found, within=within, what=f"{name} {expected}", told=lambda: f"{self.app(name)}\n{self.said()}")
        assert answer is not None
        return answer

    def until_ready(self, *names: str, within: float = 30) -> None:
        for name in names:
            self.until_app(name, ready="True", settled=True, within=within)

    def told(self, event: str, **values: object) -> list[Mapping[str, Any]]:
        """Log lines of this event with these values."""
        return [
            line
            for line in list(self.log)
            if line.get("event") == event and all(line.get(name) == value for name, value in values.items())
        ]

    def until_told(self, event: str, *, within: float = 30, **values: object) -> None:
        until(lambda: self.told(event, **values), within=within, what=f"{event} {values}", told=self.said)

    # -- the command line, on this operator and its settings

    def command(self, *arguments: str, within: float = 60) -> subprocess.CompletedProcess[str]:
        environment = dict(self.environment)
        if self._http is not None:
            environment["NOMAD_OPERATOR_ADDR"] = str(self._http.base_url)
        return subprocess.run(
            [sys.executable, "-m", "nomad_operator", *arguments], env=environment, cwd=self.folder, text=True,
            capture_output=True, timeout=within, check=False,
        )  # fmt: skip
