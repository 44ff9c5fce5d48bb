"""Which files are hand-written job files, and what they hold before anybody has parsed them. Pure.

`.nomad.hcl` and `.nomad` are always job files. `.hcl` and JSON are only if they hold a job. The variables of
`web.nomad.hcl` stand in `web.vars.hcl` beside it.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from desired.errors import InvalidDesired
from desired.job.hcl_places import holds_job
from desired.job.lint import lint_job
from desired.problem import Problem
from desired.state import HclSource, JsonSource

_ALWAYS = (".nomad.hcl", ".nomad")
_VARIABLES = ".vars.hcl"


class FileKind(StrEnum):
    """What a file may be, by its name alone."""

    JOB = "job"  # always a job file
    HCL = "hcl"  # a job file if it holds a job
    JSON = "json"  # a job file if it holds a job, or a manifest
    YAML = "yaml"  # a manifest if it names our apiVersion
    OTHER = "other"


def kind_of(path: str) -> FileKind:
    """By name; hidden files and folders are nobody's app."""
    if any(part.startswith(".") for part in PurePosixPath(path).parts):
        return FileKind.OTHER
    name = path.lower()
    if name.endswith(_VARIABLES):
        return FileKind.OTHER
    if name.endswith(_ALWAYS):
        return FileKind.JOB
    for suffix, kind in ((".hcl", FileKind.HCL), (".json", FileKind.JSON), (".yaml", FileKind.YAML)):
        if name.endswith(suffix):
            return kind
    return FileKind.YAML if name.endswith(".yml") else FileKind.OTHER


def variables_beside(path: str, files: Container[str]) -> str | None:
    """The variable file of a job file, if there is one."""
    stem = path
    for suffix in (".nomad.hcl", ".nomad", ".hcl", ".json"):
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
            break
    beside = f"{stem}{_VARIABLES}"
    return beside if beside in files else None


def decoded(data: bytes, path: str) -> str:
    """UTF-8 text, without a byte order mark; InvalidDesired names the first byte that is not."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = Problem(path, line, 0, f"is not UTF-8 text: byte 0x{data[error.start]:02x}", "save it as UTF-8")
        raise InvalidDesired((problem,)) from error


def source_of(text: str, variables: str, path: str, kind: FileKind) -> HclSource | JsonSource | None:
    """The job that a file holds, before parsing; None if it holds none. InvalidDesired for a JSON job with problems."""
    if kind is FileKind.JSON or (kind is FileKind.JOB and text.lstrip().startswith("{")):
        return _json(text, path, always=kind is FileKind.JOB)
    if kind is FileKind.JOB or holds_job(text):
        return HclSource(text, variables)
    return None


def _json(text: str, path: str, *, always: bool) -> HclSource | JsonSource | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if not always and '"Job"' not in text and '"TaskGroups"' not in text:
            return None
        line, column = (error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else (0, 0)
        message = f"is not JSON: {error.msg}" if isinstance(error, json.JSONDecodeError) else "is nested too deep"
        raise InvalidDesired((Problem(path, line, column, message),)) from error
    if not isinstance(value, dict):
        _refuse_if(always, path)
        return None
    if "job" in value:  # HCL in JSON: the parser's business
        return HclSource(text)
    body: Any = value.get("Job", value)
    if not isinstance(body, Mapping) or not ("TaskGroups" in body or "Job" in value):
        _refuse_if(always, path)
        return None
    problems = lint_job(body, path, text)
    if not isinstance(body.get("ID"), str) or not body["ID"]:
        problems += (Problem(path, 0, 0, "the job has no ID", 'name it: "ID": "web"'),)
    if problems:
        raise InvalidDesired(problems)
    return JsonSource(body=body, text=text)


def _refuse_if(always: bool, path: str) -> None:
    if always:
        raise InvalidDesired((Problem(path, 0, 0, "holds no job", "a job file has a `job` block"),))
