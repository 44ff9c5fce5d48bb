"""Embeddings of an OpenAI-compatible endpoint, for who has a model for them."""

from __future__ import annotations

from typing import Any

from desired.errors import Unavailable

_SECONDS = 5.0
_HINT = "does the endpoint at OPENAI_BASE_URL have the model of NOMAD_OPERATOR_EMBEDDING_MODEL?"


class EmbeddingAway(Unavailable):
    """The texts cannot be compared now; what is stored can still be read by its fields."""


class EndpointEmbedding:
    """Implements `prompts.memory.mem0_library.Embedding`. Called in one thread; each call is one request."""

    def __init__(self, *, base_url: str | None, api_key: str, model: str) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._client: Any = None

    @property
    def name(self) -> str:
        return self._model

    def vector(self, text: str) -> list[float]:
        import openai

        if self._client is None:
            # The library asks for a key where the endpoint may need none.
            self._client = openai.OpenAI(
                base_url=self._base_url, api_key=self._api_key or "none", timeout=_SECONDS, max_retries=0
            )
        try:
            answer = self._client.embeddings.create(model=self._model, input=text, encoding_format="float")
            found = [float(value) for value in answer.data[0].embedding]
        except (openai.OpenAIError, ValueError, LookupError, TypeError, AttributeError) as error:
            # What is no answer at all comes as a text, or with nothing in it.
            raise EmbeddingAway(f"no embedding by {self._model}: {type(error).__name__}", hint=_HINT) from error
        if not found:
            raise EmbeddingAway(f"no embedding by {self._model}: an answer without a vector", hint=_HINT)
        return found
