"""What `prompts optimize` was asked for, and which run that is: the same words are the same run, and go on with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nomad_operator.optimize.corpus import Corpus
from nomad_operator.optimize.measure import digest
from nomad_operator.optimize.outcome import Exchange
from nomad_operator.optimize.search import Effort
from nomad_operator.optimize.split import Split
from prompts.prompt_text import PromptText


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """`address` is the model's; `model` empty is the only one that is listed there. `dspy` is a version."""

    base: PromptText
    corpus: Corpus
    held_out: float
    parts: Split
    exported: Sequence[Exchange]
    effort: Effort
    model: str
    address: str
    dspy: str

    @property
    def key(self) -> str:
        """Of everything that decides what is found; not of how much may be spent on it."""
        told = [
            digest(self.base), self.corpus.digest, self.held_out, [asdict(one) for one in self.exported],
            asdict(self.effort), self.model, self.address,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]

    @property
    def about(self) -> dict[str, Any]:
        """For the report and the new version's config."""
        return {
            "prompt": self.base.name,
            "optimizer": {**asdict(self.effort), "optimizer": self.effort.optimizer.value, "dspy": self.dspy},
            "asked": self.model or "the only one that is listed",
            "data": {
                "corpus": self.corpus.where,
                "digest": self.corpus.digest,
                "learned_from": len(self.parts.train),
                "held_out": len(self.parts.held_out),
                "exported": len(self.exported),
            },
            "run": self.key,
        }

    def file(self, folder: Path) -> Path:
        """Where what is found is kept."""
        return folder / f"{self.base.name}-{self.key}.jsonl"
