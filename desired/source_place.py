"""What a manifest says of where its code is: read, and what is wrong with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from desired.code_place import DEFAULT_REF, CodePlace, CodeWish
from desired.errors import UsageError
from desired.finding import Finding
from desired.git_address import GitAddress
from desired.git_source import checked_path, checked_ref

_STEPS = ("spec", "source")


def source_problems(spec: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with `spec.source`, as far as one can see without looking there."""
    source = spec.get("source")
    if not isinstance(source, Mapping):
        return
    git, ref, path = source.get("git"), source.get("ref"), source.get("path")
    if isinstance(path, str) and not _is(checked_path, path):
        hint = "a folder of the repository, counted from its top, such as services/api"
        yield Finding((*_STEPS, "path"), f"{path!r} is not a folder inside the repository", hint)
    if isinstance(ref, str) and not _is(checked_ref, ref):
        yield Finding((*_STEPS, "ref"), f"{ref!r} cannot be a branch, tag or commit", "a name such as main")
    if ref is not None and git is None:
        hint = "the code of this repository counts as it is in the manifest's own commit"
        yield Finding((*_STEPS, "ref"), "`ref` without `git`", hint, at_key=True)
    if isinstance(git, str):
        yield from _address(git)


def wish_of(spec: Mapping[str, Any]) -> CodeWish:
    """Of a spec without problems that has a source, or a dockerfile, which has one by that."""
    source = spec.get("source") or {}
    git = source.get("git")
    path = checked_path(source.get("path") or ".")
    if git is None:
        place = CodePlace(path)
    else:
        place = CodePlace(path, GitAddress.parse(git).canonical, source.get("ref") or DEFAULT_REF)
    return CodeWish(place, spec.get("dockerfile"))


def _address(git: str) -> Iterator[Finding]:
    steps = (*_STEPS, "git")
    try:
        address = GitAddress.parse(git)
    except UsageError as error:
        yield Finding(steps, error.message, error.hint)
        return
    if address.username or address.password:
        hint = "take them out: the operator has its own for the server of NOMAD_OPERATOR_GIT_URL"
        yield Finding(steps, "the URL holds credentials, which must not stand in a file", hint)
    elif address.folder is not None and not re.match(r"file://|/", git):
        # What a path counts from would be the folder in which the operator happens to run.
        yield Finding(steps, f"{git!r} is no URL", "https://host/path or git@host:path; a folder of this one: path")


def _is(check: Any, text: str) -> bool:
    try:
        check(text)
    except UsageError:
        return False
    return True
