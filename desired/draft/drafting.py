"""The draft of one app's manifest: facts first, then what names and defaults suggest. Pure.

A value that is not sure enough is a question with the value as its suggestion; a value of the environment that the
image or the code has by itself is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from desired.conventions import Conventions
from desired.draft.answers import YES, answer_text, answerable, sources_of
from desired.draft.own_machine import EVERYWHERE, listens_on_itself, of_this_machine
from desired.draft.port_label import port_labels
from desired.draft.refused import without_refused
from desired.draft.secret_files import secret_files
from desired.draft.siblings import port_of_sibling, with_services
from desired.draft.value import BY_NAME, BY_PERSON, BY_PROMPT, SURE, Draft, Value
from desired.draft.volumes import volume_questions
from desired.facts import known_images
from desired.facts.fact import Fact
from desired.facts.facts import Facts, HealthFact, WorkKind
from desired.question import Question
from desired.variable_sources import Guess, Source, guess

# What the image brings along stands in the image, and need not stand in the job.
_OF_THE_IMAGE = "dockerfile"
_GPU = "nvidia/gpu"
_ORDER = (
    "source", "image", "prompt", "type", "count", "datacenters", "command", "args", "ports", "check", "routes", "env",
    "files", "resources", "volumes", "dependsOn", "job",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """What is known besides the code. `confirmed` are places of secrets and keys that were seen to be there.

    Both as the manifest writes them: `path#field` of Vault and of Nomad variables, a key of Consul. `siblings` are the
    other apps of the same codebase, by the host names that they have for each other.
    """

    conventions: Conventions = field(default_factory=Conventions)
    confirmed: frozenset[str] = frozenset()
    siblings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def draft(
    name: str,
    facts: Facts,
    context: Context,
    answers: Mapping[str, Any] | None = None,
    *,
    prompted: Mapping[str, Any] | None = None,
) -> Draft:
    """The draft for one component. `answers` are a person's, by the ids of values and questions; they always win.

    `prompted` is what was taken from a person's words, by the same ids: it gives way to answers alone.
    """
    return _Drafting(name, facts, context, answers or {}, prompted or {}).draft()


class _Drafting:
    def __init__(
        self, name: str, facts: Facts, context: Context, answers: Mapping[str, Any], prompted: Mapping[str, Any]
    ) -> None:
        self._name = name
        self._facts = facts
        self._context = context
        self._told = {
            **{at: (data, BY_PROMPT) for at, data in _by_label(prompted).items()},
            **{at: (data, BY_PERSON) for at, data in _by_label(answers).items()},
        }
        self._main = _main_port(facts)
        self._labels = port_labels(facts.ports, self._main)
        said = [data["to"] for at, (data, _) in self._told.items() if at.startswith("ports.") and data]
        self._listens = said[0] if said else self._main

    def draft(self) -> Draft:
        values: list[Value] = []
        questions: list[Question] = []
        suggestions: dict[str, Value] = {}
        left = dict(self._told)
        for found in self._all():
            if found.id in left:
                values += _answered(found.id, *left.pop(found.id))
            elif found.id.partition(".")[0] == "ports" and "ports" in self._told:
                continue  # which ports there are was said as a whole
            elif isinstance(found, Question):
                questions.append(found)
            elif found.confidence < SURE:
                suggestions[found.id] = found
                questions.append(_about(found))
            else:
                values.append(found)
        for at, (data, source) in left.items():
            values += _answered(at, data, source)
        made = Draft(self._name, in_order(_checked(values)), tuple(questions), tuple(self._notes()), suggestions)
        return without_refused(made)

    def _all(self) -> Iterator[Value | Question]:
        yield from self._image()
        yield from self._kind()
        yield from self._process()
        yield from self._network()
        yield from self._environment()
        yield from self._resources()
        yield from volume_questions(self._name, self._facts)
        yield from self._placement()

    # -- what runs

    def _image(self) -> Iterator[Value | Question]:
        image, registry, tag = self._facts.image_name, self._facts.registry, self._facts.image_tag
        if image is None:
            yield Question(
                "image", "Which image runs? None is built here: name one that was built from this source and pushed."
            )
            return
        text = f"{registry.value.rstrip('/')}/{image.value}" if registry else image.value
        if tag is not None:
            text += f"@{tag.value}" if tag.value.startswith("sha256:") else f":{tag.value}"
        parts = [one for one in (image, registry, tag) if one is not None]
        yield Value(("image",), text, image.source, min(one.confidence for one in parts), image.reason, _others(image))

    def _kind(self) -> Iterator[Value]:
        kind = self._facts.kind
        if kind is not None and kind.value is not WorkKind.SERVICE:
            yield _value(("type",), "batch", kind)
        schedule = self._facts.schedule
        if kind is not None and kind.value is WorkKind.PERIODIC and schedule is not None:
            periodic = {"crons": [schedule.value], "prohibit_overlap": True}
            yield _value(("job", "periodic"), periodic, schedule)
        if self._facts.count is not None:
            yield _value(("count",), self._facts.count.value, self._facts.count)

    def _process(self) -> Iterator[Value]:
        """What a Dockerfile says about the process is in the image already."""
        command, entrypoint = self._facts.command, self._facts.entrypoint
        if entrypoint is not None and entrypoint.extractor != _OF_THE_IMAGE:
            config = {"entrypoint": list(entrypoint.value)}
            yield _value(("job", "group", "app", "task", "app", "config"), config, entrypoint)
        if command is not None and command.extractor != _OF_THE_IMAGE and command.value:
            yield _value(("command",), command.value[0], command)
            if command.value[1:]:
                yield _value(("args",), list(command.value[1:]), command)
        user = self._facts.user
        if user is not None and user.extractor != _OF_THE_IMAGE:
            yield _value(("job", "group", "app", "task", "app", "user"), user.value, user)

    # -- network and health

    def _network(self) -> Iterator[Value]:
        for port, label in self._labels.items():
            fact = self._facts.ports[port]
            value = _value(("ports", label), {"to": port}, fact)
            # Its makers say so; who runs it elsewhere says that. What it is built on says less.
            known = fact.extractor == known_images.NAME and fact.confidence >= known_images.PRIORITY
            yield replace(value, confidence=max(value.confidence, SURE)) if known else value
        health = self._facts.health
        if health is None or not self._labels or health.value.command:
            return
        checked = self._labels.get(health.value.port or self._main or 0)
        if checked is not None:
            yield _value(("check",), _check(health.value, checked, first=next(iter(self._labels.values()))), health)

    # -- environment

    def _environment(self) -> Iterator[Value | Question]:
        facts = self._facts
        names = dict.fromkeys((*facts.secrets, *facts.env, *facts.secret_literals, *facts.env_uses))
        for name in names:
            if answerable(f"env.{name}"):
                yield from self._variable(name)
        yield from secret_files(self._name, facts.env, facts.secret_files, self._context.conventions)

    def _variable(self, name: str) -> Iterator[Value | Question]:
        facts, at = self._facts, ("env", name)
        secret = facts.secrets.get(name)
        if secret is not None:
            yield _value(at, {"vault": f"{secret.value.path}#{secret.value.field}"}, secret)
            return
        fixed = facts.env.get(name)
        if fixed is not None:
            if fixed.extractor != _OF_THE_IMAGE:
                yield self._fixed(at, fixed)
            return
        use = facts.env_uses.get(name)
        hidden = name in facts.secret_literals
        suggested = guess(name, app=self._name, port=self._listens, conventions=self._context.conventions)
        own = use is not None and not use.value.required and not of_this_machine(name, use.value.default)
        if use is not None and self._labels and listens_on_itself(name, use.value.default):
            reason = f"the code itself listens on {use.value.default} alone"
            yield Value(at, {"fixed": EVERYWHERE}, f"{use.source}", use.confidence, reason)
            return
        if own and not hidden and not _is_secret(suggested):
            return  # the code has a value of its own, or goes without
        if suggested is None:
            yield Question(f"env.{name}", f"Where does {name} come from{_used(use)}?", sources_of(name))
            return
        place = f" ({use.place})" if use is not None and use.place is not None else ""
        confidence = 0.95 if suggested.value in self._context.confirmed else suggested.confidence
        reason = suggested.reason + ("; it is there" if suggested.value in self._context.confirmed else "")
        yield Value(at, {suggested.source.value: suggested.value}, BY_NAME + place, confidence, reason)

    def _fixed(self, at: tuple[str, ...], fixed: Fact[str]) -> Value:
        siblings = self._context.siblings
        values = {name: fact.value for name, fact in self._facts.env.items()}
        named = with_services(at[-1], fixed.value, siblings) or port_of_sibling(at[-1], values, siblings)
        if named is None:
            return _value(at, {"fixed": fixed.value}, fixed)
        return replace(_value(at, {"service": named}, fixed), reason="another app of this codebase")

    # -- resources and placement

    def _resources(self) -> Iterator[Value]:
        facts = self._facts
        sizes = (("cpu", facts.cpu), ("memory", facts.memory), ("memoryMax", facts.memory_max), ("disk", facts.disk))
        for key, fact in sizes:
            if fact is not None:
                # Sizes are estimates that verification and repair put right: they are no reason to wait for a person.
                yield replace(_value(("resources", key), fact.value, fact), confidence=max(fact.confidence, SURE))

    def _placement(self) -> Iterator[Value]:
        facts = self._facts
        if facts.gpu is not None and facts.gpu.value:
            device = {"device": {_GPU: {"count": facts.gpu.value}}}
            yield _value(("job", "group", "app", "task", "app", "resources"), device, facts.gpu)
        constraints = [
            {"attribute": one.value.attribute, "operator": one.value.operator, "value": one.value.value}
            for one in facts.constraints.values()
        ]
        first = next(iter(facts.constraints.values()), facts.architecture)
        if facts.architecture is not None:
            constraints.append({"attribute": "${attr.cpu.arch}", "value": facts.architecture.value})
        if first is not None:
            yield _value(("job", "constraint"), constraints, first)
        if facts.depends_on:
            first_name = next(iter(facts.depends_on.values()))
            yield _value(("dependsOn",), list(facts.depends_on), first_name)

    def _notes(self) -> Iterator[str]:
        facts = self._facts
        for fact in facts.ports.values():
            if fact.value.static is not None:
                yield (
                    f"{fact.source} fixes port {fact.value.static} on the host for {fact.value.to}: Nomad chooses one, "
                    "unless the manifest says `static`"
                )
        if facts.health is not None and facts.health.value.command:
            yield f"{facts.health.source} checks by a command in the container: a connection is checked instead"
        if facts.image_name is not None and facts.image_tag is None:
            yield f"{facts.image_name.source} names no tag, which means latest: what runs may change by itself"
        if facts.vault_policies is not None:
            names = ", ".join(facts.vault_policies.value)
            yield f"{facts.vault_policies.source} asks for the Vault policies {names}: Nomad's roles decide that now"
        for name, literal in facts.secret_literals.items():
            yield f"{literal.source} holds a secret in {name}: it was not read; take it out of the file"


def _main_port(facts: Facts) -> int | None:
    health = facts.health
    if health is not None and health.value.port in facts.ports:
        return health.value.port
    return next(iter(facts.ports), None)


def _check(health: HealthFact, label: str, *, first: str) -> dict[str, Any]:
    check: dict[str, Any] = {}
    if health.path is not None:
        check["path"] = health.path
    if label not in ("http", first):
        check["port"] = label
    times = (("interval", health.interval), ("timeout", health.timeout))
    check.update({key: f"{int(time.total_seconds()) or 1}s" for key, time in times if time is not None})
    return check


def _value(at: tuple[str, ...], data: Any, fact: Fact[Any]) -> Value:
    return Value(at, data, fact.source, fact.confidence, fact.reason, _others(fact))


def _others(fact: Fact[Any]) -> tuple[str, ...]:
    return tuple(f"{other.value} ({other.source})" for other in fact.overruled)


def _is_secret(suggested: Guess | None) -> bool:
    return suggested is not None and suggested.source is Source.VAULT


def _used(use: Fact[Any] | None) -> str:
    return f" ({use.place})" if use is not None and use.place is not None else ""


def _about(value: Value) -> Question:
    """A suggestion that is not sure enough, as a question."""
    if value.at[0] == "env":
        (source, text), *_ = value.data.items()
        place = value.source.removeprefix(BY_NAME)
        why = f" {value.reason[:1].upper()}{value.reason[1:]}." if value.reason else ""
        return Question(
            value.id, f"Where does {value.at[-1]} come from{place}?{why}", sources_of(value.at[-1]), f"{source}: {text}"
        )
    said = answer_text(value.id, value.data)
    shown = value.data if said is None else said
    return Question(value.id, f"Is {value.id} right as {shown} ({value.source})?", default=said or YES)


def _answered(at: str, data: Any, source: str) -> Iterator[Value]:
    """None is an answer too: there is to be none."""
    head, _, rest = at.partition(".")
    if data is not None:
        # The name of a variable and the place of a volume may hold dots themselves.
        yield Value((head, rest) if rest else (head,), data, source, 1.0)


def _by_label(answers: Mapping[str, Any]) -> dict[str, Any]:
    """All ports in one answer as one answer for each: `ports` itself stays as what was said of them as a whole."""
    told = dict(answers)
    if told.get("ports"):
        told |= {f"ports.{label}": port for label, port in told["ports"].items()} | {"ports": None}
    return told


def _checked(values: list[Value]) -> list[Value]:
    """Without what a manifest must not say of ports that are not there, since somebody said otherwise."""
    labels = {value.at[1] for value in values if value.at[0] == "ports"}
    if not labels:
        return [value for value in values if value.at[0] != "check" or value.source in (BY_PERSON, BY_PROMPT)]
    return [
        replace(value, data={key: item for key, item in value.data.items() if key != "port"})
        if value.at == ("check",) and value.data.get("port", next(iter(labels))) not in labels
        else value
        for value in values
    ]


def in_order(values: list[Value]) -> tuple[Value, ...]:
    """As a manifest has them; the volumes as the one list that it holds. Once more changes nothing."""
    kept = [value for value in values if value.at[0] != "volumes"]
    volumes = [value for value in values if value.at[0] == "volumes"]
    if volumes:
        entries = [one for value in volumes for one in (value.data if value.at == ("volumes",) else [value.data])]
        kept.append(replace(volumes[0], at=("volumes",), data=entries))
    return tuple(sorted(kept, key=lambda value: _ORDER.index(value.at[0]) if value.at[0] in _ORDER else len(_ORDER)))
