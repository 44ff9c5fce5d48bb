"""Keys that a driver refuses: renamed where the meaning is known, moved where they belong, dropped without effect."""

from __future__ import annotations

import re
import shlex
from typing import Any

from desired.docker_config import KNOWN_KEYS
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import driver_renames as names
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.port_map import mapping, port_map_edits
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_STEP = 2
_SIZE = re.compile(r"(\d+)\s*([bkmg]?)i?b?", re.IGNORECASE)
_MEGABYTES = {"b": 1 / 1024 / 1024, "k": 1 / 1024, "m": 1.0, "g": 1024.0}
_LISTS = frozenset(
    re.findall(
        r"[\w-]+",
        "args entrypoint volumes ports dns_servers dns_search_domains dns_options extra_hosts network_aliases",
    )
)
# What a shell would do with a text; without a shell nobody does.
SHELL = re.compile(r"[|&;<>()$`*?\[\]{}~#\n]")


def _unknown(case: Case) -> Answer:
    """All wrong keys of the task at once: Nomad tells all at once, and each attempt counts."""
    found = job_parts.task_of(case)
    if found is None:
        return None
    group, task = found
    known = known_keys(str(task.get("Driver") or ""))
    if known is None:
        return None
    edits: list[Edit] = []
    told: list[str] = []
    for key in job_parts.config(task):
        if key in known:
            continue
        step = _for_key(case, group, task, key, known)
        if isinstance(step, str):
            told.append(step)
        else:
            edits += step
    unknown = [key for key in job_parts.config(task) if key not in known]
    if not unknown or case.diagnosis.facts.get("key", unknown[0]) not in unknown:
        return None
    reason = f"the driver {task.get('Driver')} knows no {', '.join(unknown)}"
    targets = [edit.new for edit in edits if edit.kind is Kind.DRIVER_KEY and edit.new is not None]
    if len(set(targets)) < len(targets):
        told.append("several of them mean the same key")
    return choose(reason, told) if told else fix(case, reason, edits)


def known_keys(driver: str) -> frozenset[str] | None:
    """The keys of a driver's config, None for a driver whose keys are not known."""
    return KNOWN_KEYS if driver == "docker" else names.DRIVER_KEYS.get(driver)


def _for_key(case: Case, group: Part, task: Part, key: str, known: frozenset[str]) -> list[Edit] | str:
    """The edits that one key needs, or the words for a person."""
    at = job_parts.address(group, task)
    value = job_parts.config(task)[key]
    plain = re.sub(r"[- ]", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key)).lower()
    if task.get("Driver") == "docker":
        moved = _moved(case, group, task, key, plain, value)
        if moved is not None:
            return moved
    meant = names.RENAMED.get(plain) or names.PRIVILEGE_NAMES.get(plain)
    if meant not in known:
        meant = plain if plain in known else near_miss(key, known)
    if meant is None:
        where = names.ELSEWHERE.get(plain)
        return f"`{key}`: " + (f"it belongs into {where}" if where else "correct it or drop it")
    if meant in job_parts.config(task):
        return f"`{key}`: `{meant}` is there already"
    if meant in names.PRIVILEGED or (meant == "network_mode" and _value(value) not in ("bridge", "none")):
        return f"`{key}`: `{meant}`, if the task is meant to have that access to the host"
    return _renamed(at, key, meant, value, bool(job_parts.config(task).get("args")))


def _renamed(at: tuple[str, str], key: str, meant: str, value: Any, has_args: bool) -> list[Edit] | str:
    """The new name, and a list made of a text where the key holds a list."""
    edits = [Edit(Kind.DRIVER_KEY, (*at, key), meant, f"the driver's name for `{key}`")]
    if meant == "ports" and isinstance(value, str):
        gone = Edit(Kind.DRIVER_KEY, (*at, key), None, "its label moved to `ports`")
        return [gone, Edit(Kind.DRIVER_PORTS, at, (value,), f"the label of `{key}`")]
    if meant == "ports" and not (isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)):
        return f"`{key}`: `to` in the network block, and `ports` with its labels"
    if meant in _LISTS and isinstance(value, str):
        words = split(value) if meant in ("args", "entrypoint") else (value,)
        if words is None:
            return f"`{key}`: `{meant}` as a list; the text asks for a shell"
        edits.append(Edit(Kind.DRIVER_VALUE, (*at, meant), words, "the same, as a list"))
    if meant == "command" and isinstance(value, list | tuple):
        return f"`{key}`: `command` and `args`"
    if meant == "command" and " " in str(value).strip():
        words = split(str(value))
        if words is None or has_args:
            return f"`{key}`: `command` and `args`"
        edits.append(Edit(Kind.COMMAND, at, words[0], "the first word of the command"))
        edits.append(Edit(Kind.ARGS, at, words[1:], "the other words of the command"))
    return edits


