"""A night in short: three copies of the operator, commits all the time, and something that goes wrong all the time.

`make soak ARGS='--minutes 30'`. It ends well if nothing was registered twice, each failure was repaired, and everything
is as git says in the end. What it costs in memory is told. `.bench/soak.json` has the same for programs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.bench.process import Process
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.proxy import Proxy
from tests.integration.git.git_world import Upstream
from tests.soak.faults import Copy, Fault, Faults

_ROOT = Path(__file__).resolve().parents[2]
_WORLD = """\
nodes: [{name: node-1, cpu: 1000000, memory: 1000000}]
behaviours:
  - {image: "soak/app:*", starts_after: 50ms, needs_memory: 64}
"""
_NEEDS, _TOO_LITTLE = 80, 40
_CALM_SECONDS = 150.0
_SLOPE_FROM_SECONDS = 180.0


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="nomad-operator-soak-") as folder:
        told = Soak(Path(folder), arguments).run()
    place = _ROOT / ".bench"
    place.mkdir(exist_ok=True)
    (place / "soak.json").write_text(json.dumps(told, indent=2) + "\n")
    for key, value in told["summary"].items():
        print(f"{key.replace('_', ' '):<34}{value}")
    good = not told["summary"]["double_actions"] and not told["summary"]["not_converged"]
    print("well" if good else "NOT WELL: see .bench/soak.json")
    return 0 if good else 1


class Soak:
    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        self._folder = folder
        self._seconds = arguments.minutes * 60
        self._draw = random.Random(arguments.seed)
        self._seed = arguments.seed
        self._wanted: dict[str, tuple[int, int]] = {
            f"soak-{number:03d}": (0, _NEEDS) for number in range(arguments.apps)
        }
        self._commits = 0
        self._broken = 0
        self._faults: Counter[str] = Counter()
        self._memory: list[tuple[float, list[float]]] = []

    def run(self) -> dict[str, Any]:
        (self._folder / "world.yaml").write_text(_WORLD)
        address = f"127.0.0.1:{_free_port()}"
        environment = os.environ | {"PYTHONPATH": f"{_ROOT / 'operator'}{os.pathsep}{_ROOT}"}
        command = [sys.executable, "-m", "nomad_operator", "embedded", "--world", "world.yaml", "--listen", address]
        nomad = Process(command, environment=environment, log=self._folder / "nomad.log", folder=self._folder)
        copies: list[Copy] = []
        try:
            self._http = httpx.Client(base_url=f"http://{address}", timeout=30, trust_env=False)
            _until_up(self._http)
            upstream = Upstream(self._folder / "repository")
            upstream.commit({_file(name): _job(name, *wanted) for name, wanted in self._wanted.items()}, "all")
            copies += [self._copy(number, f"http://{address}", upstream) for number in range(3)]
            for one in copies:
                one.process.start(ready=False)
            return self._course(copies, nomad, upstream)
        finally:
            for one in copies:
                one.process.end()
                one.way.down()
            nomad.kill()

    def _copy(self, number: int, nomad: str, upstream: Upstream) -> Copy:
        way = Proxy(nomad)
        process = OperatorProcess(
            folder=self._folder / f"copy-{number}", nomad=way.address, git_url=f"file://{upstream.folder}",
            GIT_PATH="apps", STATE_URL="nomad://soak", LEASE="nomad", PRUNE="false", RESYNC_SECONDS="30",
            VERIFY_TIMEOUT_SECONDS="120", LISTEN=f"127.0.0.1:{_free_port()}",
        )  # fmt: skip
        return Copy(process, way)

    def _course(self, copies: list[Copy], nomad: Process, upstream: Upstream) -> dict[str, Any]:
        faults = Faults(copies=copies, nomad=nomad, repository=upstream.folder, draw=self._draw)
        began = time.monotonic()
        fault: Fault | None = None
        next_fault, next_commit, next_look = 30.0, 5.0, 0.0
        while (now := time.monotonic() - began) < self._seconds:
            if fault is not None and now >= next_fault:
                self._over(fault)
                fault, next_fault = None, now + self._draw.uniform(2, 15)
            elif fault is None and now >= next_fault:
                fault = faults.begin()
                self._faults[fault.name] += 1
                next_fault = now + fault.seconds
            away = fault is not None and fault.name == "git is away"
            if now >= next_commit and not away:
                self._commit(upstream)
                next_commit = now + self._draw.uniform(0.5, 6)
            if now >= next_look:
                self._memory.append((now, [_memory_mb(one.process) for one in copies]))
                print(self._line(now), file=sys.stderr, flush=True)
                next_look = now + 10
            time.sleep(0.1)
        if fault is not None:
            self._over(fault)
        print("calm: everything has to become as git says", file=sys.stderr, flush=True)
        left = self._converged(time.monotonic() + _CALM_SECONDS)
        return self._told(copies, left)

    def _over(self, fault: Fault) -> None:
        if fault.ends is not None:
            fault.ends()

    def _commit(self, upstream: Upstream) -> None:
        """Most change an app; some give it less memory than it needs, which a repair mends."""
        name = self._draw.choice(list(self._wanted))
        broken = self._draw.random() < 0.2
        self._wanted[name] = (self._wanted[name][0] + 1, _TOO_LITTLE if broken else _NEEDS)
        self._commits += 1
        self._broken += broken
        upstream.commit({_file(name): _job(name, *self._wanted[name])}, f"{name} {self._wanted[name][0]}")

    def _line(self, now: float) -> str:
        memory = " ".join(f"{one:.0f}" for one in self._memory[-1][1])
        return f"{now:6.0f} s  commits {self._commits}  faults {self._faults.total()}  MB {memory}"

    def _converged(self, until: float) -> list[str]:
        """Those that are not as git says when the time is over."""
        while (left := [name for name in self._wanted if not self._as_wanted(name)]) and time.monotonic() < until:
            time.sleep(1)
        return left

    def _as_wanted(self, name: str) -> bool:
        """In Nomad, with what it needs: whatever had less was repaired, and runs."""
        answer = self._http.get(f"/v1/job/{name}")
        if answer.status_code != 200:
            return False
        task = answer.json()["TaskGroups"][0]["Tasks"][0]
        if (int(task["Env"]["VERSION"]), task["Resources"]["MemoryMB"]) != (self._wanted[name][0], _NEEDS):
            return False
        found = self._http.get(f"/v1/job/{name}/allocations").json()
        return any(one["ClientStatus"] == "running" and one["JobVersion"] == answer.json()["Version"] for one in found)

    def _told(self, copies: list[Copy], left: list[str]) -> dict[str, Any]:
        registers: Counter[tuple[str, str, int]] = Counter()
        for one in copies:
            for seen in one.way.registers():
                registers[_what(seen.body["Job"])] += 1
        doubles = {" ".join(map(str, key)): count for key, count in registers.items() if count > 1}
        restarts = sum(line.get("event") == "started" for one in copies for line in one.process.log)
        slopes = [_slope([(at, sizes[number]) for at, sizes in self._memory]) for number in range(len(copies))]
        summary = {
            "minutes": round(self._seconds / 60, 1),
            "apps": len(self._wanted),
            "commits": self._commits,
            "commits_that_broke": self._broken,
            "faults": self._faults.total(),
            "registers": registers.total(),
            "double_actions": len(doubles),
            "not_converged": len(left),
            "memory_mb_first_last": f"{self._memory[0][1][0]:.0f}, {self._memory[-1][1][0]:.0f}",
            "memory_slope_mb_per_hour": slopes[0],
        }
        return {
            "name": "soak",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
            "seed": self._seed,
            "rows": [{"faults": dict(self._faults), "doubles": doubles, "left": left, "starts": restarts}],
            "memory": self._memory,
            "summary": summary,
        }


def _what(job: Mapping[str, Any]) -> tuple[str, str, int]:
    """A spec as far as commits and repairs change it."""
    task = job["TaskGroups"][0]["Tasks"][0]
    return str(job["ID"]), str(task["Env"]["VERSION"]), int(task["Resources"]["MemoryMB"])


def _slope(samples: list[tuple[float, float]]) -> float | None:
    """MB an hour of the copy that is never killed, after it has seen everything once; None for too short a time."""
    late = [(at, size) for at, size in samples if at >= _SLOPE_FROM_SECONDS and size]
    if len(late) < 10:
        return None
    middle = sum(at for at, _ in late) / len(late)
    mean = sum(size for _, size in late) / len(late)
    spread = sum((at - middle) ** 2 for at, _ in late)
    return round(3600 * sum((at - middle) * (size - mean) for at, size in late) / spread, 1)


def _memory_mb(process: OperatorProcess) -> float:
    """Resident; 0 of one that does not run."""
    if process.exit_code is not None:
        return 0.0
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _file(name: str) -> str:
    return f"apps/{name}.nomad.hcl"


def _job(name: str, version: int, memory: int) -> str:
    return f"""job "{name}" {{
  group "g" {{
    update {{
      min_healthy_time  = "300ms"
      healthy_deadline  = "20s"
      progress_deadline = "0s"
    }}
    restart {{
      attempts = 0
      mode     = "fail"
    }}
    reschedule {{
      attempts  = 0
      unlimited = false
    }}
    task "t" {{
      driver = "docker"
      config {{
        image = "soak/app:1"
      }}
      env {{
        VERSION = "{version}"
      }}
      resources {{
        cpu    = 10
        memory = {memory}
      }}
    }}
  }}
}}
"""


def _until_up(nomad: httpx.Client) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            nomad.get("/v1/jobs").raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak ARGS=…", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30, help="of faults; calm comes after (30)")
    parser.add_argument("--apps", type=int, default=40, help="(40)")
    parser.add_argument("--seed", type=int, default=1, help="what goes wrong, and when (1)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
