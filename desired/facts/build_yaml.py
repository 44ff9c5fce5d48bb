"""The extractor `build_yaml`: a file that says outright how the app is built and run.

`image_name`, `registry_url`, `image_tags` and `resource_limits` stand at the root; its `test` section holds
`vault_policies`, `vault_secrets`, `env`, `gpu_required` and `constraints`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from desired.facts.amounts import megabytes, megahertz
from desired.facts.codebase import Codebase, Component
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact
from desired.facts.facts import ConstraintFact, Facts, SecretRef
from desired.facts.image_name import image_parts
from desired.facts.located import Located, read_located
from desired.facts.possible_secret import may_be_secret
from desired.facts.read_once import path_set
from desired.problem import Problem
from desired.yaml_document import Node

T = TypeVar("T")
NAME = "build_yaml"
PRIORITY = 0.95
_NAMES = ("build.yaml", "build.yml")
_TEST_KEYS = ("vault_policies", "vault_secrets", "env", "gpu_required", "constraints")
_KEYS = ("image_name", "registry_url", "image_tags", "resource_limits", "gpu_required", "test")
_EMPTY = Node({}, 1, 0, 1)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,250}(?::[0-9]{1,5})?(?:/[a-z0-9._/-]{1,250})?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,200}")
_CONSTRAINT = re.compile(
    r"\s*(?P<attribute>\S+)\s+(?P<operator>=|==|!=|>=|<=|>|<|regexp|version|semver)\s+(?P<value>.+?)\s*"
)
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?")
# A number of cores is small, a number of MHz is not: nothing between is either.
_MOST_CORES = 64
_MOST_GPUS = 64
_LONGEST = 4_000
_SHOWN = 60


def extract(codebase: Codebase, component: Component) -> Extraction:
    if not component.code:
        return Extraction()
    path = _path(codebase, component)
    if path is None:
        return Extraction()
    text = codebase.text(path)
    if text is None:
        return Extraction(warnings=(Problem(path, message="cannot be read as text"),))
    root, problems = read_located(text, path)
    warnings = list(problems)
    if root is None or not isinstance(root.value, Mapping):
        return Extraction(warnings=tuple(warnings) or (Problem(path, message="holds no mapping"),))
    reading = _Reading(path, warnings)
    test = root.get("test")
    if test is not None and not isinstance(test.value, Mapping):
        warnings.append(Problem(path, test.line, message="test holds no mapping"))
        test = None
    reading.misspelt(root, _KEYS)
    reading.misspelt(test or Located(_EMPTY, path), _TEST_KEYS, "test.")
    facts = reading.facts(root, test or Located(_EMPTY, path))
    return Extraction(facts, tuple(reading.warnings))


def _path(codebase: Codebase, component: Component) -> str | None:
    paths = path_set(codebase)
    # Of several services each has its own; the root's is about what is built there.
    folders = dict.fromkeys((component.root, component.root if component.service else ""))
    return next(
        (one for folder in folders for name in _NAMES if (one := f"{folder}/{name}" if folder else name) in paths), None
    )


@dataclass(slots=True)
class _Reading:
    path: str
    warnings: list[Problem] = field(default_factory=list)

    def facts(self, root: Located, test: Located) -> Facts:
        registry, name, tag = self._image(root)
        limits = root.get("resource_limits")
        sizes = {} if limits is None else dict(self._sizes(limits))
        env, hidden = self._environment(test.get("env"))
        constraints = list(self._constraints(test.get("constraints")))
        return Facts(
            name=name,
            registry=registry,
            image_name=name,
            image_tag=tag,
            cpu=sizes.get("cpu"),
            memory=sizes.get("memory"),
            memory_max=sizes.get("memory_max"),
            disk=sizes.get("disk"),
            gpu=self._gpu(test.get("gpu_required") or root.get("gpu_required")),
            vault_policies=self._policies(test.get("vault_policies")),
            env=env,
            secrets=dict(self._secrets(test.get("vault_secrets"))),
            secret_literals=hidden,
            constraints={fact.value: fact for fact in constraints},
        )

    def _odd(self, part: Located, message: str, hint: str = "") -> None:
        self.warnings.append(Problem(self.path, part.line, message=message, hint=hint))

    def misspelt(self, block: Located, keys: tuple[str, ...], within: str = "") -> None:
        """Other tools have a file of this name as well: without any key of ours only what is nearly one is told."""
        ours = any(key in keys for key, _ in block.items())
        for key, part in block.items():
            meant = get_close_matches(key, keys, n=1, cutoff=0.75)
            if key not in keys and (ours or meant):
                hint = f"{within}{meant[0]} may be meant" if meant else f"it has {', '.join(keys)}"
                self._odd(part, f"{within}{key[:_SHOWN]} is not known", hint)

    def _image(self, root: Located) -> tuple[Fact[str] | None, Fact[str] | None, Fact[str] | None]:
        """A whole name of an image may stand as `image_name`: its parts count where nothing else says them."""
        name, address, tags = (root.get(key) for key in ("image_name", "registry_url", "image_tags"))
        parts = image_parts(name.text) if name is not None else None
        if name is not None and parts is None:
            self._odd(name, "image_name is no name of an image")
        host = re.sub(r"^https?://", "", address.text.strip()).strip("/") if address is not None else ""
        if address is not None and _HOST.fullmatch(host) is None:
            self._odd(address, "registry_url is no address of a registry", "host:port, without a user or a password")
            host = ""
        listed = [] if tags is None else [one for one in tags.as_list() if re.fullmatch(r"[\w.-]{1,128}", one.text)]
        if tags is not None and not listed:
            self._odd(tags, "image_tags names no tag")
        registry = _fact(host, address) if address is not None and host else None
        tag = _fact(listed[0].text, listed[0]) if listed else None
        if name is None or parts is None:
            return registry, None, tag
        if registry is None and parts[0]:
            registry = _fact(parts[0], name)
        if tag is None and parts[2]:
            tag = _fact(parts[2], name)
        return registry, _fact(parts[1], name), tag

    def _sizes(self, limits: Located) -> Iterator[tuple[str, Fact[int]]]:
        for key, part in limits.items():
            if part.value is None:
                continue
            name = {"cpus": "cpu", "mem": "memory", "memory_limit": "memory", "ram": "memory"}.get(key, key)
            amount = _cpu(part.value) if name == "cpu" else _megabytes(part.value)
            if name not in ("cpu", "memory", "memory_max", "disk"):
                self._odd(part, f"resource_limits has no {key}", "cpu (MHz), memory, memory_max and disk (MB)")
            elif amount is None:
                self._odd(part, f"resource_limits.{key} is no amount")
            else:
                yield name, _fact(amount, part)

    def _policies(self, part: Located | None) -> Fact[tuple[str, ...]] | None:
        if part is None:
            return None
        names = tuple(one.text for one in part.as_list() if re.fullmatch(r"[\w./-]{1,128}", one.text))
        if not names or len(names) < len(part.as_list()):
            self._odd(part, "vault_policies holds something that is no name of a policy")
        return _fact(names, part) if names else None

    def _gpu(self, part: Located | None) -> Fact[int] | None:
        if part is None:
            return None
        if isinstance(part.value, bool):
            return _fact(int(part.value), part)
        if part.text.lower() in ("yes", "no", "true", "false", "on", "off"):
            return _fact(int(part.text.lower() in ("yes", "true", "on")), part)
        if re.fullmatch(r"[0-9]{1,2}", part.text) and int(part.text) <= _MOST_GPUS:
            return _fact(int(part.text), part)
        self._odd(part, "gpu_required is neither true, false nor a number of GPUs")
        return None

    def _environment(self, block: Located | None) -> tuple[dict[str, Fact[str]], dict[str, Fact[str]]]:
        shown: dict[str, Fact[str]] = {}
        hidden: dict[str, Fact[str]] = {}
        for name, text, part in _pairs(block):
            if not _VARIABLE.fullmatch(name):
                self._odd(part, "test.env holds a name that no variable can have")
            elif isinstance(part.value, Mapping | list) or len(text) > _LONGEST:
                self._odd(part, "test.env holds something that is no value of a variable")
            elif may_be_secret(name, text):
                hidden[name] = _fact(name, part)
            else:
                shown[name] = _fact(text, part)
        return shown, hidden

    def _secrets(self, block: Located | None) -> Iterator[tuple[str, Fact[SecretRef]]]:
        """A list of paths with their fields, or a mapping: of variables to `path#field`, or of paths to fields."""
        if block is None:
            return
        if isinstance(block.value, Mapping):
            for name, part in block.items():
                path, mark, key = part.text.partition("#")
                if mark and _VARIABLE.fullmatch(name):
                    yield name, _fact(SecretRef(_api_path(path), key), part)
                else:
                    yield from self._fields(name, part)
            return
        for entry in block.as_list():
            path_part = entry.get("path")
            fields = next((one for key in ("fields", "keys", "mappings", "env") if (one := entry.get(key))), None)
            if path_part is None or fields is None:
                self._odd(
                    entry, "an entry of vault_secrets has no path, or no fields", "path: …, fields: {VARIABLE: field}"
                )
            else:
                yield from self._fields(path_part.text, fields)

    def _fields(self, path: str, fields: Located) -> Iterator[tuple[str, Fact[SecretRef]]]:
        if not fields.value or not isinstance(fields.value, Mapping | list):
            self._odd(fields, "vault_secrets says no field", "fields: {VARIABLE: field}")
        for name, part in fields.items():
            # In a list the field is the variable's name in small letters.
            variable, key = (name, part.text) if isinstance(fields.value, Mapping) else (part.text, part.text.lower())
            if key and _VARIABLE.fullmatch(variable):
                yield variable, _fact(SecretRef(_api_path(path), key), part)
            else:
                self._odd(part, "an entry of vault_secrets is not VARIABLE: field")

    def _constraints(self, block: Located | None) -> Iterator[Fact[ConstraintFact]]:
        for part in () if block is None else _entries(block):
            made = _constraint(part)
            if made is None:
                self._odd(part, "a constraint is neither attribute, operator and value nor `attribute = value`")
            else:
                yield _fact(made, part)


def _entries(block: Located) -> Iterator[Located]:
    if isinstance(block.value, Mapping) and "attribute" not in block.value:
        yield from (part for _, part in block.items())
    else:
        yield from block.as_list()


def _constraint(part: Located) -> ConstraintFact | None:
    if isinstance(part.value, Mapping):
        attribute, operator, value = (part.get(key) for key in ("attribute", "operator", "value"))
        if attribute is None or value is None or not attribute.text or not value.text:
            return None
        return ConstraintFact(_attribute(attribute.text), operator.text if operator is not None else "=", value.text)
    if len(part.text) > _LONGEST:
        return None
    found = _CONSTRAINT.fullmatch(part.text)
    return None if found is None else ConstraintFact(_attribute(found["attribute"]), found["operator"], found["value"])


def _attribute(text: str) -> str:
    return text if text.startswith("${") else f"${{{text}}}"


def _pairs(block: Located | None) -> Iterator[tuple[str, str, Located]]:
    """A mapping, or a list of `NAME=value`."""
    for name, part in () if block is None else block.items():
        if block is not None and isinstance(block.value, list):
            left, _, text = part.text.partition("=")
            yield left, text, part
        else:
            yield name, part.text, part


def _number(value: Any) -> float | None:
    """A number, in quotes or not."""
    text = "" if isinstance(value, bool) else str(getattr(value, "written", value)).strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _cpu(value: Any) -> int | None:
    """MHz as they are; a small number is one of cores."""
    said = value.strip().lower() if isinstance(value, str) else ""
    number = _number(said.removesuffix("mhz")) if said else _number(value)
    if number is not None and (number > _MOST_CORES or said.endswith("mhz")):
        return round(number) if 1 <= number < 1_000_000 else None
    return megahertz(getattr(value, "written", value))


def _megabytes(value: Any) -> int | None:
    """MB as they are; a number that would be a terabyte of them is one of bytes."""
    number = _number(value)
    if number is not None:
        return round(number) if 1 <= number < 1024**2 else megabytes(round(number))
    return megabytes(value)


def _api_path(path: str) -> str:
    return path.strip().strip("/").removeprefix("v1/")


def _fact(value: T, part: Located) -> Fact[T]:
    return part.fact(value, NAME, PRIORITY)


extractor = Extractor(NAME, PRIORITY, extract)
