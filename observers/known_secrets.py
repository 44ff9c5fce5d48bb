"""The secrets of jobs, looked for once: a pass asks several times, and most passes ask about a job of the last one."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict

from desired.state import JobBody
from observers.job_secrets import known_in

_JOBS = 1024


class KnownSecrets:
    """Holds the secrets of the jobs that were asked for last, and no job; never stored."""

    def __init__(self, *, most_jobs: int = _JOBS) -> None:
        self._most = most_jobs
        self._found: OrderedDict[bytes, frozenset[str]] = OrderedDict()

    def of(self, body: JobBody) -> frozenset[str]:
        """What `known_in` finds in a job."""
        named = hashlib.sha256(json.dumps(body, default=str).encode()).digest()
        found = self._found.get(named)
        if found is None:
            found = self._found[named] = frozenset(known_in(body))
            if len(self._found) > self._most:
                self._found.popitem(last=False)
        self._found.move_to_end(named)
        return found

    def __len__(self) -> int:
        return len(self._found)
