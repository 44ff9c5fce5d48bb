"""What a manifest may say of where its code is."""

from __future__ import annotations

from typing import Any

import pytest

from desired.code_place import CodePlace, CodeWish
from desired.manifest_file import read_manifests
from desired.policy import Policy
from desired.source_place import source_problems, wish_of


@pytest.mark.parametrize(
    ("spec", "wish"),
    [
        ({"source": {"path": "services/api"}}, CodeWish(CodePlace("services/api"))),
        ({"source": {"path": "./services//api/"}}, CodeWish(CodePlace("services/api"))),
        ({"source": {}}, CodeWish(CodePlace("."))),
        ({"dockerfile": "Dockerfile.prod"}, CodeWish(CodePlace("."), "Dockerfile.prod")),
        (
            {"source": {"git": "https://Git.Example.org:443/team/shop.git/"}},
            CodeWish(CodePlace(".", "https://git.example.org/team/shop.git", "HEAD")),
        ),
        (
            {"source": {"git": "git@git.example.org:shop.git", "ref": "v1", "path": "api"}},
            CodeWish(CodePlace("api", "git@git.example.org:shop.git", "v1")),
        ),
    ],
)
def test_equal_places_are_equal_however_they_are_written(spec: dict[str, Any], wish: CodeWish) -> None:
    assert list(source_problems(spec)) == []
    assert wish_of(spec) == wish


@pytest.mark.parametrize(
    ("source", "where", "says"),
    [
        ({"path": "../other"}, "spec.source.path", "not a folder inside the repository"),
        ({"path": "/etc"}, "spec.source.path", "not a folder inside the repository"),
        ({"path": "a\nb"}, "spec.source.path", "not a folder inside the repository"),
        ({"ref": "main"}, "spec.source.ref", "`ref` without `git`"),
        ({"git": "https://x/y", "ref": "--upload-pack=sh"}, "spec.source.ref", "cannot be a branch"),
        ({"git": "ext::sh -c id"}, "spec.source.git", "transport helper"),
        ({"git": "--upload-pack=sh"}, "spec.source.git", "starts with a dash"),
        ({"git": "../other"}, "spec.source.git", "is no URL"),
        ({"git": "~root/code"}, "spec.source.git", "is no URL"),
        ({"git": "https://user@git.example.org/x.git"}, "spec.source.git", "holds credentials"),
        ({"git": "https://user:hunter2hunter2@git.example.org/x.git"}, "spec.source.git", "holds credentials"),
        ({"git": "ftp://git.example.org/x"}, "spec.source.git", "not supported"),
    ],
)
def test_a_place_that_cannot_be_meant_is_told(source: dict[str, Any], where: str, says: str) -> None:
    [finding] = source_problems({"source": source})
    assert finding.where == where and says in finding.message
    assert "hunter2" not in finding.message + finding.hint


def test_a_secret_in_the_url_is_not_repeated_by_what_is_told_of_the_manifest() -> None:
    text = (
        "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: shop}\n"
        "spec: {source: {git: 'https://user:hunter2hunter2@git.example.org/x.git'}}\n"
    )
    file = read_manifests(text, "shop.yaml", defaults=Policy(), namespace="default", with_code=True)
    assert file.manifests == () and "hunter2" not in repr(file.unreadable)
