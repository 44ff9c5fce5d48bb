"""Sizes and times as compose files, Docker and Kubernetes write them, in Nomad's units. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_TIMES = {"us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# Nomad counts MHz; what a file gives in cores has to be told in them.
MHZ_OF_A_CORE = 1000


def megabytes(value: Any) -> int | None:
    """`512m`, `1.5g`, `512MB`, `256Mi`, or bytes; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return max(1, round(float(value) / 1024**2)) if value >= 1024**2 else None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?\s*", str(value), re.IGNORECASE)
    if found is None:
        return None
    size = float(found[1]) * _UNITS[found[2].lower()]
    return max(1, round(size / 1024**2)) if size >= 1024**2 else None


def megahertz(value: Any) -> int | None:
    """`0.5` cores or `500m` of one; None for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)(m?)\s*", str(value)) if not isinstance(value, bool) else None
    if found is None:
        return None
    cores = float(found[1]) / (1000 if found[2] else 1)
    return max(1, round(cores * MHZ_OF_A_CORE)) if 0 < cores <= 1024 else None


def duration(value: Any) -> timedelta | None:
    """`1m30s`, `500ms`; a bare number is seconds."""
    text = str(value).strip()
    if re.fullmatch(r"\d{1,6}", text):
        return timedelta(seconds=int(text))
    if not re.fullmatch(r"(?:\d{1,9}(?:\.\d+)?(?:us|ms|s|m|h))+", text):
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)", text)
    return timedelta(seconds=min(1e8, sum(float(number) * _TIMES[unit] for number, unit in parts)))
