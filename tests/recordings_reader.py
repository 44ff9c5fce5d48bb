"""Reads the recordings of a real Nomad that are the embedded Nomad's conformance data.

The format is told in `recordings/nomad-2.0.5/README.md`. Nothing here judges an exchange; it only makes it whole again.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CUT = re.compile(r"(?s).{20}\.\.\.<(\d+) characters>")
NOMAD = Path(__file__).parent / "recordings" / "nomad-2.0.5"
MORE = NOMAD.with_name("nomad-2.0.5-more")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `number` is its line; `t` counts seconds since the scenario began.

    `stream` is what a raw read of the event stream saw, None for every other request.
    """

    number: int
    t: float
    took: float
    method: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    headers: Mapping[str, str]
    body: Any
    stream: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One scenario: `jobs` holds its job files by name, `events` the lines of the stream beside it with their times."""

    name: str
    about: str
    jobs: Mapping[str, str]
    exchanges: tuple[Exchange, ...]
    events: tuple[tuple[float, Mapping[str, Any]], ...]


def read_lines(path: Path) -> list[Any]:
    """The values of a JSON lines file, with every `{"$same": [line, key, ...]}` replaced by what stands there."""
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]

    def whole(value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {"$same"}:
            number, *place = value["$same"]
            return whole(functools.reduce(lambda inner, part: inner[part], place, lines[number - 1]))
        if isinstance(value, dict):
            return {key: whole(inner) for key, inner in value.items()}
        return [whole(inner) for inner in value] if isinstance(value, list) else value

    return [whole(value) for value in lines]


def names(folder: Path = NOMAD) -> list[str]:
    """Every scenario of a folder, sorted."""
    return sorted(path.parent.name for path in folder.glob("*/exchanges.jsonl"))


@functools.cache
def read(name: str, folder: Path = NOMAD) -> Recording:
    """One scenario, whole; read once, so to be left as it is.

    In requests, the placeholders for the parsed job and its source are resolved too.
    """
    root = folder / name
    jobs = {path.name: path.read_text(encoding="utf-8") for path in sorted(root.glob("*.hcl"))}
    about = json.loads((root / "entry.json").read_text(encoding="utf-8"))["about"]
    parsed: Any = None
    source = ""
    exchanges: list[Exchange] = []
    for number, line in enumerate(read_lines(root / "exchanges.jsonl"), 1):
        request = line.get("request")
        if line["path"] == "/v1/jobs/parse" and line["status"] == 200 and isinstance(request, dict):
            parsed, source = line["body"], request["JobHCL"]
        exchanges.append(
            Exchange(
                number=number,
                t=line["t"],
                took=line["took"],
                method=line["method"],
                path=line["path"],
                query=line["query"],
                request=_filled(request, parsed, source),
                status=line["status"],
                headers=line["headers"],
                body=line.get("body"),
                stream=line.get("stream"),
            )
        )
    events = tuple((line["t"], line["line"]) for line in read_lines(root / "events.ndjson"))
    return Recording(name=name, about=about, jobs=jobs, exchanges=tuple(exchanges), events=events)


def _filled(request: Any, parsed: Any, source: str) -> Any:
    if not isinstance(request, dict):
        return request
    filled: dict[str, Any] = _long(request)
    if isinstance(filled.get("Job"), str):
        filled["Job"] = parsed
    if isinstance(filled.get("Submission"), str):
        filled["Submission"] = {"Source": source, "Format": "hcl2"}
    return filled


def _long(value: Any) -> Any:
    """What the recorder has shortened because it only had to be too long, at its length again."""
    if isinstance(value, dict):
        return {key: _long(inner) for key, inner in value.items()}
    if isinstance(value, str) and (cut := _CUT.fullmatch(value)):
        return value[0] * int(cut[1])
    return value
