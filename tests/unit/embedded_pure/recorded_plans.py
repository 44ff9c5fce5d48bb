"""What the tests of this folder read from the recordings: jobs as they were registered, read back and planned."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomad_operator.embedded.canonical import server_canonical
from nomad_operator.embedded.scaling import disable_scaling_policies, keep_scaling_ids, store_scaling_policies
from tests import recordings_reader

MORE = recordings_reader.NOMAD.parent / "nomad-2.0.5-more"
FOLDERS = (recordings_reader.NOMAD, MORE)
WIDE = Path(__file__).parents[2] / "recordings" / "nomad-2.0.5-wide"

# What the server alone knows about a job it keeps.
BOOKS = (
    "CreateIndex",
    "ModifyIndex",
    "JobModifyIndex",
    "Status",
    "StatusDescription",
    "Version",
    "Stable",
    "SubmitTime",
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One recorded plan; `old` is the job that was registered then, as the server kept it, None if there was none."""

    label: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any]
    desired: Mapping[str, Mapping[str, int]]
    diff: Mapping[str, Any]
    current: bool = True  # whether all allocations were of `old`, as far as is known


def wide(name: str) -> dict[str, Any]:
    """`parsed`, `canonical` or `read-back` of the job with nearly every block."""
    value: dict[str, Any] = json.loads((WIDE / f"{name}.json").read_text(encoding="utf-8"))
    return value


def plans() -> Iterator[Planned]:
    """Every recorded plan of both recordings."""
    for folder in FOLDERS:
        for name in recordings_reader.names(folder):
            yield from _of_scenario(name, folder)
    body, old = wide("canonical"), wide("read-back")
    for text in (WIDE / "plans.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        new = server_canonical(_changed(body, line["changes"] or []))
        if line["changes"] is not None:
            keep_scaling_ids(old, new)
        yield Planned(
            label=f"wide: {line['name']}",
            old=None if line["changes"] is None else old,
            new=new,
            desired=line["desired"],
            diff=line["diff"],
        )


def _of_scenario(name: str, folder: Path) -> Iterator[Planned]:
    kept: dict[str, Any] = {}
    for exchange in recordings_reader.read(name, folder).exchanges:
        parts = exchange.path.split("/")
        if exchange.status != 200 or parts[2] not in ("job", "jobs"):
            continue
        if exchange.method == "DELETE" and parts[3] in kept:
            kept[parts[3]]["Stop"] = True
            disable_scaling_policies(kept[parts[3]], index=exchange.body["Index"])
            if exchange.query.get("purge"):
                del kept[parts[3]]
        elif exchange.method == "GET" and len(parts) == 4 and parts[2] == "job":
            kept[parts[3]] = copy.deepcopy(exchange.body)
        elif exchange.path == "/v1/jobs" and exchange.method == "POST":
            job = server_canonical(exchange.request["Job"])
            ids = [f"policy of {group['Name']}" for group in job["TaskGroups"]]
            store_scaling_policies(kept.get(job["ID"]), job, index=exchange.body["JobModifyIndex"], ids=ids)
            kept[job["ID"]] = job
        elif parts[-1] == "plan":
            new = server_canonical(exchange.request["Job"])
            keep_scaling_ids(kept.get(parts[3]), new)
            yield Planned(
                label=f"{name} #{exchange.number}",
                old=copy.deepcopy(kept.get(parts[3])),
                new=new,
                desired=exchange.body["Annotations"]["DesiredTGUpdates"],
                diff=exchange.body["Diff"],
                current=folder != MORE,
            )


def _changed(body: Mapping[str, Any], changes: list[Any]) -> dict[str, Any]:
    changed: Any = copy.deepcopy(dict(body))
    for path, value in changes:
        at = changed
        for part in path[:-1]:
            at = at[part]
        if isinstance(at, list) and path[-1] == len(at):
            at.append(value)
        else:
            at[path[-1]] = value
    return changed  # type: ignore[no-any-return]


def unordered(value: Any) -> Any:
    """A diff with its objects in one order: Nomad's own varies among those of one name."""
    if isinstance(value, Mapping):
        inner = {key: unordered(each) for key, each in value.items()}
        if isinstance(inner.get("Objects"), list):
            inner["Objects"].sort(key=lambda part: (part["Name"], json.dumps(part, sort_keys=True)))
        return inner
    return [unordered(each) for each in value] if isinstance(value, list) else value
