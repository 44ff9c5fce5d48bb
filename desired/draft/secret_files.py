"""Secrets that an app reads from files: Docker puts them below `/run/secrets`, Nomad puts nothing there by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from desired.conventions import Conventions
from desired.facts.fact import Fact
from desired.facts.facts import SecretFile
from desired.question import Question
from desired.variable_sources import guess

_FOLDER = "/run/secrets/"
_FILE = "_FILE"


def secret_files(
    app: str, env: Mapping[str, Fact[str]], mounted: Mapping[str, Fact[SecretFile]], conventions: Conventions
) -> Iterator[Question]:
    """A question for each file that a variable names there, and for each that is `mounted` without.

    An answer is an entry of `files`, or None for none.
    """
    for name, fact in env.items():
        path = fact.value
        if not path.startswith(_FOLDER) or not path.removeprefix(_FOLDER):
            continue
        # `POSTGRES_PASSWORD_FILE` is where images look for what `POSTGRES_PASSWORD` would hold.
        suggested = guess(name.removesuffix(_FILE), app=app, port=None, conventions=conventions)
        yield Question(
            f"files.{path}",
            f"Which secret is in the file {path}, which {name} names ({fact.source})?",
            ("vault", "nomad", "consul", "none"),
            f"{suggested.source}: {suggested.value}" if suggested is not None else "",
        )
    named = {fact.value for fact in env.values()}
    for path, secret in mounted.items():
        if path in named:
            continue
        called = secret.value.variable or path.rpartition("/")[2]
        suggested = guess(called.upper().replace("-", "_"), app=app, port=None, conventions=conventions)
        yield Question(
            f"files.{path}",
            f"Which secret is in the file {path} ({secret.source})?",
            ("vault", "nomad", "consul", "none"),
            f"{suggested.source}: {suggested.value}" if suggested is not None else "",
        )
