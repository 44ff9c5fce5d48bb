"""Where the job language's cases are, and the real server that they may be asked of."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def texts() -> dict[str, dict[str, str]]:
    """Every case by name: `job` and, where there is one, `variables`."""
    found = {path.name: {"job": path.read_text(encoding="utf-8")} for path in sorted((HERE / "cases").iterdir())}
    return found | yaml.safe_load((HERE / "snippets.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def answers() -> dict[str, Any]:
    """What a real Nomad 2.0.5 answered to each case, without nulls; made by `record_answers.py`."""
    return json.loads((HERE / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def ask() -> Iterator[Callable[[str, str], tuple[int, Any]]]:
    """A real server's parser: text and variables to status and body, not canonicalized."""
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("NOMAD_TEST_ADDR is not set: no real Nomad to ask")
    with httpx.Client(base_url=address, timeout=30) as client:

        def parse(text: str, variables: str = "") -> tuple[int, Any]:
            body = {"JobHCL": text, "Variables": variables, "Canonicalize": False}
            answer = client.post("/v1/jobs/parse", json=body)
            return answer.status_code, answer.json() if answer.status_code == 200 else answer.text

        yield parse
