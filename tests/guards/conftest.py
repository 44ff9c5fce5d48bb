"""What the guards look at: the files that git tracks, and the Python modules among them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("operator/nomad_operator/", "reconcilers/", "desired/", "observers/", "prompts/")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """Every file that git tracks, relative to the root; work in progress that is not added is nobody's business."""
    if not (ROOT / ".git").exists():
        pytest.skip("a clone (this is no git work tree)")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).exists()]


@pytest.fixture(scope="session")
def modules(tracked: list[str]) -> list[str]:
    """The modules of the product itself."""
    return [name for name in tracked if name.endswith(".py") and name.startswith(SOURCES)]
