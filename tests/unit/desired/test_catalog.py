"""One revision's files become apps, or the reason why they are none; no file is taken for a removed one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.catalog import Catalog
from desired.errors import Forbidden, Unavailable
from desired.file_tree import FileEntry, FileTree
from desired.job.hcl_read import LocalParser
from desired.policy import Drift, Policy
from desired.problem import Problem
from desired.state import DesiredState, HclSource, JobBody, Kind

Files = Mapping[str, str | bytes]

WEB = AppKey("default", "web")
API = AppKey("default", "api")


def job(name: str, image: str = "busybox:local", namespace: str = "") -> str:
    space = f'  namespace = "{namespace}"\n' if namespace else ""
    config = f'      config {{\n        image = "{image}"\n      }}\n'
    return (
        f'job "{name}" {{\n{space}  group "g" {{\n    task "t" {{\n      driver = "docker"\n{config}    }}\n  }}\n}}\n'
    )


def manifest(name: str, spec: str = "image: 'busybox:local'") -> str:
    return f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


DEEP = '{"a": ' * 100 + "1" + "}" * 100


class Repository:
    """Files in memory; remembers what was read."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self._blobs: dict[str, bytes] = {}
        self._paths: dict[str, str] = {}

    def tree(self, files: Files, refused: Collection[str] = ()) -> FileTree:
        entries = {}
        for path, content in files.items():
            data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
            blob = hashlib.sha256(data).hexdigest()
            self._blobs[blob], self._paths[blob] = data, path
            entries[path] = FileEntry(path, blob, len(data))
        return FileTree("r", entries, tuple(Problem(path, message="is too large") for path in refused))

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        self.read += [self._paths[blob] for blob in blobs]
        return {blob: self._blobs[blob] for blob in blobs}


class Parser(LocalParser):
    """Our own parser, which can be down, and counts."""

    def __init__(self) -> None:
        self.parses = 0
        self.error: Exception | None = None

    async def parse(self, source: HclSource) -> JobBody:
        self.parses += 1
        if self.error is not None:
            raise self.error
        return await super().parse(source)


class Reading:
    """A catalog with its repository and parser."""

    def __init__(self, known: Mapping[tuple[str, str], AppKey] | None = None, defaults: Policy | None = None) -> None:
        self.repository = Repository()
        self.parser = Parser()
        self.known = known or {}
        self.catalog = Catalog(parser=self.parser, defaults=defaults or Policy())

    async def __call__(self, files: Files, refused: Collection[str] = ()) -> DesiredState:
        return await self.catalog.read(self.repository.tree(files, refused), self.repository, self.known)


def keys_of(state: DesiredState) -> list[tuple[str, AppKey | None]]:
    return [(file.path, file.key) for file in state.unreadable]


# -- what is an app


async def test_manifests_and_job_files_become_apps_under_the_names_that_they_give_themselves() -> None:
    state = await Reading()(
        {
            "a/web.yaml": manifest("web"),
            "b.nomad.hcl": job("api"),
            "c.nomad": job("old", namespace="ops"),
            "d.hcl": job("plain"),
            "e.json": json.dumps({"Job": {"ID": "bare", "TaskGroups": []}}),
            "f.json": json.dumps({"ID": "flat", "Namespace": "ops", "TaskGroups": []}),
            "g.json": json.dumps({"job": {"hcl-json": {"group": {"g": {"task": {"t": {"driver": "docker"}}}}}}}),
        }
    )
    assert state.complete
    assert {str(key): app.kind for key, app in state.apps.items()} == {
        "default/web": Kind.APP,
        "default/api": Kind.JOB_FILE,
        "ops/old": Kind.JOB_FILE,
        "default/plain": Kind.JOB_FILE,
        "default/bare": Kind.JOB_FILE,
        "ops/flat": Kind.JOB_FILE,
        "default/hcl-json": Kind.JOB_FILE,
    }


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("package.json", '{"name": "x", "job": {"name": "nightly"}}'),
        ("ci.json", '{"job": "x"}'),
        ("notes.json", '{"Job": {"title": "cook"}}'),
        ("list.json", "[1, 2]"),
        ("broken.json", '{"a": '),
        ("terraform.hcl", 'resource "a" "b" {\n  job = 1\n}\n'),
        ("web.vars.hcl", "x = 1\n"),
        ("deploy.yaml", "apiVersion: apps/v1\nkind: Deployment\n"),
        ("template.yaml", "a: {{ .Values.x }}\n"),
        ("binary.yaml", b"\xff\xfe\x00\x01"),
        ("latin.hcl", b'a = "\xff"\n'),
        (".hidden.nomad.hcl", job("hidden")),
        (".github/web.nomad.hcl", job("hidden")),
        ("README.md", job("readme")),
    ],
)
async def test_other_peoples_files_are_neither_apps_nor_in_the_way(path: str, content: str | bytes) -> None:
    state = await Reading()({path: content})
    assert state.complete and not state.apps


