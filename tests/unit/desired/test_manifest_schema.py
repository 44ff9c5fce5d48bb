"""The JSON Schema for editors and the model that checks manifests say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from desired.manifest_file import read_manifests
from desired.manifest_schema import schema, schema_text
from desired.policy import Policy

ROOT = Path(__file__).resolve().parents[3]
KNOWN = {
    "$defs", "$ref", "$schema", "additionalProperties", "anyOf", "const", "default", "description", "enum", "items",
    "maxLength", "maximum", "minLength", "minimum", "oneOf", "pattern", "patternProperties", "properties",
    "propertyNames", "required", "title", "type",
}  # fmt: skip
TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def is_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def fits(value: Any, part: Any, root: dict[str, Any]) -> bool:
    """As much of JSON Schema as ours uses."""
    if isinstance(part, bool):
        return part
    assert part.keys() <= KNOWN, part.keys() - KNOWN
    if "$ref" in part and not fits(value, root["$defs"][part["$ref"].removeprefix("#/$defs/")], root):
        return False
    names = part.get("type", [])
    if names and not any(is_type(value, name) for name in ([names] if isinstance(names, str) else names)):
        return False
    if "const" in part and value != part["const"]:
        return False
    if "enum" in part and value not in part["enum"]:
        return False
    if "anyOf" in part and not any(fits(value, each, root) for each in part["anyOf"]):
        return False
    if "oneOf" in part and sum(fits(value, each, root) for each in part["oneOf"]) != 1:
        return False
    if isinstance(value, str):
        length = part.get("minLength", 0) <= len(value) <= part.get("maxLength", len(value))
        return length and re.search(part.get("pattern", ""), value) is not None
    if isinstance(value, int) and not isinstance(value, bool):
        return bool(part.get("minimum", value) <= value <= part.get("maximum", value))
    if isinstance(value, list):
        return all(fits(each, part.get("items", True), root) for each in value)
    if isinstance(value, dict):
        return fits_object(value, part, root)
    return True


def fits_object(value: dict[str, Any], part: dict[str, Any], root: dict[str, Any]) -> bool:
    if not set(part.get("required", ())) <= value.keys():
        return False
    for name, each in value.items():
        if not fits(name, part.get("propertyNames", True), root):
            return False
        inside = [part["properties"][name]] if name in part.get("properties", {}) else []
        inside += [inner for pattern, inner in part.get("patternProperties", {}).items() if re.search(pattern, name)]
        if not all(fits(each, inner, root) for inner in inside or [part.get("additionalProperties", True)]):
            return False
    return True


def app(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "web"}
    return {"apiVersion": "nomad-operator/v1", "kind": "App", "metadata": metadata, "spec": {"image": "a:1", **spec}}


VALID = [
    app(),
    app(count=3, type="batch", datacenters=["dc1"]),
    app(ports={"http": {"to": 80}}, check={"path": "/up", "interval": "5s"}, routes=[{"host": "a.b", "path": "/x"}]),
    app(ports={"dns": {"to": 53}}, check={"disable": True, "port": "dns"}),
    app(ports={"http": {"to": 80}}, check={"disable": False, "path": "/up"}),
    app(ports={"http": {"to": 80}}, check={"path": "/up", "protocol": "https"}),
    app(env={"A": {"fixed": 1}, "B": {"consul": "a/b"}, "C": {"vault": "a/b#c"}, "D": {"nomad": "a/b#c"}}),
    app(volumes=[{"csi": "x", "mount": "/x"}, {"host": "y", "mount": "/y", "readOnly": True}]),
    app(drift="warn"),
    app(drift={"mode": "correct", "ignore": ["count"]}),
    app(repair={"mode": "off", "maxAttempts": 1, "limits": {"memory": 10}}, verify={"soak": "1m30s"}),
    app(dependsOn=["a", "b/c"], suspend=True, prune=False, onFailure="hold", count=None),
    app(image=None, jobFile="x.nomad.hcl", variables={"a": [1, {"b": None}]}),
    app(source={"path": "."}, dockerfile="Dockerfile", prompt="two of it", resources={"memoryMax": 3}),
    app(command="sh", args=["-c", ""], job={"priority": 80}),
]
INVALID = [
    {},
    [],
    {**app(), "kind": "Ap"},
    {**app(), "apiVersion": "nomad-operator/v2"},
    {**app(), "metadata": {"name": "a b"}},
    {**app(), "metadata": {"namespace": "x"}},
    {**app(), "metadata": {"name": "a", "namespace": "a_b"}},
    {**app(), "more": 1},
    {**app(), "spec": {}},
    app(imge="x"),
    app(count="2"),
    app(count=True),
    app(count=-1),
    app(type="job"),
    app(image="a b"),
    app(args="x"),
    app(ports={"a b": {"to": 1}}),
    app(ports={"a": {"to": 65536}}),
    app(ports={"a": 80}),
    app(ports={"a": {"to": 1}}, check={"disable": "yes"}),
    app(ports={"a": {"to": 1}}, check={"disable": True, "path": "/up"}),
    app(ports={"a": {"to": 1}}, check={"disable": True, "interval": "5s"}),
    app(ports={"a": {"to": 1}}, check={"path": "/up", "protocol": "grpc"}),
    app(ports={"a": {"to": 1}}, check={"protocol": "https"}),
    app(env={"A-B": {"fixed": "x"}}),
    app(env={"A": {}}),
    app(env={"A": {"fixed": "x", "consul": "y"}}),
    app(env={"A": {"fixed": ["x"]}}),
    app(env={"A": {"vault": "no-field"}}),
    app(volumes=[{"mount": "/x"}]),
    app(volumes=[{"csi": "a", "host": "b", "mount": "/x"}]),
    app(volumes=[{"csi": "a", "mount": "x"}]),
    app(drift="never"),
    app(drift={"mode": "never"}),
    app(repair={"limits": {"disk": 1}}),
    app(verify={"soak": 60}),
    app(verify={"soak": "60"}),
    app(suspend="no"),
    app(onFailure="undo"),
    app(dependsOn=["a b"]),
    app(resources={"memory": 0}),
]


def accepted(document: Any) -> bool:
    text = json.dumps(document)
    if "nomad-operator/" not in text:
        return False
    read = read_manifests(text, "a.json", defaults=Policy(), namespace="default")
    return bool(read.manifests) and not read.unreadable


@pytest.mark.parametrize("document", VALID, ids=json.dumps)
def test_what_the_model_accepts_fits_the_schema(document: Any) -> None:
    assert accepted(document)
    assert fits(document, schema(), schema())


@pytest.mark.parametrize("document", INVALID, ids=json.dumps)
def test_what_the_model_refuses_does_not_fit_the_schema(document: Any) -> None:
    assert not accepted(document)
    assert not fits(document, schema(), schema())


def test_the_schema_in_the_documents_is_the_one_of_the_model() -> None:
    """`python -m desired.manifest_schema > docs/app.schema.json` writes it."""
    assert (ROOT / "docs" / "app.schema.json").read_text(encoding="utf-8") == schema_text()


def test_every_block_of_the_schema_is_closed_and_described() -> None:
    for name, block in schema()["$defs"].items():
        assert block["additionalProperties"] is False, name
        assert block["description"], name
