"""Values as Go prints them: Nomad's messages hold durations, quoted strings and lists of errors in Go's own forms.

Source: Go's time.Duration.String and strconv.Quote; hashicorp/go-multierror's list format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

_UNITS = (("h", 3600 * 10**9), ("m", 60 * 10**9))


def duration(nanoseconds: int) -> str:
    """`1h30m0s`, `1.5s`, `250ms`, `0s`."""
    if nanoseconds < 0:
        return f"-{duration(-nanoseconds)}"
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if nanoseconds < size * 1000:
            return f"{_decimal(nanoseconds, size)}{unit}"
    text, rest = "", nanoseconds
    for unit, size in _UNITS:
        if rest >= size or text:
            text, rest = f"{text}{rest // size}{unit}", rest % size
    return f"{text}{_decimal(rest, 10**9)}s"


def _decimal(value: int, size: int) -> str:
    """Exact: a float would not hold all the digits of a nanosecond count."""
    whole, rest = divmod(value, size)
    digits = str(rest).zfill(len(str(size)) - 1).rstrip("0") if size > 1 else ""
    return f"{whole}.{digits}" if digits else str(whole)


def quoted(text: str, *, ascii_only: bool = False) -> str:
    """`%q`, or `%+q` with `ascii_only`."""
    return json.dumps(text, ensure_ascii=ascii_only)


def errors(messages: Sequence[str]) -> str:
    """A list of errors as one text; empty for none. Items that are such texts themselves are not indented further."""
    if not messages:
        return ""
    count = "1 error" if len(messages) == 1 else f"{len(messages)} errors"
    items = "\n\t".join(f"* {message}" for message in messages)
    return f"{count} occurred:\n\t{items}\n\n"


def warnings(messages: Sequence[str]) -> str:
    """A list of warnings as one text; empty for none."""
    if not messages:
        return ""
    count = "1 warning" if len(messages) == 1 else f"{len(messages)} warnings"
    return f"{count}:\n" + "".join(f"\n* {message.strip()}" for message in messages)


def under(label: str, messages: Sequence[str]) -> list[str]:
    """The messages as one of an outer list, after a label; nothing for none."""
    return [f"{label}: {errors(messages)}"] if messages else []


def nested(messages: Sequence[str]) -> list[str]:
    """The messages as one of an outer list, without a label."""
    return [errors(messages)] if messages else []
