"""A manifest and its code make one spec: the manifest wins, code fills the gaps, and the rest is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import InvalidDesired
from desired.facts.analyze import Analysis, analyze
from desired.facts.tree_codebase import TreeCodebase
from desired.source_app import FromCode, with_code

API = {
    "Dockerfile": "FROM python:3.12\nEXPOSE 8000\n",
    "app.py": "import os\nos.environ['GREETING']\nos.getenv('LOG_LEVEL', 'info')\n",
}
SHOP = {
    "compose.yaml": (
        "services:\n"
        "  api:\n    build: api\n    image: example/api:1\n    command: [serve, --fast]\n"
        "    environment: {REDIS_URL: 'redis://cache:6379', MODE: fast}\n"
        "    ports: ['8000:8000']\n    depends_on: [cache]\n    volumes: ['data:/data']\n"
        "  worker:\n    build: worker\n    image: example/worker:1\n"
        "  cache:\n    image: redis:7\n"
    ),
    "api/Dockerfile": "FROM python:3.12\n",
    "worker/Dockerfile": "FROM python:3.12\n",
}


def _analysis(files: Mapping[str, str], dockerfile: str | None = None) -> Analysis:
    contents = {path: text.encode() for path, text in files.items()}
    return analyze(TreeCodebase(name="code", contents=contents), dockerfile)


def _made(files: Mapping[str, str], name: str = "api", apps: tuple[str, ...] = (), **said: Any) -> FromCode:
    return with_code(name, {"source": {}, **said}, _analysis(files), apps=apps, manifest="api.yaml")


def _asked(made: FromCode) -> list[str]:
    return [question.id for question in made.questions]


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, ["image", "env.GREETING"]),
        ({"image": "a:1"}, ["env.GREETING"]),
        ({"image": "a:1", "env": {"GREETING": {"fixed": "hi"}}}, []),
        ({"image": "a:1", "env": {"GREETING": None}}, []),
        ({"image": None, "env": {"GREETING": {"consul": "a/b"}}}, ["image"]),
    ],
)
def test_what_the_manifest_says_is_not_asked(said: dict[str, Any], asked: list[str]) -> None:
    assert _asked(_made(API, **said)) == asked


ANSWERED: dict[str, Any] = {"image": "a:1", "env": {"GREETING": {"fixed": "hi"}}}


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ({}, "ports", {"http": {"to": 8000}}),
        ({"ports": {"web": {"to": 80}}}, "ports", {"web": {"to": 80}}),
        ({"ports": {}}, "ports", {}),
        ({"env": {"GREETING": None}}, "env", {}),
        ({"env": {"GREETING": {"fixed": "ho"}, "OTHER": {"fixed": "1"}}}, "env",
         {"GREETING": {"fixed": "ho"}, "OTHER": {"fixed": "1"}}),
        ({"count": 3}, "count", 3),
        ({"suspend": True}, "suspend", True),
        ({"job": {"update": {"canary": 1}}}, "job", {"update": {"canary": 1}}),
    ],
)  # fmt: skip
def test_the_manifest_wins(said: dict[str, Any], field: str, value: Any) -> None:
    made = _made(API, **{**ANSWERED, **said})
    assert made.questions == () and made.spec[field] == value


def test_sizes_are_filled_one_by_one() -> None:
    made = _made(API, **ANSWERED, resources={"memory": 512})
    assert made.spec["resources"]["memory"] == 512 and made.spec["resources"]["cpu"] > 0


def test_every_value_has_its_origin() -> None:
    origins = {one.id: one.source for one in _made(API, **ANSWERED).origins}
    assert origins["image"] == origins["env.GREETING"] == "api.yaml"
    assert origins["ports.http"] == "dockerfile: Dockerfile:2"


class TestSeveralApps:
    """A compose file holds them, and the manifest's name says which of them it is."""

    def test_the_one_of_that_name_is_taken(self) -> None:
        assert _made(SHOP, "worker").spec["image"] == "example/worker:1"

    def test_where_none_is_called_so_the_dockerfile_is_asked_for(self) -> None:
        [question] = _made(SHOP, "other").questions
        assert (question.id, question.choices) == ("dockerfile", ("api/Dockerfile", "worker/Dockerfile"))
        made = with_code("other", {}, _analysis(SHOP, "worker/Dockerfile"), apps=(), manifest="x.yaml")
        assert made.spec["image"] == "example/worker:1"

    def test_images_from_elsewhere_cannot_be_told_apart(self) -> None:
        files = {"compose.yaml": "services: {a: {image: 'x:1'}, b: {image: 'y:1'}}\n"}
        with pytest.raises(InvalidDesired, match="it has a, b"):
            _made(files, "other")

    def test_an_address_of_an_app_that_is_here_is_its_service(self) -> None:
        made = _made(SHOP, apps=("cache",), volumes=[])
        assert made.questions == ()
        assert made.spec["env"]["REDIS_URL"] == {"service": "redis://{cache}"}
        assert made.spec["dependsOn"] == ["cache"]

    def test_an_address_of_an_app_that_is_not_here_is_asked_for(self) -> None:
        """Nobody would ever answer there, and an app that waits for a stranger waits for ever."""
        made = _made(SHOP, volumes=[])
        [question] = made.questions
        assert question.id == "env.REDIS_URL" and "cache, which is no app here" in question.text
        assert "dependsOn" not in made.spec

    @pytest.mark.parametrize(
        ("said", "asked"),
        [({}, ["volumes./data"]), ({"volumes": []}, []), ({"volumes": [{"csi": "d", "mount": "/data"}]}, [])],
    )
    def test_volumes_are_answered_as_a_whole(self, said: dict[str, Any], asked: list[str]) -> None:
        assert _asked(_made(SHOP, apps=("cache",), **said)) == asked

    @pytest.mark.parametrize(
        ("said", "process"),
        [
            ({}, ("serve", ["--fast"])),
            ({"command": "run"}, ("run", None)),
            ({"args": ["x"]}, (None, ["x"])),
            ({"command": "run", "args": ["x"]}, ("run", ["x"])),
        ],
    )
    def test_a_process_is_from_one_place(self, said: dict[str, Any], process: Any) -> None:
        spec = _made(SHOP, apps=("cache",), volumes=[], **said).spec
        assert (spec.get("command"), spec.get("args")) == process


