"""Manifests that leave things to code, in a catalog: read once, asked where nothing tells, written back to."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace

from desired.app import AppKey
from desired.catalog import Catalog
from desired.code_place import CodePlace, CodeWish
from desired.edited_file import FileEditor
from desired.facts.analyze import analyze
from desired.facts.tree_codebase import TreeCodebase
from desired.file_tree import FileEntry, FileTree
from desired.job.hcl_read import LocalParser
from desired.operations.operation import Kind, Operation
from desired.policy import Policy
from desired.problem import Problem
from desired.reasons import Reason
from desired.source_code import Code
from desired.state import DesiredState, JsonSource

API = AppKey("default", "api")
WISH = CodeWish(CodePlace("services/api"))
CODE = {"Dockerfile": "FROM python:3.12\nEXPOSE 8000\n"}


def manifest(name: str = "api", spec: str = "source: {path: services/api}, image: 'a:1'") -> str:
    return f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


class World:
    """Files and code in memory; it is all that the catalog sees."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.code: Mapping[CodeWish, Code] = {}
        self.wishes: list[CodeWish] = []
        self.catalog = Catalog(parser=LocalParser(), defaults=Policy(), codes=self)

    async def found(self, wishes: Collection[CodeWish], revision: str) -> Mapping[CodeWish, Code]:
        self.wishes = sorted(wishes)
        return {wish: self.code[wish] for wish in wishes}

    async def tree(self, revision: str) -> FileTree:
        names = {path: hashlib.sha1(text.encode()).hexdigest() for path, text in self.files.items()}
        return FileTree(revision, {path: FileEntry(path, blob, 1) for path, blob in sorted(names.items())})

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        held = {hashlib.sha1(text.encode()).hexdigest(): text.encode() for text in self.files.values()}
        return {blob: held[blob] for blob in blobs}

    async def read(self, revision: str = "r") -> DesiredState:
        return await self.catalog.read(await self.tree(revision), self, {})

    def says(self, files: Mapping[str, str], identity: str = "") -> None:
        analysis = analyze(TreeCodebase(name="api", contents={path: text.encode() for path, text in files.items()}))
        self.code = {WISH: Code(identity or repr(files), analysis=analysis)}


async def test_what_the_manifest_leaves_out_is_in_the_job() -> None:
    world = World()
    world.files = {"api.yaml": manifest()}
    world.says(CODE)
    state = await world.read()
    app = state.apps[API]
    assert isinstance(app.source, JsonSource) and "to = 8000" in app.source.text
    assert app.code == WISH.place and world.wishes == [WISH]
    assert {one.id: one.source for one in app.origins}["ports.http"] == "dockerfile: Dockerfile:2"


async def test_code_that_comes_to_the_same_is_the_same_app() -> None:
    """Nothing is planned, and nothing is registered, for a comment."""
    world = World()
    world.files = {"api.yaml": manifest()}
    world.says(CODE)
    before = await world.read("1")
    world.says({**CODE, "README.md": "words"})
    after = await world.read("2")
    assert before.apps[API].source_hash == after.apps[API].source_hash
    world.says({"Dockerfile": "FROM python:3.12\nEXPOSE 9000\n"})
    assert (await world.read("3")).apps[API].source_hash != before.apps[API].source_hash


async def test_questions_are_problems_at_the_line_of_the_source_and_hide_nothing() -> None:
    world = World()
    world.files = {"api.yaml": "# a word\n" + manifest(spec="\n  source: {path: services/api}\n")}
    world.says({**CODE, "app.py": "import os\nos.environ['GREETING']\n"})
    state = await world.read()
    [file] = state.unreadable
    assert (file.key, file.reason, file.code) == (API, Reason.QUESTIONS_OPEN, WISH.place)
    assert [one.id for one in file.questions] == ["image", "env.GREETING"]
    assert {problem.line for problem in file.problems} == {6}
    assert state.complete


async def test_an_answer_makes_the_app() -> None:
    world = World()
    world.files = {"api.yaml": manifest()}
    world.says({**CODE, "app.py": "import os\nos.environ['GREETING']\n"})
    assert not (await world.read()).apps
    world.files = {
        "api.yaml": manifest(spec="source: {path: services/api}, image: 'a:1', env: {GREETING: {fixed: hi}}")
    }
    app = (await world.read()).apps[API]
    assert isinstance(app.source, JsonSource) and 'GREETING = "hi"' in app.source.text


