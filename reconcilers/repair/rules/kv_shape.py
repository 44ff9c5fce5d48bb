"""Vault's two KV versions: 2 has `/data/` in the path and `.Data.data` before the fields, 1 has neither.

Source: measured on Nomad 2.0.5 with OpenBao 2.6.2: nothing is said of a field in the wrong shape; `<no value>` is
handed over.
"""

from __future__ import annotations

import re

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.vault_paths import keys_of
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules.read_paths import all_templates, missing
from reconcilers.repair.rules.rule import Edit, Rule, fix
from reconcilers.repair.rules.template_text import Template, quoted, reads

_FIELD = re.compile(r"\.Data\.(\w+)")


def mount_of(case: Case, path: str) -> tuple[str, int] | None:
    """The mount that a path lies in, and its KV version; None where Vault was not asked or does not say."""
    fitting = [
        (mount.strip("/"), version)
        for mount, version in case.evidence.cluster.kv_versions.items()
        if path == mount.strip("/") or path.startswith(mount.strip("/") + "/")
    ]
    return max(fitting, key=lambda one: len(one[0]), default=None)


def api_path(case: Case, path: str) -> str | None:
    """A path as the KV version of its mount wants it; None where the version is not known."""
    found = mount_of(case, path)
    if found is None:
        return None
    mount, version = found
    inner = path[len(mount) + 1 :].removeprefix("data/")
    return f"{mount}/data/{inner}" if version == 2 else f"{mount}/{inner}"


def _path_shape(case: Case) -> Answer:
    """`/data/` where KV v2 wants it, none where KV v1 does not; fields in the same shape."""
    edits: list[Edit] = []
    for path in missing(case):
        right = api_path(case, path)
        if right is None or right == path:
            continue
        version = 2 if len(right) > len(path) else 1
        ground = f"the mount is KV v{version}"
        for template in all_templates(case):
            for old in quoted(template.text, path):
                mark = old[0]
                edits.append(Edit(Kind.KV_SHAPE, template.at, mark + right + mark, ground, old=old))
                if reads(template, "secret") == {path}:
                    edits += _fields(template, version, ground)
    return fix(case, "a path of Vault's does not have the shape of its KV version", edits)


def _fields(template: Template, version: int, ground: str) -> list[Edit]:
    """All fields of a template in the shape of one KV version; only for a template that reads nothing else."""
    told = set(re.findall(r"\.Data\.(?:data\.)?\w+", template.text)) - {".Data.metadata", ".Data.data"}
    wrong = {one for one in told if one.startswith(".Data.data.") != (version == 2)}
    if not wrong:
        return []
    left, right = (".Data.", ".Data.data.") if version == 2 else (".Data.data.", ".Data.")
    if wrong == told and ".Data.metadata" not in template.text:
        return [Edit(Kind.KV_SHAPE, template.at, right, ground, old=left)]
    # The longest first: the beginning of a longer name would be changed with the shorter one.
    return [
        Edit(Kind.KV_SHAPE, template.at, right + one.removeprefix(left), ground, old=one)
        for one in sorted(wrong, key=lambda one: (-len(one), one))
    ]


def _field_shape(case: Case) -> Answer:
    """`.Data.x` on KV v2, `.Data.data.x` on KV v1: Nomad renders `<no value>`, or fails where the template asks."""
    destination = case.diagnosis.facts.get("destination", "")
    edits: list[Edit] = []
    for template in all_templates(case):
        if destination not in ("", template.at[2]):
            continue
        paths = reads(template, "secret")
        versions = {found[1] for path in paths if (found := mount_of(case, path)) is not None}
        if len(versions) != 1 or not all(mount_of(case, path) for path in paths):
            continue
        (version,) = versions
        # On version 2 Nomad reads a path without `data/` too; on version 1 one with it is another secret.
        if version == 1 and any(api_path(case, path) != path for path in paths):
            continue
        if _known_otherwise(case, paths, version, template):
            continue
        edits += _fields(template, version, f"the mount is KV v{version}")
    return fix(case, "the fields of a secret are read in the shape of another KV version", edits)


def _known_otherwise(case: Case, paths: set[str], version: int, template: Template) -> bool:
    """A field whose own name is `data` looks like the other shape: only where the keys were listed can that be told."""
    listed = [keys for path in paths if (keys := keys_of(path, case.evidence.cluster.secret_keys)) is not None]
    return version == 1 and any("data" in keys for keys in listed) and bool(_FIELD.search(template.text))


RULES = (
    Rule(
        name="kv-path-shape",
        classes=(FailureClass.SECRET_MISSING, FailureClass.SECRET_FORBIDDEN),
        propose=_path_shape,
    ),
    Rule(
        name="kv-field-shape",
        classes=(FailureClass.SECRET_FIELD_MISSING, FailureClass.TEMPLATE_EXECUTION),
        propose=_field_shape,
    ),
)