def _moved(case: Case, group: Part, task: Part, key: str, plain: str, value: Any) -> list[Edit] | str | None:
    """What Docker or Compose keeps with the container and Nomad elsewhere; None where the key is none of these."""
    at = job_parts.address(group, task)
    gone = Edit(Kind.DRIVER_KEY, (*at, key), None, "")
    if plain in names.ENVIRONMENT:
        return _environment(at, task, key, value)
    if plain in names.MEMORY:
        return _size(at, key, Kind.MEMORY, megabytes(value), int((task.get("Resources") or {}).get("MemoryMB") or 0))
    if plain in names.CPU:
        asked = int(value) if str(value).isdigit() else None
        return _size(at, key, Kind.CPU, asked, int((task.get("Resources") or {}).get("CPU") or 0))
    if plain in names.PORT_MAPS:
        declared = {port.label: port for port in job_parts.ports(group)}
        edits = port_map_edits(at, key, mapping(value), declared)
        return edits or f"`{key}`: `to` in the network block, and `ports` with its labels"
    restarts = case.body.get("Type") in (None, "", "service", "system")
    if plain in names.WITHOUT_EFFECT or (restarts and _value(value) in names.WITHOUT_EFFECT_AS.get(plain, ())):
        return [Edit(gone.kind, gone.at, None, "it has no effect: Nomad does that by itself")]
    if plain in ("pull_policy", "image_pull_policy") and _value(value) in names.ALWAYS_PULLED:
        return f"`{key}`: `force_pull = true`"
    if plain in names.ELSEWHERE:
        return f"`{key}`: it belongs into {names.ELSEWHERE[plain]}"
    return None


def _environment(at: tuple[str, str], task: Part, key: str, value: Any) -> list[Edit] | str:
    """Each variable moves to the task's `env`; one that is there with another value is a question."""
    variables = environment_of(value)
    if variables is None:
        return f"`{key}`: the task's `env` block"
    there = job_parts.environment(task)
    differing = [name for name, text in variables.items() if there.get(name, text) != text]
    if differing:
        return f"`{key}`: the task's `env` has another value for {', '.join(sorted(differing))}"
    return [
        *(
            Edit(Kind.ENV, (*at, name), text, f"the driver's config says it under `{key}`")
            for name, text in variables.items()
        ),
        Edit(Kind.DRIVER_KEY, (*at, key), None, "its values moved to the task's `env`"),
    ]


def environment_of(value: Any) -> dict[str, str] | None:
    """A map, a block (a list of one map), or a list of `NAME=value`; None for anything else."""
    found: dict[str, str] = {}
    for part in value if isinstance(value, list | tuple) else (value,):
        if isinstance(part, dict):
            if not all(isinstance(one, str | int | float | bool) for one in part.values()):
                return None
            found.update({str(name): _value(one) for name, one in part.items()})
        elif isinstance(part, str) and "=" in part:
            name, _, text = part.partition("=")
            found[name.strip()] = text
        else:
            return None
    return found if found and all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in found) else None


def _size(at: tuple[str, str], key: str, kind: Kind, asked: int | None, old: int) -> list[Edit] | str:
    """The task's own resource says it; where it says less, it grows by one step at most."""
    if asked is None or asked <= 0 or asked > max(old, 1) * _STEP:
        return f"`{key}`: the task's `{kind.value}` in `resources`"
    gone = Edit(Kind.DRIVER_KEY, (*at, key), None, f"the task's `{kind.value}` says it")
    if asked <= old:
        return [gone]
    return [Edit(kind, at, asked, f"the driver's config says {asked} under `{key}`"), gone]


def megabytes(value: Any) -> int | None:
    """`512m`, `1g`, `512MB`; a bare number is bytes as in Docker, unless it is too small for that: then MB."""
    told = _SIZE.fullmatch(str(value).strip())
    if told is None:
        return None
    number, unit = int(told[1]), told[2].lower()
    if not unit and number < 1024 * 1024:
        return number
    return int(number * _MEGABYTES[unit or "b"])


def split(text: str) -> tuple[str, ...] | None:
    """A command line in words; None where only a shell would make sense of it."""
    if SHELL.search(text):
        return None
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return None


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


RULES = (
    Rule(
        name="driver-key",
        classes=(FailureClass.DRIVER_KEY_UNKNOWN,),
        propose=_unknown,
    ),
)