async def test_a_mistake_is_told_beside_its_line_and_no_code_is_looked_at() -> None:
    world = World()
    world.files = {"api.yaml": manifest(spec="source: {path: ../x}, cuont: 2")}
    state = await world.read()
    [file] = state.unreadable
    assert file.reason is Reason.DESIRED_INVALID and file.code is None and world.wishes == []
    assert not state.complete


async def test_what_its_code_makes_wrong_is_told_with_the_manifest() -> None:
    """A check of a port that is not there once the manifest says which ports there are."""
    world = World()
    world.files = {"api.yaml": manifest(spec="source: {path: services/api}, image: 'a:1', routes: [{host: a.b}]")}
    world.says({"Dockerfile": "FROM python:3.12\n"})
    state = await world.read()
    [file] = state.unreadable
    assert "routes" in file.problems[0].message and file.path == "api.yaml"


async def test_while_its_code_is_read_an_app_is_what_it_was() -> None:
    world = World()
    world.files = {"api.yaml": manifest()}
    world.says(CODE)
    before = (await world.read("1")).apps[API]
    world.code = {WISH: Code("new", pending=True)}
    assert (await world.read("2")).apps[API] == before
    world.says({"Dockerfile": "FROM python:3.12\nEXPOSE 9000\n"}, "new")
    assert (await world.read("3")).apps[API] != before


async def test_an_app_that_was_never_read_is_pending_and_not_absent() -> None:
    world = World()
    world.files = {"api.yaml": manifest()}
    world.code = {WISH: Code("new", pending=True)}
    state = await world.read()
    [file] = state.unreadable
    assert (file.key, file.pending, file.transient) == (API, True, True) and state.complete


async def test_a_place_that_cannot_be_read_is_told_at_the_source() -> None:
    world = World()
    world.files = {"api.yaml": manifest()}
    world.code = {WISH: Code("gone", problem=Problem("services/api", message="there is no such folder"))}
    [file] = (await world.read()).unreadable
    assert str(file.problems[0]).startswith("api.yaml:4:8: spec.source: services/api: there is no such folder")


async def test_which_apps_its_code_may_name_is_looked_up_anew() -> None:
    compose = (
        "services:\n"
        "  api:\n    build: .\n    environment: {URL: 'redis://cache:6379'}\n"
        "    depends_on: [cache]\n  cache: {image: 'redis:7'}\n"
    )
    world = World()
    world.files = {"api.yaml": manifest()}
    world.says({**CODE, "compose.yaml": compose})
    [file] = (await world.read("1")).unreadable
    assert [one.id for one in file.questions] == ["env.URL"]
    world.files["cache.yaml"] = manifest("cache", "image: 'redis:7'")
    app = (await world.read("2")).apps[API]
    assert app.policy.depends_on == (AppKey("default", "cache"),)


async def test_without_anybody_who_reads_code_the_manifest_says_everything_itself() -> None:
    world = World()
    world.files = {"api.yaml": manifest(), "b.yaml": manifest("b", "source: {path: .}")}
    state = await Catalog(parser=LocalParser(), defaults=Policy()).read(await world.tree("r"), world, {})
    assert list(state.apps) == [API] and state.unreadable[0].reason is Reason.QUESTIONS_OPEN


async def test_a_repair_of_what_the_code_said_is_written_into_the_manifest() -> None:
    world = World()
    head = manifest().partition("spec:")[0]
    world.files = {"api.yaml": f"{head}spec:\n  source: {{path: services/api}}\n  image: a:1\n"}
    world.says({**CODE, "app.py": "import flask\n"})
    app = (await world.read()).apps[API]
    assert isinstance(app.source, JsonSource)
    memory = app.source.body["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"]
    operation = Operation(Kind.MEMORY, ("app", "app"), memory, 777)
    edited = await FileEditor(defaults=Policy()).edited(app, (operation,), files=world, revision="r")
    assert edited is not None and edited.done == (operation,)
    world.files = {"api.yaml": edited.data.decode()}
    again = (await world.read("2")).apps[API]
    assert isinstance(again.source, JsonSource)
    assert again.source.body["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"] == 777
    assert replace(again, source=app.source, source_hash=app.source_hash) == app
