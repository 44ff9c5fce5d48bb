"""Records as documents of the store: a version, and how older ones are brought up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from desired.errors import StateUnusable
from reconcilers.record import Record
from reconcilers.store import Document

VERSION = 1

# From a version to the next; applied one after the other. Empty while there is only one version.
MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

_ADAPTER = TypeAdapter(Record)


def to_document(record: Record) -> Document:
    return {"version": VERSION, "record": _ADAPTER.dump_python(record, mode="json")}


def from_document(name: str, document: Document) -> Record:
    """Raises StateUnusable for what cannot be read: guessing at a record could stop or rerun a job."""
    version = document.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise StateUnusable(
            f"record {name!r} has version {version!r}, this operator knows up to {VERSION}",
            hint="run the version of the operator that wrote it, or a newer one",
        )
    body = dict(document.get("record") or {})
    for step in range(version, VERSION):
        body = MIGRATIONS[step](body)
    try:
        return _ADAPTER.validate_python(body)
    except ValidationError as error:
        raise StateUnusable(
            f"record {name!r} cannot be read: {error.error_count()} fields are not what version {version} says",
            hint="restore the state from a backup, or remove it: jobs that are as desired are then adopted unchanged",
        ) from error
