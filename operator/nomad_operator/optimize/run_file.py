"""What a run has found so far, line by line in a file: nothing that was paid for is asked again after Ctrl-C or a kill.

A file is one run's: of one prompt, one data set, one optimizer and one model. A last line that was cut off is dropped.
It holds what apps said, redacted, and is readable by its owner alone.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from desired.errors import OperatorError, UsageError
from nomad_operator.optimize.outcome import Ending, Played, played_from


class RunFile:
    """A context manager; `about` says which run it is. UsageError where another process has it."""

    def __init__(self, *, path: Path, about: Mapping[str, Any]) -> None:
        self._path = path
        self._about = dict(about)
        self._played: dict[tuple[str, str], Played] = {}
        self._told: dict[str, str] = {}
        self.tokens = 0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self._file = os.fdopen(handle, "r+b")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise UsageError(
                f"{self._path} is in use: the same run goes on in another process", hint="wait for it, or end it"
            ) from error
        try:
            self._read()
        except OperatorError:
            self._file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def path(self) -> Path:
        return self._path

    def __len__(self) -> int:
        """How many cases were played to their end."""
        return len(self._played)

    def played(self, prompt: str, case: str) -> Played | None:
        """`prompt` is the digest of its text."""
        return self._played.get((prompt, case))

    def told(self, question: str) -> str | None:
        """What was answered to a question that is no case's."""
        return self._told.get(question)

    def keep(self, prompt: str, one: Played) -> None:
        self._played[prompt, one.case] = one
        if one.ending is Ending.LATE:
            return
        self._append({"kind": "played", "prompt": prompt, **one.as_json})

    def keep_told(self, question: str, answer: str) -> None:
        self._told[question] = answer
        self._append({"kind": "told", "question": question, "answer": answer})

    def keep_spent(self, tokens: int, seconds: float) -> None:
        """Beside every session's questions, those that came to nothing too."""
        seconds = round(seconds, 3)
        self.tokens += tokens
        self.seconds += seconds
        self._append({"kind": "spent", "tokens": tokens, "seconds": seconds})

    def _append(self, line: Mapping[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def _read(self) -> None:
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) != len(content):
            self._file.truncate(len(whole))
        lines = whole.splitlines()
        if not lines:
            self._append({"kind": "run", **self._about})
            return
        try:
            head = json.loads(lines[0])
            known = {name: head.get(name) for name in self._about}
            for line in lines[1:]:
                self._take(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{self._path} is no file of a run", hint="remove it, and the run begins anew") from error
        if known != self._about:
            raise UsageError(f"{self._path} is of another run", hint="remove it, or name another --output")

    def _take(self, line: Mapping[str, Any]) -> None:
        match line["kind"]:
            case "played":
                one = played_from(line)
                self._played[str(line["prompt"]), one.case] = one
            case "told":
                self._told[str(line["question"])] = str(line["answer"])
            case "spent":
                self.tokens += int(line["tokens"])
                self.seconds += float(line["seconds"])


def _unwritable(path: Path, error: OSError) -> OperatorError:
    return OperatorError(f"{path} cannot be written: {error.strerror or type(error).__name__}")
