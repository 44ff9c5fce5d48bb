"""Everything a test of the real process needs: a Nomad, a repository, a proxy between, and operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.nomad_side import NomadSide
from tests.e2e.nomads import NOMADS, nomad_side
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.proxy import Proxy
from tests.integration.git.git_world import Upstream


@pytest.fixture(params=NOMADS)
def nomad(request: pytest.FixtureRequest) -> Iterator[NomadSide]:
    """Each Nomad in turn; the test's jobs are gone afterwards."""
    with nomad_side(request.param) as side:
        yield side


@pytest.fixture
def proxy(nomad: NomadSide) -> Iterator[Proxy]:
    """Stands between the operators and Nomad; what people do by hand goes past it."""
    proxy = Proxy(nomad.address)
    yield proxy
    proxy.down()


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """The repository; apps are in its folder `apps`."""
    made = Upstream(tmp_path / "upstream")
    made.commit({"apps/README.md": "apps"})
    return made


Start = Callable[..., OperatorProcess]


@pytest.fixture
def operator(tmp_path: Path, proxy: Proxy, upstream: Upstream) -> Iterator[Start]:
    """Makes operators; keyword arguments are settings by their short names. None outlives the test."""
    made: list[OperatorProcess] = []

    def make(*, folder: str = "operator", **settings: str) -> OperatorProcess:
        one = OperatorProcess(
            folder=tmp_path / folder,
            nomad=proxy.address,
            git_url=f"file://{upstream.folder}",
            **{"GIT_PATH": "apps", **settings},
        )
        made.append(one)
        return one

    yield make
    for one in made:
        one.end()
    for one in made:
        told = "".join(one.lines)
        assert "by a bug" not in told, told
        assert "Traceback" not in told, told
