"""Which id of a recording is which id of the server under test: learned from answers, used in requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b(?:periodic|dispatch)-\d{10}(?:-[0-9a-f]{8})?\b"
)


class Ids:
    """Grows with every exchange. What was never learned (an id that does not exist on purpose) stays as it is."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._indexes: dict[int, int] = {}

    def learn(self, recorded: Any, came: Any, key: str = "") -> None:
        """Walk both answers side by side; where they part, nothing is learned."""
        if isinstance(recorded, Mapping) and isinstance(came, Mapping):
            for name in recorded.keys() & came.keys():
                self.learn(recorded[name], came[name], name)
        elif isinstance(recorded, list) and isinstance(came, list):
            for one, other in zip(_in_order(recorded), _in_order(came), strict=False):
                self.learn(one, other, key)
        elif isinstance(recorded, str) and isinstance(came, str):
            for one, other in zip(_ID.findall(recorded), _ID.findall(came), strict=False):
                self._ids.setdefault(one, other)
        elif key.endswith("Index") and type(recorded) is int and type(came) is int and recorded and came:
            self._indexes.setdefault(recorded, came)

    def translate(self, value: Any, key: str = "") -> Any:
        """The value with every learned id in place of the recorded one; indexes only in fields that say so."""
        if isinstance(value, Mapping):
            return {name: self.translate(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.translate(inner, key) for inner in value]
        if isinstance(value, str):
            if key in ("index", "cas", "next_token") and value.isdigit():
                return str(self._indexes.get(int(value), int(value)))
            return _ID.sub(lambda match: self._ids.get(match[0], match[0]), value)
        if key.endswith("Index") and type(value) is int:
            return self._indexes.get(value, value)
        return value


def _in_order(items: list[Any]) -> list[Any]:
    if items and all(
        isinstance(item, Mapping) and "CreateIndex" in item and _ID.match(str(item.get("ID"))) for item in items
    ):
        return sorted(items, key=lambda item: (item["CreateIndex"], item.get("Name", ""), item["ID"]))
    return items
