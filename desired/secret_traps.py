"""What is wrong with a job's secrets that Nomad accepts: it waits five minutes, or starts with a wrong value. Pure.

Judged by the job alone, and by what was found out about the places it reads, where somebody asked.
Source: each one measured on Nomad 2.0.5 with OpenBao 2.6.2, before it was written down here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from desired.secret_reads import SecretRead, secret_reads, secret_references, tasks_of
from desired.state import JobBody
from desired.variable_sources import Source

# Source: hashicorp/go-envparse, parseLine: what the lines may begin with that a block is read as.
_NAME_OF_A_VARIABLE = re.compile(r"[A-Za-z0-9/_.]+")
_CALLED = {Source.VAULT: "Vault", Source.CONSUL: "Consul", Source.NOMAD: "Nomad's variables"}


class Rule(StrEnum):
    """Names that only grow; findings carry them."""

    VAULT_BLOCK_MISSING = "vault-block-missing"
    VAULT_POLICIES_IGNORED = "vault-policies-ignored"
    SECRET_NAME = "secret-name"  # noqa: S105
    SECRET_ENV = "secret-env"  # noqa: S105
    SECRET_ENGINE = "secret-engine"  # noqa: S105
    SECRET_UNKNOWN = "secret-unknown"  # noqa: S105
    SECRET_FIELDS = "secret-fields"  # noqa: S105
    KV_SHAPE = "kv-shape"
    ENV_NOT_SET = "template-not-env"
    PATH_MISSING = "path-missing"
    PATH_FORBIDDEN = "path-forbidden"
    FIELD_MISSING = "field-missing"


@dataclass(frozen=True, slots=True)
class Trap:
    """`error` is what will go wrong without a doubt, and that Nomad does not tell before the task has started, or at
    all. `where` is group/task, `at` the place in the job file. `looked` is what more than the job itself shows.
    """

    rule: Rule
    where: str
    message: str
    hint: str
    error: bool = True
    at: tuple[str, ...] = ()
    looked: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found at a place. `there` is None where it is not known; `version` is that of the key-value store.

    `keys` are the names of its fields, None where they are not known; `near` are places beside it; `said` is why;
    `mount` is the store that it lies in.
    """

    there: bool | None = None
    version: int | None = None
    keys: tuple[str, ...] | None = None
    near: tuple[str, ...] = ()
    said: str = ""
    forbidden: bool = False
    mount: str = ""


Looks = Mapping[tuple[Source, str], Looked]


def secret_traps(body: JobBody, looks: Looks | None = None) -> tuple[Trap, ...]:
    """Each once, in the job's order. Without `looks` only what the job itself shows."""
    known = looks or {}
    reads = secret_reads(body)
    found: dict[Trap, None] = {}
    for group, task in tasks_of(body):
        own = [read for read in reads if read.where == f"{group}/{_text(task, 'Name')}"]
        at = ("group", group, "task", _text(task, "Name"))
        found |= dict.fromkeys(replace(trap, at=(*at, *trap.at)) for trap in _of_task(group, task, own))
    for read in reads:
        looked = Looked() if read.elsewhere else known.get((read.source, read.path), Looked())
        found |= dict.fromkeys(replace(trap, at=read.at) for trap in _of_shape(read, looked))
        found |= dict.fromkeys(replace(trap, at=read.at, looked=True) for trap in _of_place(read, looked))
    return tuple(found)


def _of_task(group: str, task: Mapping[str, Any], reads: list[SecretRead]) -> Iterator[Trap]:
    where = f"{group}/{_text(task, 'Name')}"
    vault = task.get("Vault")
    from_vault = [read for read in reads if read.source is Source.VAULT]
    if not isinstance(vault, Mapping) and from_vault:
        yield Trap(
            Rule.VAULT_BLOCK_MISSING, where,
            f"it reads {from_vault[0].path} of Vault and has no `vault` block: it gets no token, and waits 5 minutes "
            "before it fails",
            "add `vault {}` to the task", error=not all(read.optional for read in from_vault),
        )  # fmt: skip
    if isinstance(vault, Mapping) and vault.get("Policies"):
        yield Trap(
            Rule.VAULT_POLICIES_IGNORED, where, "Nomad 1.10 and newer ignore `policies` of a vault block",
            "give the policies to a role of Vault, and name it: `vault { role = ... }`", error=False,
            at=("vault", "policies"),
        )  # fmt: skip
    yield from _of_blocks(where, task)
    yield from _of_templates(where, task)


def _of_blocks(where: str, task: Mapping[str, Any]) -> Iterator[Trap]:
    blocks = [one for one in task.get("Secrets") or () if isinstance(one, Mapping)]
    for one in blocks:
        name = _text(one, "Name")
        if not re.fullmatch(r"[A-Za-z0-9_]{1,128}", name):
            yield Trap(
                Rule.SECRET_NAME, where, f'Nomad refuses the name of the secret "{name}"',
                "letters, digits and underscores", at=("secret", name),
            )  # fmt: skip
        if _text(one, "Provider") == "vault" and one.get("Env"):
            yield Trap(
                Rule.SECRET_ENV, where, f'the secret "{name}" is of Vault, and Nomad refuses an `env` block in it',
                f"write ${{secret.{name}.KEY}} into the task's own env", at=("secret", name),
            )  # fmt: skip
    names = {_text(one, "Name") for one in blocks}
    for name, key in sorted(secret_references(task)):
        if name not in names:
            yield Trap(
                Rule.SECRET_UNKNOWN, where,
                f"${{secret.{name}.{key}}} names no secret of the task: the program gets this very text",
                _meant(name, names) or f'add a block: secret "{name}" {{ ... }}',
            )  # fmt: skip


