"""An OpenAI-compatible endpoint on the loopback that says what a test wants: right, wrong, odd, slow, hostile.

It speaks the wire format of `POST /v1/chat/completions` and `GET /v1/models` as vLLM, llama.cpp and OpenAI do, and
runs in a thread, so that other processes can ask it as well. `python -m tests.doubles.model_endpoint ANSWERS.json`
serves by itself: a JSON object of answers by the schema's name.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.observers.nomad_stub import Exchange, Stub, serve

# The whole body of one question, as it came.
Body = Mapping[str, Any]
# Writes the answer to one question.
Line = Callable[[Stub, Exchange, Body], None]
Value = Mapping[str, Any] | Callable[[Body], Mapping[str, Any]]


@dataclass(slots=True)
class ModelEndpoint:
    """`base_url` is what OPENAI_BASE_URL takes. Lines are said in their order; the last one is said again for ever."""

    stub: Stub
    models: Sequence[str]
    lines: list[Line]
    questions: list[Body] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"{self.stub.address}/v1"

    def say(self, *lines: Line) -> None:
        """From now on."""
        self.lines[:] = lines

    async def until_asked(self, times: int) -> None:
        """Wait until so many questions came."""
        await self.stub.until(lambda _: len(self.questions) >= times)


@contextmanager
def model_endpoint(*lines: Line, models: Sequence[str] = ("qwen3",)) -> Iterator[ModelEndpoint]:
    """Serves until the end of the block."""
    endpoint: ModelEndpoint

    def each(stub: Stub, exchange: Exchange) -> None:
        path = exchange.asked.path
        if path == "/v1/models":
            exchange.say(200, json.dumps({"object": "list", "data": [{"id": name} for name in endpoint.models]}))
        elif path == "/v1/chat/completions":
            body = json.loads(exchange.asked.body)
            with stub.lock:
                endpoint.questions.append(body)
                line = endpoint.lines.pop(0) if len(endpoint.lines) > 1 else endpoint.lines[0]
                stub.lock.notify_all()
            line(stub, exchange, body)
        else:
            exchange.say(404, '{"error": {"message": "Not Found", "type": "NotFoundError", "code": 404}}')

    with serve(each) as stub:
        endpoint = ModelEndpoint(stub, models, list(lines))
        yield endpoint


def completion(
    content: Any, *, finish: Any = "stop", usage: Any = (100, 20), model: str = "qwen3", **message: Any
) -> Any:
    """The body of an answer. `usage` is (in, out), None for an endpoint that does not count, or what stands there."""
    if isinstance(usage, tuple):
        usage = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    told = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        ],
    }  # fmt: skip
    return told if usage is None else {**told, "usage": usage}


def answer(value: Value, **about: Any) -> Line:
    """The right form: `value`, or what it makes of the question, as JSON."""

    def line(_stub: Stub, exchange: Exchange, body: Body) -> None:
        exchange.say(200, json.dumps(completion(json.dumps(value(body) if callable(value) else value), **about)))

    return line


def text(content: Any, **about: Any) -> Line:
    """Whatever stands in `content`; `about` goes to `completion`."""
    return body(completion(content, **about))


def body(told: Any, *, status: int = 200, **headers: str) -> Line:
    """A whole body: text and bytes as they are, anything else as JSON."""
    said = told if isinstance(told, str | bytes) else json.dumps(told)
    return lambda _stub, exchange, _body: exchange.say(status, said, **headers)


def failure(status: int, message: str = "it failed", **about: Any) -> Line:
    """An error as such endpoints tell it; `Retry_After` among the keywords is a header."""
    headers = {name: about.pop(name) for name in list(about) if name[0].isupper()}
    return body({"error": {"message": message, "type": "error", **about}}, status=status, **headers)


def silence() -> Line:
    """Nothing, until the other side hangs up or the endpoint ends."""

    def line(stub: Stub, exchange: Exchange, _body: Body) -> None:
        while not stub.released.is_set():
            readable, _, _ = select.select([exchange.connection], [], [], 0.02)
            if readable and not exchange.connection.recv(1, socket.MSG_PEEK):
                break
        exchange.hang_up()

    return line


def dripping(value: Mapping[str, Any], *, every: float = 0.02) -> Line:
    """A right answer, one byte at a time and never quite all of it: each read succeeds, the whole does not."""

    def line(stub: Stub, exchange: Exchange, _body: Body) -> None:
        said = json.dumps(completion(json.dumps(value))).encode()
        exchange.head(200, Content_Type="application/json", Content_Length=str(len(said) + 1_000_000))
        for byte in said:
            if stub.released.wait(every):
                break
            exchange.wfile.write(bytes([byte]))
            exchange.wfile.flush()
        while not stub.released.wait(every):
            exchange.wfile.write(b" ")
            exchange.wfile.flush()
        exchange.hang_up()

    return line


def hang_up(*, after: bytes = b"") -> Line:
    """The connection ends in the middle of a body, or before a word was said."""

    def line(_stub: Stub, exchange: Exchange, _body: Body) -> None:
        if after:
            exchange.head(200, Content_Type="application/json", Content_Length=str(len(after) + 100))
            exchange.wfile.write(after)
        exchange.hang_up()

    return line


def raw(told: bytes) -> Line:
    """These bytes in place of an answer, then the end of the connection."""

    def line(_stub: Stub, exchange: Exchange, _body: Body) -> None:
        exchange.wfile.write(told)
        exchange.hang_up()

    return line


def endless(piece: bytes = b" " * 65536, *, status: int = 200) -> Line:
    """A body that never ends, as fast as it is read."""

    def line(stub: Stub, exchange: Exchange, _body: Body) -> None:
        exchange.head(status, Content_Type="application/json", Connection="close")
        while not stub.released.is_set():
            exchange.wfile.write(piece)

    return line


def refusing(*kinds: str, then: Line, status: int = 400, words: str = "") -> Line:
    """An endpoint that does not take some types of `response_format`; any other question goes to `then`."""

    def line(stub: Stub, exchange: Exchange, asked: Body) -> None:
        kind = asked.get("response_format", {}).get("type", "")
        if kind in kinds:
            told = words or f"response_format type {kind} is not supported by this endpoint"
            exchange.say(status, json.dumps({"error": {"message": told, "type": "invalid_request_error"}}))
        else:
            then(stub, exchange, asked)

    return line


def by_schema(lines: Mapping[str, Line], *, otherwise: Line | None = None) -> Line:
    """Another line for each schema, whichever way its name was told."""

    def line(stub: Stub, exchange: Exchange, asked: Body) -> None:
        name = schema_name(asked)
        chosen = lines.get(name, otherwise)
        if chosen is None:
            exchange.say(500, json.dumps({"error": {"message": f"no line for {name!r}"}}))
        else:
            chosen(stub, exchange, asked)

    return line


def schema_name(asked: Body) -> str:
    """Empty where the question told no schema in `response_format`."""
    return str(asked.get("response_format", {}).get("json_schema", {}).get("name", ""))


def main() -> None:
    answers = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    lines = {name: answer(value) for name, value in answers.items()}
    with model_endpoint(by_schema(lines)) as endpoint:
        print(endpoint.base_url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
