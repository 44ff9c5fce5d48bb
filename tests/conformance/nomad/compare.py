"""The differences between what was recorded and what came, one line each: a path and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def differences(recorded: Any, came: Any, path: str = "") -> Iterator[str]:
    """Of two normalised values; nothing if they agree. Lines are stable: the table of deviations names them."""
    if isinstance(recorded, Mapping) and isinstance(came, Mapping):
        for key in sorted({*recorded, *came}):
            place = f"{path}.{key}" if path else str(key)
            if key not in came:
                yield f"{place}: missing, recorded {_short(recorded[key])}"
            elif key not in recorded:
                yield f"{place}: not recorded, came {_short(came[key])}"
            else:
                yield from differences(recorded[key], came[key], place)
    elif isinstance(recorded, list) and isinstance(came, list):
        if len(recorded) != len(came):
            yield f"{path}: {len(recorded)} recorded, {len(came)} came"
        for index, (one, other) in enumerate(zip(recorded, came, strict=False)):
            yield from differences(one, other, f"{path}[{index}]")
    elif type(recorded) is not type(came) or recorded != came:
        yield f"{path}: recorded {_short(recorded)}, came {_short(came)}"


def in_order(recorded: list[Any], came: list[Any]) -> int | None:
    """The place of the first recorded item that did not come after the ones before it; None if all did."""
    rest = iter(came)
    for place, item in enumerate(recorded):
        if not any(item == other for other in rest):
            return place
    return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."
