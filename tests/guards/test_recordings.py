"""The recordings are whole: an index that matches the folders, every line readable, nothing of the machine inside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests import recordings_reader

HERE = Path(__file__).parents[1]

SETS = sorted(path.parent for path in (HERE / "recordings").glob("*/index.yaml"))
# Data directories, kernels, signed identities: what a recorder replaces by a word in angle brackets.
LEAKS = re.compile(r"/tmp/|/var/lib/nomad|/opt/(?!cni/)|-fc-|eyJ[\w-]{20,}\.[\w-]{20,}")


@pytest.mark.parametrize("folder", SETS, ids=lambda path: path.name)
def test_the_index_lists_every_scenario_with_what_it_is_about(folder: Path) -> None:
    index = yaml.safe_load((folder / "index.yaml").read_text(encoding="utf-8"))
    assert sorted(index) == recordings_reader.names(folder)
    assert all(entry["about"] for entry in index.values())
    assert (folder / "README.md").exists()


@pytest.mark.parametrize("folder", SETS, ids=lambda path: path.name)
def test_every_exchange_and_event_can_be_read_whole(folder: Path) -> None:
    for name in recordings_reader.names(folder):
        recording = recordings_reader.read(name, folder)
        assert recording.exchanges, name
        assert "$same" not in json.dumps([(e.request, e.body) for e in recording.exchanges]), name
        assert all(isinstance(e.status, int) for e in recording.exchanges), name


@pytest.mark.parametrize("folder", SETS, ids=lambda path: path.name)
def test_nothing_of_the_recording_machine_is_inside(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "README.md":
            found = LEAKS.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(folder)}: {found[0]!r}"
