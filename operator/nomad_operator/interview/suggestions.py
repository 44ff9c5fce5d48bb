"""What a variable's value probably is, of all that the code and the services beside tell: best first. Pure.

Only places: a key that is there, a field of a secret that is there, a service that answers. Never what is in them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

from desired.draft.answers import answer_text, read_answer
from desired.draft.port_label import usual_port
from desired.draft.value import BY_NAME, Draft, Value
from desired.facts.facts import Facts
from nomad_operator.interview.asked import Option
from nomad_operator.interview.knowledge import Knowledge
from observers.vault.suggest import suggest

_MOST = 5
_HOSTS = ("HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS")


def suggestions(name: str, app: str, facts: Facts, draft: Draft, knowledge: Knowledge) -> list[Option]:
    """Whole answers, each once."""
    found = _found(name, app, facts, draft, knowledge)
    return [Option(word, f"{reason} ({confidence:.2f})") for word, confidence, reason in found]


def informed(draft: Draft, facts: Facts, knowledge: Knowledge) -> Draft:
    """The draft that suggests for its variables what is likeliest of all that is known."""
    asked = {question.id for question in draft.questions}
    better: dict[str, Value] = {}
    for at in (*asked, *(value.id for value in draft.values if value.source.startswith(BY_NAME))):
        head, _, name = at.partition(".")
        best = next(iter(_found(name, draft.name, facts, draft, knowledge)), None) if head == "env" else None
        own = _known(draft, at)
        if best is not None and (own is None or answer_text(at, own.data) != best[0]):
            word, confidence, reason = best
            better[at] = Value(("env", name), read_answer(at, word), reason, confidence)
    if not better:
        return draft
    return replace(
        draft,
        values=tuple(better.get(value.id, value) for value in draft.values),
        questions=tuple(
            replace(one, default=answer_text(one.id, better[one.id].data) or one.default) if one.id in better else one
            for one in draft.questions
        ),
        suggestions=MappingProxyType({**draft.suggestions, **{at: better[at] for at in asked & set(better)}}),
    )


def _known(draft: Draft, at: str) -> Value | None:
    return draft.suggestions.get(at) or next((value for value in draft.values if value.id == at), None)


def _found(name: str, app: str, facts: Facts, draft: Draft, knowledge: Knowledge) -> list[tuple[str, float, str]]:
    """Answers with their confidence and reason, best first."""
    at = f"env.{name}"
    known = _known(draft, at)
    found: dict[str, tuple[float, str]] = {}
    for word, confidence, reason in [
        *(_by_code(at, known) if known is not None else ()),
        *_there(name, app, knowledge),
        *_services(name, facts, knowledge),
    ]:
        if confidence > found.get(word, (0.0, ""))[0]:
            found[word] = (confidence, reason)
    best = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))[:_MOST]
    return [(word, confidence, reason) for word, (confidence, reason) in best]


def _by_code(at: str, value: Value) -> Iterator[tuple[str, float, str]]:
    text = answer_text(at, value.data)
    if text is not None:
        yield text, value.confidence, value.reason or value.source


def _there(name: str, app: str, knowledge: Knowledge) -> Iterator[tuple[str, float, str]]:
    for one in suggest(name, app, knowledge.vault):
        yield f"vault: {one.reference}", one.confidence, f"in Vault: {one.reason}"
    # Both are named like secrets are: a folder that says whose, and a name that says what.
    readable = {path: fields for path, fields in knowledge.variables.items() if _may_read(app, path)}
    for one in suggest(name, app, {f"nomad/{path}": fields for path, fields in readable.items()}):
        yield f"nomad: {one.reference.removeprefix('nomad/')}", one.confidence, "a Nomad variable that is there"
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for key in knowledge.keys:
        folder, _, last = key.rpartition("/")
        folders[f"consul/{folder}" if folder else "consul"].append(last)
    for one in suggest(name, app, folders):
        path = f"{one.path.removeprefix('consul').lstrip('/')}/{one.key}".lstrip("/")
        yield f"consul: {path}", one.confidence, "a key of Consul that is there"


def _may_read(app: str, path: str) -> bool:
    """Source: Nomad lets a job read `nomad/jobs`, and below it what is called as the job is; the rest by policy."""
    owner = path.removeprefix("nomad/jobs/").partition("/")[0] if path.startswith("nomad/jobs/") else app
    return owner == app


def _services(name: str, facts: Facts, knowledge: Knowledge) -> Iterator[tuple[str, float, str]]:
    """A service of Consul that is called like the datastore which the code reaches by this variable."""
    for kind, backend in facts.backends.items():
        if name not in backend.value.variables:
            continue
        yield from _of_catalog(name, kind, knowledge)
        port = usual_port(kind)
        for service in knowledge.services:
            if not _called(service, kind):
                continue
            host = f"{service}.service.consul"
            if name.endswith(_HOSTS):
                text = host
            elif name.endswith(("_URL", "_URI")) and port is not None:
                text = f"{kind}://{host}:{port}"
            else:
                continue
            yield f"fixed: {text}", 0.55, f"Consul has a service {service}"


def _of_catalog(name: str, kind: str, knowledge: Knowledge) -> Iterator[tuple[str, float, str]]:
    """The same of Nomad's own catalog, whose services a manifest can name."""
    for service in knowledge.catalog:
        if not _called(service, kind):
            continue
        if name.endswith("_PORT"):
            text = f"{{{service}.port}}"
        elif name.endswith(_HOSTS):
            text = f"{{{service}.host}}"
        elif name.endswith(("_URL", "_URI")):
            text = f"{kind}://{{{service}}}"
        else:
            continue
        yield f"service: {text}", 0.6, f"Nomad has a service {service}"


def _called(service: str, kind: str) -> bool:
    return kind in service.lower().replace("_", "-").split("-")
