"""How errors about the model begin, and how little they quote of what an endpoint or a model says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_READ = 2000
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Telling:
    """`who` reads like `the model at http://vllm:8000/v1, asked for repair`; `redact` takes out secrets."""

    who: str
    redact: Callable[[str], str]

    def quoted(self, text: str) -> str:
        """The beginning of the text, on one line, to be put behind a message; empty for no text."""
        plain = "".join(one if one.isprintable() else " " for one in self.redact(text[:_READ]))
        words = " ".join(plain.split())
        if not words:
            return ""
        return f', and said "{words}"' if len(words) <= _SHOWN else f', and said "{words[:_SHOWN]}…"'