# -- one bad file


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("x.nomad.hcl", 'job "x" {'),
        ("x.nomad.hcl", ""),
        ("x.nomad", '{"ID": 1'),
        ("x.json", '{"Job": 1'),
        ("x.json", '{"ID": "x", "TaskGroups": [], "Typ": "batch"}'),
        ("x.json", '{"TaskGroups": []}'),
        ("x.json", '{"ID": "a b", "TaskGroups": []}'),
        ("x.json", '{"ID": "\\ud800", "TaskGroups": []}'),
        ("x.json", '{"ID": "x", "Namespace": "a/b", "TaskGroups": []}'),
        ("x.nomad", '{"ID": "x", "TaskGroups": [], "Version": ' + "9" * 5000 + "}"),
        ("x.nomad", '{"TaskGroups": ' + "[" * 100_000),
        ("x.nomad", '{"ID": "x", "TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Config": ' + DEEP + "}]}]}"),
        ("x.nomad", '{"ID": "x", "TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Env": {"A": "\\ud800"}}]}]}'),
        ("x.yaml", manifest("x", "imge: a")),
        ("x.yaml", "apiVersion: nomad-operator/v1\nkind: App\n\tmetadata: {}\n"),
        ("x.yaml", b"apiVersion: nomad-operator/v1\nkind: App\n\xff"),
        ("x.yaml", manifest("x").encode("utf-16")),
        ("x.yaml", manifest("x", "jobFile: ../../etc/passwd")),
        ("x.yaml", manifest("x", "jobFile: missing.nomad.hcl")),
    ],
)
async def test_a_file_that_cannot_be_read_is_told_and_holds_back_no_other(path: str, content: str | bytes) -> None:
    state = await Reading()({path: content, "web.yaml": manifest("web"), "api.nomad.hcl": job("api")})
    assert list(state.apps) == [API, WEB]
    assert {file.path for file in state.unreadable} == {path}
    assert all(problem.message for file in state.unreadable for problem in file.problems)
    assert not state.complete and not any(file.transient for file in state.unreadable)


hostile = st.one_of(
    st.text(max_size=80),
    st.binary(max_size=80),
    st.sampled_from(
        ["job ", '"x"', "{", "}", "nomad-operator/v1", "apiVersion: ", "\n", "[", '"TaskGroups"', "${"]
    ).flatmap(lambda word: st.text(max_size=20).map(lambda text: text + word + text)),
)
names = st.sampled_from(["x.nomad.hcl", "x.nomad", "x.hcl", "x.json", "x.yaml", "x.yml"])


@given(st.lists(st.tuples(names, hostile), max_size=4))
async def test_no_text_makes_the_catalog_raise_or_lose_another_app(files: list[tuple[str, str | bytes]]) -> None:
    mixed: dict[str, str | bytes] = {f"{number}/{path}": content for number, (path, content) in enumerate(files)}
    state = await Reading()({**mixed, "keep.nomad.hcl": job("keep-this-app")})
    assert AppKey("default", "keep-this-app") in state.apps


