"""What a task's templates wait for, and what is wrong with them.

Templates are not rendered: what they ask for is found in their text, what else can go wrong is declared in the world.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from nomad_operator.embedded.world import World

Mapped = Mapping[str, Any]

_ASKS = re.compile(r'\b(key|secret|nomadVar)\s+"([^"]+)"')
# A line may open a block before it sets its variable.
_LINE = re.compile(r"(?m)^\s*(?:\{\{[^{}]*\}\}\s*)*(?:export\s+)?([A-Za-z_]\w*)\s*=")
_FIELD = re.compile(r"\{\{-?\s*\.(?:Data\.data\.)?(\w+)")
_OF_SECRET = re.compile(r"\$\{secret\.(\w+)\.([^}\s]+)\}")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9/_.]")
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Needs:
    """What templates ask for: as Nomad names it, and whether it is there."""

    name: str
    there: bool
    vault_path: str = ""


def needs_of(task: Mapped, *, world: World, namespace: str, variable_exists: Callable[[str, str], bool]) -> list[Needs]:
    """Everything that the task's templates cannot do without."""
    found: dict[str, Needs] = {}
    for template in task["Templates"] or ():
        for function, path in _ASKS.findall(template["EmbeddedTmpl"] or ""):
            if function == "key":
                need = Needs(f"kv.block({path})", path in world.consul_keys)
            elif function == "secret":
                # Without a `vault` block there is no token, which is told in the same words.
                there = path in world.vault_paths and task["Vault"] is not None
                need = Needs(f"vault.read({path})", there, vault_path=path)
            else:
                path, _, where = path.partition("@")
                where = where.partition(".")[0] or namespace
                name = f"nomad.var.block({path}@{where}.{world.region})"
                need = Needs(name, variable_exists(where, path))
            found[need.name] = need
    for secret in task["Secrets"] or ():
        path = str(secret["Path"] or "").strip("/")
        if secret["Provider"] == "vault":
            # Without a `vault` block it is not registered.
            need = Needs(f"vault.read({path})", path in world.vault_paths, vault_path=path)
        elif secret["Provider"] == "nomad":
            where = str((secret["Config"] or {}).get("namespace") or namespace)
            need = Needs(f"nomad.var.block({path}@{where}.{world.region})", variable_exists(where, path))
        else:
            continue
        found[need.name] = need
    return list(found.values())


def secrets_error(task: Mapped, fields: Callable[[str], Collection[str] | None]) -> str:
    """What a `secret` block ends with whose secret has a field that is no name of a variable; empty if nothing.

    All of them are read as lines of one text, in which each block has three and two for each of its fields.
    Source: client/allocrunner/taskrunner/secrets_hook.go; tried on Nomad 2.0.5.
    """
    before = 0
    for secret in task["Secrets"] or ():
        names = sorted(fields(str(secret["Path"] or "").strip("/")) or ())
        for number, name in enumerate(names):
            if odd := _NOT_IN_A_NAME.search(name):
                line = before + 4 + 2 * number
                told = "key characters must be [A-Za-z0-9/_.] but found"
                return f"secrets: error on line {line}: {told} '{odd[0]}'"
        before += 3 + 2 * len(names)
    return ""


def _lost(text: str, task: Mapped, fields: Callable[[str], Collection[str] | None]) -> bool:
    """Whether a value holds a reference to a secret that Nomad leaves as it stands."""
    blocks = {secret["Name"]: str(secret["Path"] or "").strip("/") for secret in task["Secrets"] or ()}
    for name, field in _OF_SECRET.findall(text):
        there = fields(blocks[name]) if name in blocks else ()
        if there is not None and field not in there:
            return True
    return False


def missing_text(missing: list[str]) -> str:
    """`Missing: …` of the Template event."""
    told = sorted(missing)
    more = f", and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return f"Missing: {', '.join(told[:_MOST_TOLD])}{more}"


def error_of(task: Mapped, world: World) -> str:
    """What the world says rendering one of them ends with; empty if nothing."""
    for template in task["Templates"] or ():
        text = template["EmbeddedTmpl"] or ""
        for declared in world.templates:
            if declared.contains in text and not (declared.lacks and declared.lacks in text):
                return declared.error
    return ""


def environment_of(task: Mapped, fields: Callable[[str], Collection[str] | None]) -> frozenset[str]:
    """Names of the environment variables that a task gets a value for from its job; Nomad's own aside.

    `fields` are those of a Nomad variable or of a secret, None where there is none: what reads another one becomes
    `<no value>`, without a word. Source: recorded, scenario template-no-value-silent.
    """
    names = {name for name, text in (task["Env"] or {}).items() if not _lost(str(text), task, fields)}
    for template in task["Templates"] or ():
        if template["Envvars"]:
            text = template["EmbeddedTmpl"] or ""
            paths = [path.partition("@")[0] for function, path in _ASKS.findall(text) if function != "key"]
            listed = [found for path in paths if (found := fields(path)) is not None]
            there = {field for found in listed for field in found}
            for line in text.splitlines():
                read = set(_FIELD.findall(line))
                if (name := _LINE.match(line)) and (not listed or read <= there):
                    names.add(name[1])
    return frozenset(names)