def test_a_schedule_of_the_code_is_not_kept_where_the_manifest_says_that_it_is_a_service() -> None:
    files = {"crontab": "*/5 * * * * python /app/run.py\n", "Dockerfile": 'FROM python:3\nCMD ["crond", "-f"]\n'}
    assert "periodic" not in _made(files, image="a:1", type="service").spec.get("job", {})


_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "image": st.just("b:2"),
        "count": st.integers(0, 3),
        "ports": st.sampled_from([{}, {"web": {"to": 80}}]),
        "env": st.sampled_from([{}, {"GREETING": {"fixed": "x"}}, {"GREETING": None, "NEW": {"consul": "a"}}]),
        "resources": st.sampled_from([{"cpu": 1}, {"memory": 2}]),
        "check": st.sampled_from([{"disable": True}, {"path": "/x"}]),
        "volumes": st.just([]),
        "command": st.just("x"),
        "dependsOn": st.just(["z"]),
    },
)


@given(said=_VALUES, files=st.sampled_from([API, SHOP]))
def test_whatever_is_said_stands_and_the_same_input_gives_the_same_bytes(
    said: dict[str, Any], files: Mapping[str, str]
) -> None:
    first, second = _made(files, **said), _made(dict(reversed(files.items())), **said)
    assert repr(first) == repr(second)
    for field, value in said.items():
        if isinstance(value, dict):
            assert {key: each for key, each in value.items() if each is not None}.items() <= first.spec[field].items()
        else:
            assert first.spec[field] == value
    left = {one.partition(".")[2] for one in _asked(first) if one.startswith("env.")}
    assert not left & said.get("env", {}).keys()


def test_what_plain_patterns_understand_of_the_prompt_fills_what_the_manifest_leaves_out() -> None:
    words = "two instances with 512 MB, at api.cluster, and make it nice"
    made = _made(API, image="a:1", env={"GREETING": {"fixed": "hi"}}, prompt=words)
    assert (made.spec["count"], made.spec["resources"]["memory"]) == (2, 512)
    assert made.spec["routes"] == [{"host": "api.cluster"}]
    assert {one.id: one.source for one in made.origins}["count"] == "prompt"
    said = _made(API, image="a:1", count=5, env={"GREETING": {"fixed": "hi"}}, prompt=words)
    assert said.spec["count"] == 5
