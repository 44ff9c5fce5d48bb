"""Who is told: the addresses of `NOMAD_OPERATOR_NOTIFY_URLS`. Whoever has one can write there, so it is a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit


class Form(StrEnum):
    """How a receiver wants to be told."""

    JSON = "json"
    SLACK = "slack"
    MATTERMOST = "mattermost"
    DISCORD = "discord"


@dataclass(frozen=True, slots=True)
class Target:
    """`name` is for logs: the form, and the host without anything that may be secret."""

    form: Form
    name: str
    url: str = field(repr=False)


def targets(told: str) -> tuple[Target, ...]:
    """ValueError says which entry is wrong, and never what stands in it."""
    found = []
    for number, entry in enumerate(re.split(r"[,\s]+", told.strip(" ,\n\t")), 1):
        scheme, _, rest = entry.partition("://")
        form, plus, transport = scheme.lower().rpartition("+")
        form = form if plus else Form.JSON.value
        if form not in set(Form) or transport not in ("http", "https"):
            raise ValueError(
                f"entry {number} does not start with {', '.join(f'{one.value}+https' for one in Form)} or https, and ://"
            )
        url = f"{transport}://{rest}"
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host:
            raise ValueError(f"entry {number} names no host, or one that cannot be")
        found.append(Target(Form(form), f"{form} ({host})", url))
    return tuple(found)
