"""What must hold between the fields of a manifest.

Looks at the raw values, so that it finds its part however wrong others are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from desired.finding import Finding
from desired.question import Question
from desired.said_secret import says_a_secret
from desired.secret_literals import secret_by_name, secret_kind, secret_settings, secret_words
from desired.source_place import source_problems

# Source: hashicorp/go-envparse, which reads the file of an env template.
_LOOKED_UP_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BY_JOB_FILE = (
    "source",
    "dockerfile",
    "image",
    "prompt",
    "type",
    "count",
    "datacenters",
    "resources",
    "ports",
    "command",
    "args",
    "env",
    "check",
    "routes",
    "volumes",
    "files",
    "job",
)
_IMAGE = Question("image", "Which image runs? None is built here: name one that was built from this source and pushed.")
# What says how to check, and so says nothing where there is no check.
WITH_A_CHECK = ("path", "protocol", "interval", "timeout")
_SOURCES = ("fixed", "consul", "vault", "nomad", "service")
_CONTENTS = ("content", "template", "consul", "vault", "nomad")
_KEEP = (
    "keep it in Vault, in Consul or in a Nomad variable, and name the place: {vault: path#field}, {nomad: path#field}"
)


def broken_rules(document: Any, *, with_code: bool = False) -> Iterator[Finding]:
    """Every rule that a document breaks, by the places of its values.

    `with_code`: what a manifest with a source leaves out is still to be filled in from its code.
    """
    yield from _secrets(document, ())
    spec = document.get("spec") if isinstance(document, Mapping) else None
    if not isinstance(spec, Mapping):
        return
    filled_in = with_code and has_code(spec)
    yield from source_problems(spec)
    yield from _origin(spec, filled_in=filled_in)
    yield from _environment(spec)
    yield from _prompt(spec)
    yield from _network(spec, filled_in=filled_in)
    for number, volume in enumerate(_list(spec, "volumes")):
        if isinstance(volume, Mapping):
            yield from _volume(volume, ("spec", "volumes", number))
    for path, file in _map(spec, "files").items():
        if isinstance(file, Mapping):
            yield from _exactly_one(file, _CONTENTS, ("spec", "files", path), "a file")
            for name in ("content", "template"):
                yield from _settings(file.get(name), ("spec", "files", path, name))
    yield from _words(spec.get("args"), ("spec", "args"))
    if spec.get("type") in ("system", "sysbatch") and spec.get("count") not in (None, 0, 1):
        hint = "leave out count: such a job runs once on every node"
        yield Finding(("spec", "count"), f"a {spec['type']} job has no count", hint)


def has_code(spec: Mapping[str, Any]) -> bool:
    """Whether a spec says where its code is: a Dockerfile alone is one of the manifest's own repository."""
    return not _given(spec, "jobFile") and (_given(spec, "source") or _given(spec, "dockerfile"))


def _given(spec: Mapping[str, Any], name: str) -> bool:
    return spec.get(name) is not None


