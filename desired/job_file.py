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
from desired.job.hcl_source import Source
from desired.job.hcl_syntax import read_syntax
from desired.job.key_case import with_nomads_keys
from desired.job.lint import lint_job
from desired.job.spec import Job
from desired.job.table import by_hcl
from desired.problem import Problem
from desired.state import HclSource, JsonSource

_ALWAYS = (".nomad.hcl", ".nomad")
_VARIABLES = ".vars.hcl"
# What tells a JSON job that cannot be read from any other JSON.
_JSON_MARKS = ('"Job"', '"TaskGroups"')
_MAX_DEPTH = 64
_TOO_DEEP = f"is nested deeper than {_MAX_DEPTH} levels"


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


def is_text(data: bytes) -> bool:
    """Can it be decoded at all?"""
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def may_hold_app(data: bytes) -> bool:
    """For a file that is no text: does it look like something of ours in another encoding, or with a broken byte?"""
    text = data.replace(b"\0", b"").decode("utf-8", "replace")
    return "nomad-operator/" in text or any(mark in text for mark in _JSON_MARKS) or holds_job(text)


def source_of(
    text: str, variables: str, path: str, kind: FileKind, *, held: bool = False
) -> HclSource | JsonSource | None:
    """The job that a file holds, before parsing; None if it holds none.

    `held`: it held an app before, so that a file that is broken now is told as such and never taken for one without a
    job. InvalidDesired for that, and for a JSON job with problems.
    """
    if kind is FileKind.JSON or (kind is FileKind.JOB and text.lstrip().startswith("{")):
        return _json(text, variables, path, always=kind is FileKind.JOB, held=held)
    if kind is FileKind.JOB or holds_job(text):
        return HclSource(text, variables)
    if held and (broken := read_syntax(Source(text))[1]):
        line, column = Source(text).position(broken[0].place[0]) if broken[0].place else (0, 0)
        raise InvalidDesired((Problem(path, line, column, f"{broken[0].summary}: {broken[0].detail}"),))
    return None


def _json(text: str, variables: str, path: str, *, always: bool, held: bool) -> HclSource | JsonSource | None:
    value: Any = None
    try:
        value = json.loads(text)
        problem = _unusable(value, text, path)
    except json.JSONDecodeError as error:
        problem = Problem(path, error.lineno, error.colno, f"is not JSON: {error.msg}")
    except RecursionError:
        problem = Problem(path, message=_TOO_DEEP)
    except ValueError:
        # Python reads no whole number of more than 4300 digits.
        problem = Problem(path, message="holds a number with too many digits")
    if problem is not None:
        if always or held or any(mark in text for mark in _JSON_MARKS):
            raise InvalidDesired((problem,))
        return None
    if isinstance(value, dict) and _is_hcl(value, always=always):
        return HclSource(text, variables)
    body: Any = value.get("Job", value) if isinstance(value, dict) else None
    if not isinstance(body, Mapping) or not ("TaskGroups" in body or ("Job" in value and "ID" in body)):
        if always:
            raise InvalidDesired((Problem(path, 0, 0, "holds no job", "a job file has a `job` block"),))
        return None
    problems = lint_job(body, path, text)
    if not isinstance(body.get("ID"), str) or not body["ID"]:
        problems += (Problem(path, 0, 0, "the job has no ID", 'name it: "ID": "web"'),)
    if problems:
        raise InvalidDesired(problems)
    return JsonSource(body=with_nomads_keys(body), text=text)


def _is_hcl(value: Mapping[str, Any], *, always: bool) -> bool:
    """HCL in JSON, `{"job": {"web": {"group": …}}}`: the parser's business.

    Other people's JSON has a `job` too, so that one counts only if something in it is a word of Nomad's job language.
    """
    jobs = value.get("job")
    if always:
        return "job" in value
    named = jobs if isinstance(jobs, list) else [jobs]
    bodies = [body for each in named if isinstance(each, dict) for body in each.values()]
    flat = [body for each in bodies for body in (each if isinstance(each, list) else [each])]
    return any(isinstance(body, dict) and by_hcl(Job).keys() & body.keys() for body in flat)


def _unusable(value: Any, text: str, path: str) -> Problem | None:
    """What JSON allows and a job cannot be: nested without end, or half a character."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            break
    else:
        return Problem(path, message=_TOO_DEEP)
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return Problem(path, message="holds half a surrogate pair (`\\ud800` to `\\udfff`)")
    return None
