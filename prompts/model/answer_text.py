"""The one JSON object that a model's text holds. What could be read in two ways is refused, not guessed.

Accepted around it: reasoning in `<think>` blocks before it (some templates write only the closing tag), white space,
and one code fence, whatever stands beside the fence.

Source: Qwen3's and DeepSeek's chat templates, for the tags.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

# An answer is a handful of operations or values: anything longer is a model that does not stop.
LARGEST = 256 * 1024
_OPEN, _CLOSE = "<think>", "</think>"
_FENCE = re.compile(r"```[ \t]*([A-Za-z0-9_+-]*)[ \t]*\r?\n(.*?)\r?\n?[ \t]*```", re.DOTALL)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class NoObject(ValueError):
    """Why the text is not one JSON object, in words that repeat nothing of it."""


def read_object(text: str) -> dict[str, Any]:
    """Raises NoObject."""
    if len(text) > LARGEST:
        raise NoObject(f"it is longer than {LARGEST // 1024} KiB")
    text = _without_reasoning(text).strip()
    if not text:
        raise NoObject("it is empty")
    if not text.startswith(("{", "[", '"')) and "```" in text:
        text = _inside_the_fence(text)
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
    except NoObject:
        raise
    except RecursionError:
        raise NoObject("it is nested too deeply") from None
    except ValueError as error:
        raise NoObject(_where(error)) from None
    if not isinstance(value, dict):
        raise NoObject("it is JSON, but no object")
    # Python reads half a character from an escape, and nothing can write it again.
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise NoObject("it has half a character in a text")
    return value


def is_object(text: str) -> bool:
    """Whether it is one JSON object for a reader that minds nothing else, without a word around it."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _without_reasoning(text: str) -> str:
    text = text.lstrip()
    while text.startswith(_OPEN):
        _, closed, rest = text.partition(_CLOSE)
        if not closed:
            raise NoObject("its reasoning never ends")
        text = rest.lstrip()
    if _CLOSE in text and not text.startswith(("{", "```")):
        text = text.partition(_CLOSE)[2]
    return text


def _inside_the_fence(text: str) -> str:
    found = _FENCE.findall(text)
    if len(found) != 1 or text.count("```") != 2:
        raise NoObject("it has more than one code block, or one that never ends")
    language, inside = found[0]
    if language.lower() not in ("", "json", "json5", "jsonc"):
        raise NoObject("its code block is not JSON")
    return str(inside).strip()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NoObject("it has the same name twice in an object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NoObject("it has a number that is too large")
    return number


def _no_number(_name: str) -> NoReturn:
    raise NoObject("it has NaN or Infinity, which JSON does not have")


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        if error.pos >= len(error.doc.rstrip()):
            return "its JSON ends too early"
        return f"it is not JSON from character {error.pos + 1} on"
    return "it has a number that is too long"