contents = {
    "a.yaml": manifest("a"),
    "b.yaml": manifest("b") + "---\n" + manifest("a2"),
    "c.nomad.hcl": job("c"),
    "d.nomad.hcl": job("a"),
    "e.nomad.hcl": "job {",
    "f.yaml": manifest("f", "jobFile: c.nomad.hcl"),
    "g.yaml": manifest("g", "bogus: 1"),
    "h.yaml": manifest("b"),
}


@given(st.permutations(list(contents)), st.permutations(list(contents)))
async def test_the_order_of_files_does_not_matter(first: list[str], second: list[str]) -> None:
    assert await Reading()({path: contents[path] for path in first}) == await Reading()(
        {path: contents[path] for path in second}
    )


# -- who claims what


async def test_an_app_in_two_files_is_a_conflict_of_both_and_neither_is_applied() -> None:
    state = await Reading()({"a.yaml": manifest("web"), "b.nomad.hcl": job("web"), "c.yaml": manifest("api")})
    assert list(state.apps) == [API]
    assert state.conflicts == {WEB: ("a.yaml", "b.nomad.hcl")}
    assert not state.complete


async def test_an_app_in_two_documents_of_one_file_is_a_conflict_too() -> None:
    state = await Reading()({"a.yaml": manifest("web") + "---\n" + manifest("web")})
    assert not state.apps and state.conflicts == {WEB: ("a.yaml", "a.yaml")}


async def test_a_mistake_in_one_of_two_files_does_not_hand_the_app_to_the_other() -> None:
    read = Reading()
    assert WEB in (await read({"a.yaml": manifest("web")})).apps
    broken = {"a.yaml": manifest("web", "bogus: 1"), "b.nomad.hcl": job("web")}
    state = await read(broken)
    assert not state.apps and state.conflicts == {WEB: ("a.yaml", "b.nomad.hcl")}
    assert list((await read({"b.nomad.hcl": job("web")})).apps) == [WEB]


# -- job files with settings around them


async def test_a_wrapped_job_file_is_one_app_with_the_manifests_settings() -> None:
    state = await Reading()(
        {"s/web.yaml": manifest("web", "jobFile: j/web.nomad.hcl, drift: warn"), "s/j/web.nomad.hcl": job("web")}
    )
    assert state.complete and list(state.apps) == [WEB]
    assert state.apps[WEB].path == "s/web.yaml" and state.apps[WEB].kind is Kind.APP
    assert state.apps[WEB].policy.drift is Drift.WARN


@pytest.mark.parametrize(
    "broken",
    [
        manifest("web", "jobFile: web.nomad.hcl, suspend: true, bogus: 1"),
        manifest("web", "jobFile: web.nomad.hcl, suspend: true, ["),
        manifest("web", "suspend: true, jobfile: web.nomad.hcl"),
        b"\xff" + manifest("web", "jobFile: web.nomad.hcl").encode(),
    ],
)
async def test_a_broken_manifest_does_not_let_its_job_file_run_without_its_settings(broken: str | bytes) -> None:
    read = Reading()
    whole = manifest("web", "jobFile: web.nomad.hcl, suspend: true")
    assert (await read({"web.yaml": whole, "web.nomad.hcl": job("web")})).apps[WEB].policy.suspend
    state = await read({"web.yaml": broken, "web.nomad.hcl": job("web")})
    assert not state.apps and not state.conflicts and keys_of(state) == [("web.yaml", WEB)]


@pytest.mark.parametrize(
    ("broken", "key"),
    [
        (manifest("web", "jobFile: web.nomad.hcl, bogus: 1"), WEB),
        ("apiVersion: nomad-operator/v1\nkind: App\nspec:\n  jobFile: 'web.nomad.hcl' # around it\n  x: [\n", None),
        (b"\xff\napiVersion: nomad-operator/v1\nspec: {jobFile: web.nomad.hcl}\n", None),
        ('{"apiVersion": "nomad-operator/v1", "kind": "App", "spec": {"jobFile": "web.nomad.hcl"', None),
    ],
)
async def test_a_manifest_that_is_broken_at_the_start_keeps_its_job_file_too(
    broken: str | bytes, key: AppKey | None
) -> None:
    """Also when it does not even say which app it is."""
    state = await Reading()({"web.yaml": broken, "web.nomad.hcl": job("web")})
    assert not state.apps and not state.conflicts and keys_of(state) == [("web.yaml", key)]


