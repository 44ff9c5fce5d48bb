"""The project as others get it: a copy of what git tracks, built, and installed with the locked core alone.

One environment holds the locked dependencies; each way to install gets an environment of its own that borrows them,
so that nothing of the test run's own environment can stand in for what the lock forgot.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(*command: str | Path, cwd: Path, **env: str) -> str:
    """The command's stdout; with everything it said, if it failed. Only what is given and harmless is inherited."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "TMPDIR", "HOME") or name.startswith(("PIP_", "SSL_", "REQUESTS_", "HTTP"))
    }
    done = subprocess.run(list(command), cwd=cwd, env=kept | env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Runs a command in a folder and gives its stdout; it must succeed."""
    return _run


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks, as it stands in the work tree."""
    if not (ROOT / ".git").exists():
        pytest.skip("a clone (this is no git work tree)")
    folder = tmp_path_factory.mktemp("clone")
    listed = _run("git", "ls-files", "-z", "--", ":!tests/recordings", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment that holds the locked core and the build backend, and not the project."""
    folder = tmp_path_factory.mktemp("locked")
    _run(sys.executable, "-m", "venv", folder, cwd=folder)
    python = folder / "bin" / "python"
    locks = [part for name in ("requirements.txt", "requirements-build.txt") for part in ("-r", str(ROOT / name))]
    home = os.environ["NOMAD_TEST_HOME"]
    _run(python, "-m", "pip", "install", "--quiet", "--require-hashes", *locks, cwd=folder, HOME=home)
    return python


@pytest.fixture(scope="session")
def install(locked: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Installs into a fresh environment that borrows the locked dependencies; gives its folder of commands."""

    def install(*what: str) -> Path:
        folder = tmp_path_factory.mktemp("installed")
        _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
        site = "import sysconfig; print(sysconfig.get_path('purelib'))"
        borrowed = _run(locked, "-c", site, cwd=folder).strip()
        Path(_run(folder / "bin" / "python", "-c", site, cwd=folder).strip(), "borrowed.pth").write_text(
            borrowed + "\n"
        )
        _run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", *what, cwd=folder)
        return folder / "bin"

    return install


@pytest.fixture(scope="session")
def wheel(clone: Path, locked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a source distribution: what is missing from one is missing from the other."""
    out = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, clone, cwd=out)
    (built,) = out.glob("*.whl")
    return built
