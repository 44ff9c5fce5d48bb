"""What a build.yaml says, field by field, and each odd form that people write."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from desired.facts.build_yaml import extractor
from desired.facts.codebase import Component
from desired.facts.extractor import Extraction
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase
from tests.unit.facts.told_facts import lines, told


def read(text: str) -> Extraction:
    return extractor.extract(MemoryCodebase({"build.yaml": dedent(text)}), Component("app"))


# By what is tried: the file, and all that it says.
SAID: dict[str, tuple[str, dict[str, Any]]] = {
    "an image in parts": (
        "image_name: team/app\nregistry_url: r.io:5000\nimage_tags: [1.10, latest]",
        {"name": "team/app", "registry": "r.io:5000", "image_name": "team/app", "image_tag": "1.10"},
    ),
    "a whole image": (
        "image_name: r.io/app:3",
        {"name": "app", "registry": "r.io", "image_name": "app", "image_tag": "3"},
    ),
    "a registry with a scheme": ("registry_url: https://r.io/team/", {"registry": "r.io/team"}),
    "one tag": ("image_tags: v2", {"image_tag": "v2"}),
    "the first tag that is one": ("image_tags: ['${GIT_SHA}', 'x y', ok]", {"image_tag": "ok"}),
    "sizes as numbers": (
        "resource_limits: {cpu: 500, memory: 512, memory_max: 1024, disk: 2000}",
        {"cpu": "500", "memory": "512", "memory_max": "1024", "disk": "2000"},
    ),
    "sizes as texts": (
        "resource_limits: {cpu: '750', memory: '512'}",
        {"cpu": "750", "memory": "512"},
    ),
    "sizes with units": (
        "resource_limits: {cpu: 2, mem: 2Gi, memory_max: 4g, disk: 10GB}",
        {"cpu": "2000", "memory": "2048", "memory_max": "4096", "disk": "10240"},
    ),
    "parts of a core": ("resource_limits: {cpus: 250m, ram: 256Mi}", {"cpu": "250", "memory": "256"}),
    "half a core": ("resource_limits: {cpu: 0.5}", {"cpu": "500"}),
    "megahertz": ("resource_limits: {cpu: 50 MHz}", {"cpu": "50"}),
    "bytes": ("resource_limits: {memory: 268435456}", {"memory": "256"}),
    "a size of nothing": ("resource_limits: {cpu: , memory: 64}", {"memory": "64"}),
    "the environment as a mapping": (
        "test: {env: {A: 1, B: true, C: x=y}}",
        {"env": {"A": "1", "B": "true", "C": "x=y"}},
    ),
    "the environment as a list": ("test: {env: [A=1, 'B=x=y', C=]}", {"env": {"A": "1", "B": "x=y", "C": ""}}),
    "secrets in the environment": (
        "test: {env: {API_KEY: abc123, URL: 'redis://:pw@h'}}",
        {"secret_literals": {"API_KEY": "API_KEY", "URL": "URL"}},
    ),
    "secrets by a list of paths": (
        "test: {vault_secrets: [{path: secret/data/a, fields: {X: x, Y: y}}, {path: /v1/kv/b/, keys: [Z_KEY]}]}",
        {"secrets": {"X": "secret/data/a#x", "Y": "secret/data/a#y", "Z_KEY": "kv/b#z_key"}},
    ),
    "secrets by variable": ("test: {vault_secrets: {X: secret/data/a#x}}", {"secrets": {"X": "secret/data/a#x"}}),
    "secrets by path": ("test: {vault_secrets: {secret/data/a: {X: x}}}", {"secrets": {"X": "secret/data/a#x"}}),
    "one policy": ("test: {vault_policies: a-read}", {"vault_policies": "a-read"}),
    "several policies": ("test: {vault_policies: [a, b]}", {"vault_policies": "a b"}),
    "a GPU": ("test: {gpu_required: true}", {"gpu": "1"}),
    "no GPU": ("test: {gpu_required: no}", {"gpu": "0"}),
    "a GPU in quotes": ("test: {gpu_required: 'yes'}", {"gpu": "1"}),
    "two GPUs": ("test: {gpu_required: 2}", {"gpu": "2"}),
    "a GPU at the root": ("gpu_required: true", {"gpu": "1"}),
    "constraints as texts": (
        "test: {constraints: ['${node.class} = gpu', 'attr.cpu.arch == amd64', 'meta.rack regexp ^r[0-9]+$']}",
        {
            "constraints": {
                "${node.class} = gpu": "${node.class} = gpu",
                "${attr.cpu.arch} == amd64": "${attr.cpu.arch} == amd64",
                "${meta.rack} regexp ^r[0-9]+$": "${meta.rack} regexp ^r[0-9]+$",
            }
        },
    ),
    "constraints as mappings": (
        "test: {constraints: [{attribute: '${node.class}', value: gpu}, {attribute: x, operator: '!=', value: 1}]}",
        {"constraints": {"${node.class} = gpu": "${node.class} = gpu", "${x} != 1": "${x} != 1"}},
    ),
    "one constraint": (
        "test: {constraints: {attribute: a, value: b}}",
        {"constraints": {"${a} = b": "${a} = b"}},
    ),
    "named constraints": ("test: {constraints: {first: 'a = b'}}", {"constraints": {"${a} = b": "${a} = b"}}),
    "an empty section": ("image_name: a\ntest:", {"name": "a", "image_name": "a"}),
}


@pytest.mark.parametrize("case", SAID, ids=str)
def test_a_build_file_says_this_and_nothing_else(case: str) -> None:
    text, expected = SAID[case]
    extraction = read(text)
    assert told(extraction.facts) == expected
    assert extraction.warnings == ()


# A mistake, what is told of it, and what is understood all the same.
MISTAKES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no mapping": ("- a\n", "build.yaml: holds no mapping", {}),
    "nothing": ("", "build.yaml: holds no mapping", {}),
    "a section that is none": (
        "image_name: a\ntest: [b]",
        "build.yaml:2: test holds no mapping",
        {"name": "a", "image_name": "a"},
    ),
    "no image": ("image_name: 'Not An Image'", "build.yaml:1: image_name is no name of an image", {}),
    "a registry with a password": (
        "registry_url: https://me:hunter2@r.io",
        "build.yaml:1: registry_url is no address of a registry (host:port, without a user or a password)",
        {},
    ),
    "no tag": ("image_tags: ['${X}']", "build.yaml:1: image_tags names no tag", {}),
    "an unknown size": (
        "resource_limits:\n  cores: 3\n  cpu: 100",
        "build.yaml:2: resource_limits has no cores (cpu (MHz), memory, memory_max and disk (MB))",
        {"cpu": "100"},
    ),
    "no amount": ("resource_limits: {memory: much}", "build.yaml:1: resource_limits.memory is no amount", {}),
    "no number of GPUs": (
        "test: {gpu_required: some}",
        "build.yaml:1: gpu_required is neither true, false nor a number of GPUs",
        {},
    ),
    "no variable": (
        "test:\n  env: {a b: 1, C: 2}",
        "build.yaml:2: test.env holds a name that no variable can have",
        {"env": {"C": "2"}},
    ),
    "no value": (
        "test:\n  env: {A: {b: c}}",
        "build.yaml:2: test.env holds something that is no value of a variable",
        {},
    ),
    "no field of a secret": (
        "test: {vault_secrets: [{path: a}]}",
        "build.yaml:1: an entry of vault_secrets has no path, or no fields (path: …, fields: {VARIABLE: field})",
        {},
    ),
    "no constraint": (
        "test: {constraints: [gpu]}",
        "build.yaml:1: a constraint is neither attribute, operator and value nor `attribute = value`",
        {},
    ),
    "no policy": (
        "test: {vault_policies: [a, {b: c}]}",
        "build.yaml:1: vault_policies holds something that is no name of a policy",
        {"vault_policies": "a"},
    ),
    "a misspelt key": (
        "image_name: a\nimage_tag: v1",
        "build.yaml:2: image_tag is not known (image_tags may be meant)",
        {"name": "a", "image_name": "a"},
    ),
    "a key that nothing is like": (
        "image_name: a\nflavour: x",
        "build.yaml:2: flavour is not known (it has ",
        {"name": "a", "image_name": "a"},
    ),
    "a misspelt key of the test": ("test: {vault_policy: [a]}", "build.yaml:1: test.vault_policy is not known (", {}),
    "broken off": ("image_name: a\ntest:\n  env: {A: 1\n", "build.yaml:", {"name": "a", "image_name": "a"}),
}


@pytest.mark.parametrize("case", MISTAKES, ids=str)
def test_a_mistake_is_told_with_its_line_and_costs_nothing_else(case: str) -> None:
    text, warning, expected = MISTAKES[case]
    extraction = read(text)
    assert [str(problem)[: len(warning)] for problem in extraction.warnings] == [warning]
    assert told(extraction.facts) == expected
    assert "hunter2" not in repr(extraction)


def test_a_file_of_another_tool_is_not_told_what_it_should_hold() -> None:
    assert read("targets:\n  $default:\n    builders: {}\n").warnings == ()


def test_each_value_has_its_own_line() -> None:
    text = "image_name: a\nresource_limits:\n  cpu: 100\ntest:\n  env:\n    A: 1\n  vault_secrets:\n    X: p#f\n"
    assert lines(read(text).facts) == {
        "name": "build.yaml:1",
        "image_name": "build.yaml:1",
        "cpu": "build.yaml:3",
        "env.A": "build.yaml:6",
        "secrets.X": "build.yaml:8",
    }


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        (Component("api", "api"), "api/build.yml:1"),
        (Component("web", "web"), "build.yaml:1"),
        (Component("web", "web", service="web"), None),
        (Component("db", service="db", code=False), None),
    ],
    ids=["its own", "the root's", "not the root's for one of several services", "none for what is built elsewhere"],
)
def test_a_component_has_its_own_file_or_the_root_s(component: Component, expected: str | None) -> None:
    files = {"build.yaml": "image_name: root\n", "api/build.yml": "image_name: api\n"}
    facts = extractor.extract(MemoryCodebase(files), component).facts
    assert lines(facts).get("image_name") == expected
