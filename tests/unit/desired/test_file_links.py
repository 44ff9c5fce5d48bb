"""Where a link leads is what a real file system says, except that nothing outside is ever reached."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from desired.file_links import Astray, destination

NAMES = ["a", "b", "d/a", "d/b", "d/e/a"]
TARGETS = st.lists(st.sampled_from(["a", "b", "d", "e", "..", ".", "a", "d/e"]), min_size=1, max_size=4).map("/".join)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*NAMES, "d/e/link", "link"]), TARGETS, max_size=5))
def test_a_file_that_the_system_finds_inside_is_found_and_no_other(links: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = (Path(folder) / "tree").resolve()
        (root / "d" / "e").mkdir(parents=True)
        for name in NAMES:
            if name not in links:
                (root / name).write_text(name)
        for name, target in links.items():
            (root / name).symlink_to(target)
        for name in links:
            led = destination(name, links)
            try:
                real = (root / name).resolve(strict=True)
            except (OSError, RuntimeError):
                real = None
            if isinstance(led, Astray):
                # The system may leave the tree and come back by another way in; we do not.
                continue
            assert not led.startswith("..")
            if real is not None and real.is_file() and real.is_relative_to(root):
                assert led == str(real.relative_to(root))


def test_a_way_that_leaves_is_refused_even_if_it_comes_back() -> None:
    assert destination("link", {"link": "../tree/a"}) is Astray.LEAVES
    assert destination("d/link", {"d/link": "../../a"}) is Astray.LEAVES
    assert destination("link", {"link": "/a"}) is Astray.LEAVES
    assert destination("link", {"link": "up/a", "up": ".."}) is Astray.LEAVES


def test_circles_end() -> None:
    assert destination("a", {"a": "a"}) is Astray.CIRCLE
    assert destination("a", {"a": "b", "b": "a"}) is Astray.CIRCLE
    assert destination("a/x", {"a": "a/x"}) is Astray.CIRCLE


def test_a_path_without_links_leads_to_itself() -> None:
    assert destination("d/./x//y", {}) == "d/x/y"
    assert destination("link", {"link": "d/../a"}) == "a"
    assert destination("d/link", {"d/link": ".."}) == ""
