"""A process that is measured: what it costs, and how it ends. Linux: read from /proc."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_ENDS_WITHIN_SECONDS = 30


class Process:
    """Its output goes to `log`, which is shown where it ends badly."""

    def __init__(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], log: Path, folder: Path | None = None
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(arguments, env=dict(environment), cwd=folder, stdout=output, stderr=output)

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])

    def cpu_seconds(self) -> float:
        """Of the process, and of the children that it has waited for."""
        # The command's name may hold blanks and parentheses; the numbers begin after the last of those.
        numbers = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(number) for number in numbers[11:15]) / _TICKS

    def memory_mb(self) -> tuple[float, float]:
        """Resident now, and the most it ever was."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return int(kilobytes["VmRSS"]) / 1024, int(kilobytes["VmHWM"]) / 1024

    def stop(self) -> None:
        """As a supervisor would; RuntimeError if it did not end by itself."""
        if self.ended:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"the process did not end in {_ENDS_WITHIN_SECONDS} s:\n{self.last_words()}") from None

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """At once, without a chance to end."""
        self._process.kill()
        self._process.wait()
