"""Who answers: from `GET /v1/agent/self`, or, where the token may not read that, from the list of servers. Pure."""

from __future__ import annotations

import re

from observers.nomad.answers import Json, mapping, sequence, text
from observers.running import Agent


def agent_of(answer: Json) -> Agent:
    """`/v1/agent/self`. `raw` holds the tags of the member, nothing of the configuration: it may hold secrets."""
    config = mapping(answer.get("config"), "config")
    version = config.get("Version")
    tags = mapping(mapping(answer.get("member"), "member").get("Tags"), "Tags")
    return Agent(
        # A client agent is no member of the servers' gossip; its configuration knows the version all the same.
        version=(text(version, "Version") if isinstance(version, dict) else "") or text(tags, "build"),
        region=text(config, "Region") or text(tags, "region"),
        datacenter=text(config, "Datacenter") or text(tags, "dc"),
        server=text(tags, "role") == "nomad",
        acl_enabled=mapping(config.get("ACL"), "ACL").get("Enabled") is True,
        raw=dict(tags),
    )


def lowest_server(answer: Json) -> Agent:
    """`/v1/agent/members`: as if the oldest living server had answered, since any of them may have to."""
    members = [mapping(member, "a member") for member in sequence(answer.get("Members"), "Members")]
    living = [mapping(member.get("Tags"), "Tags") for member in members if text(member, "Status") == "alive"]
    oldest = min(living, key=lambda tags: _order(text(tags, "build")), default={})
    return Agent(
        version=text(oldest, "build"),
        region=text(answer, "ServerRegion") or text(oldest, "region"),
        datacenter=text(answer, "ServerDC"),
        acl_enabled=True,
        raw=dict(oldest),
    )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("-")[0]))
