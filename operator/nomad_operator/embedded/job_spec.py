"""What of a job is its specification, and what is bookkeeping of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BOOKKEEPING = frozenset(
    {
        "Status",
        "StatusDescription",
        "Stable",
        "Version",
        "CreateIndex",
        "ModifyIndex",
        "JobModifyIndex",
        "SubmitTime",
    }
)


def spec_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether registering `new` makes a new version. A tag on the version counts, as in Nomad."""
    return any(old[name] != new[name] for name in old.keys() | new.keys() if name not in _BOOKKEEPING)
