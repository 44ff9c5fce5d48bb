"""The loop's numbers: a real daemon process on a git repository of N apps, beside an embedded or a real Nomad.

`python -m tests.bench.loop`, or `make bench`. Compare numbers of one run with each other; those of two runs on a busy
machine only say that the machine was busy.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import monotonic

from tests.bench import phases, results
from tests.bench.app_repository import DRIVERS, PREFIX, AppRepository
from tests.bench.copies import Copies
from tests.bench.daemon_process import DaemonProcess
from tests.bench.nomad_side import NomadSide
from tests.bench.process import Process

_ROOT = Path(__file__).resolve().parents[2]
_DAY = 86_400
_RESYNC_SECONDS = 5
_COMMITS_BY_WEBHOOK = 30
_COMMITS_BY_POLL = 5


def main() -> int:
    arguments = _arguments()
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="nomad-operator-bench-") as folder,
        _nomad(arguments, Path(folder)) as nomad,
    ):
        version = f"{'Nomad ' if arguments.nomad else 'embedded, as '}{nomad.version()}"
        for apps, copies in product(arguments.apps, arguments.copies):
            began = monotonic()
            where = Path(folder) / f"{apps}-{copies}"
            rows.append(measure(nomad, folder=where, apps=apps, copies=copies, driver=arguments.driver))
            told = f"{apps} apps, {copies} {'copies' if copies > 1 else 'copy'}"
            print(f"{told}: measured in {monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{version}, {os.cpu_count()} cores\n\n{results.table(rows)}\n")
    print(f"written to {results.write(_ROOT / '.bench', 'loop', rows, nomad=version).relative_to(_ROOT)}")
    return 0


def measure(nomad: NomadSide, *, folder: Path, apps: int, copies: int, driver: str) -> phases.Row:
    """Everything of one number of apps: runs of the daemon on one state. Purges its jobs before and after."""
    repository = AppRepository(folder=folder / "repository", apps=apps, driver=driver)
    start = Start(nomad, repository, folder, copies)
    nomad.purge()
    try:
        raft = nomad.raft_index()
        with start.daemons() as daemons:
            daemon = daemons.leader()
            deployment = phases.first_deployment(daemon, nomad, apps, raft_before=raft)
            webhook = phases.commits(daemon, nomad, repository, count=_COMMITS_BY_WEBHOOK, webhook=True)
            memory, peak = daemon.process.memory_mb()
        with start.daemons(resync=_RESYNC_SECONDS) as daemons:
            daemon = daemons.leader()
            restart = phases.restart(daemon, apps)
            daemon.settle(apps, within=60)
            quiet = phases.quiet(daemon, nomad, seconds=1.5 * _RESYNC_SECONDS)
        with start.daemons(poll=1) as daemons:
            daemon = daemons.leader()
            daemon.settle(apps, within=60)
            poll = phases.commits(daemon, nomad, repository, count=_COMMITS_BY_POLL, webhook=False)
            noisy = phases.noisy(daemon, nomad, repository, driver=driver, commit=_COMMITS_BY_WEBHOOK)
            take_over = phases.take_over(daemons, apps) if copies > 2 else None
    finally:
        nomad.purge()
        nomad.forget(start.state_variables)
    return phases.Row(apps, copies, deployment, quiet, webhook, poll, restart, noisy, take_over, memory, peak)


@dataclass(frozen=True, slots=True)
class Start:
    """Runs of one measurement: one copy keeps its state in a file, several in Nomad."""

    nomad: NomadSide
    repository: AppRepository
    folder: Path
    copies: int

    @property
    def state_variables(self) -> str:
        return f"{PREFIX}{self.repository.apps}-{self.copies}"

    @contextmanager
    def daemons(self, *, poll: int = _DAY, resync: int = _DAY) -> Iterator[Copies]:
        """What is not measured in a run is put off by a day."""

        def one(number: int) -> DaemonProcess:
            return DaemonProcess(
                nomad=self.nomad.address, repository=self.repository, folder=self.folder, port=_free_port(),
                poll_seconds=poll, resync_seconds=resync, name=f"copy-{number}",
                state_url=f"nomad://{self.state_variables}" if self.copies > 1 else "",
            )  # fmt: skip

        daemons = Copies(self.copies, one)
        try:
            yield daemons
        finally:
            daemons.stop()


@contextmanager
def _nomad(arguments: argparse.Namespace, folder: Path) -> Iterator[NomadSide]:
    if arguments.nomad:
        with closing(NomadSide(address=arguments.nomad)) as nomad:
            yield nomad
        return
    address = f"127.0.0.1:{_free_port()}"
    environment = os.environ | {"PYTHONPATH": f"{_ROOT / 'operator'}{os.pathsep}{_ROOT}"}
    command = [sys.executable, "-m", "nomad_operator", "embedded", "--listen", address]
    served = Process(command, environment=environment, log=folder / "embedded.log")
    try:
        with closing(NomadSide(address=f"http://{address}")) as nomad:
            nomad.wait_until_up()
            yield nomad
    finally:
        served.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--apps", type=_numbers, default=(10, 100, 1000), metavar="N,N", help="sizes of the fleet (10,100,1000)"
    )
    parser.add_argument(
        "--copies", type=_numbers, default=(1, 3), metavar="N,N", help="copies of the daemon, of which one acts (1,3)"
    )
    parser.add_argument(
        "--nomad", metavar="ADDRESS", help="a real Nomad for measuring, without ACLs, instead of the embedded one"
    )
    parser.add_argument("--driver", choices=DRIVERS, default=DRIVERS[0], help="raw_exec where a Nomad has no mock")
    return parser.parse_args()


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in text.split(","))
    if any(number < 1 for number in numbers):
        raise argparse.ArgumentTypeError("numbers of apps, such as 10,100")
    return numbers


if __name__ == "__main__":
    sys.exit(main())
