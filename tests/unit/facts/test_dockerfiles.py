"""Which files are Dockerfiles, which is the likeliest, and what folder each is for."""

from __future__ import annotations

import pytest

from desired.errors import InvalidDesired
from desired.facts.analyze import analyze
from desired.facts.dockerfiles import context_of, dockerfiles, is_dockerfile
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase

YES = """Dockerfile Dockerfile.prod Dockerfile-dev Dockerfile_x Dockerfile2 DockerfileProd Dockerfile.py Dockerfile.go
    api.Dockerfile api.dockerfile Containerfile Containerfile.arm dockerfile dockerfile.prod web.Containerfile"""
NO = """Dockerfile.md Dockerfile.j2 Dockerfile.tmpl Dockerfile.dockerignore Dockerfile.yaml dockerfile.py
    dockerfile_test.go DockerfileParser.java Dockerfile_test.go mydockerfile .dockerfile.swp2 dockerfile.go"""


@pytest.mark.parametrize("name", YES.split())
def test_this_is_a_dockerfile(name: str) -> None:
    assert is_dockerfile(name) and is_dockerfile(f"a/b/{name}")


@pytest.mark.parametrize("name", NO.split())
def test_this_is_none(name: str) -> None:
    assert not is_dockerfile(name) and not is_dockerfile(f"a/b/{name}")


def found(*paths: str, ignore: str = "") -> list[str]:
    files = dict.fromkeys(paths, "FROM x\n") | ({".dockerignore": ignore} if ignore else {})
    return list(dockerfiles(MemoryCodebase(files)))


def test_the_root_comes_first_then_plain_names_and_production_and_development_last() -> None:
    ordered = [
        "Dockerfile",
        "Dockerfile.prod",
        "Dockerfile.alpine",
        "Dockerfile.dev",
        "api/Dockerfile",
        "web/Dockerfile",
        "api/Dockerfile.slim",
        "tests/Dockerfile",
        "a/b/Dockerfile",
    ]
    assert found(*reversed(ordered)) == ordered


# .dockerignore, and which of Dockerfile, a/Dockerfile and b/c/Dockerfile are found.
IGNORED: dict[str, tuple[str, list[str]]] = {
    "a folder": ("a\n", ["Dockerfile", "b/c/Dockerfile"]),
    "a folder, from the root": ("/b/c/\n", ["Dockerfile", "a/Dockerfile"]),
    "a folder anywhere": ("**/c\n", ["Dockerfile", "a/Dockerfile"]),
    "a name is of the root alone": ("c\n", ["Dockerfile", "a/Dockerfile", "b/c/Dockerfile"]),
    "one that is taken back": ("*\n!a\nb*\n!b\n", ["Dockerfile", "a/Dockerfile", "b/c/Dockerfile"]),
    "Dockerfiles themselves": ("**/Dockerfile*\nDockerfile\n", ["Dockerfile", "a/Dockerfile", "b/c/Dockerfile"]),
    "everything": ("**\n!src\n", ["Dockerfile", "a/Dockerfile", "b/c/Dockerfile"]),
    "odd lines": ("# a\n\n!\n./a/ \n[\n", ["Dockerfile", "b/c/Dockerfile"]),
}


@pytest.mark.parametrize("case", IGNORED, ids=str)
def test_what_is_in_a_folder_that_images_never_hold_is_not_found(case: str) -> None:
    text, expected = IGNORED[case]
    assert found("Dockerfile", "a/Dockerfile", "b/c/Dockerfile", ignore=text) == expected


@pytest.mark.parametrize(
    ("path", "root", "others"),
    [
        ("Dockerfile", "", ()),
        ("api/Dockerfile", "api", ()),
        ("docker/Dockerfile", "", ()),
        ("api/docker/Dockerfile.prod", "api", ()),
        ("deploy/docker/Dockerfile", "", ()),
        ("docker/api/Dockerfile", "", ()),
        ("docker/api/Dockerfile", "docker/api", ("docker/api/package.json",)),
        ("build/Dockerfile", "build", ("build/go.mod",)),
        ("scripts/Dockerfile", "", ("go.mod",)),
    ],
)
def test_a_dockerfile_in_a_folder_for_such_files_is_for_the_folder_above(
    path: str, root: str, others: tuple[str, ...]
) -> None:
    assert context_of(path, (path, *others)) == root


def test_another_than_the_first_can_be_chosen() -> None:
    codebase = MemoryCodebase({"Dockerfile": "FROM x\nEXPOSE 1\n", "worker/Dockerfile": "FROM x\nEXPOSE 2\n"})
    assert [list(one.facts.ports) for one in analyze(codebase).apps] == [[1]]
    chosen = analyze(codebase, "./worker/Dockerfile")
    assert [list(one.facts.ports) for one in chosen.apps] == [[2]]
    assert chosen.dockerfile == "worker/Dockerfile" and chosen.dockerfiles == ("Dockerfile", "worker/Dockerfile")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("worker/dockerfile", "worker/Dockerfile may be meant"),
        ("nothing-alike", "name one of Dockerfile, worker/Dockerfile"),
        ("../Dockerfile", "Dockerfile may be meant"),
    ],
)
def test_one_that_is_not_there_is_told_with_what_may_be_meant(asked: str, hint: str) -> None:
    codebase = MemoryCodebase({"Dockerfile": "FROM x\n", "worker/Dockerfile": "FROM x\n"})
    with pytest.raises(InvalidDesired) as caught:
        analyze(codebase, asked)
    assert caught.value.hint == hint
    with pytest.raises(InvalidDesired) as caught:
        analyze(MemoryCodebase({"a": ""}), asked)
    assert caught.value.hint == "it has no Dockerfile"
