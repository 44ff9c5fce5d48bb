"""Several copies of the daemon on one state in Nomad, of which one acts; or one alone, on a file."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

from tests.bench.daemon_process import DaemonProcess


class Copies:
    """`start` starts the copy with this number."""

    def __init__(self, count: int, start: Callable[[int], DaemonProcess]) -> None:
        self.began = monotonic()
        self._all = [start(number) for number in range(count)]

    def leader(self, *, within: float = 60, but: DaemonProcess | None = None) -> DaemonProcess:
        """The one that acts; RuntimeError where none does in time."""
        end = monotonic() + within
        while True:
            for one in self._all:
                if one is not but and (told := one.counts_or_none()) is not None and told.leads:
                    return one
            if monotonic() > end:
                raise RuntimeError(f"no copy acts after {within:g} s:\n{self._all[0].process.last_words()}")
            sleep(0.05)

    def others(self, leader: DaemonProcess) -> list[DaemonProcess]:
        return [one for one in self._all if one is not leader]

    def without(self, gone: DaemonProcess) -> None:
        """It was ended by whoever measures."""
        self._all.remove(gone)

    def stop(self) -> None:
        """Those that do not act first: nobody takes over from somebody who is about to end."""
        leaders = [one for one in self._all if (told := one.counts_or_none()) is not None and told.leads]
        for one in (*(one for one in self._all if one not in leaders), *leaders):
            one.stop()
