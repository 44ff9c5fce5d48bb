"""The shape of the repository: what may stand in its root, what is a package, and who may know whom."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

from setuptools import find_packages

FOLDERS = {"operator", "reconcilers", "desired", "observers", "prompts", "charts", "tests", "docs", ".ci"}
PACKAGES = {"nomad_operator", "reconcilers", "desired", "observers", "prompts"}
# Names that say nothing about what is inside, so everything ends up there.
SAY_NOTHING = {"util", "utils", "common", "helper", "helpers", "misc", "manager", "managers", "handler", "handlers"}


def test_operator_is_not_a_package(root: Path) -> None:
    """An `operator/__init__.py` would shadow the standard library's `operator` for whatever starts in the root."""
    assert not (root / "operator" / "__init__.py").exists()


def test_the_standard_operator_module_is_found_from_the_root(root: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import operator; print(operator.__file__); operator.eq"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not found.stdout.startswith(str(root / "operator"))


def test_the_root_holds_only_the_known_folders(tracked: list[str]) -> None:
    assert {name.split("/")[0] for name in tracked if "/" in name} <= FOLDERS


def test_operator_holds_only_its_package(tracked: list[str]) -> None:
    assert {name.split("/")[1] for name in tracked if name.startswith("operator/")} == {"nomad_operator"}


def test_the_packages_found_for_a_wheel_are_those_expected(root: Path) -> None:
    """With the settings of pyproject.toml: all five, with every subpackage that holds modules, and nothing else."""
    find = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    assert find["namespaces"] is False
    found = {name for where in find["where"] for name in find_packages(str(root / where), include=find["include"])}
    assert {name.split(".")[0] for name in found} == PACKAGES
    on_disk = {
        ".".join(path.relative_to(base).parts[:-1])
        for base, top in ((root / "operator", "nomad_operator"), *((root, top) for top in PACKAGES))
        for path in (base / top).rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert on_disk - {""} == found, "a folder with modules but no __init__.py would be missing from the wheel"


def test_the_layers_hold(root: Path) -> None:
    """nomad_operator knows reconcilers, they know observers and prompts, all know desired; never the other way."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "operator:."},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_named_for_nothing(tracked: list[str]) -> None:
    for name in tracked:
        if name.endswith(".py"):
            words = {word for part in PurePosixPath(name).with_suffix("").parts for word in part.split("_")}
            assert not words & SAY_NOTHING, f"{name}: name it for its one idea"


def test_no_class_is_named_for_nothing(root: Path, modules: list[str]) -> None:
    for name in modules:
        for node in ast.walk(ast.parse((root / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                ending = node.name.rstrip("s").lower()
                assert not ending.endswith(("manager", "helper", "util")), f"{name}: {node.name}"


def test_every_module_says_what_it_owns(root: Path, tracked: list[str]) -> None:
    for name in tracked:
        if name.endswith(".py"):
            assert ast.get_docstring(ast.parse((root / name).read_text(encoding="utf-8"))), f"{name} has no docstring"


def test_no_test_folder_is_a_package(tracked: list[str]) -> None:
    """pytest runs with importlib mode: an `__init__.py` there would let two test files of one name hide each other.

    What stands in samples is other people's code, which nothing here imports.
    """
    ours = [name for name in tracked if name.startswith("tests/") and not name.startswith("tests/samples/")]
    assert not [name for name in ours if name.endswith("__init__.py")]


def test_test_files_have_unique_names(tracked: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in tracked:
        base = PurePosixPath(name).name
        if name.startswith("tests/") and base.startswith("test_"):
            assert seen.setdefault(base, name) == name, f"{name} and {seen[base]}"
