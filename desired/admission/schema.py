"""The rule file as a JSON Schema, for editors. `python -m desired.admission.schema` prints it."""

from __future__ import annotations

import json
from typing import Any

from desired.admission.rules import PolicyFile
from desired.manifest_schema import DIALECT, tidied


def schema() -> dict[str, Any]:
    """A fresh copy, for the caller to keep."""
    made = tidied(PolicyFile.model_json_schema(by_alias=True, mode="validation"))
    return {"$schema": DIALECT, "title": "nomad-operator Policy", **made}


def schema_text() -> str:
    """As it is written to a file: the same model, the same bytes."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
