"""Which git stands on this machine, and whether it is new enough."""

from __future__ import annotations

import re
from datetime import timedelta

from desired.errors import Unsupported
from desired.git_command import OLDEST_GIT, GitCommand

_DEADLINE = timedelta(seconds=10)


async def installed_git(command: GitCommand) -> str:
    """Its version, as `2.39.5`. Raises Unsupported where there is none, or where it is too old."""
    ended = await command.run(["version"], deadline=_DEADLINE, doing="ask git for its version")
    found = re.match(rb"git version (\d+)\.(\d+)[\w.-]*", ended.output)
    if found is None:
        raise Unsupported(
            "what is installed as git does not tell its version",
            hint=f"install git {OLDEST_GIT} or newer, and let it stand first on the PATH",
        )
    version = found[0].decode().removeprefix("git version ")
    oldest = tuple(int(part) for part in OLDEST_GIT.split("."))
    if (int(found[1]), int(found[2])) < oldest:
        raise Unsupported(
            f"git {version} is too old: {OLDEST_GIT} or newer is needed",
            hint="upgrade git, or put a newer one first on the PATH of the operator",
        )
    return version
