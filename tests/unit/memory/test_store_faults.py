"""A memory that is gone, damaged, held by another process, out of room or not installed is told, and stops nobody."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from desired.errors import OperatorError, Unavailable
from prompts.memory.endpoint_embedding import EndpointEmbedding
from prompts.memory.hashing import Hashing
from prompts.memory.mem0_library import Embedding
from prompts.memory.mem0_notes import Mem0Notes
from prompts.memory.note import Note
from prompts.memory.place import Folder, Place, Server

NOTE = Note("k", "killed for want of memory", {"cluster": "one"})
needs_the_extra = pytest.mark.skipif(importlib.util.find_spec("mem0") is None, reason="the extra memory is missing")


class Store:
    """A store with a clock that stands still, and what was heard of it."""

    def __init__(self, place: Place, home: Path, embedding: Embedding | None = None) -> None:
        self.now = 0.0
        self.heard: list[OperatorError | None] = []
        self.notes = Mem0Notes(
            place=place, home=home, embedding=embedding or Hashing(), clock=lambda: self.now, heard=self.heard.append
        )

    async def fails(self) -> OperatorError:
        with pytest.raises(OperatorError) as told:
            await self.notes.put(NOTE)
        return told.value


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "q")


async def filled(folder: Folder, home: Path) -> None:
    store = Store(folder, home)
    await store.notes.put(NOTE)
    await store.notes.aclose()


def _damage_meta(path: Path) -> None:
    (path / "meta.json").write_text("{no json")


def _damage_points(path: Path) -> None:
    (file,) = path.rglob("storage.sqlite")
    file.write_bytes(b"no database" * 1000)


def _damage_a_point(path: Path) -> None:
    import sqlite3

    (file,) = path.rglob("storage.sqlite")
    with sqlite3.connect(file) as found:
        found.execute("update points set point = ?", (b"no pickle",))
    found.close()


def _a_file_in_its_place(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("a file")


@needs_the_extra
@pytest.mark.parametrize("damage", [_damage_meta, _damage_points, _damage_a_point, _a_file_in_its_place])
async def test_a_damaged_folder_is_told_with_what_to_do(damage: object, folder: Folder, tmp_path: Path) -> None:
    await filled(folder, tmp_path / "m")
    damage(folder.path)  # type: ignore[operator]
    store = Store(folder, tmp_path / "m")
    told = await store.fails()
    assert str(folder.path) in told.message
    assert "can be removed" in told.hint
    await store.notes.aclose()


@needs_the_extra
async def test_once_the_damage_is_removed_it_is_used_again_after_a_pause(folder: Folder, tmp_path: Path) -> None:
    await filled(folder, tmp_path / "m")
    _damage_meta(folder.path)
    store = Store(folder, tmp_path / "m")
    await store.fails()
    shutil.rmtree(folder.path)
    # It is not opened anew for each call.
    await store.fails()
    store.now = 31
    await store.notes.put(NOTE)
    assert [one is None for one in store.heard] == [False, True]
    await store.notes.aclose()


@needs_the_extra
async def test_a_memory_that_was_removed_is_an_empty_one(folder: Folder, tmp_path: Path) -> None:
    await filled(folder, tmp_path / "m")
    shutil.rmtree(folder.path)
    store = Store(folder, tmp_path / "m")
    assert await store.notes.where({}) == ()
    await store.notes.aclose()


@needs_the_extra
async def test_a_folder_that_another_process_holds_is_told_as_that(folder: Folder, tmp_path: Path) -> None:
    """In a process of its own: Qdrant leaves the lock's file to the interpreter, which warns of it."""
    first = Store(folder, tmp_path / "m")
    await first.notes.put(NOTE)
    code = f"""
        import asyncio, time
        from pathlib import Path
        from prompts.memory.hashing import Hashing
        from prompts.memory.mem0_notes import Mem0Notes
        from prompts.memory.place import Folder
        notes = Mem0Notes(place=Folder(Path({str(folder.path)!r})), home=Path({str(tmp_path)!r}), embedding=Hashing(),
                          clock=time.monotonic)
        try:
            asyncio.run(notes.where({{}}))
        except Exception as error:
            print(type(error).__name__, error, error.hint)
    """
    found = python(code)
    assert "Unavailable" in found.stdout and "in use by another process" in found.stdout
    assert "NOMAD_OPERATOR_ADDR" in found.stdout
    await first.notes.aclose()