def _of_templates(where: str, task: Mapping[str, Any]) -> Iterator[Trap]:
    for index, template in enumerate(task.get("Templates") or ()):
        if not isinstance(template, Mapping) or template.get("Envvars") is True:
            continue
        destination, text = _text(template, "DestPath"), _text(template, "EmbeddedTmpl")
        if destination.endswith(".env") and re.search(r"(?m)^\s*(?:\{\{.*\}\})?\s*[A-Za-z_]\w*=", text):
            yield Trap(
                Rule.ENV_NOT_SET, where,
                f"the template {destination} looks like an environment, and nothing of it gets there",
                "add `env = true`, unless the program reads the file itself", error=False,
                at=("template", str(index)),
            )  # fmt: skip


def _of_shape(read: SecretRead, looked: Looked) -> Iterator[Trap]:
    if read.source is not Source.VAULT or read.versioned is None:
        return
    # A path with `data` behind the mount is of version 2 where nobody could be asked: people copy it from there.
    version = looked.version or (2 if re.match(r"[^/]+/data/", read.path) else None)
    if version is None or (version == 2) == read.versioned:
        return
    if read.block:
        if not read.field or version == 2:
            want = 'config { engine = "kv_v2" }' if version == 2 else "no `engine`, or kv"
            yield Trap(
                Rule.SECRET_ENGINE, read.where,
                f'the secret "{read.block}" reads {read.path} as of another version: its values are the text '
                f"${{secret.{read.block}...}} itself",
                f"{read.path} is of version {version}: {want}", error=looked.version is not None,
                looked=looked.version is not None,
            )  # fmt: skip
        return
    wrong, right = (".Data.", ".Data.data.") if version == 2 else (".Data.data.", ".Data.")
    yield Trap(
        Rule.KV_SHAPE, read.where,
        f"{read.path} is of version {version}, and {wrong}{read.field} is not there: "
        f"{'the task fails' if read.loud else 'the program gets <no value>'}",
        f"write {right}{read.field}",
        error=looked.version is not None and not read.optional and not read.loud, looked=looked.version is not None,
    )  # fmt: skip


def _of_place(read: SecretRead, looked: Looked) -> Iterator[Trap]:
    called = _CALLED[read.source]
    if looked.forbidden:
        said = f": {looked.said}" if looked.said else ""
        yield Trap(
            Rule.PATH_FORBIDDEN, read.where, f"whether {called} has {read.path} could not be seen{said}",
            "what the task may read is its own role's matter; let the operator's token list names there", error=False,
        )  # fmt: skip
        return
    if looked.there is False:
        if read.optional or read.field:
            # The place is told of once.
            return
        said = f" ({looked.said})" if looked.said else ""
        yield Trap(
            Rule.PATH_MISSING, read.where,
            f"{called} has nothing at {read.path}{said}: the task waits for it, {_until(read)}",
            _meant(read.path, looked.near) or f"write it to {called}, or correct the path", error=False,
        )  # fmt: skip
        return
    odd = [key for key in looked.keys or () if read.block and not _NAME_OF_A_VARIABLE.fullmatch(key)]
    if odd and not read.field:
        yield Trap(
            Rule.SECRET_FIELDS, read.where,
            f'the secret "{read.block}" reads all fields of {read.path}, and one is called {odd[0]}: the task fails',
            "read it by a template, or rename the field", error=False,
        )  # fmt: skip
    if read.field and looked.keys is not None and read.field not in looked.keys:
        gets = "the task fails" if read.loud else f"the program gets {_instead(read)}"
        yield Trap(
            Rule.FIELD_MISSING, read.where, f"{read.path} has no field {read.field}: {gets}",
            _meant(read.field, looked.keys) or f"it has {', '.join(sorted(looked.keys)) or 'none'}",
            error=not read.optional and not read.loud,
        )  # fmt: skip


def _until(read: SecretRead) -> str:
    """Source: consul-template tries Vault 12 times; on Consul and Nomad it waits for the first value without an end."""
    return "and fails after 5 minutes" if read.source is Source.VAULT else "without an end"


def _instead(read: SecretRead) -> str:
    if read.block:
        return f"the text ${{secret.{read.block}.{read.field}}}"
    # Source: measured on Nomad 2.0.5: of a variable nothing at all is rendered.
    return "an empty value, without a word" if read.source is Source.NOMAD else "<no value>, or null"


def _meant(name: str, names: Iterable[str]) -> str:
    """The nearest of what is there, in a question; empty where none is near."""
    there = sorted(names)
    folded = [one for one in there if one.lower() == name.lower()]
    near = folded or difflib.get_close_matches(name, there, n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else ""


def _text(part: Mapping[str, Any], key: str) -> str:
    found = part.get(key)
    return found if isinstance(found, str) else ""
