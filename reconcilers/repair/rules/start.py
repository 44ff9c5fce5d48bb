"""What a container starts and where: corrected by what its image says of itself."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.driver_keys import SHELL, split
from reconcilers.repair.rules.images import image_of
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_CONTAINERS = ("docker", "podman")


def _split_command(case: Case) -> Answer:
    """A whole command line where a program's name belongs: its first word is the program."""
    found = job_parts.task_of(case)
    command = None if found is None else job_parts.config(found[1]).get("command")
    if found is None or not isinstance(command, str) or " " not in command.strip():
        return None
    at = job_parts.address(*found)
    reason = f"the command of {at[1]} is a whole command line"
    words = split(command)
    if words is None or SHELL.search(command):
        return choose(reason, ('command = "/bin/sh" with args = ["-c", "…"]', "a program and its args"))
    if len(words) < 2:
        return None
    args = tuple(str(one) for one in job_parts.config(found[1]).get("args") or ())
    edits = (
        Edit(Kind.COMMAND, at, words[0], "the first word of the command"),
        Edit(Kind.ARGS, at, (*words[1:], *args), "the other words of the command"),
    )
    return fix(case, reason, edits)


def _not_found(case: Case) -> Answer:
    """The image's own program: the one that is spelt almost so, or whatever the image starts by itself."""
    found = job_parts.task_of(case)
    if found is None:
        return None
    facts = image_of(case, found[1])
    if facts is None:
        return _unknown_image(case, found[1])
    at = job_parts.address(*found)
    config = job_parts.config(found[1])
    entrypoint, command = config.get("entrypoint"), config.get("command")
    missing = case.diagnosis.facts.get("command", "")
    own = [line[0] for line in (facts.entrypoint, facts.command) if line]
    if isinstance(entrypoint, list | tuple) and entrypoint and (not missing or entrypoint[0] == missing):
        reason = f"the entrypoint {entrypoint[0]} is not in the image"
        meant = _program(str(entrypoint[0]), own)
        if meant is not None:
            new = (meant, *(str(one) for one in entrypoint[1:]))
            return fix(case, reason, (Edit(Kind.ENTRYPOINT, at, new, f"the image starts {meant}"),))
        if facts.entrypoint:
            return fix(case, reason, (Edit(Kind.ENTRYPOINT, at, None, f"the image's own: {facts.entrypoint[0]}"),))
        return None
    if not isinstance(command, str) or not command or (missing and command != missing):
        return None
    reason = f"the command {command} is not in the image"
    meant = _program(command, own)
    if meant is not None:
        return fix(case, reason, (Edit(Kind.COMMAND, at, meant, f"the image starts {meant}"),))
    if not own:
        return None
    if config.get("args") and not facts.entrypoint:
        return choose(reason, (f"the image's own command {own[0]}, without args", "a program that is in the image"))
    return fix(case, reason, (Edit(Kind.COMMAND, at, None, f"the image's own: {own[0]}"),))


def _unknown_image(case: Case, task: Part) -> Answer:
    """Nobody could be asked what the image holds: what is named is all there is to say."""
    config = job_parts.config(task)
    wrong = case.diagnosis.facts.get("command") or str(config.get("command") or "")
    if not wrong or task.get("Driver") not in _CONTAINERS:
        return None
    key = "command" if config.get("command") else "entrypoint"
    return choose(
        f"{wrong} is not in the image, and what the image starts is not known",
        (f"another spelling of {wrong}, if it is misspelt", f"the image's own program, without `{key}`"),
    )


def _program(wrong: str, own: list[str]) -> str | None:
    """A program of the image whose name is the same in another folder, or spelt almost so."""
    names = {one.rpartition("/")[2]: one for one in own}
    base = wrong.rpartition("/")[2]
    if base in names and names[base] != wrong:
        return names[base]
    meant = near_miss(base, names)
    return None if meant is None else names[meant]


def _in_shell(case: Case) -> Answer:
    """A word that the shell did not find, misspelt for a program of the image, and exactly once in the args."""
    found = job_parts.task_of(case)
    facts = None if found is None else image_of(case, found[1])
    wrong = case.diagnosis.facts.get("command", "")
    if found is None or facts is None or not wrong:
        return None
    args = job_parts.config(found[1]).get("args") or ()
    if isinstance(args, str) or not all(isinstance(one, str) for one in args):
        return None
    own = [line[0].rpartition("/")[2] for line in (facts.entrypoint, facts.command) if line]
    meant = near_miss(wrong, own)
    if meant is None or sum(one.split().count(wrong) for one in args) != 1:
        return None
    new = tuple(" ".join(meant if word == wrong else word for word in one.split(" ")) for one in args)
    at = job_parts.address(*found)
    return fix(case, f"the shell finds no {wrong}", (Edit(Kind.ARGS, at, new, f"the image starts {meant}"),))


def _work_dir(case: Case) -> Answer:
    """A relative directory made absolute where only one is meant; one that is not there left to the image."""
    found = job_parts.task_of(case)
    old = None if found is None else job_parts.config(found[1]).get("work_dir")
    if found is None or not isinstance(old, str) or not old:
        return None
    facts = image_of(case, found[1])
    at = job_parts.address(*found)
    reason = f"the working directory {old} cannot be used"
    bare = old.removeprefix("./").strip("/.")
    if facts is None:
        # Nobody could be asked what the image's own is.
        absolute = () if old.startswith("/") or not bare else (f"/{bare}",)
        return choose(reason, (*absolute, "the image's own, without `work_dir`"))
    own = facts.working_dir
    if old.startswith("/"):
        if not own:
            return None
        ground = f"the image's own: {own}"
        return fix(case, reason, (Edit(Kind.WORK_DIR, at, own if near_miss(old, (own,)) else None, ground),))
    if own in ("", "/") and bare:
        return fix(case, reason, (Edit(Kind.WORK_DIR, at, f"/{bare}", "the same, from the root of the image"),))
    if not bare:
        return fix(case, reason, (Edit(Kind.WORK_DIR, at, None, f"the image's own: {own or '/'}"),))
    if own.strip("/") == bare:
        return fix(case, reason, (Edit(Kind.WORK_DIR, at, own, f"the image's own: {own}"),))
    return choose(reason, (f"/{bare}", f"{own}/{bare}", f"{own}, the image's own"))


RULES = (
    Rule(
        name="command-line",
        classes=(FailureClass.COMMAND_NOT_FOUND,),
        propose=_split_command,
    ),
    Rule(name="command", classes=(FailureClass.COMMAND_NOT_FOUND,), propose=_not_found),
    Rule(name="command-in-shell", classes=(FailureClass.SHELL_COMMAND_NOT_FOUND,), propose=_in_shell),
    Rule(name="working-directory", classes=(FailureClass.WORK_DIR_INVALID,), propose=_work_dir),
)
