"""The file of rules that whoever runs the operator has put beside it. It is read again when it changes.

Who may edit the repository may not edit this one: that is what it is for.
"""

from __future__ import annotations

import os
from pathlib import Path

from desired.admission.file import read_rules
from desired.admission.rule_set import RuleSet
from desired.errors import InvalidDesired
from desired.job_file import decoded
from desired.problem import Problem
from desired.whole_file import read_whole


class RuleFile:
    """`rules` asks the file system each time, and reads where something is not as it was."""

    def __init__(self, *, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._rules = RuleSet(str(path))

    def rules(self) -> RuleSet:
        """Never raises: a file that is gone, or holds no rules, is told as such, and not taken for one that allows."""
        origin = str(self._path)
        try:
            seen = _identity(self._path.stat())
            if seen != self._seen:
                self._rules, self._seen = RuleSet(origin, read_rules(self._text(), origin)), seen
        except InvalidDesired as error:
            self._rules, self._seen = RuleSet(origin, problems=error.problems), seen
        except OSError as error:
            # Nothing may tell that it is back but the next look.
            problem = Problem(origin, message=f"cannot be read: {error.strerror or type(error).__name__}")
            self._rules, self._seen = RuleSet(origin, problems=(problem,)), None
        return self._rules

    def _text(self) -> str:
        origin = str(self._path)
        return decoded(read_whole(self._path), origin)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    """What moves with the content, also where a mounted file is another behind the same name."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
