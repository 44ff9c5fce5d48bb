"""Whoever follows a page gets where it leads: every command runs, every manifest and job file is valid.

What cannot run here says why in a comment above it, and is told as not tested.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desired.job.hcl_read import read_job
from tests.docs.pages import Block, blocks, folders
from tests.docs.shell import Shell

ROOT = Path(__file__).parents[2]
PAGES = {str(path.relative_to(ROOT)): path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
ALL = [(name, block) for name, path in PAGES.items() for block in blocks(path.read_text(encoding="utf-8"))]
TYPED = [(name, block) for name, block in ALL if block.kind == "console"]
FOLLOWED = sorted({name for name, block in TYPED if block.said("not run") is None})
_PATIENCE_SECONDS = 60.0
# What a manifest of a page may wrap.
JOB = """\
job "NAME" {
  group "g" {
    task "t" {
      driver = "docker"
      config {
        image = "x/y:1"
      }
    }
  }
}
"""


def place(one: object) -> str:
    return f"line {one.line}" if isinstance(one, Block) else str(one)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A fresh home, `nomad-operator` in the path, and ports that nobody else has."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    command = programs / "nomad-operator"
    # The embedded Nomad listens where the operator looks for it, as it does by itself.
    listen = 'if [ "$*" = embedded ]; then set -- embedded --listen "${NOMAD_ADDR#http://}"; fi'
    command.write_text(f'#!/bin/sh\n{listen}\nexec "{sys.executable}" -m nomad_operator "$@"\n')
    command.chmod(0o755)
    made = Shell(
        folder=home,
        environment={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}",
            "PAGE_ROOT": str(ROOT),
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "reader",
            "GIT_CONFIG_KEY_1": "user.email",
            "GIT_CONFIG_VALUE_1": "reader@example.invalid",
            # As on a machine of one's own, but beside others who test.
            "NOMAD_ADDR": f"http://127.0.0.1:{free_port()}",
            "NOMAD_OPERATOR_LISTEN": f"127.0.0.1:{free_port()}",
            "NOMAD_OPERATOR_IMAGE_LOOKUP": "false",
            # A page tells the times as they are; nobody waits for them here.
            "NOMAD_OPERATOR_VERIFY_SOAK_SECONDS": "2",
        },
    )
    yield made
    made.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", FOLLOWED)
def test_a_page_can_be_followed(name: str, shell: Shell) -> None:
    page = PAGES[name].read_text(encoding="utf-8")
    for source, called in folders(page):
        target = shell.folder / called
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        target.parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / source, target)
    for block in blocks(page):
        if block.name and block.said("not run") is None:
            where = Path(shell.run("pwd")[1].strip()) / block.name
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(block.text, encoding="utf-8")
        elif block.kind == "console" and block.said("not run") is None:
            follow(shell, block, f"{name}:{block.line}")


def follow(shell: Shell, block: Block, where: str) -> None:
    if folder := block.said("in"):
        shell.run(f"cd {folder}")
    for number, command in enumerate(block.commands, 1):
        last = number == len(block.commands)
        if last and block.said("background") is not None:
            shell.begin(command)
            continue
        expected = int(block.said("exits") or 0) if last else 0
        awaited = block.said("until") if last else None
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            code, shown = shell.run(command)
            if awaited is None or awaited in shown or time.monotonic() > end:
                break
            time.sleep(0.5)
        assert awaited is None or awaited in shown, (
            f"{where}: {command}: never shows {awaited!r}:\n{shown}\n{log(shell)}"
        )
        assert code == expected, f"{where}: {command}: exits {code}, not {expected}:\n{shown}\n{log(shell)}"


def log(shell: Shell) -> str:
    return "\n".join(path.read_text(encoding="utf-8")[-4000:] for path in shell.folder.rglob("background.log"))


@pytest.mark.parametrize(
    ("name", "block"), [(name, block) for name, block in TYPED if block.said("not run") is not None], ids=place
)
def test_what_is_not_run_says_why(name: str, block: Block) -> None:
    why = block.said("not run")
    assert why, f"{name}:{block.line}"
    pytest.skip(f"commands of pages: {why}")


@pytest.mark.parametrize(
    ("name", "block"),
    [(name, block) for name, block in ALL if block.kind == "hcl" and 'job "' in block.text],
    ids=place,
)
def test_a_job_file_of_a_page_can_be_read(name: str, block: Block) -> None:
    assert read_job(block.text)["ID"], f"{name}:{block.line}"


@pytest.mark.parametrize(
    ("name", "block"),
    [(name, block) for name, block in ALL if block.kind == "yaml" and block.text.startswith("apiVersion:")],
    ids=place,
)
def test_a_manifest_of_a_page_is_valid(name: str, block: Block, shell: Shell) -> None:
    (shell.folder / "page.yaml").write_text(block.text, encoding="utf-8")
    for named in re.findall(r"jobFile: (\S+)\.nomad\.hcl", block.text):
        (shell.folder / f"{named}.nomad.hcl").write_text(JOB.replace("NAME", named), encoding="utf-8")
    code, shown = shell.run("nomad-operator validate page.yaml")
    assert code == 0, f"{name}:{block.line}:\n{shown}"
