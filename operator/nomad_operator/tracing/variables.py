"""OpenTelemetry's own variables, which its libraries read from the process's environment and from nowhere else."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

from dotenv import dotenv_values

_PREFIX = "OTEL_"


def add_from_file(environ: MutableMapping[str, str], file: Path) -> None:
    """What `file` says of OpenTelemetry and the environment does not; nothing where there is no such file.

    The settings were read from the same file before: what is wrong with it is told by then.
    """
    if not file.is_file():
        return
    for name, value in dotenv_values(file, encoding="utf-8").items():
        if name.startswith(_PREFIX) and value and not environ.get(name, "").strip():
            environ[name] = value