async def test_a_manifest_that_is_now_refused_keeps_its_job_file_too() -> None:
    read = Reading()
    await read({"web.yaml": manifest("web", "jobFile: web.nomad.hcl"), "web.nomad.hcl": job("web")})
    state = await read({"web.nomad.hcl": job("web")}, refused=["web.yaml"])
    assert not state.apps and not state.conflicts and keys_of(state) == [("web.yaml", WEB)]


async def test_a_wrapped_job_must_be_the_app_that_its_manifest_names() -> None:
    state = await Reading()({"web.yaml": manifest("web", "jobFile: x.nomad.hcl"), "x.nomad.hcl": job("other")})
    assert not state.apps and keys_of(state) == [("web.yaml", WEB)]
    assert "is the job default/other" in state.unreadable[0].problems[0].message


# -- variables


VARIABLE = 'variable "image" {\n  type = string\n}\n' + job("web").replace('"busybox:local"', "var.image")


async def test_variables_stand_beside_a_job_file_and_in_the_manifest_around_it() -> None:
    read = Reading()
    beside = await read({"web.nomad.hcl": VARIABLE, "web.vars.hcl": 'image = "a:1"\n'})
    around = await read(
        {"web.nomad.hcl": VARIABLE, "w.yaml": manifest("web", "jobFile: web.nomad.hcl, variables: {image: 'a:2'}")}
    )
    for state, image in ((beside, "a:1"), (around, "a:2")):
        source = state.apps[WEB].source
        assert isinstance(source, HclSource)
        assert (await LocalParser().parse(source))["TaskGroups"][0]["Tasks"][0]["Config"]["image"] == image


async def test_a_job_in_json_has_variables_as_well() -> None:
    text = json.dumps({"variable": {"n": {}}, "job": {"web": {"priority": "${var.n}", "group": {"g": {}}}}})
    state = await Reading()({"web.json": text, "web.vars.hcl": "n = 7\n"})
    assert list(state.apps) == [WEB]


async def test_a_job_of_the_http_api_has_no_variables_and_says_so() -> None:
    body = json.dumps({"ID": "web", "TaskGroups": []})
    around = manifest("web", "jobFile: web.json, variables: {image: 'a:2'}")
    found = await Reading()({"web.json": body, "w.yaml": around})
    [file] = found.unreadable
    assert (file.key, found.apps) == (WEB, {})
    assert str(file.problems[0]).startswith("w.yaml:1: spec.variables: web.json is a job of the HTTP API")
    alone = await Reading()({"web.json": body, "w.yaml": manifest("web", "jobFile: web.json")})
    assert list(alone.apps) == [WEB] and alone.complete


async def test_a_job_is_not_read_without_the_variables_that_were_refused() -> None:
    state = await Reading()({"web.nomad.hcl": job("web")}, refused=["web.vars.hcl"])
    assert not state.apps and state.unreadable[0].problems[0].path == "web.vars.hcl"


async def test_a_mistake_in_the_variables_is_told_of_their_file() -> None:
    state = await Reading()({"web.nomad.hcl": VARIABLE, "web.vars.hcl": "image = \n"})
    assert [problem.path for problem in state.unreadable[0].problems] == ["web.vars.hcl"]


