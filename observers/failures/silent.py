"""Family F, without a word: what Nomad accepts and then hands over wrong, seen only when the task ends. Pure.

A field that is not there renders as `<no value>`, a KV v1 shape on a KV v2 mount too, a `secret` block without
`engine = "kv_v2"` leaves `${secret.…}` as it stands. Nothing says so: the job and the names of the keys do.
Source: measured on Nomad 2.0.5 with OpenBao 2.6.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from desired.state import JobBody
from observers.evidence import Cluster
from observers.failures import job_words
from observers.failures.near import near
from observers.failures.vault_paths import keys_of, version_of

_SECRET = re.compile(r'\bsecret\s+"([^"]+)"')
_VARIABLE = re.compile(r'\bnomadVar\s+"([^"]+)"')
_FIELD = re.compile(r"\.Data(?P<two>\.data)?\.(?P<field>[A-Za-z_]\w*)")
_OF_VARIABLE = re.compile(r"\{\{-?\s*\.(?P<field>[A-Za-z_]\w*)[^}]*\}\}")
_OF_BLOCK = re.compile(r"\$\{secret\.(?P<name>\w+)\.(?P<field>\w+)\}")


def wrong_values(cluster: Cluster, task: JobBody) -> Iterator[dict[str, str]]:
    """The facts of `secret_field_missing`, one for each value that this task gets wrong; only what is known."""
    for template in job_words.parts(task, "Templates"):
        text = job_words.text(template, "EmbeddedTmpl")
        secrets, variables = set(_SECRET.findall(text)), set(_VARIABLE.findall(text))
        where = {"destination": job_words.text(template, "DestPath"), "silent": "true"}
        if len(secrets) == 1 and not variables:
            path = secrets.pop().split("?")[0]
            yield from ({**where, "source": "vault", "path": path, **one} for one in _of_secret(cluster, path, text))
        elif len(variables) == 1 and not secrets:
            path = variables.pop()
            keys = cluster.variable_keys.get(path)
            for found in _OF_VARIABLE.finditer(text):
                if keys is not None and found["field"] not in keys:
                    named = _missing(found["field"], f".{found['field']}", keys)
                    yield {**where, "source": "variable", "path": path, **named, "sets": _set_by(text, found[0])}
    yield from _of_blocks(cluster, task)


def _of_secret(cluster: Cluster, path: str, text: str) -> Iterator[dict[str, str]]:
    version = version_of(path, cluster.kv_versions)
    keys = keys_of(path, cluster.secret_keys)
    for found in _FIELD.finditer(text):
        if version is not None and (version == 2) != bool(found["two"]) and found["field"] not in ("data", "metadata"):
            yield {"field": found["field"], "expression": found[0], "kv_version": str(version)}
        elif keys is not None and found["field"] not in keys and found["field"] not in ("data", "metadata"):
            yield _missing(found["field"], found[0], keys)


def _of_blocks(cluster: Cluster, task: JobBody) -> Iterator[dict[str, str]]:
    env = " ".join(job_words.leaves(task.get("Env")))
    for block in job_words.parts(task, "Secrets"):
        if job_words.text(block, "Provider") != "vault":
            continue
        name, path = job_words.named(block), job_words.text(block, "Path")
        engine = job_words.text(job_words.block(block, "Config"), "engine")
        told = {"source": "vault", "path": path, "destination": name, "silent": "true"}
        used = [found for found in _OF_BLOCK.finditer(env) if found["name"] == name]
        version = version_of(path, cluster.kv_versions)
        keys = keys_of(path, cluster.secret_keys)
        for found in used:
            if version == 2 and engine != "kv_v2":
                yield {**told, "field": found["field"], "expression": found[0], "kv_version": "2"}
            elif keys is not None and found["field"] not in keys:
                yield {**told, **_missing(found["field"], found[0], keys)}


def _set_by(text: str, action: str) -> str:
    """The environment variable of the line that an action stands in; empty where it sets none."""
    line = next((line for line in text.splitlines() if action in line), "")
    told = re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", line)
    return told[1] if told else ""


def _missing(field: str, expression: str, keys: Sequence[str]) -> dict[str, str]:
    return {"field": field, "expression": expression, "near": ", ".join(near(field, keys))}


def unexported(task: JobBody, variable: str) -> str:
    """The one template that renders `variable=` and is no env template: its destination."""
    line = re.compile(rf"(?m)^\s*(?:export\s+)?{re.escape(variable)}\s*=")
    found = [
        job_words.text(one, "DestPath")
        for one in job_words.parts(task, "Templates")
        if one.get("Envvars") is not True and line.search(job_words.text(one, "EmbeddedTmpl"))
    ]
    return found[0] if len(found) == 1 else ""
