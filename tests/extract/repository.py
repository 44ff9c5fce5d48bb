"""The repositories of tests/repositories: files, and what a person who reads them would say of each app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from desired.facts.codebase import Codebase
from desired.facts.folder_codebase import FolderCodebase
from desired.facts.ignore_rules import IgnoreRules
from desired.facts.tree_codebase import TreeCodebase

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "repositories"


@dataclass(frozen=True)
class Repository:
    """`apps` are the expected values by app and field. `misses` are known ones of a case, with the reason."""

    name: str
    codebase: Codebase
    apps: Mapping[str, Mapping[str, Any]]
    dockerfile: str | None = None
    dockerfiles: tuple[str, ...] | None = None
    warnings: int = 0
    misses: Mapping[str, str] = field(default_factory=dict)


def repositories() -> Iterator[Repository]:
    """All of them, in the order of the files."""
    for path in sorted(FOLDER.glob("*.yaml")):
        for case in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            listed = case.get("dockerfiles")
            yield Repository(
                case["name"],
                _codebase(case),
                case["apps"],
                case.get("dockerfile"),
                None if listed is None else tuple(listed),
                case.get("warnings", 0),
                case.get("misses", {}),
            )


def _codebase(case: Mapping[str, Any]) -> Codebase:
    if "folder" in case:
        folder = ROOT / case["folder"]
        contents = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return TreeCodebase(name=folder.parent.name, contents=contents)
    files: Mapping[str, str] = case["files"]
    rules = IgnoreRules().within("", files.get(".gitignore"))
    kept = {name: text.encode() for name, text in files.items() if not _ignored(rules, name)}
    return TreeCodebase(name="app", contents=kept)


def _ignored(rules: IgnoreRules, path: str) -> bool:
    """As git keeps it out of the tree."""
    parts = path.split("/")
    folders = ("/".join(parts[:end]) for end in range(1, len(parts)))
    return any(rules.hide(folder, folder=True) for folder in folders) or rules.hide(path, folder=False)


def in_folder(repository: Repository, folder: Path) -> FolderCodebase:
    """The same files on disk."""
    for path in repository.codebase.paths:
        place = folder / repository.codebase.name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(repository.codebase.text(path) or "", encoding="utf-8")
    return FolderCodebase(folder / repository.codebase.name)