def _map(spec: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = spec.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(spec: Mapping[str, Any], name: str) -> list[Any]:
    value = spec.get(name)
    return value if isinstance(value, list) else []


def _origin(spec: Mapping[str, Any], *, filled_in: bool) -> Iterator[Finding]:
    """Where the job comes from: a job file, or an image."""
    if _given(spec, "jobFile"):
        for name in _BY_JOB_FILE:
            if _given(spec, name):
                hint = "change the job file, or leave out jobFile"
                yield Finding(("spec", name), f"`{name}` cannot stand beside `jobFile`", hint, at_key=True)
        return
    if _given(spec, "variables"):
        hint = "they are values for the HCL variables of a jobFile"
        yield Finding(("spec", "variables"), "`variables` without `jobFile`", hint, at_key=True)
    if _given(spec, "image") or filled_in:
        return
    if has_code(spec):
        message = "the image of this source is not known"
        hint = "build and push it, and name it: image: registry/name:tag"
        yield Finding(("spec",), message, hint, at_key=True, question=_IMAGE)
    else:
        yield Finding(("spec",), "neither `image` nor `jobFile` says what runs", "give one of them", at_key=True)


def _exactly_one(
    value: Mapping[str, Any], names: tuple[str, ...], steps: tuple[str | int, ...], what: str
) -> Iterator[Finding]:
    found = [name for name in names if value.get(name) is not None]
    if len(found) == 1:
        return
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    if found:
        yield Finding((*steps, found[1]), f"{what} has {' and '.join(found)}", f"give one of {listed}", at_key=True)
    else:
        yield Finding(steps, f"{what} needs one of {listed}", "give exactly one")


def _volume(volume: Mapping[str, Any], steps: tuple[str | int, ...]) -> Iterator[Finding]:
    yield from _exactly_one(volume, ("csi", "host"), steps, "a volume")
    if volume.get("readOnly") is True and volume.get("owner") is not None:
        message = "the owner of what is read only cannot be changed"
        yield Finding((*steps, "owner"), message, "leave out one of them", at_key=True)


def _environment(spec: Mapping[str, Any]) -> Iterator[Finding]:
    for name, value in _map(spec, "env").items():
        steps: tuple[str | int, ...] = ("spec", "env", name)
        if value is None and not has_code(spec):
            yield from _exactly_one({}, _SOURCES, steps, "a variable of the environment")
        if not isinstance(value, Mapping):
            continue
        yield from _exactly_one(value, _SOURCES, steps, "a variable of the environment")
        yield from _named_secret(name, value.get("fixed"), (*steps, "fixed"))
        if "fixed" not in value and not _LOOKED_UP_NAME.fullmatch(str(name)):
            message = "a variable that is looked up is written to a file that takes only letters, digits and _"
            yield Finding(steps, message, "rename it, or give it as `fixed`")
    for name, value in _map(spec, "variables").items():
        yield from _named_secret(name, value, ("spec", "variables", name))
    yield from _environments_of_job(_map(spec, "job"), ("spec", "job"))


def _environments_of_job(body: Any, steps: tuple[str | int, ...]) -> Iterator[Finding]:
    """`env` blocks of what is merged into the job, and what else may hold settings."""
    pairs = body.items() if isinstance(body, Mapping) else enumerate(body) if isinstance(body, list) else ()
    for key, value in pairs:
        inner = (*steps, key)
        if key == "env" and isinstance(value, Mapping):
            for name, text in value.items():
                yield from _named_secret(name, text, (*inner, name))
        elif key == "args":
            yield from _words(value, inner)
        elif key == "data":
            yield from _settings(value, inner)
        else:
            yield from _environments_of_job(value, inner)


def _named_secret(name: str, value: Any, steps: tuple[str | int, ...]) -> Iterator[Finding]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and secret_kind(value) is None and secret_by_name(name, value):
        yield Finding(steps, f"by its name, `{name}` holds a secret, which must not stand in a file", _KEEP)


def _prompt(spec: Mapping[str, Any]) -> Iterator[Finding]:
    """What a person says in their own words."""
    text = spec.get("prompt")
    if isinstance(text, str) and secret_kind(text) is None and says_a_secret(text):
        yield Finding(("spec", "prompt"), "it seems to tell a secret, which must not stand in a file", _KEEP)


def _words(value: Any, steps: tuple[str | int, ...]) -> Iterator[Finding]:
    """A command line: `--password x`, `--api-key=x`."""
    words = value if isinstance(value, list) else []
    for place, flag in secret_words(words):
        if not isinstance(words[place], str) or secret_kind(words[place]) is None:
            yield Finding((*steps, place), f"by its name, `{flag}` is a secret, which must not stand in a file", _KEEP)


def _settings(value: Any, steps: tuple[str | int, ...]) -> Iterator[Finding]:
    """What is written into a file of the container."""
    if isinstance(value, str) and secret_kind(value) is None:
        for name in dict.fromkeys(secret_settings(value)):
            yield Finding(steps, f"by its name, `{name}` holds a secret, which must not stand in a file", _KEEP)


def _secrets(value: Any, steps: tuple[str | int, ...]) -> Iterator[Finding]:
    if isinstance(value, str):
        if kind := secret_kind(value):
            yield Finding(steps, f"this looks like {kind}, which must not stand in a file", _KEEP)
        return
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from _secrets(item, (*steps, key))


def _network(spec: Mapping[str, Any], *, filled_in: bool) -> Iterator[Finding]:
    ports = _map(spec, "ports")
    for label, port in ports.items():
        if isinstance(port, Mapping) and not _given(port, "to") and not _given(port, "static"):
            yield Finding(("spec", "ports", label), "a port needs `to`, the port inside the container", "")
    check = _map(spec, "check")
    unchecked = check.get("disable") is True
    for name in ("routes",) if unchecked else ("routes", "check"):
        if spec.get(name) and not ports and not _given(spec, "jobFile") and not filled_in:
            hint = "name the port on which the app listens: ports: {http: {to: 8080}}"
            yield Finding(("spec", name), f"`{name}` needs a port", hint, at_key=True)
    wanted = check.get("port")
    if isinstance(wanted, str) and ports and wanted not in ports:
        yield Finding(("spec", "check", "port"), "`ports` has no such label", f"it has {', '.join(ports)}")
    if unchecked:
        yield from _unchecked(spec, check)
    elif _given(check, "protocol") and not _given(check, "path"):
        hint = "say which `path` is asked for; without one a connection is all that is looked for"
        yield Finding(("spec", "check", "protocol"), "`protocol` needs a `path`", hint, at_key=True)


def _unchecked(spec: Mapping[str, Any], check: Mapping[str, Any]) -> Iterator[Finding]:
    for name in WITH_A_CHECK:
        if name in check:
            yield Finding(("spec", "check", name), f"`{name}` beside `disable`", "leave out one of them", at_key=True)
    if spec.get("routes"):
        # Source: fabiolb/fabio registry/consul/passing.go: a service without a passing check of its own gets nothing.
        message = "Fabio sends nothing to a service without a check, and the app has `routes`"
        yield Finding(("spec", "check", "disable"), message, "leave out disable: a connection is enough", at_key=True)
