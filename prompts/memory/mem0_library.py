"""Mem0 and Qdrant as this program uses them: nothing is sent anywhere, nothing is written outside one folder.

The extra `memory` brings them; they are imported when a store is opened, and only then. Everything here runs in the
one thread of the store.
"""

from __future__ import annotations

import logging
import os
import pickle
import sqlite3
import warnings
from pathlib import Path
from typing import Any, Protocol

from desired.errors import OperatorError, Unavailable, Unsupported
from prompts.memory.place import Folder, Place, Server

EXTRA = "pip install 'nomad-operator[memory]', or set NOMAD_OPERATOR_MEMORY=off"
# Seconds; a server that answers needs no second.
_TIMEOUT = 3
# Fields that are searched for by equality; a server finds them by an index.
INDEXED = ("f_key", "f_signature", "f_failure")


class Embedding(Protocol):
    """Text as a vector. `name` says which one it is: vectors of two kinds cannot be compared."""

    @property
    def name(self) -> str: ...

    def vector(self, text: str) -> list[float]:
        """Always as long; called in the store's thread. Raises OperatorError where it cannot be told now."""
        ...


def import_mem0(home: Path) -> Any:
    """Mem0 with its telemetry off and its own files below `home`, which it makes when it is imported.

    Raises Unsupported without the extra, Unavailable where `home` cannot be written.
    """
    # Source: mem0/memory/telemetry.py and setup.py: both are read once, when it is imported.
    os.environ["MEM0_TELEMETRY"] = "False"
    os.environ["MEM0_DIR"] = str(home)
    # It advertises, and warns of features that are left out here on purpose.
    logging.getLogger("mem0").setLevel(logging.ERROR)
    # Lines that are no log lines: of an index that Mem0 wants in a folder too, and of a key without TLS, which whoever
    # set that address knows.
    for told in ("Payload indexes have no effect", "Api key is used with an insecure connection"):
        warnings.filterwarnings("ignore", message=told, category=UserWarning)
    try:
        import mem0
        import qdrant_client  # noqa: F401
    except ImportError as error:
        raise Unsupported(f"the memory needs {error.name}, which is not installed", hint=EXTRA) from error
    except OSError as error:
        raise Unavailable(
            f"cannot open the memory: {home} cannot be written: {_kind(error)}",
            hint="let this user write it, or set NOMAD_OPERATOR_MEMORY=off; repairs go on without",
        ) from error
    return mem0


def opened(place: Place, *, home: Path, embedding: Embedding) -> Any:
    """A `mem0.Memory` whose Qdrant is `place`; raises OperatorError where that cannot be opened."""
    mem0 = import_mem0(home)
    try:
        size = len(embedding.vector("how long it is"))
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        client = _client(place)
    except OperatorError:
        raise
    except failures() as error:
        raise broken("open the memory", place, error) from error
    try:
        return _memory(mem0, client, place, embedding, size)
    except failures() as error:
        client.close()
        raise broken("open the memory", place, error) from error


def _client(place: Place) -> Any:
    from qdrant_client import QdrantClient

    if isinstance(place, Folder):
        place.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return QdrantClient(path=str(place.path))
    # Its own check of versions writes a warning where the server cannot be reached.
    return QdrantClient(
        url=place.url, api_key=place.api_key or None, timeout=_TIMEOUT, check_compatibility=False, prefer_grpc=False
    )


def _memory(mem0: Any, client: Any, place: Place, embedding: Embedding, size: int) -> Any:
    from qdrant_client import models

    # One collection an embedding: Mem0 takes a wrong length when it opens, and fails when it adds.
    name = f"nomad_operator_{''.join(letter if letter.isalnum() else '_' for letter in embedding.name)}_{size}"
    if not client.collection_exists(name):
        # Made here, it has no slot for BM25: Mem0 would download a model for that where `fastembed` is installed.
        client.create_collection(name, vectors_config=models.VectorParams(size=size, distance=models.Distance.COSINE))
    if isinstance(place, Server):
        for field in INDEXED:
            client.create_payload_index(name, field, models.PayloadSchemaType.KEYWORD)
    unused = {"api_key": "unused", "model": "unused"}
    memory = mem0.Memory.from_config(
        {
            "vector_store": {
                "provider": "qdrant",
                "config": {"client": client, "collection_name": name, "embedding_model_dims": size},
            },
            # It makes both clients whether they are used or not. Nothing is inferred, and texts are embedded by ours.
            "llm": {"provider": "openai", "config": unused},
            "embedder": {"provider": "openai", "config": {**unused, "embedding_dims": size}},
            "history_db_path": ":memory:",
        }
    )
    memory.embedding_model = _Embedder(embedding)
    return memory


class _Embedder:
    """As much of `mem0.embeddings.base.EmbeddingBase` as is called."""

    def __init__(self, embedding: Embedding) -> None:
        self._embedding = embedding

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        return self._embedding.vector(text)


def closed(memory: Any) -> None:
    """Qdrant first: what is left to the interpreter's end is told as an import error there."""
    memory.vector_store.client.close()
    memory.close()


def failures() -> tuple[type[Exception], ...]:
    """What both libraries raise when their store, their server or what is stored there fails them."""
    from mem0.exceptions import MemoryError as Mem0Error
    from qdrant_client.http.exceptions import ApiException

    # A point in a folder is a pickle: a damaged one may end in nearly anything. What is no Qdrant fails an assertion.
    of_python = (
        OSError, RuntimeError, ValueError, LookupError, TypeError, EOFError, AttributeError, ImportError,
        AssertionError,
    )  # fmt: skip
    return (ApiException, Mem0Error, sqlite3.Error, pickle.PickleError, *of_python)


def broken(doing: str, place: Place, error: Exception) -> OperatorError:
    """What went wrong, for people. Only the kind of the error is told: its text may quote what is stored."""
    if isinstance(place, Folder):
        if isinstance(error, RuntimeError) and "already accessed" in str(error):
            return Unavailable(
                f"cannot {doing}: {place.shown} is in use by another process",
                hint="a running daemon has it: commands ask the daemon at NOMAD_OPERATOR_ADDR",
            )
        return Unavailable(
            f"cannot {doing} in {place.shown}: {_kind(error)}",
            hint="is there room on the disk, and may it be written? A folder that is damaged can be removed: "
            "repairs go on, and are learned anew",
        )
    return Unavailable(
        f"cannot {doing} at {place.shown}: {_kind(error)}",
        hint="is QDRANT_URL right and QDRANT_API_KEY good? `nomad-operator doctor` asks the server",
    )


def _kind(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return f"HTTP {status}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    source = getattr(error, "source", None)
    return type(source if isinstance(source, Exception) else error).__name__
