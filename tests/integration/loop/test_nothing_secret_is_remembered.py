"""Secrets of many shapes, wherever an app, its job or Nomad may say one: in no file of the memory can one be read."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from prompts.memory.hashing import Hashing
from prompts.memory.mem0_notes import Mem0Notes
from prompts.memory.place import Folder
from reconcilers.repair.experience import Experience
from reconcilers.repair.learned import Where
from reconcilers.repair.remembered import Remembered
from reconcilers.repair.remembering import Remembering
from tests.integration.loop.cluster import run
from tests.integration.loop.test_nothing_secret_is_written import (
    WORLD,
    Leaky,
    exhausted,
    misspelt,
    near,
    oom,
    waiting,
)
from tests.secret_shapes import Shaped, passwords, readable, shaped

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mem0") is None, reason="the extra memory is not installed")


@pytest.mark.parametrize("tell", [oom, exhausted, misspelt, waiting], ids=lambda tell: tell.__name__)
@given(secret=passwords(), found=shaped())
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
def test_no_secret_is_in_a_file_of_the_memory(tell: Callable[[Leaky, str], None], secret: str, found: Shaped) -> None:
    cluster = Leaky(f"SAID {secret} THEN {found.text} END", WORLD)
    tell(cluster, secret)
    with TemporaryDirectory() as folder:
        memories, files = kept(cluster, Path(folder))
    if tell in (oom, exhausted):
        # Else nothing would have been tested.
        assert memories and "said" in files and "<secret>" in files
    for one in (secret, found.secret):
        assert not readable(one, files), near(one, files)


def kept(cluster: Leaky, folder: Path) -> tuple[tuple[Remembered, ...], str]:
    """What is remembered of all its records, and everything that stands in the store's files."""

    async def where() -> Where:
        return Where("one")

    async def write() -> tuple[Remembered, ...]:
        notes = Mem0Notes(place=Folder(folder / "q"), home=folder / "m", embedding=Hashing(), clock=lambda: 0.0)
        experience = Experience(notes=notes, where=where)
        remembering = Remembering(memory=experience, records=cluster.records, sleep=asyncio.sleep)
        remembering.look()
        await remembering.write()
        memories = await experience.all()
        await notes.aclose()
        return memories

    memories = run(write())
    texts = [file.read_bytes().decode("utf-8", "replace") for file in folder.rglob("*") if file.is_file()]
    return memories, "\n".join(texts)
