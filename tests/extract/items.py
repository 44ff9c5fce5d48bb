"""Facts and expectations as sets of items for each field: what is compared, and counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from desired.facts.app_code.sizing import NAME as SIZING
from desired.facts.fact import Fact
from desired.facts.facts import Facts

Items = frozenset[str]


# What nobody says runs until it is stopped.
_KIND = "service"


def expected(app: Mapping[str, Any]) -> dict[str, Items]:
    """By field; what is not written is expected to be nothing. Dependencies are compared where they are written."""
    left = set(app) - set(FIELDS)
    assert not left, f"no such field: {left}"
    wanted = {name: _written(app.get(name)) for name in FIELDS if name != "dependencies" or name in app}
    return {**wanted, "kind": _written(app.get("kind", _KIND))} if app else wanted


def found(facts: Facts, fields: Mapping[str, Items]) -> dict[str, Items]:
    """The same fields of what was found."""
    return {name: FIELDS[name](facts) for name in fields}


def _written(value: Any) -> Items:
    match value:
        case None:
            return frozenset()
        case dict():
            return frozenset(f"{name}={text}" for name, text in value.items())
        case list():
            return frozenset(str(one) for one in value)
    return frozenset({str(value)})


def _one(name: str) -> Callable[[Facts], Items]:
    def items(facts: Facts) -> Items:
        fact: Fact[Any] | None = getattr(facts, name)
        # What only a size suggests is judged with the size.
        return (
            frozenset() if fact is None or fact.extractor == SIZING != _judged(name) else frozenset({str(fact.value)})
        )

    return items


def _judged(name: str) -> str:
    return SIZING if name == "size" else ""


def _keys(name: str) -> Callable[[Facts], Items]:
    return lambda facts: frozenset(str(key) for key in getattr(facts, name))


def _pairs(name: str) -> Callable[[Facts], Items]:
    return lambda facts: frozenset(f"{key}={fact.value}" for key, fact in getattr(facts, name).items())


def _uses(*, required: bool) -> Callable[[Facts], Items]:
    return lambda facts: frozenset(name for name, fact in facts.env_uses.items() if fact.value.required is required)


def _image(facts: Facts) -> Items:
    if facts.image_name is None:
        return frozenset()
    registry = f"{facts.registry.value}/" if facts.registry is not None else ""
    tag = f":{facts.image_tag.value}" if facts.image_tag is not None else ""
    return frozenset({f"{registry}{facts.image_name.value}{tag}"})


def _process(facts: Facts) -> Items:
    words = [*(facts.entrypoint.value if facts.entrypoint else ()), *(facts.command.value if facts.command else ())]
    return frozenset({" ".join(words)} if words else ())


def _health(facts: Facts) -> Items:
    if facts.health is None:
        return frozenset()
    return frozenset({facts.health.value.path or " ".join(facts.health.value.command) or "connection"})


FIELDS: dict[str, Callable[[Facts], Items]] = {
    "language": _one("language"),
    "framework": _one("framework"),
    "kind": lambda facts: frozenset({str(facts.kind.value)} if facts.kind else {_KIND}),
    "schedule": _one("schedule"),
    "image": _image,
    "process": _process,
    "working_dir": _one("working_dir"),
    "user": _one("user"),
    "architecture": _one("architecture"),
    "ports": _keys("ports"),
    "health": _health,
    "env": _pairs("env"),
    "required": _uses(required=True),
    "optional": _uses(required=False),
    "secrets": _pairs("secrets"),
    "secret_literals": _keys("secret_literals"),
    "secret_files": _keys("secret_files"),
    "volumes": _keys("volumes"),
    "constraints": lambda facts: frozenset(str(one) for one in facts.constraints),
    "vault_policies": lambda facts: frozenset(facts.vault_policies.value if facts.vault_policies else ()),
    "backends": _keys("backends"),
    "depends_on": _keys("depends_on"),
    "dependencies": lambda facts: frozenset("/".join(key) for key in facts.dependencies),
    "count": _one("count"),
    "cpu": _one("cpu"),
    "memory": _one("memory"),
    "disk": _one("disk"),
    "gpu": _one("gpu"),
    "size": _one("size"),
}
