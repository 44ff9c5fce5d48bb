"""What of Langfuse's public API is used: prompts and their labels, scores, observations. Bodies as they come.

Source: the OpenAPI description at https://cloud.langfuse.com/generated/api/openapi.yml (prompts, promptVersion, scores,
observations), as Langfuse's own library 5.0 speaks it; `tests/conformance/langfuse` holds both to one another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from desired.errors import Unsupported
from nomad_operator.langfuse.http import LangfuseHttp

_PAGE = 100
# A page of observations holds whole prompts and answers.
_OBSERVATIONS = 50
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A prompt that is there: all its versions, and every label that one of them has."""

    name: str
    kind: str
    versions: tuple[int, ...]
    labels: tuple[str, ...]


class Langfuse:
    """Every method raises errors of `desired.errors` only."""

    def __init__(self, *, http: LangfuseHttp) -> None:
        self._http = http

    async def aclose(self) -> None:
        await self._http.aclose()

    async def prompt(self, name: str, *, label: str = "", version: int | None = None) -> Any | None:
        """One version as a JSON body; None where there is none. One of both is needed."""
        asked = {"label": label} if version is None else {"version": str(version)}
        what = f"read the prompt {name} ({label if version is None else f'version {version}'})"
        return await self._http.found(what, "GET", f"v2/prompts/{quote(name, safe='')}", asked=asked)

    async def prompts(self, *, name: str = "") -> list[Listed]:
        """All that are there, or the one of that name."""
        found: list[Listed] = []
        for page in range(1, _MOST_PAGES):
            asked = {"page": str(page), "limit": str(_PAGE), **({"name": name} if name else {})}
            body = _object(await self._http.needed("list the prompts", "GET", "v2/prompts", asked=asked))
            rows = _rows(body)
            found += [_listed(_object(one)) for one in rows]
            if page >= _whole(_object(body.get("meta")).get("totalPages")) or not rows:
                break
        return found

    async def create(self, document: Mapping[str, Any], *, labels: Sequence[str], message: str) -> int:
        """A new version, and its number. Not safe to repeat: every call makes one more."""
        name = str(document["name"])
        body = {
            "name": name, "type": document["type"], "prompt": document["prompt"], "config": document["config"],
            "labels": list(labels), "tags": document["tags"], "commitMessage": message,
        }  # fmt: skip
        made = _object(await self._http.needed(f"write the prompt {name}", "POST", "v2/prompts", body=body))
        version = _whole(made.get("version"))
        if version < 1:
            raise Unsupported(f"Langfuse took the prompt {name} and told no version of it")
        return version

    async def label(self, name: str, version: int, labels: Sequence[str]) -> None:
        """Give a version more labels; each is taken from whichever version had it. Safe to repeat."""
        await self._http.needed(
            f"label the prompt {name}, version {version}", "PATCH",
            f"v2/prompts/{quote(name, safe='')}/versions/{version}", body={"newLabels": list(labels)},
        )  # fmt: skip

    async def score(self, scores: Sequence[Mapping[str, Any]]) -> None:
        """Each with an `id`: sent twice it is one."""
        await self._http.needed("write scores", "POST", "scores", body=list(scores))

    async def observations(
        self, *, fields: str, since: datetime | None = None, trace: str = "", kind: str = ""
    ) -> AsyncIterator[dict[str, Any]]:
        """All of a trace, or all of a type since a time, page by page."""
        asked = {"fields": fields, "limit": str(_OBSERVATIONS)}
        asked |= {"type": kind} if kind else {}
        asked |= {"traceId": trace} if trace else {}
        asked |= {"fromStartTime": since.isoformat()} if since else {}
        async for one in self._pages("list observations", "v2/observations", asked):
            yield one

    async def scores(self, *, name: str, since: datetime | None = None) -> AsyncIterator[dict[str, Any]]:
        """All of a name since a time, with what they are of."""
        asked = {"name": name, "limit": str(_PAGE), "fields": "subject"}
        asked |= {"fromTimestamp": since.isoformat()} if since else {}
        async for one in self._pages("list scores", "v3/scores", asked):
            yield one

    async def _pages(self, what: str, path: str, asked: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_MOST_PAGES):
            more = {"cursor": cursor} if cursor else {}
            body = _object(await self._http.needed(what, "GET", path, asked={**asked, **more}))
            for one in _rows(body):
                yield _object(one)
            following = _object(body.get("meta")).get("cursor")
            if not isinstance(following, str) or not following or following == cursor:
                return
            cursor = following


def _listed(row: Mapping[str, Any]) -> Listed:
    versions = tuple(sorted(one for one in _list(row.get("versions")) if isinstance(one, int)))
    labels = tuple(sorted(one for one in _list(row.get("labels")) if isinstance(one, str)))
    return Listed(str(row.get("name") or ""), str(row.get("type") or ""), versions, labels)


def _rows(body: Mapping[str, Any]) -> list[Any]:
    return _list(body.get("data"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
