"""TOML from a hostile file: its table, or what is wrong with it and where."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from desired.facts.app_code.source_text import SourceText
from desired.problem import Problem


def read_toml(source: SourceText) -> dict[str, Any] | Problem:
    """The file's table. Nothing of its text is ever in a message."""
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        return Problem(source.path, int(line[1]) if line else 0, message="cannot be read as TOML")
    except (RecursionError, ValueError):
        return Problem(source.path, message="cannot be read as TOML")
