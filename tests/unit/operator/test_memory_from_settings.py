"""Which memory the settings mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from desired.errors import Unavailable, UsageError
from nomad_operator import memory_from_settings
from nomad_operator.log import Outages
from nomad_operator.memory_from_settings import cluster, embedding, heard, place, tell_missing
from nomad_operator.metrics import Metrics
from nomad_operator.settings import Memory, Settings
from nomad_operator.settings_load import load
from observers.running import Agent
from prompts.memory.endpoint_embedding import EndpointEmbedding
from prompts.memory.hashing import Hashing
from prompts.memory.place import Folder, Server

STATE = "sqlite:///var/lib/operator/state.db"
URL = "http://qdrant:6333"
HERE = Folder(Path("/var/lib/operator/memory/qdrant"))


@pytest.mark.parametrize(
    ("memory", "url", "installed", "expected"),
    [
        (Memory.AUTO, None, True, HERE),
        (Memory.AUTO, URL, True, Server(URL, "key")),
        (Memory.AUTO, None, False, None),
        (Memory.AUTO, URL, False, None),
        (Memory.LOCAL, URL, True, HERE),
        (Memory.LOCAL, None, False, HERE),  # asked for: that it cannot be opened is told
        (Memory.SERVER, URL, False, Server(URL, "key")),
        (Memory.OFF, URL, True, None),
    ],
)
def test_where_it_is_kept(
    memory: Memory, url: str | None, installed: bool, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_from_settings, "installed", lambda: installed)
    settings = Settings(memory=memory, qdrant_url=url, qdrant_api_key=SecretStr("key"), state_url=STATE)
    assert place(settings) == expected


def test_a_key_is_never_shown() -> None:
    assert "key" not in repr(Server(URL, "key"))


def test_a_server_without_an_address_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOMAD_OPERATOR_MEMORY", "Server")
    with pytest.raises(UsageError, match="QDRANT_URL is not set"):
        load(env_file=None)


def test_texts_are_compared_by_their_words_unless_a_model_is_named() -> None:
    assert isinstance(embedding(Settings()), Hashing)
    named = embedding(Settings(embedding_model="bge-m3", openai_base_url="http://vllm/v1"))
    assert isinstance(named, EndpointEmbedding) and named.name == "bge-m3"


class Nomad:
    def __init__(self, *answers: Agent | Unavailable) -> None:
        self._answers = list(answers)

    async def agent(self) -> Agent:
        answer = self._answers.pop(0)
        if isinstance(answer, Unavailable):
            raise answer
        return answer


AGENT = Agent(version="2.0.5", region="eu", acl_enabled=True)
MUTE = Agent(version="", region="", acl_enabled=True)


@pytest.mark.parametrize(
    ("settings", "agent", "name"),
    [
        (Settings(cluster_id="shop", nomad_region="us"), AGENT, "shop"),
        (Settings(nomad_region="us"), AGENT, "us"),
        (Settings(), AGENT, "eu"),
        (Settings(), MUTE, "global"),  # a token that may not read the agent
    ],
)
async def test_what_the_cluster_is_called(settings: Settings, agent: Agent, name: str) -> None:
    assert (await cluster(settings, Nomad(agent))()).cluster == name


async def test_the_cluster_is_asked_for_once_and_again_where_nobody_answered() -> None:
    where = cluster(Settings(), Nomad(Unavailable("away"), AGENT))
    with pytest.raises(Unavailable):
        await where()
    assert (await where()) is (await where())


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, event: str, **values: object) -> None:
        self.lines.append(f"{event} {values}")

    warning = info


def test_that_it_went_and_came_back_is_told_once_each() -> None:
    log, metrics = Log(), Metrics(version="0")
    told = heard(Outages(log=log, clock=lambda: 0.0), metrics)
    for problem in (None, Unavailable("refused"), Unavailable("refused"), None, None):
        told(problem)
    assert [line.split(" {")[0] for line in log.lines] == ["dependency down", "dependency back"]
    assert metrics.registry.get_sample_value("nomad_operator_dependency_up", {"service": "qdrant"}) == 1
    told(Unavailable("refused"))
    assert metrics.registry.get_sample_value("nomad_operator_dependency_up", {"service": "qdrant"}) == 0


@pytest.mark.parametrize(
    ("memory", "installed", "lines"), [(Memory.AUTO, False, 1), (Memory.AUTO, True, 0), (Memory.OFF, False, 0)]
)
def test_who_has_not_the_extra_learns_that_there_could_be_a_memory(
    memory: Memory, installed: bool, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_from_settings, "installed", lambda: installed)
    log = Log()
    tell_missing(Settings(memory=memory), log)
    assert len(log.lines) == lines
