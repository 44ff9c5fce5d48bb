"""A command writes its file whole, and never puts one in the place of something else."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from desired.errors import UsageError
from nomad_operator.interview.output import write


def test_a_file_is_replaced_and_a_link_stays_one(tmp_path: Path) -> None:
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_text("before")
    link.symlink_to(there)
    write(link, "after\n")
    assert link.is_symlink() and there.read_text() == "after\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "there"]


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write(pipe, "text\n")
    reader.join(10)
    assert read == ["text\n"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path, "text")
