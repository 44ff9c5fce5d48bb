"""What memory knows of apps like the one that is drafted: for a model, and as suggestions of its own. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desired.draft.answers import read_answer
from desired.draft.value import Draft, Value
from desired.errors import UsageError
from reconcilers.generate.lived import Alike, concrete

NAME = "memory"
# Surer than a guess by a name, and nobody's decision: below what is taken without asking.
_SURE = 0.45
_MOST_SHOWN = 25


@dataclass(frozen=True, slots=True)
class AppsRecalled:
    """`apps` run healthy and are like the one at hand, the most alike first; `preferences` are what people showed by
    approving repairs, taking them back or turning them down, in words.
    """

    apps: tuple[Alike, ...] = ()
    preferences: tuple[str, ...] = ()

    def value(self, app: str, at: str, text: str, *, name: str, reason: str = "") -> Value | None:
        """The answer as a value that rests on this app; None where it says something else."""
        found = next((one.lived for one in self.apps if one.lived.app == app), None)
        said = found.said.get(at) if found is not None else None
        if found is None or said is None or concrete(said.answer, name) != text:
            return None
        return _value(at, text, f"{NAME}: {app}", reason)

    def in_words(self) -> str:
        """For a model: each app with what it says."""
        lines = [line for one in self.apps for line in _lines(one)]
        lines += [f"- people of this cluster: {one}" for one in self.preferences]
        return "\n".join(lines) or "nothing is known"


def suggested(draft: Draft, recalled: AppsRecalled) -> Mapping[str, Value]:
    """For open questions: what most of the apps that are alike say there, the most alike at a tie."""
    found: dict[str, Value] = {}
    for question in draft.questions:
        said = [(one.lived.app, told.answer) for one in recalled.apps if (told := one.lived.said.get(question.id))]
        if not said:
            continue
        counts = Counter(answer for _, answer in said)
        best = max(counts, key=lambda answer: (counts[answer], -[each for _, each in said].index(answer)))
        app = next(app for app, answer in said if answer == best)
        why = f"{counts[best]} of {len(said)} apps like it {'says' if counts[best] == 1 else 'say'} so"
        value = _value(question.id, concrete(best, draft.name), f"{NAME}: {app}", why)
        if value is not None:
            found[question.id] = value
    return found


def _value(at: str, text: str, source: str, reason: str) -> Value | None:
    try:
        data: Any = read_answer(at, text)
    except UsageError:
        # What was remembered is judged as what a person types.
        return None
    head, _, rest = at.partition(".")
    return None if data is None else Value((head, rest) if rest else (head,), data, source, _SURE, reason)


def _lines(one: Alike) -> Iterator[str]:
    about = ", ".join(sorted(word for word in one.lived.about if not word.startswith("reads ")))
    yield f"- {one.lived.app} ({about}; {round(one.similarity * 100)} % alike)"
    for at, said in list(one.lived.said.items())[:_MOST_SHOWN]:
        yield f"  {at} = {said.answer}{' (a person said so)' if said.by == 'person' else ''}"


def names(apps: Sequence[Alike]) -> list[str]:
    """The names of the apps that an answer may rest on."""
    return sorted({one.lived.app for one in apps})
