"""Which real services the suites met, told at the end: their versions may differ from those of the recordings."""

from __future__ import annotations

import pytest

_met = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="session")
def met(request: pytest.FixtureRequest) -> dict[str, str]:
    """What a suite writes here is told: the name of a service, and its version."""
    return request.config.stash.setdefault(_met, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for service, version in sorted(config.stash.get(_met, {}).items()):
        terminalreporter.write_line(f"held to a real one: {service} {version}")
