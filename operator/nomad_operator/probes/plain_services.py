"""Qdrant, Langfuse and the model's endpoint: of the first two only being there and credentials are asked.

Source: Qdrant's REST API (`/`, `/collections`), Langfuse's public API (`health`, `projects`), OpenAI's API (`models`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol
from urllib.parse import quote

from desired.errors import DeadlineExceeded, Unsupported
from nomad_operator.doctor import Finding
from nomad_operator.probes.attempt import Attempt, Told
from nomad_operator.probes.attempt import Question as Asking
from nomad_operator.probes.json_api import JsonApi
from observers.reach.breaks import Failure, not_the_service
from prompts.model.dialect import Form
from prompts.model.question import Message, Question, Reply

_MOST_MODELS = 5
_MOST_PROMPTS = 100
# Nobody answers so to this question who is not held to it.
_TRIAL = Question(
    (Message("system", "You are asked by a program."), Message("user", "Greet me, please.")),
    "trial",
    {
        "type": "object",
        "properties": {"word": {"enum": ["nomad"]}, "number": {"type": "integer", "minimum": 7, "maximum": 7}},
        "required": ["word", "number"],
        "additionalProperties": False,
    },
    settings={"temperature": 0, "max_tokens": 1024, "enable_thinking": False},
)


async def probe_qdrant(api: JsonApi, attempt: Attempt) -> list[Finding]:
    """Whether it is Qdrant, and whether the key opens its collections."""

    async def version() -> Told:
        told = await api.get("ask for its version", "", credentials=False)
        if not isinstance(told, dict) or "qdrant" not in str(told.get("title")).lower():
            raise not_the_service(api.reach, "ask for its version", "an answer without its name")
        found = str(told.get("version") or "")
        return Told(f"Qdrant {found}", version=found)

    async def collections() -> Told:
        told = await api.get("list the collections", "collections")
        return Told(f"yes ({len(_list(_object(told).get('result'), 'collections'))} collections)")

    return await attempt.first(version, ("collections", collections))


async def probe_langfuse(
    api: JsonApi,
    attempt: Attempt,
    *,
    keys: bool,
    label: str = "production",
    names: Collection[str] = (),
    tracing: bool = True,
) -> list[Finding]:
    """Whether it is Langfuse, whether the keys belong to a project, and what it has of our prompts.

    `names` are those that are asked for by `label`; `tracing` says that what sends traces is installed.
    """

    async def health() -> Told:
        told = _object(await api.get("ask for its health", "api/public/health", credentials=False))
        if "status" not in told:
            raise not_the_service(api.reach, "ask for its health", "an answer without a status")
        found = str(told.get("version") or "")
        return Told(f"Langfuse {found}", version=found)

    async def project() -> Told:
        projects = _list(await api.get("read the project of the keys", "api/public/projects"), "data")
        names = [str(_object(one).get("name")) for one in projects]
        return Told(f"good; project {', '.join(names) or 'unknown'}")

    async def prompts() -> Told:
        asked = f"api/public/v2/prompts?limit={_MOST_PROMPTS}&label={quote(label, safe='')}"
        told = _list(await api.get("list its prompts", asked), "data")
        there = {str(_object(one).get("name")) for one in told} & set(names)
        rest = "" if len(there) == len(names) else "; for the others the files are used"
        return Told(f"{len(there)} of {len(names)} are there as {label}{rest}", required=False)

    if keys:
        found = await attempt.first(health, ("keys", project), ("prompts", prompts))
        return found if tracing else [*found, _no_traces(attempt)]
    missing = Finding(
        f"{attempt.service}: keys", False, attempt.address, "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set",
        "nothing is sent to Langfuse without both", required=False,
    )  # fmt: skip
    return [*await attempt.first(health), missing]


class Asked(Protocol):
    """The model's client."""

    async def ask_and_tell(self, question: Question) -> tuple[Reply, Form]: ...


def _no_traces(attempt: Attempt) -> Finding:
    return Finding(
        f"{attempt.service}: traces", False, attempt.address, "the extra `tracing` is not installed",
        "pip install 'nomad-operator[tracing]' sends traces, too", required=False,
    )  # fmt: skip


async def probe_models(api: JsonApi, attempt: Attempt) -> list[Finding]:
    """Whether the endpoint lists models for the key: that costs nothing."""
    return await attempt.first(_lists_models(api, attempt))


async def probe_model(api: JsonApi, attempt: Attempt, *, model: Asked) -> list[Finding]:
    """Whether the endpoint lists models for the key, and whether it answers, bound to a schema in which way."""

    async def answers() -> Told:
        try:
            reply, form = await model.ask_and_tell(_TRIAL)
        except DeadlineExceeded as error:
            hint = "a question may take as long as NOMAD_OPERATOR_MODEL_TIMEOUT_SECONDS says; this one could not"
            return Told(error.message, ok=False, required=False, failure=Failure.TIMED_OUT, hint=hint)
        tokens = reply.tokens_in + reply.tokens_out
        return Told(f"{reply.model} answers by {form.value} ({reply.seconds:.1f} s, {tokens} tokens)")

    return await attempt.first(_lists_models(api, attempt), ("answers", answers))


def _lists_models(api: JsonApi, attempt: Attempt) -> Asking:
    async def models() -> Told:
        told = await api.get("list its models", "models")
        names = [str(_object(one).get("id")) for one in _list(told, "data")]
        if not names:
            raise Unsupported(
                f"{attempt.service} at {attempt.address} lists no models",
                hint="does OPENAI_BASE_URL end in /v1, and is a model loaded there?",
            )
        more = f" and {len(names) - _MOST_MODELS} more" if len(names) > _MOST_MODELS else ""
        return Told(f"models: {', '.join(names[:_MOST_MODELS])}{more}")

    return models


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any, name: str) -> list[Any]:
    found = _object(value).get(name)
    return found if isinstance(found, list) else []
