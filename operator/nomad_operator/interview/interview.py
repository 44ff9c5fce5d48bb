"""The interview about one app as a state machine: `asked` says what comes next, `answered` takes an answer. Pure.

Nothing is lost by an answer that makes no sense: the state stays, with a problem in it. `back` undoes one step.
"""

from __future__ import annotations

from desired.draft.answers import answerable
from nomad_operator.interview.asked import Asked, Option, chosen
from nomad_operator.interview.one_value import BACK, on_value, value_asked
from nomad_operator.interview.state import Interview, Stage
from nomad_operator.interview.summary import rows

_TAKE = Option("take", "go on with these")
_ONE_BY_ONE = Option("variables", "look at the variables one by one")
_SKIP = Option("skip", "no manifest for this app")
_WRITE = Option("write", "write it")
_CHANGE = Option("change", "back to the values")


def asked(state: Interview) -> Asked | None:
    """What is to be asked now; None when the interview is over."""
    match stage_of(state):
        case Stage.QUESTIONS:
            return value_asked(state, state.unanswered()[0])
        case Stage.ONE:
            return value_asked(state, state.queue[0])
        case Stage.VALUES:
            return _values_asked(state)
        case Stage.REVIEW:
            return _review_asked(state)
    return None


def answered(state: Interview, text: str) -> Interview:
    """The next state. Whatever is typed, it never raises."""
    text = text.strip()
    if state.done:
        return state
    if not text.isprintable():
        # An arrow key on a terminal that edits no lines, for one.
        return state.refused("there was a character in it that cannot be shown: type it again")
    if text.lower() == BACK:
        return state.back()
    match stage_of(state):
        case Stage.QUESTIONS:
            return on_value(state, state.unanswered()[0], text)
        case Stage.ONE:
            return on_value(state, state.queue[0], text)
        case Stage.VALUES:
            return _on_values(state, text)
    return _on_review(state, text)


def stage_of(state: Interview) -> Stage:
    """Questions lead to the values by themselves when none is left."""
    return Stage.VALUES if state.stage is Stage.QUESTIONS and not state.unanswered() else state.stage


def _values_asked(state: Interview) -> Asked:
    text = "Enter goes on with these values; a number or a name (count, routes, env.NEW, …) is changed"
    options = (_TAKE, _ONE_BY_ONE, _SKIP)
    return Asked("values", text, options, _TAKE.word, numbered=False, problem=state.problem)


def _review_asked(state: Interview) -> Asked:
    wrong = "\n".join(str(one) for one in state.problems)
    text = "The operator would not take it as it is" if wrong else f"Is this what is to be in {state.target}?"
    options = (*(() if wrong else (_WRITE,)), _CHANGE, _SKIP)
    return Asked("review", text, options, options[0].word, numbered=False, problem=state.problem or wrong)


def _on_values(state: Interview, text: str) -> Interview:
    option = chosen(_values_asked(state), text)
    if not text or option == _TAKE:
        return state.step(Stage.REVIEW)
    if option == _SKIP:
        return state.step(Stage.SKIPPED)
    found = [row.id for row in rows(state.draft)]
    if option == _ONE_BY_ONE:
        variables = tuple(at for at in found if at.startswith("env."))
        return state.step(Stage.ONE, queue=variables) if variables else state.refused("it has no variables")
    at = found[int(text) - 1] if text.isdecimal() and 0 < int(text[:9]) <= len(found) else text
    if at in found or answerable(at):
        return state.step(Stage.ONE, queue=(at,))
    return state.refused("that is neither a number of the table nor the name of a value")


def _on_review(state: Interview, text: str) -> Interview:
    question = _review_asked(state)
    option = chosen(question, text or question.default)
    stages = {_WRITE: Stage.WRITTEN, _CHANGE: Stage.VALUES, _SKIP: Stage.SKIPPED}
    if option is None:
        return state.refused(f"one of {', '.join(one.word for one in question.options)}")
    return state.step(stages[option])
