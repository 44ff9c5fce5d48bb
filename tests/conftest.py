"""What holds for every test: nothing of the developer's own machine leaks in, and a skip for want of a service is told.

Only the `NOMAD_TEST_*` variables (and their like for other services) pass: they name the real services to test against.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

# Settings of the operator and of the services' own tools. GIT_: a test run from a git hook inherits GIT_DIR.
SETTINGS = ("NOMAD_", "VAULT_", "CONSUL_", "OPENAI_", "LANGFUSE_", "QDRANT_", "GIT_", "SSH_AUTH_SOCK", "XDG_")
KEPT = ("_TEST_", "GIT_SSL_CAINFO")

# No deadline: in parallel on a shared machine, the time of one example says nothing. A printed blob repeats a failure
# (`@reproduce_failure`). Continuous integration tries the same examples each time, so that a red build is about the
# change; everybody else's runs explore.
hypothesis.settings.register_profile("local", print_blob=True, deadline=None)
hypothesis.settings.register_profile("ci", print_blob=True, deadline=None, derandomize=True)

_home = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported: settings read at import are the test's as well."""
    hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")
    for name in list(os.environ):
        if name.startswith(SETTINGS) and not any(kept in name for kept in KEPT):
            del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="nomad-operator-home-"))
    config.stash[_home] = home
    # pip's configuration says where packages come from: the package tests install like the person who runs them.
    real = Path.home()
    os.environ.setdefault("NOMAD_TEST_HOME", str(real))
    os.environ["HOME"] = str(home)
    for kind in ("CONFIG", "STATE", "CACHE", "DATA", "RUNTIME"):
        os.environ[f"XDG_{kind}_{'DIR' if kind == 'RUNTIME' else 'HOME'}"] = str(home / kind.lower())
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
    os.environ["GIT_TERMINAL_PROMPT"] = "0"


def pytest_unconfigure(config: pytest.Config) -> None:
    if home := config.stash.get(_home, None):
        shutil.rmtree(home, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each thing that was not tested because something is not there, however quiet the run is."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] = reasons.get(reason.removeprefix("Skipped: "), 0) + 1
    for reason, number in sorted(reasons.items()):
        terminalreporter.write_line(f"not tested: {number} × {reason}", yellow=True)
    # Not imported above: settings are cleared before anything of ours is imported.
    from tests.conformance.nomad.summary import PROPERTY, summary

    reports = [
        one for name in ("passed", "failed") for one in terminalreporter.stats.get(name, ()) if one.when == "call"
    ]
    told = [value for report in reports for name, value in report.user_properties if name == PROPERTY]
    for line in summary(told):
        terminalreporter.write_line(line)
    from tests.unit.observers.failures import confusion

    verdicts = [value for report in reports for name, value in report.user_properties if name == confusion.PROPERTY]
    for line in confusion.matrix(verdicts):
        terminalreporter.write_line(line)
