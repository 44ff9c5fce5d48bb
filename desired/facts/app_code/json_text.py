"""JSON from a hostile file: an object, or what is wrong with it and where."""

from __future__ import annotations

import json
from typing import Any

from desired.facts.app_code.source_text import SourceText
from desired.problem import Problem


def read_object(source: SourceText) -> dict[str, Any] | Problem:
    """The file's object. Nothing of its text is ever in a message."""
    try:
        data = json.loads(source.text)
    except json.JSONDecodeError as error:
        return Problem(source.path, error.lineno, error.colno, "cannot be read as JSON")
    except (ValueError, RecursionError):
        return Problem(source.path, message="cannot be read as JSON")
    return data if isinstance(data, dict) else Problem(source.path, 1, message="holds no JSON object")


def inner(data: Any, *keys: str) -> dict[str, Any]:
    """The object below some keys; an empty one where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def strings(data: dict[str, Any], most: int = 2_000) -> dict[str, str]:
    """The entries whose value is a text."""
    return {key: value for key, value in list(data.items())[:most] if isinstance(value, str)}
