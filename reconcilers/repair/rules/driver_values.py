"""Values of a driver's config in the wrong shape, and variables that nobody knows."""

from __future__ import annotations

import re
from dataclasses import replace

from desired.operations.operation import Kind, Value
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import driver_renames as names
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.driver_keys import split
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.port_map import mapping
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_WORDS = frozenset({"args", "entrypoint"})
_TEXTS = frozenset(
    re.findall(
        r"[\w-]+",
        "ports volumes dns_servers dns_search_domains dns_options extra_hosts network_aliases cap_drop security_opt "
        "cap_add group_add",
    )
)
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})
# Source: nomad/structs, MinResources: less is refused before a driver sees it.
_LEAST_MEMORY = 10
# Names that Nomad resolves in a driver's config, and what the task's own environment adds.
_KNOWN_ROOTS = re.compile(r"NOMAD_\w+$|(?:env|attr|meta|node|device|secret|identity)\b")


def _shape(case: Case) -> Answer:
    """A text where a list belongs, or the reverse, where both say the same."""
    found = job_parts.task_of(case)
    key = case.diagnosis.facts.get("key", "")
    if found is None or key not in job_parts.config(found[1]):
        return None
    group, task = found
    at = job_parts.address(group, task)
    value = job_parts.config(task)[key]
    reason = f"`{key}` of {at[1]} has the wrong shape"
    if key == "ports" and mapping(value):
        # An operation holds no mapping: its old value could not be told apart from another that a person writes later.
        return choose(reason, ("`to` in the network block for each number, and `ports` with the labels",))
    edit = Edit(Kind.DRIVER_VALUE, (*at, key), None, "the same, as a list")
    if isinstance(value, str) and key in _WORDS:
        words = split(value)
        if words is None:
            return choose(reason, (f'{key} = ["sh", "-c", "…"]', f"{key} as a list of words"))
        return fix(case, reason, (replace(edit, new=words),))
    if isinstance(value, str) and key in _TEXTS and key not in names.PRIVILEGED:
        return fix(case, reason, (replace(edit, new=(value,)),))
    if key == "command" and isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
        args = job_parts.config(task).get("args") or ()
        edits = [replace(edit, new=value[0], ground="the first of the list")]
        if len(value) > 1:
            edits.append(Edit(Kind.ARGS, at, (*value[1:], *args), "the rest of the list"))
        return fix(case, reason, edits)
    expected = case.diagnosis.facts.get("expected", "")
    return choose(reason, (f"`{key}` as {expected}",)) if expected else None


def _variable(case: Case) -> Answer:
    """`${NAME}` in what a shell is given to run: escaped, so that the shell sees it and not Nomad."""
    found = job_parts.task_of(case)
    variable = case.diagnosis.facts.get("variable", "")
    if found is None or not variable:
        return None
    group, task = found
    at = job_parts.address(group, task)
    config = job_parts.config(task)
    reason = f"the driver's config names ${{{variable}}}, which Nomad does not know"
    if not for_a_shell(config):
        return choose(reason, (f"$$${{{variable}}}, if the program itself is to see it", "a variable that Nomad knows"))
    known = frozenset(job_parts.environment(task)) - {variable}
    edits = []
    for key, kind in (("command", Kind.COMMAND), ("args", Kind.ARGS), ("entrypoint", Kind.ENTRYPOINT)):
        value = config.get(key)
        new: Value = None
        if isinstance(value, str):
            new = _escaped(value, known)
        elif isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            new = tuple(_escaped(one, known) for one in value)
        if new is not None and new != (tuple(value) if isinstance(value, list) else value):
            edits.append(Edit(kind, at, new, "the same, escaped for Nomad: a shell reads it"))
    return fix(case, reason, edits)


def for_a_shell(config: Part) -> bool:
    """The task runs a shell's `-c`: what follows is the shell's language."""
    line: list[str] = []
    for key in ("entrypoint", "command", "args"):
        value = config.get(key) or ()
        line += [value] if isinstance(value, str) else [str(one) for one in value]
    return "-c" in line and any(word.rpartition("/")[2] in _SHELLS for word in line[: line.index("-c")])


def _escaped(text: str, known: frozenset[str]) -> str:
    """`$${` is Nomad's way to write a literal `${`; what Nomad or the task's environment knows stays."""

    def escape(one: re.Match[str]) -> str:
        name = re.match(r"[\w.]+", one[1])
        resolved = name is not None and (_KNOWN_ROOTS.match(name[0]) or name[0] in known)
        return one[0] if resolved else f"$${{{one[1]}}}"

    return re.sub(r"(?<!\$)\$\{([^}]*)\}", escape, text)


def _limit(case: Case) -> Answer:
    """Less than Docker takes, or spaces around a command."""
    found = job_parts.task_of(case)
    if found is None:
        return None
    at = job_parts.address(*found)
    facts = case.diagnosis.facts
    asked = int((found[1].get("Resources") or {}).get("MemoryMB") or 0)
    hard = job_parts.config(found[1]).get("memory_hard_limit")
    if facts.get("key") == "memory" and hard is not None:
        return choose(
            f"{at[1]} asks for {asked} MB and may have {hard} MB at most",
            (f"`memory_hard_limit` of {asked} MB or more", f"`memory` of {hard} MB or less"),
        )
    if facts.get("key") == "memory" and facts.get("minimum", "").isdigit():
        least = max(int(facts["minimum"]), _LEAST_MEMORY)
        if least <= asked:
            return None
        reason = f"{at[1]} has less memory than the driver takes"
        ground = f"the driver takes at least {facts['minimum']} MB"
        return fix(case, reason, (Edit(Kind.MEMORY, at, least, ground),))
    command = job_parts.config(found[1]).get("command")
    if facts.get("key") == "command" and isinstance(command, str) and command.strip() != command and command.strip():
        reason = f"the command of {at[1]} has spaces around it"
        return fix(case, reason, (Edit(Kind.COMMAND, at, command.strip(), "the same without them"),))
    return None


def _network(case: Case) -> Answer:
    """A network of Docker's that is not there, while the group has one of its own: the group's."""
    found = job_parts.task_of(case)
    if found is None or "network_mode" not in job_parts.config(found[1]):
        return None
    group, task = found
    at = (*job_parts.address(group, task), "network_mode")
    wrong = str(job_parts.config(task)["network_mode"])
    reason = f"Docker has no network {wrong}"
    if job_parts.mode(group) == "bridge":
        return fix(case, reason, (Edit(Kind.DRIVER_KEY, at, None, "the group has a network of its own: bridge"),))
    if near_miss(wrong, ("bridge", "none", "host")) == "bridge":
        return fix(case, reason, (Edit(Kind.DRIVER_KEY, at, None, "Docker's default is bridge"),))
    return choose(reason, (f"making the network {wrong} on the nodes", "no `network_mode`"))


RULES = (
    Rule(name="driver-value", classes=(FailureClass.DRIVER_VALUE_WRONG,), propose=_shape),
    Rule(name="driver-variable", classes=(FailureClass.DRIVER_VARIABLE_UNKNOWN,), propose=_variable),
    Rule(name="driver-limit", classes=(FailureClass.DRIVER_LIMIT,), propose=_limit),
    Rule(name="driver-network", classes=(FailureClass.DRIVER_NETWORK_MISSING,), propose=_network),
)
