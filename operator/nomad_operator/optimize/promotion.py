"""Whether a prompt that an optimizer made may be asked with: not before it was measured, and worse in nothing. Pure.

What was measured stands in its config. It binds: to the text that was measured, and to the one that it was measured
against. Prompts that people wrote have no such note, and people answer for them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from desired.errors import TerminalError
from desired.reasons import Reason
from nomad_operator.optimize.measure import digest
from prompts.prompt_text import PromptText

NOTE = "optimized"
_AGAIN = "measure it again: `nomad-operator prompts optimize {name}`"
# Scores are rounded to four places.
_SAME = 0.00005


class NotPromoted(TerminalError):
    """It stays what it is; the message says why."""

    reason = Reason.FORBIDDEN


def check_promotion(text: PromptText, production: PromptText) -> None:
    """NotPromoted where `text` must not take the place of `production`, what is asked with now.

    Going back to an earlier version is not bound to what is asked with now: that is what it is left for.
    """
    note = text.config.get(NOTE)
    if note is None:
        return
    who = f"{text.name}, version {text.version}"
    again = _AGAIN.format(name=text.name)
    if not isinstance(note, Mapping) or not _whole(note):
        raise NotPromoted(f"{who}: what it says of its measurement cannot be read", hint=again)
    if note["digest"] != digest(text):
        raise NotPromoted(f"{who}: it is not the text that was measured", hint=again)
    worse = [
        f"{name} ({told['before']:.2f} before, {told['after']:.2f} with it)"
        for name, told in sorted(note["classes"].items())
        if told["after"] < told["before"] - _SAME
    ]
    if worse:
        raise NotPromoted(f"{who}: it is worse on {', '.join(worse)}", hint="it keeps its label, and is not asked with")
    if note["after"]["wrong"] > note["before"]["wrong"]:
        raise NotPromoted(
            f"{who}: it changed what it must not in {note['after']['wrong']} cases, where {note['before']['wrong']} "
            f"were before",
            hint="it keeps its label, and is not asked with",
        )
    back = 0 < text.version < production.version
    if not back and note["before"]["digest"] != digest(production):
        raise NotPromoted(
            f"{who}: it was measured against another text than version {production.version}, which is asked with now",
            hint=again,
        )


def _whole(note: Mapping[str, Any]) -> bool:
    before, after, classes = note.get("before"), note.get("after"), note.get("classes")
    return (
        isinstance(note.get("digest"), str)
        and isinstance(before, Mapping)
        and isinstance(before.get("digest"), str)
        and isinstance(after, Mapping)
        and _number(before.get("wrong"))
        and _number(after.get("wrong"))
        and isinstance(classes, Mapping)
        and bool(classes)
        and all(
            isinstance(told, Mapping) and _number(told.get("before")) and _number(told.get("after"))
            for told in classes.values()
        )
    )


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
