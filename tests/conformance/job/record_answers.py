"""Asks a real Nomad (`NOMAD_TEST_ADDR`) every case and writes `answers.json`; run it after adding a case."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import yaml

HERE = Path(__file__).parent


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in sorted(value.items()) if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    found = {path.name: {"job": path.read_text(encoding="utf-8")} for path in sorted((HERE / "cases").iterdir())}
    found |= yaml.safe_load((HERE / "snippets.yaml").read_text(encoding="utf-8"))
    answers = {}
    with httpx.Client(base_url=os.environ["NOMAD_TEST_ADDR"], timeout=30) as client:
        for name, case in found.items():
            body = {"JobHCL": case["job"], "Variables": case.get("variables", ""), "Canonicalize": False}
            answer = client.post("/v1/jobs/parse", json=body)
            told = without_nulls(answer.json()) if answer.status_code == 200 else answer.text
            answers[name] = {"status": answer.status_code, "body": told}
    lines = [f"{json.dumps(name)}: {json.dumps(answer, sort_keys=True)}" for name, answer in answers.items()]
    (HERE / "answers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
