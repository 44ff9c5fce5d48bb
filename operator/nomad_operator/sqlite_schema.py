"""The tables of the state file, and how an older file becomes a newer one.

The file carries its version in SQLite's `user_version`, and whose it is in `application_id`. Migrations only grow at
the end; each is applied together with its version number, so a kill leaves the file at the one or at the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from desired.errors import StateUnusable

# "NmOp" in ASCII: tells our file from anybody else's SQLite file.
APPLICATION_ID = 0x4E6D4F70

Migration = tuple[str, ...]

# A deleted document leaves its row, without a body: its revision must go on growing.
MIGRATIONS: tuple[Migration, ...] = (
    ("CREATE TABLE documents (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, body TEXT) WITHOUT ROWID",),
)


def usable_version(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> int:
    """The file's version, 0 for a new one; StateUnusable if it is newer than we know, or not ours. Changes nothing."""
    version = _pragma(connection, "user_version")
    owner = _pragma(connection, "application_id")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and (tables or owner or version):
        raise StateUnusable(
            f"{path} is a SQLite file, but not a state file of nomad-operator",
            hint="point NOMAD_OPERATOR_STATE_URL at another file; this one is left as it is",
        )
    if version > len(migrations):
        raise StateUnusable(
            f"the state {path} is of version {version}, and this nomad-operator knows up to {len(migrations)}",
            hint="run the newer nomad-operator again, or point NOMAD_OPERATOR_STATE_URL at another file",
        )
    return version


def migrate(connection: sqlite3.Connection, version: int, migrations: Sequence[Migration]) -> None:
    """Bring a file of this version to the newest."""
    for number, statements in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
