"""The spec of an app out of its manifest and its code. What the manifest says always wins; answers live nowhere else.

Pure: the same manifest and the same facts give the same spec, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from desired.draft.drafting import Context, draft
from desired.draft.manifest_text import flow
from desired.draft.prompt_words import understood
from desired.draft.value import BY_PERSON, Draft, Value
from desired.errors import InvalidDesired
from desired.facts.analyze import Analysis, Analyzed
from desired.facts.facts import Facts
from desired.facts.possible_secret import may_be_secret
from desired.help import Helped
from desired.operations.shown import HIDDEN
from desired.origin import Origin
from desired.problem import Problem
from desired.question import Question

# What people answer as a whole, and what value by value.
_WHOLE = ("image", "type", "count", "datacenters", "ports", "check", "routes", "volumes", "dependsOn", "prompt")
_BY_PART = ("env", "resources", "files")
_SHOWN = 120
# Without them an app has none: nobody is asked, and somebody may know all the same.
_UNASKED = frozenset({"ports", "check"})
_SOURCES = ("fixed", "consul", "vault", "nomad", "service")


@dataclass(frozen=True, slots=True)
class FromCode:
    """`spec` is complete where there are no `questions`; `origins` are in the order of a manifest.

    `pending`: somebody is being asked what is left open.
    """

    spec: Mapping[str, Any]
    questions: tuple[Question, ...]
    origins: tuple[Origin, ...]
    notes: tuple[str, ...] = ()
    pending: bool = False
    values: tuple[Value, ...] = ()
    facts: Facts | None = None


# Who is asked about an app, its draft with all that is open, and what plain patterns left of its words.
Asked = Callable[[Analyzed, Draft, str], Helped]


def with_code(
    name: str,
    given: Mapping[str, Any],
    analysis: Analysis,
    *,
    apps: Collection[str],
    manifest: str,
    help: Asked | None = None,
) -> FromCode:
    """`given` is the manifest's spec as it was read, `apps` the names that other apps of its namespace have.

    `manifest` is the name of the manifest's file, for people. Raises InvalidDesired if the code holds no such app.
    """
    chosen = _chosen(name, analysis)
    if isinstance(chosen, Question):
        return FromCode(given, (chosen,), ())
    said = {key: value for key, value in given.items() if value is not None}
    facts = chosen.facts
    if said.get("type", "batch") != "batch":
        facts = replace(facts, schedule=None)
    words = understood(str(said.get("prompt", "")))

    def drafted(helped: Mapping[str, Value]) -> Draft:
        context = Context(siblings=analysis.hosts)
        made = draft(name, facts, context, _answers(said), prompted=words.answers, helped=helped)
        made = _known_here(made, {*apps, name})
        return replace(made, questions=tuple(one for one in made.questions if not _answered(one, said, chosen)))

    made, helped = drafted({}), Helped()
    if help is not None and (made.questions or words.rest):
        helped = help(replace(chosen, facts=facts), made, words.rest)
        open_ = {one.id for one in made.questions} | (_UNASKED - {value.at[0] for value in made.values})
        values = {**{at: value for at, value in helped.values.items() if at in open_}, **helped.meant}
        made = drafted(values) if values else made
    spec = _laid_over(made.spec, said)
    origins = tuple(_origins(made.values, said, manifest))
    return FromCode(spec, made.questions, origins, made.notes, helped.pending, made.values, facts)


def _chosen(name: str, analysis: Analysis) -> Analyzed | Question:
    """The app that the manifest names, or the only one that has code, or the only one there is."""
    for one in analysis.apps:
        if one.component.name == name:
            return one
    # What a Procfile runs besides is asked for by its own name.
    coded = [one for one in analysis.apps if one.component.code and not one.component.process]
    if len(coded) == 1 or len(analysis.apps) == 1:
        return (coded or list(analysis.apps))[0]
    names = ", ".join(one.component.name for one in analysis.apps)
    files = tuple(one.component.dockerfile for one in coded if one.component.dockerfile is not None)
    if len(set(files)) == len(coded) and coded:
        text = f"Which of its apps is {name}? It has {names}; name the app's Dockerfile, or the manifest as the app."
        return Question("dockerfile", text, files)
    raise InvalidDesired(
        (Problem(name, message=f"none of the apps of its code is called {name}: it has {names or 'none'}"),),
        hint="give the manifest the name of one of them, or name the app's own folder as its source",
    )


def _answers(said: Mapping[str, Any]) -> dict[str, Any]:
    """What the manifest says, by the ids that a draft has for it."""
    answers: dict[str, Any] = {key: said[key] for key in _WHOLE if key in said}
    if answers.get("ports") == {}:
        answers["ports"] = None
    for key in _BY_PART:
        # A variable that is null is not to be there, whatever the code says.
        parts = said.get(key, {}).items()
        answers |= {f"{key}.{part}": value for part, value in parts if value is not None or key == "env"}
    if "command" in said or "args" in said:
        # One process: half of it from here and half from there would be neither.
        answers |= {"command": said.get("command"), "args": said.get("args")}
    return answers


def _answered(question: Question, said: Mapping[str, Any], chosen: Analyzed) -> bool:
    """Questions that the manifest answers by what it says of others."""
    head, _, rest = question.id.partition(".")
    if head == "volumes":
        return "volumes" in said
    if head == "files":
        # The file is only there because a variable names it.
        naming = [name for name, fact in chosen.facts.env.items() if fact.value == rest]
        return bool(naming) and all(name in said.get("env", {}) for name in naming)
    return False


def _known_here(made: Draft, apps: Collection[str]) -> Draft:
    """Apps of the same codebase that no manifest asks for run elsewhere or nowhere: nobody would ever answer there."""
    values: list[Value] = []
    questions = list(made.questions)
    for value in made.values:
        if value.at == ("dependsOn",) and value.source != BY_PERSON:
            named = [one for one in value.data if one in apps]
            values += [replace(value, data=named)] if named else []
        elif value.source != BY_PERSON and (missing := _strangers(value, apps)):
            text = f"Where does {value.at[-1]} come from ({value.source})? It names {missing}, which is no app here."
            questions.append(Question(value.id, text, _SOURCES, f"service: {value.data['service']}"))
        else:
            values.append(value)
    return replace(made, values=tuple(values), questions=tuple(questions))


def _strangers(value: Value, apps: Collection[str]) -> str:
    if value.at[0] != "env" or not isinstance(value.data, Mapping) or "service" not in value.data:
        return ""
    named = [part.partition("}")[0].partition(".")[0] for part in str(value.data["service"]).split("{")[1:]]
    return ", ".join(one for one in dict.fromkeys(named) if one not in apps)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` wins, value by value in mappings that hold many; whatever else stands in the manifest is kept."""
    made = dict(below)
    for key, value in above.items():
        if key == "job" or (key in _BY_PART and isinstance(value, Mapping)):
            both = _deep(made.get(key, {}), value) if key == "job" else {**made.get(key, {}), **value}
            made[key] = {part: each for part, each in both.items() if key == "job" or each is not None}
        else:
            made[key] = value
    return made


def _deep(below: Any, above: Any) -> Any:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    return {**below, **{key: _deep(below[key], value) if key in below else value for key, value in above.items()}}


def _origins(values: tuple[Value, ...], said: Mapping[str, Any], manifest: str) -> Iterator[Origin]:
    for value in values:
        source = manifest if value.source == BY_PERSON else value.source
        text = flow(_shown(value))
        yield Origin(value.id, text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…", source, value.reason)


def _shown(value: Value) -> Any:
    """A person may have written what the code's own values are left out for."""
    fixed = value.data.get("fixed") if isinstance(value.data, Mapping) else None
    if value.at[0] == "env" and isinstance(fixed, str) and may_be_secret(value.at[-1], fixed):
        return {"fixed": HIDDEN}
    return value.data
