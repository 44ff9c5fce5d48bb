"""The manifest as a JSON Schema, for editors: the model's own, with the rules between fields that a schema can say.

`python -m desired.manifest_schema` prints it.
"""

from __future__ import annotations

import json
from typing import Any

from desired.job.duration import format_duration
from desired.manifest import App, Check
from desired.manifest_rules import WITH_A_CHECK

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """A fresh copy, for the caller to keep."""
    made = tidied(App.model_json_schema(by_alias=True, mode="validation"))
    assert isinstance(made, dict)
    blocks = made["$defs"]
    blocks["AppSpec"]["anyOf"] = [{"required": ["image"]}, {"required": ["jobFile"]}]
    blocks["EnvValue"]["oneOf"] = [{"required": [name]} for name in blocks["EnvValue"]["properties"]]
    blocks["Volume"]["oneOf"] = [{"required": ["csi"]}, {"required": ["host"]}]
    nothing_else = dict.fromkeys(WITH_A_CHECK, False)
    blocks["Check"]["oneOf"] = [
        {"properties": {"disable": {"const": False}}},
        {"properties": {"disable": {"const": True}, **nothing_else}, "required": ["disable"]},
    ]
    blocks["Check"]["anyOf"] = [{"properties": {"protocol": False}}, {"required": ["path"]}]
    for name in ("interval", "timeout"):
        seconds = Check.model_fields[name].default.total_seconds()
        blocks["Check"]["properties"][name]["default"] = format_duration(int(seconds * 1e9))
    return {"$schema": DIALECT, "title": "nomad-operator App", **made}


def schema_text() -> str:
    """The schema as it is written to a file: the same model, the same bytes."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def tidied(part: Any) -> Any:
    """Without titles made from names and defaults that say nothing, and closed where only keys of a pattern may be."""
    if isinstance(part, list):
        return [tidied(each) for each in part]
    if not isinstance(part, dict):
        return part
    made: dict[str, Any] = {}
    for key, value in part.items():
        if key == "properties":
            made[key] = {name: tidied(each) for name, each in value.items()}
        elif not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None):
            made[key] = tidied(value)
    if "patternProperties" in made:
        made["additionalProperties"] = False
    return made


if __name__ == "__main__":
    print(schema_text(), end="")
