"""What each file spoke of when it could last be read, so that a file that breaks is known by what it was.

Owned by the catalog. A file that is gone is forgotten; one that is only unreadable is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from desired.app import AppKey

# `jobFile: web.nomad.hcl`, wherever it stands in a file that is too broken to be read properly.
_JOB_FILE = re.compile(r"""\bjobFile["']?\s*:\s*["']?([^\s"',}\]#]+)""")


class History:
    """Remembers keys, wrapped job files and rules by path."""

    def __init__(self) -> None:
        self._keys: dict[str, frozenset[AppKey]] = {}
        self._job_files: dict[str, frozenset[str]] = {}
        self._rules: set[str] = set()

    def learn(self, known: Mapping[tuple[str, str], AppKey]) -> None:
        """What the operator's records say of files that nobody has read yet since the start."""
        fresh: dict[str, frozenset[AppKey]] = {}
        for (path, _), key in known.items():
            if path not in self._keys:
                fresh[path] = fresh.get(path, frozenset()) | {key}
        self._keys |= fresh

    def keys(self, path: str) -> frozenset[AppKey]:
        """The apps of a file; empty if it was never an app's."""
        return self._keys.get(path, frozenset())

    def read(self, path: str, keys: Collection[AppKey]) -> None:
        """A file was read as far as it can be; `keys` are all that it is taken to speak of, broken parts included."""
        self._keys[path] = frozenset(keys)

    def wraps(self, path: str, named: Iterable[str], *, whole: bool, text: str = "") -> frozenset[str]:
        """The job files that a manifest wraps, as written in it.

        Where it is not readable as a whole, those that its text still names and those that it named before count too:
        a job file must not become an app of its own, without the settings around it, because those have a mistake.
        """
        found = frozenset(named)
        if not whole:
            found |= frozenset(_JOB_FILE.findall(text)) | self._job_files.get(path, frozenset())
        self._job_files[path] = found
        return found

    def states_rules(self, path: str, states: bool) -> None:
        """A file was read, and holds rules or none."""
        (self._rules.add if states else self._rules.discard)(path)

    def stated_rules(self, path: str) -> bool:
        return path in self._rules

    def keep(self, paths: Collection[str]) -> None:
        """Forget every other file."""
        self._keys = {path: keys for path, keys in self._keys.items() if path in paths}
        self._job_files = {path: named for path, named in self._job_files.items() if path in paths}
        self._rules &= set(paths)
