"""A Langfuse on the loopback: the part of its public API that is used, and what it takes in as OpenTelemetry.

It keeps prompts, labels, spans and scores in memory, as Langfuse 4 answers of them. Langfuse's own library is run
against it in `tests/conformance/langfuse`: what it accepts there is what a real one is asked.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.unit.observers.nomad_stub import Exchange, Stub, serve

PUBLIC_KEY = "pk-lf-double"
SECRET_KEY = "sk-lf-double-6f1d2c"
_AT = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """One span as it arrived, with its attributes as plain values."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    status: int
    message: str
    events: tuple[tuple[str, dict[str, Any]], ...]


@dataclass(slots=True)
class LangfuseDouble:
    """`mood` is what it does to every request: `well`, `hang`, `refuse` (503), `garbage` or `keys` (401)."""

    stub: Stub
    mood: str = "well"
    prompts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)
    spans: list[SeenSpan] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.stub.address

    def mood_is(self, mood: str) -> None:
        with self.stub.lock:
            self.mood = mood

    def write(self, name: str, prompt: Any, *, labels: list[str] | None = None, **about: Any) -> int:
        """A new version, as somebody writes it in the browser."""
        given = {"type": "chat", "config": {}, "tags": [], **about}
        with self.stub.lock:
            return int(self._make({"name": name, "prompt": prompt, "labels": labels or [], **given})["version"])

    def label(self, name: str, version: int, labels: list[str]) -> None:
        with self.stub.lock:
            self._relabel(name, version, labels)

    async def until_spans(self, number: int) -> list[SeenSpan]:
        await self.stub.until(lambda _: len(self.spans) >= number)
        return list(self.spans)

    async def until_scores(self, number: int) -> list[dict[str, Any]]:
        await self.stub.until(lambda _: len(self.scores) >= number)
        return list(self.scores)

    @property
    def everything(self) -> bytes:
        """All that was ever sent here but the keys, in the clear."""
        with self.stub.lock:
            return b"\n".join(
                [
                    *self.raw,
                    *(one.path.encode() + b"\n" + one.body for one in self.stub.asked if one.body[:2] != b"\x1f\x8b"),
                ]
            )

    def answer(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.asked.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/api/public/")
        method = exchange.asked.method
        basic = base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
        if path != "health" and exchange.headers.get("Authorization") != f"Basic {basic}":
            _say(exchange, 401, {"message": "Invalid credentials. Confirm that you've configured the correct host."})
        elif path == "health":
            _say(exchange, 200, {"status": "OK", "version": "4.60.0"})
        elif path == "projects":
            project = {"id": "p1", "name": "ops", "organization": {"id": "o1", "name": "o"}, "metadata": {}}
            _say(exchange, 200, {"data": [project]})
        elif path == "otel/v1/traces" and method == "POST":
            self._take_spans(exchange)
        elif path == "scores" and method == "POST":
            self._take_scores(exchange)
        elif path == "v2/prompts" and method == "GET":
            self._list(exchange, asked)
        elif path == "v2/prompts" and method == "POST":
            with self.stub.lock:
                made = self._make(json.loads(exchange.asked.body))
            _say(exchange, 200, made)
        elif path.startswith("v2/prompts/"):
            self._one_prompt(exchange, method, path.removeprefix("v2/prompts/"), asked)
        elif path == "v2/observations":
            self._observations(exchange, asked)
        elif path == "v3/scores":
            kept = [_kept_score(one) for one in self.scores if asked.get("name", one["name"]) == one["name"]]
            _say(exchange, 200, _page(kept, asked))
        else:
            _say(exchange, 404, {"message": f"no such path: {method} {path}"})

    # -- prompts

    def _make(self, given: dict[str, Any]) -> dict[str, Any]:
        versions = self.prompts.setdefault(given["name"], [])
        made = {
            "id": f"{given['name']}-{len(versions) + 1}", "createdAt": _AT, "updatedAt": _AT, "projectId": "p1",
            "createdBy": "API", "name": given["name"], "version": len(versions) + 1,
            "type": given.get("type") or "text", "prompt": given["prompt"], "config": given.get("config") or {},
            "tags": given.get("tags") or [], "labels": [], "commitMessage": given.get("commitMessage"),
            "resolutionGraph": None,
        }  # fmt: skip
        versions.append(made)
        for one in versions:
            one["labels"] = [label for label in one["labels"] if label != "latest"]
        self._relabel(given["name"], made["version"], [*(given.get("labels") or []), "latest"])
        return made

    def _relabel(self, name: str, version: int, labels: list[str]) -> None:
        """A label is of one version at a time."""
        for one in self.prompts[name]:
            if one["version"] == version:
                one["labels"] = list(dict.fromkeys([*one["labels"], *labels]))
            else:
                one["labels"] = [label for label in one["labels"] if label not in labels]

    def _list(self, exchange: Exchange, asked: dict[str, str]) -> None:
        rows = [
            {
                "name": name, "type": versions[-1]["type"], "versions": [one["version"] for one in versions],
                "labels": sorted({label for one in versions for label in one["labels"]}),
                "tags": versions[-1]["tags"], "lastUpdatedAt": _AT, "lastConfig": versions[-1]["config"],
            }
            for name, versions in sorted(self.prompts.items())
            if asked.get("name", name) == name
        ]  # fmt: skip
        page, limit = int(asked.get("page", 1)), int(asked.get("limit", 50))
        meta = {"page": page, "limit": limit, "totalItems": len(rows), "totalPages": -(-len(rows) // limit)}
        _say(exchange, 200, {"data": rows[(page - 1) * limit : page * limit], "meta": meta})

    def _one_prompt(self, exchange: Exchange, method: str, path: str, asked: dict[str, str]) -> None:
        name, _, version = path.partition("/versions/")
        versions = self.prompts.get(unquote(name), [])
        if method == "PATCH" and version:
            found = next((one for one in versions if one["version"] == int(version)), None)
            if found is not None:
                with self.stub.lock:
                    self._relabel(unquote(name), int(version), json.loads(exchange.asked.body)["newLabels"])
                _say(exchange, 200, found)
                return
        if method == "GET":
            label = asked.get("label", "production")
            for one in versions:
                if str(one["version"]) == asked.get("version") or ("version" not in asked and label in one["labels"]):
                    _say(exchange, 200, one)
                    return
        _say(exchange, 404, {"message": "Prompt not found", "error": "LangfuseNotFoundError"})

    # -- spans and scores

    def _take_spans(self, exchange: Exchange) -> None:
        body = exchange.asked.body
        body = gzip.decompress(body) if exchange.headers.get("Content-Encoding") == "gzip" else body
        told = ExportTraceServiceRequest.FromString(body)
        seen = [
            SeenSpan(
                name=span.name, trace=span.trace_id.hex(), id=span.span_id.hex(), parent=span.parent_span_id.hex(),
                attributes=_plain(span.attributes), resource=_plain(block.resource.attributes),
                status=span.status.code, message=span.status.message,
                events=tuple((event.name, _plain(event.attributes)) for event in span.events),
            )
            for block in told.resource_spans
            for scope in block.scope_spans
            for span in scope.spans
        ]  # fmt: skip
        with self.stub.lock:
            self.raw.append(body)
            self.spans += seen
            self.stub.lock.notify_all()
        exchange.say(200, b"", **{"Content-Type": "application/x-protobuf"})

    def _take_scores(self, exchange: Exchange) -> None:
        given = json.loads(exchange.asked.body)
        if not isinstance(given, list):
            _say(exchange, 400, {"message": "Invalid request data"})
            return
        with self.stub.lock:
            known = {one["id"] for one in self.scores}
            self.scores += [one for one in given if one.get("id") not in known]
            self.stub.lock.notify_all()
        _say(exchange, 207, {"accepted": len(given), "rejected": 0, "errors": []})

    def _observations(self, exchange: Exchange, asked: dict[str, str]) -> None:
        kept = [_observation(one) for one in self.spans]
        kept = [one for one in kept if asked.get("type", one["type"]) == one["type"]]
        kept = [one for one in kept if asked.get("traceId", one["traceId"]) == one["traceId"]]
        _say(exchange, 200, _page(kept, asked))


def _page(rows: list[dict[str, Any]], asked: dict[str, str]) -> dict[str, Any]:
    begin, limit = int(asked.get("cursor", 0)), int(asked.get("limit", 50))
    more = {"cursor": str(begin + limit)} if begin + limit < len(rows) else {}
    return {"data": rows[begin : begin + limit], "meta": {"limit": limit, **more}}


def _kept_score(score: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": score["id"], "projectId": "p1", "name": score["name"], "value": bool(score["value"]), "source": "API",
        "dataType": score["dataType"], "timestamp": _AT, "environment": "default", "createdAt": _AT, "updatedAt": _AT,
        "subject": {"kind": "trace", "id": score["traceId"]},
    }  # fmt: skip


def _observation(span: SeenSpan) -> dict[str, Any]:
    told = span.attributes
    return {
        "id": span.id, "traceId": span.trace, "startTime": _AT, "endTime": _AT, "projectId": "p1",
        "parentObservationId": span.parent or None, "name": span.name,
        "type": str(told.get("langfuse.observation.type", "span")).upper(),
        "level": told.get("langfuse.observation.level", "DEFAULT"), "sessionId": told.get("session.id"),
        "input": told.get("langfuse.observation.input"), "output": told.get("langfuse.observation.output"),
        "model": told.get("langfuse.observation.model.name"),
        "promptName": told.get("langfuse.observation.prompt.name"),
        "promptVersion": told.get("langfuse.observation.prompt.version"),
        "traceName": told.get("langfuse.trace.name"), "tags": told.get("langfuse.trace.tags", []),
    }  # fmt: skip


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


def _say(exchange: Exchange, status: int, body: Any) -> None:
    exchange.say(status, json.dumps(body))


@contextmanager
def langfuse_double() -> Iterator[LangfuseDouble]:
    """Serves until the end of the block."""
    double: LangfuseDouble

    def each(stub: Stub, exchange: Exchange) -> None:
        match double.mood:
            case "hang":
                stub.released.wait(60)
                exchange.hang_up()
            case "refuse":
                _say(exchange, 503, {"message": "overloaded"})
            case "garbage":
                exchange.say(200, "<html>", **{"Content-Type": "text/html"})
            case "keys":
                _say(exchange, 401, {"message": "Invalid credentials."})
            case _:
                double.answer(exchange)

    with serve(each) as stub:
        double = LangfuseDouble(stub)
        yield double


def main() -> None:
    """`python -m tests.doubles.langfuse_server` serves by itself, and says where."""
    with langfuse_double() as double:
        print(
            f"LANGFUSE_HOST={double.address} LANGFUSE_PUBLIC_KEY={PUBLIC_KEY} LANGFUSE_SECRET_KEY={SECRET_KEY}",
            flush=True,
        )
        threading.Event().wait()


if __name__ == "__main__":
    main()