async def test_changed_variables_or_settings_are_another_source() -> None:
    read = Reading()
    hashes = {
        (await read({"web.nomad.hcl": job("web")})).apps[WEB].source_hash,
        (await read({"web.nomad.hcl": job("web"), "web.vars.hcl": ""})).apps[WEB].source_hash,
    }
    assert len(hashes) == 1, "an empty variable file says nothing"
    for files in (
        {"web.nomad.hcl": job("web") + "# comment\n"},
        {"web.nomad.hcl": VARIABLE, "web.vars.hcl": 'image = "a:1"\n'},
        {"web.nomad.hcl": VARIABLE, "web.vars.hcl": 'image = "a:2"\n'},
        {"web.nomad.hcl": job("web"), "w.yaml": manifest("web", "jobFile: web.nomad.hcl")},
        {"web.nomad.hcl": job("web"), "w.yaml": manifest("web", "jobFile: web.nomad.hcl, prune: false")},
    ):
        hashes.add((await read(files)).apps[WEB].source_hash)
    assert len(hashes) == 6


# -- what a broken file was before


async def test_a_broken_job_file_is_known_by_the_app_that_it_was() -> None:
    read = Reading()
    await read({"x.nomad.hcl": job("web")})
    assert keys_of(await read({"x.nomad.hcl": 'job "web" {'})) == [("x.nomad.hcl", WEB)]
    assert keys_of(await read({}, refused=["x.nomad.hcl"])) == [("x.nomad.hcl", WEB)]


async def test_a_file_that_changed_its_app_and_then_broke_is_known_by_the_last_one() -> None:
    read = Reading(known={("x.nomad.hcl", "1"): WEB})
    assert list((await read({"x.nomad.hcl": job("web")})).apps) == [WEB]
    assert list((await read({"x.nomad.hcl": job("api")})).apps) == [API]
    assert keys_of(await read({"x.nomad.hcl": 'job "api" {'})) == [("x.nomad.hcl", API)]


async def test_after_a_restart_the_records_say_which_app_a_broken_file_was() -> None:
    read = Reading(known={("m.yaml", "1"): WEB, ("m.yaml", "2"): API})
    state = await read({"m.yaml": "nomad-operator/v1 apiVersion: ["})
    assert set(keys_of(state)) == {("m.yaml", WEB), ("m.yaml", API)}
    assert not state.conflicts


async def test_the_readable_part_of_a_file_is_not_taken_for_its_broken_part() -> None:
    read = Reading()
    await read({"m.yaml": manifest("web") + "---\n" + manifest("api")})
    state = await read({"m.yaml": manifest("web") + "---\nkind: App\napiVersion: nomad-operator/v1\nspec: [\n"})
    assert list(state.apps) == [WEB] and keys_of(state) == [("m.yaml", API)]
    again = await read({"m.yaml": "apiVersion: nomad-operator/v1\nkind: App\nspec: [\n"})
    assert set(keys_of(again)) == {("m.yaml", WEB), ("m.yaml", API)}


@pytest.mark.parametrize(
    ("path", "whole", "cut"),
    [
        ("a.hcl", job("web"), "grou {\n"),
        ("a.json", json.dumps({"ID": "web", "TaskGroups": []}), '{"ID": "web", "Ta'),
        ("a.yaml", manifest("web"), "apiVer: [\n"),
        ("a.yaml", manifest("web"), b"\xff\xfe"),
        ("a.hcl", job("web"), b"\xff\xfe"),
    ],
)
async def test_a_file_that_was_cut_off_is_not_one_that_was_removed(path: str, whole: str, cut: str | bytes) -> None:
    read = Reading()
    assert list((await read({path: whole})).apps) == [WEB]
    assert keys_of(await read({path: cut})) == [(path, WEB)]


async def test_an_app_whose_file_is_gone_or_holds_something_else_is_withdrawn() -> None:
    read = Reading()
    files = {"a.hcl": job("web"), "b.yaml": manifest("api"), "c.yaml": manifest("other")}
    assert len((await read(files)).apps) == 3
    state = await read({"a.hcl": "x = 1\n", "b.yaml": "kind: Deployment\n"})
    assert state.complete and not state.apps


# -- the parser is a server


