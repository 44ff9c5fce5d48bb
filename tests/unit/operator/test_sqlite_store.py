# ruff: noqa: ASYNC240 (the tests may block: nothing else runs)
"""What is special about the SQLite adapter: its file, its versions, its lock, and a disk that misbehaves."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from desired.errors import StateUnavailable, StateUnusable
from nomad_operator.sqlite_schema import MIGRATIONS
from nomad_operator.sqlite_store import SqliteStore, read_documents


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "state.db"


async def _with_one_document(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.put("app:default/web", {"v": 1}, expected=0)
    await store.close()


async def test_file_folder_and_journal_are_readable_by_their_user_alone(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.put("n", {}, expected=0)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in [path.parent, *path.parent.iterdir()]}
    await store.close()
    assert modes.pop("deep") == 0o700
    assert set(modes.values()) == {0o600}
    assert {"state.db", "state.db-wal"} <= modes.keys()


async def test_a_second_daemon_on_the_same_state_is_refused_and_told_who_has_it(path: Path) -> None:
    first = await SqliteStore.open(path)
    with pytest.raises(StateUnusable, match=rf"in use by another nomad-operator \(process {os.getpid()}\)") as caught:
        await SqliteStore.open(path)
    assert caught.value.hint
    await first.put("n", {}, expected=0)
    await first.close()
    await (await SqliteStore.open(path)).close()


async def test_the_state_can_be_read_beside_the_daemon_that_owns_it(path: Path) -> None:
    assert await read_documents(path) is None
    store = await SqliteStore.open(path)
    await store.put("n", {"v": 1}, expected=0)
    found = await read_documents(path)
    await store.close()
    assert found is not None
    assert found["n"].document == {"v": 1}
    again = await read_documents(path)
    assert again == found


async def test_closing_twice_is_no_error(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.close()
    await store.close()


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be one", b"x" * 8192])
async def test_a_file_that_is_no_database_is_told_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateUnusable, match="is not a state file") as caught:
        await SqliteStore.open(path)
    assert "left as it is" in caught.value.hint
    assert path.read_bytes() == content


async def test_a_damaged_file_is_told_and_left_as_it_is(path: Path) -> None:
    store = await SqliteStore.open(path)
    for number in range(50):
        await store.put(f"n{number}", {"filler": "x" * 1000}, expected=0)
    await store.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:8192] = os.urandom(4096)
    path.write_bytes(damaged)
    with pytest.raises(StateUnusable, match="corrupt"):
        await SqliteStore.open(path)
    assert path.read_bytes() == damaged


async def test_an_empty_file_is_a_new_state(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    store = await SqliteStore.open(path)
    assert dict(await store.load()) == {}
    await store.close()


async def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    await _with_one_document(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(StateUnusable, match=f"version {len(MIGRATIONS) + 1}") as caught:
        await SqliteStore.open(path)
    assert "newer" in caught.value.hint
    assert path.read_bytes() == before


async def test_somebody_elses_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE documents (mine TEXT)")
    before = path.read_bytes()
    with pytest.raises(StateUnusable, match="not a state file of nomad-operator"):
        await SqliteStore.open(path)
    assert path.read_bytes() == before


async def test_an_older_file_is_migrated_and_keeps_what_it_holds(path: Path) -> None:
    await _with_one_document(path)
    newer = (*MIGRATIONS, ("ALTER TABLE documents ADD COLUMN note TEXT", "UPDATE documents SET note = 'old'"))
    store = await SqliteStore.open(path, migrations=newer)
    one = await store.get("app:default/web")
    await store.close()
    assert one is not None
    assert one.document == {"v": 1}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)
        assert connection.execute("SELECT note FROM documents").fetchall() == [("old",)]


async def test_a_migration_that_fails_leaves_the_older_file(path: Path) -> None:
    await _with_one_document(path)
    broken = (*MIGRATIONS, ("ALTER TABLE documents ADD COLUMN note TEXT", "SELECT * FROM nowhere"))
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await SqliteStore.open(path, migrations=broken)
    store = await SqliteStore.open(path)
    assert set(await store.load()) == {"app:default/web"}
    await store.close()


async def test_a_document_that_is_not_json_is_told_by_name(path: Path) -> None:
    await _with_one_document(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE documents SET body = '{'")
    store = await SqliteStore.open(path)
    with pytest.raises(StateUnusable, match="app:default/web"):
        await store.load()
    await store.close()


async def test_a_name_that_cannot_be_stored_harms_no_other_write(path: Path) -> None:
    store = await SqliteStore.open(path)
    outcomes = await asyncio.gather(
        store.put("a", {}, expected=0), store.put("\ud800", {}, expected=0), store.put("c", {}, expected=0),
        return_exceptions=True,
    )  # fmt: skip
    assert isinstance(outcomes[1], UnicodeEncodeError)
    assert set(await store.load()) == {"a", "c"}
    await store.close()


async def test_after_a_transaction_that_broke_the_next_one_works(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await SqliteStore.open(path)
    with monkeypatch.context() as patch:
        patch.setattr(store, "_apply", lambda write: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await store.put("n", {}, expected=0)
    assert await store.put("n", {}, expected=0) == 1
    await store.close()


@contextmanager
def _disk_with_room_for(more: int, path: Path) -> Iterator[None]:
    """No file may grow beyond what the journal has now and a little more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    journal = path.with_name(path.name + "-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_on_a_full_disk_a_write_fails_whole_and_works_again_when_there_is_room(path: Path) -> None:
    store = await SqliteStore.open(path)
    revision = await store.put("n", {"v": 1}, expected=0)
    with _disk_with_room_for(10_000, path), pytest.raises(StateUnavailable) as caught:
        await store.put("n", {"v": "x" * 100_000}, expected=revision)
    assert "room" in caught.value.hint
    one = await store.get("n")
    assert one is not None
    assert (one.document, one.revision) == ({"v": 1}, revision)
    await store.put("n", {"v": 2}, expected=revision)
    await store.close()
    assert (await read_documents(path) or {})["n"].document == {"v": 2}


async def test_a_file_removed_under_a_running_daemon_is_noticed_at_the_next_write(path: Path) -> None:
    store = await SqliteStore.open(path)
    revision = await store.put("n", {}, expected=0)
    path.unlink()
    with pytest.raises(StateUnusable, match="removed or replaced"):
        await store.put("n", {}, expected=revision)
    await store.close()


async def test_another_program_that_writes_is_waited_for_then_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await SqliteStore.open(path)
    await store._in_thread(lambda: store._connection.execute("PRAGMA busy_timeout = 50"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateUnavailable, match="locked by another program"):
            await store.put("n", {}, expected=0)
        other.execute("ROLLBACK")
    await store.put("n", {}, expected=0)
    await store.close()


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder that an unprivileged user may enter, and that user in force where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="state-"))
    folder.chmod(0o755)
    root = os.geteuid() == 0
    try:
        if root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        yield folder
    finally:
        if root:
            os.seteuid(0)
        shutil.rmtree(folder)


async def test_a_folder_that_may_not_be_written_is_told(as_nobody: Path) -> None:
    as_nobody.chmod(0o555)
    with pytest.raises(StateUnusable, match="cannot be opened") as caught:
        await SqliteStore.open(as_nobody / "state.db")
    assert "NOMAD_OPERATOR_STATE_URL" in caught.value.hint


async def test_a_file_that_may_not_be_written_is_told(as_nobody: Path) -> None:
    path = as_nobody / "state.db"
    await _with_one_document(path)
    path.chmod(0o444)
    with pytest.raises(StateUnusable, match=r"cannot be (opened|written)"):
        await SqliteStore.open(path)
    path.chmod(0o600)
    store = await SqliteStore.open(path)
    assert set(await store.load()) == {"app:default/web"}
    await store.close()


async def test_a_path_through_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateUnusable, match="cannot be opened"):
        await SqliteStore.open(tmp_path / "file" / "state.db")
    with pytest.raises(StateUnusable, match="cannot be opened"):
        await SqliteStore.open(tmp_path)
