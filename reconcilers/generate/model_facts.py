"""The extractor `model`: what rules found nothing about, with the line that says so. Of the lowest priority.

Only gaps are asked for, and only what a shown file says word for word is taken; how sure it may be is capped, so that
it is a suggestion everywhere and nobody's decision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from desired.errors import OperatorError
from desired.facts.analyze import Analysis, Analyzed
from desired.facts.codebase import Codebase
from desired.facts.fact import Fact, Place
from desired.facts.facts import EnvUse, Facts, HealthFact, PortFact, WorkKind
from desired.facts.merge import merged
from desired.facts.withheld import withheld
from prompts.catalog import Prompts
from prompts.model.question import Model, Question
from reconcilers.generate.cited import cited, cited_size
from reconcilers.generate.excerpts import Excerpts, Redact, excerpts

NAME = "model"
PRIORITY = 0.3
# Below what is taken without asking.
MOST_SURE = 0.5
_SURENESS = {"low": 0.2, "medium": 0.35, "high": MOST_SURE}
_MOST_VARIABLES = 30
_VARIABLE = "^[A-Za-z_][A-Za-z0-9_]{0,100}$"


@dataclass(frozen=True, slots=True)
class _Gap:
    """One kind of fact that a model may be asked for."""

    missing: Callable[[Facts], bool]
    value: Mapping[str, Any]  # its JSON schema
    meaning: str


_GAPS: Mapping[str, _Gap] = {
    "port": _Gap(lambda f: not f.ports, {"type": "integer", "minimum": 1, "maximum": 65535}, "the port it listens on"),
    "health_path": _Gap(
        lambda f: f.health is None,
        {"type": "string", "pattern": "^/[A-Za-z0-9/_.-]*$", "maxLength": 120},
        "the HTTP path that answers when it is healthy",
    ),
    "memory_mb": _Gap(
        lambda f: f.memory is None or f.memory.place is None,
        {"type": "integer", "minimum": 16, "maximum": 1_048_576},
        "the memory in MB that its own words say it needs",
    ),
    "schedule": _Gap(
        lambda f: f.schedule is None,
        {"type": "string", "pattern": r"^[0-9*/,A-Za-z-]+( [0-9*/,A-Za-z?#-]+){4}$", "maxLength": 60},
        "the cron expression by which it is run, where it is no service",
    ),
    "framework": _Gap(
        lambda f: f.framework is None, {"type": "string", "pattern": "^[A-Za-z0-9 .+#-]+$", "maxLength": 40},
        "the framework it is written with",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Never raises for a model that is away or talks nonsense: `told` hears it, and the facts stay as they are."""

    model: Model
    prompts: Prompts
    redact: Redact
    told: Callable[[OperatorError], None] = lambda error: None
    purse: str = ""

    async def fill(self, analysis: Analysis, codebase: Codebase) -> Analysis:
        """The same analysis with the gaps of its apps filled as far as the model can cite them. One question an app."""
        apps = [await self.filled(one, codebase) if one.component.code else one for one in analysis.apps]
        return replace(analysis, apps=tuple(apps))

    async def filled(self, one: Analyzed, codebase: Codebase) -> Analyzed:
        """One of them."""
        shown = await asyncio.to_thread(excerpts, codebase, one.component, redact=self.redact)
        asked = {name: gap for name, gap in _GAPS.items() if gap.missing(one.facts)}
        if not shown.lines:
            return one
        try:
            prompt = await self.prompts.chosen("facts", by=one.component.name)
            reply = await self.model.ask(
                Question(
                    messages=prompt.messages({
                        "app": one.component.name,
                        "wanted": "\n".join(f"- {name}: {gap.meaning}" for name, gap in asked.items()),
                        "known": ", ".join(sorted(one.facts.env_uses)) or "none",
                        "files": shown.text,
                    }),
                    schema_name="facts", schema=_schema(asked, shown), settings=prompt.settings, prompt=prompt.version,
                    purse=self.purse, app=one.component.name,
                )
            )  # fmt: skip
        except OperatorError as error:
            self.told(error)
            return one
        found, _ = withheld(_read(reply.value, asked, shown, one.facts))
        return replace(one, facts=merged([(1.0, one.facts), (PRIORITY, found)]))


def _schema(asked: Mapping[str, _Gap], shown: Excerpts) -> dict[str, Any]:
    """Nothing can be answered that was not asked for, and no file be cited that was not shown."""
    place = {
        "path": {"type": "string", "enum": sorted(shown.lines)},
        "line": {"type": "integer", "minimum": 1},
        "confidence": {"type": "string", "enum": list(_SURENESS)},
    }
    gaps = {name: {"anyOf": [{"type": "null"}, _object({"value": gap.value, **place})]} for name, gap in asked.items()}
    variable = {"name": {"type": "string", "pattern": _VARIABLE}, "required": {"type": "boolean"}, **place}
    variables = {"type": "array", "items": _object(variable), "maxItems": _MOST_VARIABLES}
    return _object({**gaps, "variables": variables})


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def _read(answer: Mapping[str, Any], asked: Mapping[str, _Gap], shown: Excerpts, facts: Facts) -> Facts:
    made = Facts()
    for name in asked:
        one = answer.get(name)
        if one is None:
            continue
        value = one["value"]
        place = (
            cited_size(shown.lines, one["path"], one["line"], value)
            if name == "memory_mb"
            else cited(shown.lines, one["path"], one["line"], str(value))
        )
        if place is not None:
            made = _with(made, name, value, one["confidence"], place)
    uses = {
        one["name"]: _fact(EnvUse(one["required"]), one["confidence"], place)
        for one in answer["variables"]
        if one["name"] not in facts.env_uses
        and one["name"] not in facts.env
        and (place := cited(shown.lines, one["path"], one["line"], one["name"])) is not None
    }
    return replace(made, env_uses=uses)


def _with(facts: Facts, name: str, value: Any, confidence: str, place: Place) -> Facts:
    match name:
        case "port":
            return replace(facts, ports={value: _fact(PortFact(value), confidence, place)})
        case "health_path":
            return replace(facts, health=_fact(HealthFact(path=value), confidence, place))
        case "memory_mb":
            return replace(facts, memory=_fact(value, confidence, place))
        case "schedule":
            kind = _fact(WorkKind.PERIODIC, confidence, place)
            return replace(facts, schedule=_fact(value, confidence, place), kind=kind)
    return replace(facts, framework=_fact(value, confidence, place))


def _fact(value: Any, confidence: str, place: Place) -> Fact[Any]:
    return Fact(value, NAME, _SURENESS[confidence], place)
