"""What tokens may do, where the world declares any. Source: nomad/acl; recorded in the scenario acl."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from nomad_operator.embedded.events import Event
from nomad_operator.embedded.world import Token, World

_TOPICS: Mapping[str, str] = {
    "Job": "read-job",
    "Allocation": "read-job",
    "Evaluation": "read-job",
    "Deployment": "read-job",
    "Service": "read-job",
    "Node": "node:read",
    "Variable": "variables",
}


class Tokens:
    """Answers whether a request may be done; without tokens in the world everything may."""

    def __init__(self, world: World) -> None:
        self._tokens = {token.secret: token for token in world.tokens}
        self._enabled = bool(world.tokens)

    def revoke(self, secret: str) -> None:
        """Forget a token: from now on it is one that nobody knows."""
        self._tokens.pop(secret, None)

    def allows(self, secret: str, capability: str, namespace: str) -> bool:
        """`namespace` is `*` for a request about all of them: one of them is enough."""
        if not self._enabled or not capability:
            return True
        token = self._tokens.get(secret)
        if token is None or capability == "management":
            return token is not None and token.management
        return token.management or _has(token, capability, namespace)

    def may_listen(self, secret: str, topics: Mapping[str, tuple[str, ...]], namespace: str, all_: list[str]) -> bool:
        """Whether the event stream says anything at all."""
        if not self._enabled:
            return True
        wanted = [_TOPICS.get(topic, "management") for topic in topics]
        places = all_ if namespace == "*" else [namespace]
        return all(self.allows(secret, capability, place) for capability in wanted for place in places)

    def may_see(self, _: Event) -> bool:
        """Every event of a topic that was granted."""
        return True


def _has(token: Token, capability: str, namespace: str) -> bool:
    if capability == "node:read":
        return token.node_read
    if capability in ("agent:read", "node:write"):
        return token.agent_read and capability == "agent:read"
    granted = [
        capabilities
        for pattern, capabilities in token.namespaces.items()
        if namespace == "*" or fnmatchcase(namespace, pattern)
    ]
    return any(capability == "any" or capability in one or _implied(capability, one) for one in granted)


def _implied(capability: str, granted: tuple[str, ...]) -> bool:
    return capability in ("parse-job", "scale-job", "dispatch-job") and "submit-job" in granted
