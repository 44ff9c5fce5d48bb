"""What a run leaves behind: a table for people, and `.bench/extract.json` for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desired.facts.analyze import analyze
from desired.facts.rows import rows
from tests.extract.repository import Repository
from tests.extract.score import Score, Scores


def table(scores: Scores, repositories: int, tree: Mapping[str, float]) -> str:
    """A line for each field, one for all, what differs, and the large tree."""
    lines = [f"{'field':<18}{'precision':>10}{'recall':>10}{'right':>8}{'wrong':>8}{'missing':>9}"]
    lines += [_line(name, one) for name, one in scores.fields.items()]
    lines += [_line("all", scores.total), "", f"{repositories} repositories; what differs:"]
    lines += [f"  {one}" for one in scores.differences] or ["  nothing"]
    return "\n".join([*lines, *_tree(tree)])


def _line(name: str, one: Score) -> str:
    return f"{name:<18}{one.precision:>10.3f}{one.recall:>10.3f}{one.right:>8}{one.wrong:>8}{one.missing:>9}"


def _tree(tree: Mapping[str, float]) -> Iterator[str]:
    if tree:
        yield ""
        yield f"a tree of {tree['files']:.0f} files, {tree['apps']:.0f} apps"
        yield f"  files that nothing hides, and those read   {tree['shown']:.0f}, {tree['read']:.0f}"
        yield f"  listed after                               {tree['list_seconds']:.2f} s"
        yield f"  analysed after                             {tree['analyze_seconds']:.2f} s"
        yield f"  of a core                                  {tree['cpu_seconds']:.2f} s"
        yield f"  memory for it, and of the process in all   {tree['memory_mb']:.0f} MB, {tree['peak_mb']:.0f} MB"


def found(repository: Repository) -> str:
    """Every fact of one repository, with its source."""
    analysis = analyze(repository.codebase)
    lines = [repository.name]
    for one in analysis.apps:
        lines.append(f"  {one.component.name}")
        lines += [f"    {row.field:<34}{row.shown:<50}{row.fact.source}" for row in rows(one.facts)]
    return "\n".join([*lines, *(f"  {problem}" for problem in analysis.warnings)])


def summary(scores: Scores, tree: Mapping[str, float]) -> dict[str, Any]:
    """The keys are documented, and only grow."""
    return {
        "precision": scores.total.precision,
        "recall": scores.total.recall,
        "by_field": {name: {"precision": one.precision, "recall": one.recall} for name, one in scores.fields.items()},
        "tree": dict(tree),
    }


def write(folder: Path, scores: Scores, repositories: int, tree: Mapping[str, float]) -> Path:
    """Replaces what an earlier run left."""
    folder.mkdir(exist_ok=True)
    path = folder / "extract.json"
    told = {
        "name": "extract",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "repositories": repositories,
        "rows": [
            {"field": name, "right": one.right, "wrong": one.wrong, "missing": one.missing}
            for name, one in scores.fields.items()
        ],
        "differences": scores.differences,
        "summary": _rounded(summary(scores, tree)),
    }
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return path


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 4)
        case dict():
            return {key: _rounded(one) for key, one in value.items()}
    return value
