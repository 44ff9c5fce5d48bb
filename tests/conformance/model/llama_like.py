"""A small llama.cpp on the loopback: its checks, its words and its shapes, with an answer that is always the same.

Source: llama.cpp's server (build of xllamacpp 2026.10.11549), as it answered on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.doubles.model_endpoint import Body, ModelEndpoint, completion, model_endpoint
from tests.unit.observers.nomad_stub import Exchange, Stub

CONTEXT = 4096


@contextmanager
def llama_like() -> Iterator[ModelEndpoint]:
    with model_endpoint(_answer, models=["noise.gguf"]) as endpoint:
        yield endpoint


def _answer(_stub: Stub, exchange: Exchange, asked: Body) -> None:
    status, told = _judged(asked)
    exchange.say(status, json.dumps(told))


def _judged(asked: Body) -> tuple[int, Any]:
    tokens = sum(len(one["content"]) for one in asked["messages"])
    if tokens > CONTEXT:
        words = f"request ({tokens} tokens) exceeds the available context size ({CONTEXT} tokens), try increasing it"
        return 400, _error(400, words, "exceed_context_size_error")
    bound = asked.get("response_format", {"type": "text"})
    if bound["type"] not in ("text", "json_object", "json_schema"):
        words = f'response_format type must be one of "text" or "json_object", but got: {bound["type"]}'
        return 400, _error(400, words, "invalid_request_error")
    said = json.dumps(_smallest(bound["json_schema"]["schema"])) if bound["type"] == "json_schema" else "noise, noise"
    if len(said) > asked["max_tokens"]:
        cut = said[: asked["max_tokens"]]
        return 200, completion(cut, finish="length", usage=(tokens, len(cut)), model="noise.gguf")
    return 200, completion(said, usage=(tokens, len(said)), model="noise.gguf")


def _error(code: int, message: str, kind: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "type": kind}}


def _smallest(schema: dict[str, Any]) -> Any:
    """A value that satisfies the schema."""
    if "enum" in schema:
        return schema["enum"][-1]
    if schema["type"] == "object":
        return {name: _smallest(schema["properties"][name]) for name in schema["required"]}
    return {"integer": schema.get("minimum", 0), "string": "", "boolean": False, "array": []}[schema["type"]]
