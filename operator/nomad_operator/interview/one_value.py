"""Asking about one value, from the source to the last field, and taking what is said. Pure."""

from __future__ import annotations

import re

from desired.draft.answers import NONE, YES, answer_text, read_answer
from desired.draft.value import Draft
from desired.errors import UsageError
from nomad_operator.interview.asked import Asked, Option, chosen
from nomad_operator.interview.options import holds_secret, options_for
from nomad_operator.interview.state import Interview, Stage
from nomad_operator.interview.summary import rows

BACK, LATER = "back", "later"
_SECRETS = ("vault", "nomad")
_NAMES_A_SOURCE = re.compile(r"[A-Za-z]+:(?!//)")
_PATH_AND_FIELD = re.compile(r"[\w.~-]+(?:/[\w.~-]+)+#[\w.-]+")


def value_asked(state: Interview, at: str) -> Asked:
    """The question about a value; where its answer has begun, about the rest of it."""
    draft = state.draft
    if state.part:
        return _rest_asked(state, draft, at)
    question = next((one for one in draft.questions if one.id == at), None)
    options = _options(state, draft, at)
    if question is not None:
        return Asked(at, question.text, options, question.default, problem=state.problem)
    row = next((one for one in rows(draft) if one.id == at), None)
    if row is None:
        return Asked(at, f"{at} is not set", options, "", problem=state.problem)
    others = tuple(one for one in options if one.word != row.text)
    return Asked(
        at,
        f"{at} is {row.text} ({row.source}{f': {row.reason}' if row.reason else ''})",
        others,
        row.text,
        problem=state.problem,
    )


def on_value(state: Interview, at: str, text: str) -> Interview:
    """With what was said about a value. One that makes no sense changes nothing, and is told."""
    if text.lower() == LATER:
        if state.stage is Stage.ONE:
            return _following(state)
        return state.step(Stage.QUESTIONS, later=state.later | {at})
    question = value_asked(state, at)
    if state.part:
        return _on_rest(state, question, text or question.default)
    if not text and state.stage is Stage.ONE:
        return _following(state)
    text = text or question.default
    option = chosen(question, text)
    if option is not None and option.needs:
        return state.begun(option.word)
    if not text:
        return state.refused(f"an answer is missing; `{LATER}` leaves the question open")
    if at.startswith("env.") and text.lower() == "fixed" and holds_secret(at.removeprefix("env.")):
        return state.refused("by its name it holds a secret: it has to come from somewhere else")
    return _recorded(state, at, _whole(at, text) if option is None else option.word)


def _whole(at: str, text: str) -> str:
    """What is typed without its source, where only one can be meant."""
    if not at.startswith("env.") or text.lower() == NONE or _NAMES_A_SOURCE.match(text):
        return text
    if _PATH_AND_FIELD.fullmatch(text):
        return f"vault: {text}"
    # A secret is refused by what reads it.
    return f"fixed: {text}"


def _options(state: Interview, draft: Draft, at: str) -> tuple[Option, ...]:
    return options_for(at, state.app.name, state.app.facts, draft, state.knowledge)


def _rest_asked(state: Interview, draft: Draft, at: str) -> Asked:
    """The path, the key or the text that belongs to a source; for secrets the path first, then the field."""
    kind, colon, path = state.part.partition(": ")
    was_kind, _, was = _said(draft, at).partition(": ")
    if colon:
        fields = {**state.knowledge.vault, **state.knowledge.variables}.get(path) or ()
        was_path, _, was_field = was.partition("#")
        likely = was_field if was_kind == kind and (was_path == path or was_field in fields) else ""
        likely = likely or (fields[0] if len(fields) == 1 else "")
        options = tuple(Option(name) for name in fields)
        return Asked(at, f"{at}: which field of {path}?", options, likely, problem=state.problem)
    needs = next(one.needs for one in _options(state, draft, at) if one.word == kind)
    likely = was if was_kind == kind else ""
    return Asked(at, f"{at} from {kind}: {needs}", (), likely, prefill=likely, problem=state.problem)


def _said(draft: Draft, at: str) -> str:
    """What stands there now, or would be suggested, as an answer."""
    value = next((one for one in draft.values if one.id == at), None) or draft.suggestions.get(at)
    if value is not None:
        return answer_text(at, value.data) or ""
    return next((one.default for one in draft.questions if one.id == at), "")


def _on_rest(state: Interview, question: Asked, text: str) -> Interview:
    kind, colon, path = state.part.partition(": ")
    option = chosen(question, text)
    text = text if option is None else option.word
    if not text:
        return state.refused(f"an answer is missing; `{BACK}` chooses again")
    if colon and option is None and question.options and text.isdecimal():
        return state.refused(f"it has {len(question.options)} fields that are known; a number chooses one of them")
    if colon:
        return _recorded(state, question.id, f"{kind}: {path}#{text}")
    if kind in _SECRETS and "#" not in text:
        return state.begun(f"{kind}: {text.strip('/')}")
    return _recorded(state, question.id, text if kind == "http" else f"{kind}: {text}")


def _recorded(state: Interview, at: str, text: str) -> Interview:
    suggested = at in state.draft.suggestions
    if at.startswith("job."):
        if text == YES and not suggested:
            return _following(state)
        if text not in (YES, NONE):
            return state.refused("the manifest alone can say it otherwise: yes keeps it, none leaves it out")
    elif not (text == YES and suggested):
        try:
            read_answer(at, text)
        except UsageError as error:
            return state.refused(f"{error.message} ({error.hint})")
    return _following(state, {**state.answers, at: text})


def _following(state: Interview, answers: dict[str, str] | None = None) -> Interview:
    if state.stage is not Stage.ONE:
        return state.step(Stage.QUESTIONS, answers=answers)
    queue = state.queue[1:]
    return state.step(Stage.ONE if queue else Stage.VALUES, answers=answers, queue=queue)
