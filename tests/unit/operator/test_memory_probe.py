"""Doctor's part about the memory: the extra, the folder and the embeddings; nothing is opened or made."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from nomad_operator import memory_from_settings
from nomad_operator.doctor import Finding
from nomad_operator.probes import memory as probe
from nomad_operator.probes.attempt import Attempt
from nomad_operator.probes.memory import probe_memory
from nomad_operator.settings import Memory, Settings


async def found(settings: Settings, monkeypatch: pytest.MonkeyPatch, *, installed: bool = True) -> list[Finding]:
    for module in (memory_from_settings, probe):
        monkeypatch.setattr(module, "installed", lambda: installed)
    ticks = itertools.count()
    attempt = Attempt(service="memory", address="there", timeout_seconds=60, clock=lambda: float(next(ticks)))
    return await probe_memory(settings, attempt)


def state(folder: Path) -> str:
    return f"sqlite://{folder}/state.db"


async def test_a_folder_is_not_made_before_there_is_something_to_remember(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, compared = await found(Settings(state_url=state(tmp_path)), monkeypatch)
    assert (kept.ok, kept.found) == (True, "will be made when there is something to remember")
    assert (compared.name, compared.ok, compared.found) == ("memory: embeddings", True, "built in, 384 numbers")
    assert not (tmp_path / "memory").exists()


async def test_a_folder_in_which_nothing_can_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory").write_text("a file")
    kept, _ = await found(Settings(state_url=state(tmp_path)), monkeypatch)
    assert kept.ok is False and "cannot be written" in kept.found


async def test_a_server_is_left_to_the_probe_of_qdrant(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, _ = await found(Settings(qdrant_url="http://127.0.0.1:9"), monkeypatch)
    assert kept.ok and "QDRANT_URL" in kept.found


@pytest.mark.parametrize(
    ("memory", "ok", "words", "fails"),
    [
        (Memory.OFF, None, "off", False),
        (Memory.AUTO, None, "nomad-operator[memory]", False),
        (Memory.LOCAL, False, "the extra memory is not installed", True),
    ],
)
async def test_without_the_extra_only_who_asked_for_a_memory_misses_something(
    memory: Memory, ok: bool | None, words: str, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await found(Settings(memory=memory), monkeypatch, installed=False)
    assert (told[0].ok, told[0].failed) == (ok, fails)
    assert words in told[0].found


async def test_a_model_that_gives_no_embeddings_is_told(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    settings = Settings(embedding_model="bge", openai_base_url=f"http://127.0.0.1:{unused_tcp_port}/v1")
    _, compared = await found(settings, monkeypatch)
    assert compared.ok is False and "no embedding by bge" in compared.found
