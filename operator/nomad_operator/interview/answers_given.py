"""Answers that people prepared in a file: `--answers FILE`, `-` for standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from desired.draft.answers_file import Answers, read_answers
from desired.errors import UsageError
from desired.whole_file import MOST_BYTES, read_whole


def answers_given(path: str | None) -> Answers:
    """Nothing where no file is named. Raises UsageError, and InvalidDesired with every line that is no answer."""
    if path is None:
        return Answers()
    try:
        text = sys.stdin.read(MOST_BYTES + 1) if path == "-" else read_whole(Path(path)).decode()
        if len(text) > MOST_BYTES:
            raise OSError(0, f"it holds more than {MOST_BYTES} characters")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{path} cannot be read: {what}", hint="name a file of answers") from None
    return read_answers(text, path)
