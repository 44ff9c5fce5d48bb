"""The project works from a wheel, an editable install and a bare clone, started from any folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("package"), pytest.mark.timeout(300)]

Run = Callable[..., str]

PACKAGES = {"nomad_operator", "reconcilers", "desired", "observers", "prompts"}
# Imports every module, so that a dependency or a data file that only the development environment has is missed.
IMPORT_ALL = f"""
import importlib, pkgutil
for name in {sorted(PACKAGES)}:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


@pytest.fixture(scope="session")
def from_wheel(wheel: Path, install: Callable[..., Path]) -> Path:
    return install(str(wheel))


@pytest.fixture(scope="session")
def from_source(clone: Path, install: Callable[..., Path]) -> Path:
    return install("--no-build-isolation", "--editable", str(clone))


@pytest.fixture(params=["wheel", "editable"])
def commands(request: pytest.FixtureRequest) -> Iterator[Path]:
    yield request.getfixturevalue("from_wheel" if request.param == "wheel" else "from_source")


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == PACKAGES


def test_the_wheel_holds_every_tracked_file_of_the_packages(wheel: Path, clone: Path) -> None:
    """Data files too: prompts, schemas, worlds, pages; a pattern that package-data lacks shows here."""
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = {
        str(path.relative_to(base))
        for base in (clone / "operator", clone)
        for package in PACKAGES
        for path in (base / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path)
    }
    assert tracked - names == set()


def test_the_command_runs_from_another_folder(run: Run, commands: Path, tmp_path: Path) -> None:
    assert run(commands / "nomad-operator", "version", cwd=tmp_path).strip()
    assert json.loads(run(commands / "nomad-operator", "version", "--json", cwd=tmp_path))


def test_the_graph_needs_no_service(run: Run, commands: Path, tmp_path: Path) -> None:
    drawn = run(commands / "nomad-operator", "graph", "--format", "mermaid", cwd=tmp_path)
    assert drawn.startswith("stateDiagram-v2")


def test_every_module_can_be_imported_with_the_core_alone(run: Run, commands: Path, tmp_path: Path) -> None:
    run(commands / "python", "-W", "error", "-c", IMPORT_ALL, cwd=tmp_path)


def test_a_bare_clone_runs_without_being_installed(run: Run, clone: Path, locked: Path) -> None:
    """Started in the root, where the folder `operator` must not hide the standard library's module."""
    assert run(locked, "-m", "nomad_operator", "version", cwd=clone, PYTHONPATH="operator:.").strip()
