"""Values of Vault and Nomad variables by Nomad's `secret` block, for manifests that ask for it. Pure.

A block reads all fields of its secret, and what it reads is taken apart as lines of an environment: a quotation mark or
`#` in a value is lost, a line break in any of them fails the task. So it is not the default (decision 23).
Source: client/allocrunner/taskrunner/secrets_hook.go; measured on Nomad 2.0.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from desired.job.spec import Secret
from desired.manifest import EnvValue

# What `${secret.NAME.FIELD}` may name, and what Nomad takes for a path.
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_IN_A_PATH = re.compile(r"[(){}]")


def secret_blocks(env: Mapping[str, EnvValue]) -> tuple[tuple[Secret, ...], Mapping[str, str]]:
    """One block a place, and what each variable is set to; without those that only a template can read."""
    places = {name: place for name, value in env.items() if (place := place_of(value.vault, value.nomad)) is not None}
    names: dict[tuple[str, str], str] = {}
    values: dict[str, str] = {}
    for variable in in_blocks(places):
        provider, path, field = places[variable]
        name = names.setdefault((provider, path), _free_name(path, names.values()))
        values[variable] = f"${{secret.{name}.{field}}}"
    return tuple(_block(name, provider, path) for (provider, path), name in names.items()), values


def place_of(vault: str | None, nomad: str | None) -> tuple[str, str, str] | None:
    """Provider, path and field of what a manifest says; None where it is of another source."""
    for provider, said in (("vault", vault), ("nomad", nomad)):
        if said is not None:
            path, _, field = said.partition("#")
            return provider, path, field
    return None


def in_blocks(places: Mapping[str, tuple[str, str, str]]) -> tuple[str, ...]:
    """The variables whose whole secret can be read by a block: one field of another form would fail the task."""
    unreadable = {place[:2] for place in places.values() if not _FIELD.fullmatch(place[2])}
    return tuple(
        name for name, place in places.items() if place[:2] not in unreadable and not _NOT_IN_A_PATH.search(place[1])
    )


def _block(name: str, provider: str, path: str) -> Secret:
    # Version 2 of the key-value engine has `data` in its paths; without its name the program would get the very text.
    config = {"engine": "kv_v2"} if provider == "vault" and "/data/" in path else None
    return Secret(name=name, provider=provider, path=path, config=config)


def _free_name(path: str, taken: Iterable[str]) -> str:
    """The last step of a path, with a number behind it where that is taken."""
    used = set(taken)
    name = re.sub(r"\W+", "_", path.rstrip("/").rpartition("/")[2], flags=re.ASCII)[:100] or "secret"
    return next(one for one in (name, *(f"{name}_{number}" for number in range(2, 1000))) if one not in used)
