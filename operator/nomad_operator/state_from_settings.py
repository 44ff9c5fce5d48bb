"""Which store the settings name, opened: a SQLite file, or Nomad's variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

from desired.errors import UsageError
from nomad_operator.from_settings import connection
from nomad_operator.nomad_store import NomadStore
from nomad_operator.settings import Settings
from nomad_operator.sqlite_store import SqliteStore, read_documents
from observers.nomad.calls import Fence
from observers.nomad.variables import NomadVariables
from reconcilers.store import Store, Stored

# Besides those of the passes: Nomad allows 100 for an address.
_CONNECTIONS = 8


async def open_store(settings: Settings, *, fence: Fence | None = None) -> Store:
    """The store that is written; `fence` is asked before each write to one that several copies use.

    StateUnusable or StateUnavailable say why it cannot be."""
    if settings.state_variables is not None:
        return nomad_store(settings, fence=fence)
    return await SqliteStore.open(settings.state_file)


def nomad_store(settings: Settings, *, fence: Fence | None = None) -> NomadStore:
    """The store in Nomad's variables; nothing is asked yet. UsageError where the settings name a file."""
    place = settings.state_variables
    if place is None:
        raise UsageError(
            "the state is a file", hint="NOMAD_OPERATOR_STATE_URL=nomad://nomad-operator/state keeps it in Nomad"
        )
    way = replace(connection(settings), namespace=place.namespace, max_connections=_CONNECTIONS)
    variables = NomadVariables(connection=way, fence=fence)
    return NomadStore(variables=variables, place=place, new_id=lambda: uuid4().hex[:12])


async def documents(settings: Settings) -> Mapping[str, Stored] | None:
    """What is remembered, read beside the daemon that writes it; None if nothing ever was."""
    if settings.state_variables is None:
        return await read_documents(settings.state_file)
    store = nomad_store(settings)
    try:
        return await store.load() or None
    finally:
        await store.close()