@needs_the_extra
async def test_a_folder_that_may_not_be_written_is_told(folder: Folder, tmp_path: Path) -> None:
    """Root may write anywhere: a file stands where the folder would be."""
    (tmp_path / "state").write_text("")
    store = Store(Folder(tmp_path / "state" / "q"), tmp_path / "m")
    assert "not a directory" in (await store.fails()).message
    await store.notes.aclose()


@needs_the_extra
def test_a_full_disk_is_told_and_what_was_there_stays_readable(tmp_path: Path) -> None:
    """The limit on a file's size stands for a disk without room: the write fails in the same place."""
    code = f"""
        import asyncio, resource, signal, time
        from pathlib import Path
        from prompts.memory.hashing import Hashing
        from prompts.memory.mem0_notes import Mem0Notes
        from prompts.memory.note import Note
        from prompts.memory.place import Folder
        notes = Mem0Notes(place=Folder(Path({str(tmp_path)!r}) / "q"), home=Path({str(tmp_path)!r}) / "m",
                          embedding=Hashing(), clock=lambda: 0.0)
        async def main():
            await notes.put(Note("a", "first", {{}}))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (24 * 1024, resource.RLIM_INFINITY))
            try:
                for number in range(50):
                    await notes.put(Note(str(number), "more " * 400, {{}}))
                print("no room was needed")
            except Exception as error:
                print(type(error).__name__, error.message, "|", error.hint)
            await notes.aclose()
        asyncio.run(main())
    """
    found = python(code)
    assert found.stdout.startswith("Unavailable cannot remember in "), found.stdout + found.stderr
    assert "room on the disk" in found.stdout


@needs_the_extra
def test_where_mem0_cannot_make_its_own_folder_that_is_told(folder: Folder, tmp_path: Path) -> None:
    """It makes it when it is imported: only a process that has not done so yet shows it."""
    (tmp_path / "state").write_text("")
    code = f"""
        import asyncio, time
        from pathlib import Path
        from prompts.memory.hashing import Hashing
        from prompts.memory.mem0_notes import Mem0Notes
        from prompts.memory.place import Folder
        notes = Mem0Notes(place=Folder(Path({str(folder.path)!r})), home=Path({str(tmp_path / "state" / "mem0")!r}),
                          embedding=Hashing(), clock=time.monotonic)
        async def main():
            try:
                await notes.where({{}})
            except Exception as error:
                print(type(error).__name__, error, error.hint)
            await notes.aclose()
        asyncio.run(main())
    """
    found = python(code)
    assert found.stdout.startswith("Unavailable cannot open the memory: "), found.stdout + found.stderr
    assert "cannot be written: not a directory" in found.stdout and "Traceback" not in found.stderr


def test_without_the_extra_it_says_which(folder: Folder, tmp_path: Path) -> None:
    code = f"""
        import asyncio, sys, time
        from pathlib import Path
        sys.modules["mem0"] = None
        from prompts.memory.hashing import Hashing
        from prompts.memory.mem0_notes import Mem0Notes
        from prompts.memory.place import Folder
        notes = Mem0Notes(place=Folder(Path({str(folder.path)!r})), home=Path({str(tmp_path)!r}), embedding=Hashing(),
                          clock=time.monotonic)
        try:
            asyncio.run(notes.where({{}}))
        except Exception as error:
            print(type(error).__name__, error, error.hint)
    """
    found = python(code)
    assert "Unsupported" in found.stdout and "nomad-operator[memory]" in found.stdout, found.stdout + found.stderr


@needs_the_extra
def test_nothing_is_sent_anywhere_and_nothing_is_written_elsewhere(tmp_path: Path) -> None:
    """Mem0 tells its makers of each start, and keeps a folder in the home, unless told not to before its import."""
    home = tmp_path / "home"
    home.mkdir()
    code = f"""
        import asyncio, json, socket, time
        from pathlib import Path
        asked = []
        real = socket.getaddrinfo
        socket.getaddrinfo = lambda *a, **k: (asked.append(str(a[0])), real(*a, **k))[1]
        connect = socket.socket.connect
        socket.socket.connect = lambda self, address: (asked.append(str(address)), connect(self, address))[1]
        from prompts.memory.hashing import Hashing
        from prompts.memory.mem0_notes import Mem0Notes
        from prompts.memory.note import Note
        from prompts.memory.place import Folder
        state = Path({str(tmp_path)!r}) / "state"
        notes = Mem0Notes(place=Folder(state / "q"), home=state / "m", embedding=Hashing(), clock=time.monotonic)
        async def main():
            await notes.put(Note("a", "text", {{"x": "y"}}))
            await notes.where({{"x": "y"}})
            await notes.like("text", {{}}, limit=3)
            await notes.remove(["a"])
            await notes.aclose()
        asyncio.run(main())
        print(json.dumps(asked))
    """
    found = python(code, HOME=str(home), OPENAI_API_KEY="of-the-user")
    assert json.loads(found.stdout) == []
    assert found.stderr == ""
    assert list(home.rglob("*")) == []