@pytest.mark.parametrize("error", [Unavailable("refused"), Forbidden("no"), KeyError("a bug")])
async def test_a_file_is_read_again_when_it_was_not_its_own_fault(error: Exception) -> None:
    read = Reading()
    read.parser.error = error
    files = {"web.nomad.hcl": job("web"), "api.yaml": manifest("api")}
    state = await read(files)
    assert list(state.apps) == [API] and [file.transient for file in state.unreadable] == [True]
    read.parser.error = None
    state = await read(files)
    assert state.complete and list(state.apps) == [API, WEB]


async def test_a_file_that_is_wrong_is_not_parsed_again_until_it_changes() -> None:
    read = Reading()
    first = await read({"x.nomad.hcl": 'job "x" {'})
    assert await read({"x.nomad.hcl": 'job "x" {'}) == first
    assert read.parser.parses == 1


async def test_a_job_file_that_the_records_know_needs_no_parser() -> None:
    files = {"web.nomad.hcl": job("web")}
    applied = (await Reading()(files)).apps[WEB]
    read = Reading(known={(applied.path, applied.source_hash): WEB})
    read.parser.error = Unavailable("down")
    state = await read(files)
    assert state.apps == {WEB: applied} and read.parser.parses == 0


@pytest.mark.parametrize("number", [2, 40])
async def test_a_commit_to_one_file_reads_and_parses_that_file_alone(number: int) -> None:
    read = Reading()
    files = {f"{n}.nomad.hcl": job(f"job-{n}") for n in range(number)}
    files |= {f"{n}.yaml": manifest(f"app-{n}") for n in range(number)}
    await read(files)
    read.parser.parses, read.repository.read = 0, []
    state = await read({**files, "1.nomad.hcl": job("job-1", "other:1")})
    assert (read.parser.parses, read.repository.read) == (1, ["1.nomad.hcl"])
    read.parser.parses, read.repository.read = 0, []
    state = await read({**files, "1.nomad.hcl": job("job-1", "other:1"), "1.yaml": manifest("app-1", "image: 'b:1'")})
    assert (read.parser.parses, read.repository.read) == (0, ["1.yaml"])
    assert state.complete and len(state.apps) == 2 * number


async def test_a_read_that_the_source_breaks_off_leaves_the_next_one_whole() -> None:
    read = Reading()
    files = {"web.yaml": manifest("web"), "api.nomad.hcl": job("api")}
    await read(files)
    changed = {"web.yaml": manifest("web", "image: 'b:1'"), "api.nomad.hcl": job("api", "b:1")}
    tree, calls = read.repository.tree(changed), 0

    class Broken(Repository):
        async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise Unavailable("cut")
            return await read.repository.contents(blobs)

    with pytest.raises(Unavailable):
        await read.catalog.read(tree, Broken(), {})
    assert await read(changed) == await Reading()(changed)


async def test_an_app_of_a_namespace_that_is_not_watched_is_a_problem_not_an_app() -> None:
    """Nobody would hear what becomes of it."""
    reading = Reading()
    reading.catalog = Catalog(parser=reading.parser, defaults=Policy(), namespaces=("default", "team-a"))
    state = await reading({"a.nomad": job("web"), "b.nomad": job("api", namespace="ops"), "c.yaml": manifest("shop")})
    assert set(state.apps) == {AppKey("default", "web"), AppKey("default", "shop")}
    [file] = state.unreadable
    assert file.path == "b.nomad" and "not among those that are watched" in str(file.problems[0])


async def test_a_folder_that_became_a_repository_of_its_own_may_hold_apps_and_the_read_is_not_complete() -> None:
    repository = Repository()
    catalog = Catalog(parser=LocalParser(), defaults=Policy())
    tree = repository.tree({"apps/web.yaml": manifest("web"), "api.yaml": manifest("api")})
    assert (await catalog.read(tree, repository, {})).complete
    gone = repository.tree({"api.yaml": manifest("api")})
    hidden = FileTree("r2", gone.files, (Problem("apps", message="is a repository of its own", hides=True),))
    state = await catalog.read(hidden, repository, {})
    assert not state.complete
    assert [file.path for file in state.unreadable] == ["apps"]
    assert set(state.apps) == {API}
