"""Each Langfuse in turn: the double, and the real one of LANGFUSE_TEST_HOST."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.langfuse.langfuse_target import HOST, PUBLIC, SECRET, Target
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, langfuse_double


@pytest.fixture(params=["double", pytest.param("real", marks=pytest.mark.real)], scope="session")
def target(request: pytest.FixtureRequest, met: dict[str, str]) -> Iterator[Target]:
    if request.param == "double":
        with langfuse_double() as double:
            yield Target(double.address, PUBLIC_KEY, SECRET_KEY)
        return
    if not (HOST and PUBLIC and SECRET):
        pytest.skip(
            "prompts and scores on a real Langfuse (LANGFUSE_TEST_HOST, and a project's keys in "
            "LANGFUSE_TEST_PUBLIC_KEY and LANGFUSE_TEST_SECRET_KEY)"
        )
    met["Langfuse"] = HOST
    yield Target(HOST, PUBLIC, SECRET)