class _Answers(BaseHTTPRequestHandler):
    """Whatever is asked is answered with the server's status and body."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def answering() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@needs_the_extra
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b'{"status":{"error":"Must provide an API key"}}', "HTTP 401"),
        (403, b"forbidden", "HTTP 403"),
        (500, b"oops", "HTTP 500"),
        (502, b"<html>", "HTTP 502"),
        (200, b"<html>not qdrant</html>", "at http://127.0.0.1"),
        (200, b"{}", "at http://127.0.0.1"),
    ],
)
async def test_a_server_that_refuses_or_is_none_is_told(
    answering: ThreadingHTTPServer, tmp_path: Path, status: int, body: bytes, words: str
) -> None:
    answering.answer = (status, body)  # type: ignore[attr-defined]
    store = Store(Server(f"http://127.0.0.1:{answering.server_port}", "a-key-that-nobody-may-see"), tmp_path)
    told = await store.fails()
    assert words in told.message and "QDRANT_API_KEY" in told.hint
    assert "nobody-may-see" not in told.message + told.hint
    await store.notes.aclose()


@needs_the_extra
async def test_a_server_that_is_away_costs_one_look_in_half_a_minute(tmp_path: Path, unused_tcp_port: int) -> None:
    store = Store(Server(f"http://127.0.0.1:{unused_tcp_port}"), tmp_path)
    first = await store.fails()
    for _ in range(3):
        assert (await store.fails()).message == first.message
    # It is told to whoever listens once a look, not once a call.
    assert len(store.heard) == 1
    store.now = 31
    await store.fails()
    assert len(store.heard) == 2
    await store.notes.aclose()


@needs_the_extra
async def test_what_is_stored_is_found_by_its_fields_while_the_embeddings_are_away(
    folder: Folder, tmp_path: Path, answering: ThreadingHTTPServer
) -> None:
    vector = {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}]}
    good = json.dumps({**vector, "usage": {"prompt_tokens": 1, "total_tokens": 1}}).encode()
    answering.answer = (200, good)  # type: ignore[attr-defined]
    endpoint = EndpointEmbedding(base_url=f"http://127.0.0.1:{answering.server_port}/v1", api_key="", model="bge")
    store = Store(folder, tmp_path / "m", endpoint)
    await store.notes.put(NOTE)
    for answer in ((503, b"{}"), (200, b"<html>"), (200, b"{}"), (200, good.replace(b"[0.6, 0.8]", b"[]"))):
        answering.answer = answer  # type: ignore[attr-defined]
        with pytest.raises(Unavailable, match="no embedding by bge"):
            await store.notes.like("x", {}, limit=1)
        assert await store.notes.where({"cluster": "one"}) == (NOTE,)
    assert not any(store.heard)
    await store.notes.aclose()


@needs_the_extra
async def test_another_embedding_is_another_memory_and_neither_breaks_the_other(folder: Folder, tmp_path: Path) -> None:
    class Short(Hashing):
        name = "short"

        def vector(self, text: str) -> list[float]:
            return super().vector(text)[:16]

    await filled(folder, tmp_path / "m")
    store = Store(folder, tmp_path / "m", Short())
    await store.notes.put(Note("other", "text", {}))
    assert {note.key for note in await store.notes.where({})} == {"other"}
    await store.notes.aclose()
    again = Store(folder, tmp_path / "m")
    assert await again.notes.where({}) == (NOTE,)
    await again.notes.aclose()


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[3]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=90, check=False,
        env={**kept, "PYTHONPATH": f"{root / 'operator'}:{root}", **environment}, cwd=root,
    )  # fmt: skip
