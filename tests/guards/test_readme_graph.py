"""The picture in the README is the one that the code draws."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconcilers.graph import mermaid, overview
from tests.guards.draw_readme import pictures, redrawn

_EDGE = re.compile(r"^    (\w+) --> (\w+)$", re.MULTILINE)


def test_the_picture_in_the_readme_is_drawn_from_the_state_table(root: Path) -> None:
    """`make picture` draws it again."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert pictures(readme) == [f"{overview()}\n"]


def test_an_old_picture_is_replaced_and_nothing_else() -> None:
    page = "before\n```mermaid\nstateDiagram-v2\n    Old --> Older\n```\nafter\n"
    assert redrawn(page) == f"before\n```mermaid\n{overview()}\n```\nafter\n"


def test_the_overview_shows_only_edges_of_the_table() -> None:
    shown = set(_EDGE.findall(overview()))
    assert shown and shown < set(_EDGE.findall(mermaid()))


def test_every_step_of_the_overview_can_be_reached_in_it() -> None:
    """Or the picture would hold a step of which nobody sees how one gets there."""
    picture = overview()
    steps = set(re.findall(r"^    (\w+) :", picture, re.MULTILINE))
    entered = set(re.findall(r"--> (\w+)", picture))
    assert steps == entered


@pytest.mark.parametrize("drawn", [mermaid(), overview()], ids=["whole", "overview"])
def test_no_description_ends_early(drawn: str) -> None:
    """Behind a second colon or a semicolon Mermaid takes every word for a state."""
    for line in drawn.splitlines()[1:]:
        assert line.count(":") <= 1 and ";" not in line, line
