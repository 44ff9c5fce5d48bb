"""A real endpoint for `make bench-repair MODEL=… OPENAI_BASE_URL=…`; None where no address is set."""

from __future__ import annotations

from nomad_operator.model_from_settings import model_address, model_client
from nomad_operator.settings import Settings
from observers.redaction import Placeholders
from prompts.model.question import Model

# Nobody pays twice for a corpus: the budgets of a daemon would end it in the middle.
_TOKENS = 1_000_000_000


class _Nobody:
    def model_asked(self, prompt: str, outcome: str, seconds: float) -> None:
        """Counted by the party."""

    def model_tokens(self, prompt: str, tokens_in: int, tokens_out: int) -> None:
        """Counted by the party."""


def endpoint() -> Model | None:
    settings = Settings()
    if model_address(settings) is None:
        return None
    settings = settings.model_copy(
        update={"model_tokens_per_hour": _TOKENS, "model_tokens_per_episode": _TOKENS}
    )  # fmt: skip
    return model_client(settings, accounts=_Nobody(), watch=lambda _error: None, placeholders=Placeholders())
