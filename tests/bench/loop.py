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
from pathlib import Path
from time import monotonic

from tests.bench import phases, results
from tests.bench.app_repository import DRIVERS, AppRepository
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
        for apps in arguments.apps:
            began = monotonic()
            rows.append(measure(nomad, folder=Path(folder) / str(apps), apps=apps, driver=arguments.driver))
            print(f"{apps} apps: measured in {monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{version}, {os.cpu_count()} cores\n\n{results.table(rows)}\n")
    print(f"written to {results.write(_ROOT / '.bench', 'loop', rows, nomad=version).relative_to(_ROOT)}")
    return 0


def measure(nomad: NomadSide, *, folder: Path, apps: int, driver: str) -> phases.Row:
    """Everything of one number of apps: three runs of the daemon on one state. Purges its jobs before and after."""
    repository = AppRepository(folder=folder / "repository", apps=apps, driver=driver)
    nomad.purge()
    try:
        raft = nomad.raft_index()
        with _daemon(nomad, repository, folder) as daemon:
            deployment = phases.first_deployment(daemon, nomad, apps, raft_before=raft)
            webhook = phases.commits(daemon, nomad, repository, count=_COMMITS_BY_WEBHOOK, webhook=True)
            memory, peak = daemon.process.memory_mb()
        with _daemon(nomad, repository, folder, resync=_RESYNC_SECONDS) as daemon:
            restart = phases.restart(daemon, apps)
            daemon.settle(apps, within=60)
            quiet = phases.quiet(daemon, nomad, seconds=1.5 * _RESYNC_SECONDS)
        with _daemon(nomad, repository, folder, poll=1) as daemon:
            daemon.settle(apps, within=60)
            poll = phases.commits(daemon, nomad, repository, count=_COMMITS_BY_POLL, webhook=False)
    finally:
        nomad.purge()
    return phases.Row(apps, deployment, quiet, webhook, poll, restart, memory, peak)


@contextmanager
def _daemon(
    nomad: NomadSide, repository: AppRepository, folder: Path, *, poll: int = _DAY, resync: int = _DAY
) -> Iterator[DaemonProcess]:
    """What is not measured in a run is put off by a day."""
    daemon = DaemonProcess(
        nomad=nomad.address, repository=repository, folder=folder, port=_free_port(), poll_seconds=poll,
        resync_seconds=resync,
    )  # fmt: skip
    try:
        yield daemon
    finally:
        daemon.stop()


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
