"""Every Dockerfile of a codebase, the root's first, and which of them is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from desired.facts.codebase import Codebase
from desired.facts.hidden_paths import spec

_NAME = re.compile(r"(?:Dockerfile|Containerfile)(?:[._-].+)?|.+\.(?:Dockerfile|dockerfile)|dockerfile")
_NOT = re.compile(r".*\.(?:dockerignore|md|txt|j2|tmpl|template|erb|py|sh|go|js|ts|json|ya?ml)$", re.IGNORECASE)
_DEVELOPMENT = re.compile(
    r"(?:^|[._/-])(?:dev|develop|development|test|tests|ci|debug|local|example)(?:[._/-]|$)", re.I
)
_PRODUCTION = re.compile(r"(?:^|[._-])(?:prod|production|release)(?:[._-]|$)", re.IGNORECASE)


def dockerfiles(codebase: Codebase) -> tuple[str, ...]:
    """Paths, the likeliest first: nearest to the root, the plain name before others, those for development last."""
    hidden = spec((codebase.text(".dockerignore") or "").splitlines())
    found = [
        path for path in codebase.paths
        # Dockerfiles often name themselves there, to keep out of the image: the root's are found even so.
        if is_dockerfile(path) and ("/" not in path or not hidden.match_file(path))
    ]  # fmt: skip
    return tuple(sorted(found, key=_order))


def is_dockerfile(path: str) -> bool:
    name = path.rpartition("/")[2]
    return _NAME.fullmatch(name) is not None and _NOT.fullmatch(name) is None


def _order(path: str) -> tuple[int, bool, bool, bool, str]:
    name = path.rpartition("/")[2]
    plain = name in ("Dockerfile", "Containerfile")
    return (path.count("/"), _DEVELOPMENT.search(path) is not None, not plain, _PRODUCTION.search(name) is None, path)


def context_of(dockerfile: str, paths: Iterable[str]) -> str:
    """The folder that such a Dockerfile is usually built from.

    One in a folder of its own for such files (`docker/`, `deploy/`, `build/`) is for the folder above.
    """
    folder = dockerfile.rpartition("/")[0]
    while folder and folder.rpartition("/")[2].lower() in _OF_BUILDING and not _holds_code(folder, paths):
        folder = folder.rpartition("/")[0]
    return folder


_OF_BUILDING = frozenset(
    {"docker", "dockerfiles", "deploy", "deployment", "build", "container", "containers", "ops", ".docker", "infra"}
)
_MANIFESTS = frozenset(
    {
        "package.json",
        "pyproject.toml",
        "requirements.txt",
        "go.mod",
        "Cargo.toml",
        "pom.xml",
        "Gemfile",
        "composer.json",
    }
)


def _holds_code(folder: str, paths: Iterable[str]) -> bool:
    return any(path.rpartition("/")[0] == folder and path.rpartition("/")[2] in _MANIFESTS for path in paths)
