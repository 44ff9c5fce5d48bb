"""What runs, as its code says: the image, its kind, its process, what it is given, and where it may be. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from desired.draft.fact_value import OF_THE_IMAGE, fact_value, others
from desired.draft.value import SURE, Value
from desired.facts.facts import Facts, WorkKind
from desired.question import Question

_GPU = "nvidia/gpu"


def process(facts: Facts) -> Iterator[Value | Question]:
    """The image or the question for it first."""
    yield from _image(facts)
    yield from _kind(facts)
    yield from _process(facts)


def _image(facts: Facts) -> Iterator[Value | Question]:
    image, registry, tag = facts.image_name, facts.registry, facts.image_tag
    if image is None:
        yield Question(
            "image", "Which image runs? None is built here: name one that was built from this source and pushed."
        )
        return
    text = f"{registry.value.rstrip('/')}/{image.value}" if registry else image.value
    if tag is not None:
        text += f"@{tag.value}" if tag.value.startswith("sha256:") else f":{tag.value}"
    parts = [one for one in (image, registry, tag) if one is not None]
    yield Value(("image",), text, image.source, min(one.confidence for one in parts), image.reason, others(image))


def _kind(facts: Facts) -> Iterator[Value]:
    kind = facts.kind
    if kind is not None and kind.value is not WorkKind.SERVICE:
        yield fact_value(("type",), "batch", kind)
    schedule = facts.schedule
    if kind is not None and kind.value is WorkKind.PERIODIC and schedule is not None:
        periodic = {"crons": [schedule.value], "prohibit_overlap": True}
        yield fact_value(("job", "periodic"), periodic, schedule)
    if facts.count is not None:
        yield fact_value(("count",), facts.count.value, facts.count)


def _process(facts: Facts) -> Iterator[Value | Question]:
    """What a Dockerfile says about the process is in the image already."""
    hidden = [one for one in facts.left_out.values() if one.extractor != OF_THE_IMAGE]
    if hidden:
        # Without it another process would run than the one that is meant.
        text = f"How is it started? {hidden[0].source} says it with a secret in it, which was left out."
        yield Question("command", text)
        return
    command, entrypoint = facts.command, facts.entrypoint
    if entrypoint is not None and entrypoint.extractor != OF_THE_IMAGE:
        config = {"entrypoint": list(entrypoint.value)}
        yield fact_value(("job", "group", "app", "task", "app", "config"), config, entrypoint)
    if command is not None and command.extractor != OF_THE_IMAGE and command.value:
        yield fact_value(("command",), command.value[0], command)
        if command.value[1:]:
            yield fact_value(("args",), list(command.value[1:]), command)
    user = facts.user
    if user is not None and user.extractor != OF_THE_IMAGE:
        yield fact_value(("job", "group", "app", "task", "app", "user"), user.value, user)


def resources(facts: Facts) -> Iterator[Value]:
    sizes = (("cpu", facts.cpu), ("memory", facts.memory), ("memoryMax", facts.memory_max), ("disk", facts.disk))
    for key, fact in sizes:
        if fact is not None:
            # Sizes are estimates that verification and repair put right: they are no reason to wait for a person.
            yield replace(fact_value(("resources", key), fact.value, fact), confidence=max(fact.confidence, SURE))


def placement(facts: Facts) -> Iterator[Value]:
    if facts.gpu is not None and facts.gpu.value:
        device = {"device": {_GPU: {"count": facts.gpu.value}}}
        yield fact_value(("job", "group", "app", "task", "app", "resources"), device, facts.gpu)
    constraints = [
        {"attribute": one.value.attribute, "operator": one.value.operator, "value": one.value.value}
        for one in facts.constraints.values()
    ]
    first = next(iter(facts.constraints.values()), facts.architecture)
    if facts.architecture is not None:
        constraints.append({"attribute": "${attr.cpu.arch}", "value": facts.architecture.value})
    if first is not None:
        yield fact_value(("job", "constraint"), constraints, first)
    if facts.depends_on:
        first_name = next(iter(facts.depends_on.values()))
        yield fact_value(("dependsOn",), list(facts.depends_on), first_name)
