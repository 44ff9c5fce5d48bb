"""TOML from a hostile file: its table, or what is wrong with it and where."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from desired.facts.app_code.source_text import SourceText
from desired.problem import Problem

# `a.b.a.b…` takes the square of its length.
_LONGEST_LINE = 10_000


def read_toml(source: SourceText) -> dict[str, Any] | Problem:
    """The file's table. Nothing of its text is ever in a message."""
    long = next((number for number, line in source.lines() if len(line) > _LONGEST_LINE), None)
    if long is not None:
        return Problem(
            source.path, long, message=f"cannot be read as TOML: a line of more than {_LONGEST_LINE} characters"
        )
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        return Problem(source.path, int(line[1]) if line else 0, message="cannot be read as TOML")
    except (RecursionError, ValueError):
        return Problem(source.path, message="cannot be read as TOML")
