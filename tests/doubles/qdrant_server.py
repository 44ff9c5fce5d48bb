"""Qdrant's REST interface on the loopback, before the library's own local store: what a server is asked and answers.

Shapes are those of the library's generated models (Qdrant's OpenAPI). It proves that the way over HTTP is walked;
whether a real server answers the same is for the suite with `QDRANT_TEST_URL`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from qdrant_client import QdrantClient, models
from qdrant_client.http.models import models as wire


class Served(ThreadingHTTPServer):
    """`asked` is every request: method, path and body. Without the key nothing is answered."""

    daemon_threads = True

    def __init__(self, key: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = key
        self.asked: list[tuple[str, str, Any]] = []
        self.store = QdrantClient(":memory:")
        # The local store stands no two threads.
        self.alone = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Served
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        text = self.rfile.read(int(self.headers.get("content-length") or 0))
        body = json.loads(text) if text else None
        path = urlsplit(self.path).path
        self.server.asked.append((self.command, self.path, body))
        if self.headers.get("api-key", "") != self.server.key:
            self._send(401, {"status": {"error": "Must provide an API key or an Authorization bearer token"}})
            return
        with self.server.alone:
            status, result = _result(self.server.store, self.command, path.strip("/").split("/"), body)
        told = {"result": result} if status == 200 else {"status": {"error": result}}
        self._send(status, {"time": 0.0, "status": "ok", **told})

    def _send(self, status: int, answer: Any) -> None:
        sent = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *_: object) -> None: ...


def _result(store: QdrantClient, method: str, path: list[str], body: Any) -> tuple[int, Any]:
    match (method, path):
        case ("GET", ["collections"]):
            return 200, _plain(store.get_collections())
        case ("GET", ["collections", name, "exists"]):
            return 200, {"exists": store.collection_exists(name)}
    name = path[1]
    if (method, len(path)) == ("PUT", 2):
        made = wire.CreateCollection.model_validate(body)
        if store.collection_exists(name):
            return 409, f"Collection `{name}` already exists!"
        return 200, store.create_collection(
            name, vectors_config=made.vectors, sparse_vectors_config=made.sparse_vectors
        )
    if not store.collection_exists(name):
        return 404, f"Not found: Collection `{name}` doesn't exist!"
    match (method, path[2:]):
        case ("GET", []):
            return 200, _plain(store.get_collection(name))
        case ("DELETE", []):
            return 200, store.delete_collection(name)
        case ("PUT", ["index"]):
            wire.CreateFieldIndex.model_validate(body)
            return 200, {"operation_id": 0, "status": "completed"}
        case ("PUT", ["points"]):
            told = wire.PointsList.model_validate(body)
            store.upsert(name, points=told.points)
            return 200, {"operation_id": 0, "status": "completed"}
        case ("POST", ["points"]):
            wanted = wire.PointRequest.model_validate(body)
            return 200, [_plain(one) for one in store.retrieve(name, ids=wanted.ids, with_payload=True)]
        case ("POST", ["points", "scroll"]):
            page = wire.ScrollRequest.model_validate(body)
            points, following = store.scroll(
                name, scroll_filter=page.filter, limit=page.limit or 10, offset=page.offset, with_vectors=False
            )
            return 200, {"points": [_plain(one) for one in points], "next_page_offset": following}
        case ("POST", ["points", "query"]):
            query = wire.QueryRequest.model_validate(body)
            found = store.query_points(name, query=query.query, query_filter=query.filter, limit=query.limit or 10)
            return 200, _plain(found)
        case ("POST", ["points", "delete"]):
            store.delete(name, points_selector=models.PointIdsList(points=body["points"]))
            return 200, {"operation_id": 0, "status": "completed"}
    return 404, "no such path here"


def _plain(told: Any) -> Any:
    return told.model_dump(mode="json", exclude_none=True)


@contextmanager
def qdrant_server(*, key: str = "") -> Iterator[Served]:
    server = Served(key)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.store.close()
