"""Settings classes of pydantic: each field is a variable, by the class's prefix and the field's aliases.

Classes build on each other across files, so that a file only gives what it says of them; `variables` puts it together.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from desired.facts.app_code.python_syntax import Module, keyword
from desired.facts.app_code.seen import LIKELY, EnvSeen

_ROOT = "BaseSettings"
_NO_SETTINGS = frozenset(("BaseModel", "Enum", "StrEnum", "Protocol", "Exception", "Model", "TestCase", "object"))
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class SettingsClass:
    """One class that may be settings. `prefix` is None where the class leaves it to its bases.

    `fields` have the variable's name without the prefix; those with an alias are `whole`.
    """

    name: str
    bases: tuple[str, ...]
    prefix: str | None
    fields: tuple[tuple[EnvSeen, bool], ...]


def settings_classes(module: Module) -> Iterator[SettingsClass]:
    """The classes of a file that may come down from settings; whether they do, only all files together tell."""
    first = any(name == _ROOT and full == f"pydantic.{_ROOT}" for name, full in module.imported.items())
    own = {node.name for node in module.nodes if isinstance(node, ast.ClassDef)}
    for node in module.nodes:
        if isinstance(node, ast.ClassDef):
            bases = tuple(name for base in node.bases if (name := module.called(base).rpartition(".")[2]))
            if any(base not in _NO_SETTINGS for base in bases):
                sensitive = _option(module, node, "case_sensitive") is True
                fields = tuple(_fields(module, node, own, old=first, sensitive=sensitive))
                prefix = _option(module, node, "env_prefix")
                yield SettingsClass(node.name, bases, prefix if isinstance(prefix, str) else None, fields)


def variables(classes: Mapping[str, SettingsClass]) -> Iterator[EnvSeen]:
    """The variables of every class that comes down from pydantic's BaseSettings."""
    for found in classes.values():
        if _is_settings(found, classes, 0):
            prefix = _prefix(found, classes, 0)
            for field, whole in found.fields:
                yield field if whole else replace(field, name=prefix + field.name)


def _is_settings(found: SettingsClass, classes: Mapping[str, SettingsClass], depth: int) -> bool:
    return depth < _DEEPEST and any(
        base == _ROOT or (base in classes and _is_settings(classes[base], classes, depth + 1)) for base in found.bases
    )


def _prefix(found: SettingsClass, classes: Mapping[str, SettingsClass], depth: int) -> str:
    if found.prefix is not None:
        return found.prefix
    for base in found.bases:
        if base in classes and depth < _DEEPEST:
            return _prefix(classes[base], classes, depth + 1)
    return ""


def _option(module: Module, node: ast.ClassDef, name: str) -> str | int | float | bool | None:
    """A setting of `model_config = SettingsConfigDict(…)`, a dict, or the older `class Config`."""
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="model_config")], value=ast.Call() as call):
                return module.constant(keyword(call, name))
            case ast.Assign(targets=[ast.Name(id="model_config")], value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == name:
                        return module.constant(value)
            case ast.ClassDef(name="Config", body=body):
                for line in body:
                    match line:
                        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                            return module.constant(value)
    return None


def _fields(
    module: Module, node: ast.ClassDef, own: set[str], *, old: bool, sensitive: bool
) -> Iterator[tuple[EnvSeen, bool]]:
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        name = statement.target.id
        kind = ast.unparse(statement.annotation) if _small(statement.annotation) else ""
        if name.startswith("_") or name == "model_config" or "ClassVar" in kind or kind.strip("'\"") in own:
            continue
        alias, default, given = _value(module, statement.value)
        optional = old and ("Optional" in kind or "None" in kind)
        text = None if default is None else module.constant(default)
        shown = None if text is None else str(text)
        variable = alias or (name if sensitive else name.upper())
        required = not given and not optional
        place = module.place(statement)
        yield EnvSeen(variable, place, required, shown, given and default is not None, confidence=LIKELY), bool(alias)


def _small(node: ast.expr) -> bool:
    """Whether an annotation is of the length that people write: unparsing recurses."""
    return all(number <= 60 for number, _ in enumerate(ast.walk(node)))


def _value(module: Module, value: ast.expr | None) -> tuple[str | None, ast.expr | None, bool]:
    """The variable's own name if the field has one, its default, and whether it has a default at all."""
    if value is None or (isinstance(value, ast.Constant) and value.value is ...):
        return None, None, False
    if not (isinstance(value, ast.Call) and module.called(value.func).rpartition(".")[2] == "Field"):
        return None, _unless_none(value), True
    alias = next((text for key in ("validation_alias", "alias", "env") if (text := _alias(module, value, key))), None)
    default = keyword(value, "default") or (value.args[0] if value.args else None)
    if default is None:
        return alias, None, keyword(value, "default_factory") is not None
    if isinstance(default, ast.Constant) and default.value is ...:
        return alias, None, False
    return alias, _unless_none(default), True


def _unless_none(value: ast.expr) -> ast.expr | None:
    return None if isinstance(value, ast.Constant) and value.value is None else value


def _alias(module: Module, call: ast.Call, key: str) -> str | None:
    """A field's own variable; of several choices the first."""
    value = keyword(call, key)
    if isinstance(value, ast.Call) and module.called(value.func).endswith("AliasChoices") and value.args:
        value = value.args[0]
    if isinstance(value, ast.List | ast.Tuple) and value.elts:
        value = value.elts[0]
    return module.text(value)
