"""A catalog with a past: what stood before never shows in what a revision holds now."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.catalog import Catalog
from desired.file_tree import FileEntry, FileTree
from desired.job.hcl_read import LocalParser, read_job
from desired.policy import Policy
from desired.problem import Problem
from desired.state import DesiredState, HclSource, JobBody
from desired.variable_text import overridden

HEAD = "apiVersion: nomad-operator/v1\nkind: App\n"
WITH_VARIABLE = 'variable "n" {\n  type = number\n}\njob "v" {\n  priority = var.n\n}\n'


def job(name: str, **more: str) -> str:
    lines = "".join(f"  {key} = {value}\n" for key, value in more.items())
    return f'job "{name}" {{\n{lines}  group "g" {{\n    task "t" {{\n      driver = "docker"\n    }}\n  }}\n}}\n'


def app(name: str, spec: str = "{image: a}") -> str:
    return f"{HEAD}metadata: {{name: {name}}}\nspec: {spec}\n"


def blob(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


class World:
    """Files in memory, the catalog that reads them, and what was asked for and parsed."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = dict(files)
        self.refused: tuple[Problem, ...] = ()
        self.asked: list[str] = []
        self.parsed = 0
        self._catalog = Catalog(parser=self, defaults=Policy())

    async def parse(self, source: HclSource) -> JobBody:
        self.parsed += 1
        return await LocalParser().parse(source)

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        held = {blob(text): text.encode() for text in self.files.values()}
        self.asked += [path for path, text in self.files.items() if blob(text) in blobs]
        return {name: held[name] for name in blobs}

    async def tree(self, revision: str) -> FileTree:
        entries = {path: FileEntry(path, blob(text), len(text)) for path, text in sorted(self.files.items())}
        return FileTree(revision, entries, self.refused)

    async def look(self) -> DesiredState:
        self.asked.clear()
        return await self._catalog.read(await self.tree("r"), self, {})


POOL: dict[str, str] = {
    "a.yaml": app("a"),
    "b.yaml": f"{app('b')}---\n{app('c', '{imge: x}')}",
    "c.nomad.hcl": job("d"),
    "d.nomad.hcl": "job {",
    "e.yaml": app("a"),
    "f.yaml": app("f", "{jobFile: f.nomad.hcl}"),
    "f.nomad.hcl": job("f"),
    "g.yaml": app("g", "{jobFile: missing.nomad.hcl}"),
    "v.nomad.hcl": WITH_VARIABLE,
    "v.vars.hcl": "n = 7\n",
}


@given(st.lists(st.sets(st.sampled_from(sorted(POOL))), min_size=1, max_size=4))
async def test_whatever_came_before_a_state_is_that_of_its_files_alone(history: list[set[str]]) -> None:
    """Only what is remembered of a broken file, the app it was, may differ from a catalog that sees it first."""
    world = World({})
    for paths in history:
        world.files = {path: POOL[path] for path in paths}
        seen = await world.look()
        fresh = await World(world.files).look()
        assert (seen.apps, seen.conflicts) == (fresh.apps, fresh.conflicts)
        assert [(bad.path, bad.problems) for bad in seen.unreadable] == [
            (bad.path, bad.problems) for bad in fresh.unreadable
        ]


async def test_a_renamed_file_is_the_same_app_elsewhere() -> None:
    world = World({"a.yaml": app("a"), "b.nomad.hcl": job("b")})
    before = await world.look()
    world.files = {"x/a2.yml": app("a"), "x/b2.nomad.hcl": job("b")}
    after = await world.look()
    assert {key.name: found.path for key, found in after.apps.items()} == {"a": "x/a2.yml", "b": "x/b2.nomad.hcl"}
    assert [found.source_hash for found in after.apps.values()] == [found.source_hash for found in before.apps.values()]


async def test_a_file_that_is_gone_takes_its_app_along_and_an_empty_tree_is_complete() -> None:
    world = World({"a.yaml": app("a"), "b.nomad.hcl": job("b")})
    await world.look()
    del world.files["a.yaml"]
    assert [key.name for key in (await world.look()).apps] == ["b"]
    world.files.clear()
    state = await world.look()
    assert (dict(state.apps), state.complete) == ({}, True)


async def test_a_broken_manifest_is_read_again_only_when_it_changes() -> None:
    world = World({"a.yaml": app("a", "{imge: x}"), "b.yaml": app("b")})
    first = await world.look()
    assert [(bad.path, bad.key) for bad in first.unreadable] == [("a.yaml", AppKey("default", "a"))]
    assert (await world.look()).unreadable == first.unreadable
    assert world.asked == []
    world.files["a.yaml"] = app("a")
    assert (await world.look()).complete
    assert world.asked == ["a.yaml"]


async def test_a_job_file_around_which_a_manifest_changes_is_not_another_app() -> None:
    world = World({"w.yaml": app("w", "{jobFile: w.nomad.hcl}"), "w.nomad.hcl": job("w")})
    before = await world.look()
    world.files["w.yaml"] = app("w", "{jobFile: w.nomad.hcl, prune: false}")
    after = await world.look()
    assert list(before.apps) == list(after.apps) == [AppKey("default", "w")]
    del world.files["w.yaml"]
    [alone] = (await world.look()).apps.values()
    assert alone.path == "w.nomad.hcl"


# -- variables of the manifest and of the file beside the job file


async def test_the_manifest_overrides_a_variable_of_the_file_beside_the_job_file() -> None:
    spec = "{jobFile: v.nomad.hcl, variables: {n: 9}}"
    state = await World({"w.yaml": app("v", spec), "v.nomad.hcl": WITH_VARIABLE, "v.vars.hcl": "n = 7\n"}).look()
    [found] = state.apps.values()
    assert isinstance(found.source, HclSource)
    assert (await LocalParser().parse(found.source))["Priority"] == 9


@pytest.mark.parametrize(
    ("beside", "given_text", "expected"),
    [
        ("", "n = 1\n", "n = 1\n"),
        ("n = 1\n", "", "n = 1\n"),
        ("a = 1\nn = 2\nb = 3\n", "n = 9\n", "a = 1\n\nb = 3\n\nn = 9\n"),
        ("n = [\n  1,\n]\nb = 3", "n = 9\n", "\n\n\nb = 3\nn = 9\n"),
        ("n = <<E\nx\nE\nb = 3\n", "n = 9\n", "\n\n\nb = 3\n\nn = 9\n"),
        ("n = {\n", "n = 9\n", "n = {\n\nn = 9\n"),
    ],
)
def test_the_lines_that_stay_keep_their_numbers(beside: str, given_text: str, expected: str) -> None:
    assert overridden(beside, given_text) == expected


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 9)),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 9)),
)
def test_every_variable_has_the_manifests_value_or_else_the_files(first: Any, second: Any) -> None:
    texts = [
        "".join(f"{name} = {value} # {name} = 0\n" for name, value in values.items()) for values in (first, second)
    ]
    declared = "".join(f'variable "{name}" {{\n  default = 0\n}}\n' for name in "abc")
    shown = "".join(f'    {name} = "${{var.{name}}}"\n' for name in "abc")
    body = read_job(f'{declared}job "v" {{\n  meta {{\n{shown}  }}\n}}\n', overridden(*texts))
    expected = {"a": 0, "b": 0, "c": 0} | first | second
    assert body["Meta"] == {name: str(value) for name, value in expected.items()}
