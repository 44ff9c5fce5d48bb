"""The same world as end to end: a Nomad, a proxy that does wrong, a repository, operators."""

from __future__ import annotations

from tests.e2e.conftest import nomad, operator, proxy, upstream

__all__ = ["nomad", "operator", "proxy", "upstream"]
