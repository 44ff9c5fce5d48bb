"""The endpoints that the model's client is held to: one that imitates llama.cpp, and a real one where there is one.

MODEL_TEST_BASE_URL names it (`http://127.0.0.1:8080/v1`), MODEL_TEST_API_KEY its key, MODEL_TEST_MODEL the model where
several are listed. What it says is of no matter here, only how: a model of random weights is as good.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from prompts.model.client import ModelClient
from tests.conformance.model.llama_like import llama_like
from tests.doubles.model_clients import wired

BASE_URL = os.environ.get("MODEL_TEST_BASE_URL", "")
_REAL = pytest.param(
    "real",
    marks=[
        pytest.mark.real,
        pytest.mark.xdist_group("real-model"),
        pytest.mark.skipif(not BASE_URL, reason="MODEL_TEST_BASE_URL is not set: no real model was asked"),
    ],
)


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint."""

    base_url: str
    key: str
    model: str
    seconds: float

    def client(self, *, seconds: float = 0.0) -> ModelClient:
        return wired(self.base_url, key=self.key, model=self.model, seconds=seconds or self.seconds, retries=0)


@pytest.fixture(params=["imitated", _REAL])
def target(request: pytest.FixtureRequest, met: dict[str, str]) -> Iterator[Target]:
    if request.param == "imitated":
        with llama_like() as endpoint:
            yield Target(endpoint.base_url, "", "", 5.0)
    else:
        key, model = os.environ.get("MODEL_TEST_API_KEY", ""), os.environ.get("MODEL_TEST_MODEL", "")
        met["model"] = f"{model or 'the only one listed'} at {BASE_URL}"
        yield Target(BASE_URL, key, model, 100.0)
