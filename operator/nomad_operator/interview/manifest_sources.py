"""Where each value of a manifest's job is from: the line of the manifest, or the code that the manifest leaves it to.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from desired.draft.job_places import Path, places
from desired.draft.sourced_hcl import sourced_hcl
from desired.origin import Origin
from desired.yaml_document import Document

_KIND = re.compile(r"\{'?(\w+)'?:")


def manifest_sources(text: str, document: Document, name: str, origins: Iterable[Origin]) -> str:
    """`text` is the job's HCL, `name` the manifest's own, `origins` those of the values that code gave."""
    spec: Mapping[str, Any] = document.root.value["spec"] if document.root is not None else {}
    told: dict[Path, list[str]] = {}
    for at, place in places(spec):
        _tell(told, at, place, f"{name}:{_line(document, at)}")
    said = {at for at, _ in places(spec)}
    by_code = {one.id: one for one in origins}
    for at, place in places(_spec_of(by_code.values())):
        origin = by_code.get(".".join(at))
        if origin is not None and at not in said:
            _tell(told, at, place, f"{origin.source} ({origin.reason})" if origin.reason else origin.source)
    return sourced_hcl(text, told)


def _tell(told: dict[Path, list[str]], at: Path, place: Path, source: str) -> None:
    """A template holds many values, so that each is named there."""
    told.setdefault(place, []).append(f"{at[-1]}: {source}" if "template" in place[-2:] else source)


def _spec_of(origins: Iterable[Origin]) -> Mapping[str, Any]:
    """As much of the spec as tells the places of its values: of a variable only what kind of source it has."""
    spec: dict[str, Any] = {}
    for one in origins:
        head, _, rest = one.id.partition(".")
        kind = _KIND.match(one.value)
        value: Any = {kind[1]: ""} if head == "env" and kind is not None else ""
        if not rest:
            spec.setdefault(head, value)
        elif head == "job":
            inside = spec.setdefault(head, {})
            *steps, last = rest.split(".")
            for step in steps:
                inside = inside.setdefault(step, {})
            inside[last] = value
        elif isinstance(spec.setdefault(head, {}), dict):
            spec[head][rest] = value
    return spec


def _line(document: Document, at: Path) -> int:
    steps = ["spec", *(int(step) if step.isdigit() and at[0] == "volumes" else step for step in at)]
    return document.place(steps, key=True)[0]
