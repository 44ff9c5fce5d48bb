"""What a template reads, under its right name and in the shape of its store: secrets, Consul keys, Nomad variables."""

from __future__ import annotations

import re

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.near_miss import near_miss, near_misses
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix
from reconcilers.repair.rules.template_text import Template, quoted, reads, swapped, templates_of

_FIELD = re.compile(r"\.Data\.(\w+)")


def all_templates(case: Case) -> list[Template]:
    """Of the diagnosis's task, or of all tasks of its group where it names none."""
    group = job_parts.group_of(case)
    if group is None:
        return []
    wanted = case.diagnosis.task
    return [
        one
        for task in job_parts.tasks(group)
        if wanted in ("", job_parts.name(task))
        for one in templates_of(group, task)
    ]


def _missing(case: Case) -> list[str]:
    """The paths that are missing: all that Nomad lists."""
    facts = case.diagnosis.facts
    told = [one.strip() for one in (facts.get("paths") or facts.get("path", "")).split(",")]
    return [one for one in dict.fromkeys(told) if one]


# ---- the shape of Vault's KV


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
    for path in _missing(case):
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
        if any(api_path(case, path) != path for path in paths):
            continue
        (version,) = versions
        if _known_otherwise(case, paths, version, template):
            continue
        edits += _fields(template, version, f"the mount is KV v{version}")
    return fix(case, "the fields of a secret are read in the shape of another KV version", edits)


def _known_otherwise(case: Case, paths: set[str], version: int, template: Template) -> bool:
    """A field whose own name is `data` looks like the other shape: only where the keys were listed can that be told."""
    listed = [keys for path in paths if (keys := case.evidence.cluster.secret_keys.get(path)) is not None]
    return version == 1 and any("data" in keys for keys in listed) and bool(_FIELD.search(template.text))


# ---- names


def _path_name(case: Case) -> Answer:
    """A secret that is not there while one of almost that name is: for a person to approve."""
    listed = case.evidence.cluster.secret_paths
    if listed is None:
        return None
    there = {shaped: one for one in listed if (shaped := api_path(case, one) or one)}
    return _renamed(case, Kind.SECRET_PATH, set(there), "a path that Vault lists")


def _consul_key(case: Case) -> Answer:
    listed = case.evidence.cluster.consul_keys
    return None if listed is None else _renamed(case, Kind.TEMPLATE_KEY, set(listed), "a key that Consul lists")


def _variable(case: Case) -> Answer:
    listed = case.evidence.cluster.variables
    return None if listed is None else _renamed(case, Kind.TEMPLATE_KEY, set(listed), "a variable that Nomad lists")


def _renamed(case: Case, kind: Kind, there: set[str], whose: str) -> Answer:
    """Every missing path under the one name that is there and spelt almost so."""
    edits: list[Edit] = []
    for path in _missing(case):
        standing = [(template, old) for template in all_templates(case) for old in _spellings(template, path)]
        if path in there or not standing:
            continue
        meant = near_path(path, there)
        if meant is None:
            several = near_misses(path, there)
            if len(several) > 1:
                return choose(f"{path} is not there", several)
            return None
        for template, old in standing:
            edits.append(Edit(kind, template.at, old.replace(path, meant), f"{whose}: {meant}", old=old))
    return fix(case, "a template reads what is not there under that name", edits)


def _spellings(template: Template, path: str) -> list[str]:
    return quoted(template.text, path)


def near_path(path: str, there: set[str]) -> str | None:
    """A typo of the whole, or of exactly one part of it: other parts are the same."""
    whole = near_miss(path, there)
    if whole is None:
        return None
    old, new = path.split("/"), whole.split("/")
    if len(old) != len(new):
        return whole if path.replace("/", "") == whole.replace("/", "") or near_miss(path, (whole,)) else None
    differing = [(left, right) for left, right in zip(old, new, strict=True) if left != right]
    return whole if len(differing) == 1 and near_miss(differing[0][0], (differing[0][1],)) else None


def _field_name(case: Case) -> Answer:
    """A field that is not in the secret or variable while one of almost that name is."""
    facts = case.diagnosis.facts
    field = facts.get("field", "")
    cluster = case.evidence.cluster
    destination = facts.get("destination", "")
    if not field:
        return None
    edits: list[Edit] = []
    for template in all_templates(case):
        if destination not in ("", template.at[2]):
            continue
        paths = reads(template, "secret") | reads(template, "nomadVar")
        if facts.get("path"):
            paths &= {facts["path"]}
        listed = [
            keys
            for path in paths
            if (keys := cluster.secret_keys.get(path) or cluster.variable_keys.get(path)) is not None
        ]
        if not listed or len(listed) != len(paths):
            continue
        there = {key for keys in listed for key in keys}
        meant = near_miss(field, there)
        if meant is None:
            several = near_misses(field, there)
            if len(several) > 1:
                return choose(f"{field} is not there", several)
            continue
        for old in dict.fromkeys(re.findall(rf"(?:\.\w+)*\.{re.escape(field)}\b", template.text)):
            edits += [
                Edit(Kind.TEMPLATE_KEY, template.at, right, f"a field that is there: {meant}", old=left)
                for left, right in swapped(template, old, old.removesuffix(field) + meant)
            ]
    return fix(case, f"what the template reads has no field {field}", edits)


_PATHS = (FailureClass.SECRET_MISSING, FailureClass.SECRET_FORBIDDEN)
_FIELDS = (FailureClass.SECRET_FIELD_MISSING, FailureClass.TEMPLATE_EXECUTION)
RULES = (
    Rule(name="kv-path-shape", classes=_PATHS, propose=_path_shape),
    Rule(name="kv-field-shape", classes=_FIELDS, propose=_field_shape),
    Rule(name="secret-path", classes=(FailureClass.SECRET_MISSING,), propose=_path_name),
    Rule(name="consul-key", classes=(FailureClass.CONSUL_KEY_MISSING,), propose=_consul_key),
    Rule(name="variable-path", classes=(FailureClass.VARIABLE_MISSING,), propose=_variable),
    Rule(name="template-field", classes=(FailureClass.SECRET_FIELD_MISSING,), propose=_field_name),
)
