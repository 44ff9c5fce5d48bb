"""The Nomad versions this operator works with."""

from __future__ import annotations

import re

# `POST /v1/jobs/statuses`, which a resync rests on, came with 1.8.
OLDEST_NOMAD = "1.8.0"
TESTED_NOMAD = ("2.0.5", "the embedded Nomad")


def is_supported(version: str) -> bool | None:
    """None where the version cannot be read: then nothing is claimed."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if not found:
        return None
    oldest = OLDEST_NOMAD.split(".")
    return (int(found[1]), int(found[2])) >= (int(oldest[0]), int(oldest[1]))
