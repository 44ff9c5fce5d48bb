"""Where each variable of an app is from: its code, what names suggest, other apps of the codebase; or a question. Pure.

A value that the image or the code has by itself is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from desired.conventions import Conventions
from desired.draft.answers import answerable, sources_of
from desired.draft.fact_value import OF_THE_IMAGE, fact_value
from desired.draft.own_machine import EVERYWHERE, listens_on_itself, of_this_machine
from desired.draft.secret_files import secret_files
from desired.draft.siblings import port_of_sibling, with_services
from desired.draft.value import BY_NAME, Value
from desired.facts.fact import Fact
from desired.facts.facts import Facts
from desired.question import Question
from desired.variable_sources import Guess, Source, guess


class DraftedEnvironment:
    """`listens` is the port that the app is told; `serves` whether it has any."""

    def __init__(
        self,
        *,
        name: str,
        facts: Facts,
        listens: int | None,
        serves: bool,
        conventions: Conventions,
        confirmed: frozenset[str],
        siblings: Mapping[str, str],
    ) -> None:
        self._name = name
        self._facts = facts
        self._listens = listens
        self._serves = serves
        self._conventions = conventions
        self._confirmed = confirmed
        self._siblings = siblings

    def all(self) -> Iterator[Value | Question]:
        facts = self._facts
        names = dict.fromkeys((*facts.secrets, *facts.env, *facts.secret_literals, *facts.env_uses))
        for name in names:
            if answerable(f"env.{name}"):
                yield from self._variable(name)
        yield from secret_files(self._name, facts.env, facts.secret_files, self._conventions)

    def _variable(self, name: str) -> Iterator[Value | Question]:
        facts, at = self._facts, ("env", name)
        secret = facts.secrets.get(name)
        if secret is not None:
            yield fact_value(at, {"vault": f"{secret.value.path}#{secret.value.field}"}, secret)
            return
        fixed = facts.env.get(name)
        if fixed is not None:
            if fixed.extractor != OF_THE_IMAGE:
                yield self._fixed(at, fixed)
            return
        use = facts.env_uses.get(name)
        hidden = name in facts.secret_literals
        suggested = guess(name, app=self._name, port=self._listens, conventions=self._conventions)
        own = use is not None and not use.value.required and not of_this_machine(name, use.value.default)
        if use is not None and self._serves and listens_on_itself(name, use.value.default):
            reason = f"the code itself listens on {use.value.default} alone"
            yield Value(at, {"fixed": EVERYWHERE}, f"{use.source}", use.confidence, reason)
            return
        if own and not hidden and not _is_secret(suggested):
            return  # the code has a value of its own, or goes without
        if suggested is None:
            yield Question(f"env.{name}", f"Where does {name} come from{_used(use)}?", sources_of(name))
            return
        place = f" ({use.place})" if use is not None and use.place is not None else ""
        confidence = 0.95 if suggested.value in self._confirmed else suggested.confidence
        reason = suggested.reason + ("; it is there" if suggested.value in self._confirmed else "")
        yield Value(at, {suggested.source.value: suggested.value}, BY_NAME + place, confidence, reason)

    def _fixed(self, at: tuple[str, ...], fixed: Fact[str]) -> Value:
        siblings = self._siblings
        values = {name: fact.value for name, fact in self._facts.env.items()}
        named = with_services(at[-1], fixed.value, siblings) or port_of_sibling(at[-1], values, siblings)
        if named is None:
            return fact_value(at, {"fixed": fixed.value}, fixed)
        return replace(fact_value(at, {"service": named}, fixed), reason="another app of this codebase")


def _is_secret(suggested: Guess | None) -> bool:
    return suggested is not None and suggested.source is Source.VAULT


def _used(use: Fact[Any] | None) -> str:
    return f" ({use.place})" if use is not None and use.place is not None else ""
