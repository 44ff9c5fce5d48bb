"""The store in one SQLite file: the adapter of `reconcilers.store.Store` for a single instance.

One thread owns the connection. Writes that arrive while one is under way share the next transaction, and with it one
flush to the disk. The file is never overwritten when it cannot be understood: it is named, and a person decides.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from desired.errors import Conflict, OperatorError, StateUnusable
from nomad_operator.sqlite_errors import state_errors
from nomad_operator.sqlite_schema import MIGRATIONS, Migration, migrate, usable_version
from nomad_operator.state_lock import StateLock
from reconcilers.store import Document, Stored

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Write:
    """`body` is None for a delete."""

    name: str
    body: str | None
    expected: int


class SqliteStore:
    """Made by `open`; holds the file for itself until `close`."""

    def __init__(
        self, *, path: Path, connection: sqlite3.Connection, lock: StateLock, executor: ThreadPoolExecutor
    ) -> None:
        self._path = path
        self._connection = connection
        self._lock = lock
        self._executor = executor
        self._inode = path.stat().st_ino
        self._waiting: list[tuple[_Write, asyncio.Future[int]]] = []
        self._flushing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> SqliteStore:
        """Open or make the file (mode 0600) and its folder; StateUnusable or StateUnavailable say why it cannot be."""
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")
        try:
            connection, lock = await asyncio.get_running_loop().run_in_executor(executor, _open, path, migrations)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        return cls(path=path, connection=connection, lock=lock, executor=executor)

    async def load(self) -> Mapping[str, Stored]:
        return await self._in_thread(lambda: _documents(self._connection, self._path))

    async def get(self, name: str) -> Stored | None:
        return await self._in_thread(lambda: _document(self._connection, self._path, name))

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        body = json.dumps(document, separators=(",", ":"), allow_nan=False)
        return await self._write(_Write(name, body, expected))

    async def delete(self, name: str, *, expected: int) -> None:
        await self._write(_Write(name, None, expected))

    async def close(self) -> None:
        """Writes that are under way end first. Closing twice is no error."""
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
        try:
            await self._in_thread(self._connection.close)
        except RuntimeError:  # the executor is shut down: closed before
            return
        self._executor.shutdown(wait=True)
        self._lock.release()

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        with state_errors(self._path):
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def _write(self, write: _Write) -> int:
        # A name that is no text (JSON allows half a surrogate pair) fails here, and not a whole batch.
        write.name.encode()
        outcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, outcome))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return await outcome

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    outcomes = await self._in_thread(lambda batch=batch: self._commit([one for one, _ in batch]))  # type: ignore[misc]
                except Exception as error:  # whoever waits must hear of it, whatever it is
                    outcomes = [error] * len(batch)
                for (_, waiter), outcome in zip(batch, outcomes, strict=True):
                    if waiter.done():  # its pass was cancelled; the write stands
                        continue
                    if isinstance(outcome, Exception):
                        waiter.set_exception(outcome)
                    else:
                        waiter.set_result(outcome)
        finally:
            self._flushing = None

    def _commit(self, writes: Sequence[_Write]) -> list[int | Exception]:
        """All in one transaction; a lost compare-and-set is the outcome of that write alone."""
        self._still_there()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes: list[int | Exception] = [self._apply(write) for write in writes]
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return outcomes

    def _apply(self, write: _Write) -> int | OperatorError:
        row = self._connection.execute(
            "SELECT revision, body IS NULL FROM documents WHERE name = ?", (write.name,)
        ).fetchone()
        last, absent = row if row is not None else (0, 1)
        current = 0 if absent else last
        if write.body is None and absent:
            return 0
        if current != write.expected:
            return Conflict(
                f"writing {write.name} expected revision {write.expected}, and it is at {current}",
                hint="somebody else wrote it; it is read and decided again",
            )
        self._connection.execute(
            "INSERT INTO documents (name, revision, body) VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, body = excluded.body",
            (write.name, last + 1, write.body),
        )
        return int(last + 1)

    def _still_there(self) -> None:
        """A file that was removed or replaced would swallow what is written, and nobody would know until a restart."""
        try:
            same = self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            same = False
        if not same:
            raise StateUnusable(
                f"the state {self._path} was removed or replaced while it was in use",
                hint="restart nomad-operator: it goes on with the file that is there now",
            )


async def read_documents(path: Path) -> Mapping[str, Stored] | None:
    """What a store holds, beside the process that owns it and without taking its lock; None if there is no file."""
    return await asyncio.to_thread(_read_only, path)


def _read_only(path: Path) -> Mapping[str, Stored] | None:
    if not path.exists():
        return None
    with state_errors(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return _documents(connection, path)


def _open(path: Path, migrations: Sequence[Migration]) -> tuple[sqlite3.Connection, StateLock]:
    with state_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = StateLock.acquire(path)
        try:
            # Made here, not by SQLite: its journal files take over the mode of this one.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(path, isolation_level=None, timeout=5)
            try:
                _prepare(connection, path, migrations)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.release()
            raise
    return connection, lock


def _prepare(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Look first: nothing is changed in a file that is damaged, newer, or somebody else's."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"quick_check: {found}")
    version = usable_version(connection, path, migrations)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    migrate(connection, version, migrations)


def _documents(connection: sqlite3.Connection, path: Path) -> dict[str, Stored]:
    rows = connection.execute("SELECT name, revision, body FROM documents WHERE body IS NOT NULL")
    return {name: _stored(path, name, revision, body) for name, revision, body in rows}


def _document(connection: sqlite3.Connection, path: Path, name: str) -> Stored | None:
    row = connection.execute(
        "SELECT revision, body FROM documents WHERE name = ? AND body IS NOT NULL", (name,)
    ).fetchone()
    return None if row is None else _stored(path, name, row[0], row[1])


def _stored(path: Path, name: str, revision: int, body: str) -> Stored:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise StateUnusable(
            f"the state {path} holds a document {name} that is not JSON",
            hint="restore the file from a backup, or move it away",
        ) from error
    return Stored(document, revision)
