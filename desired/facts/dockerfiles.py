"""Every Dockerfile of a codebase, the root's first, and which of them is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from desired.facts.codebase import Codebase
from desired.facts.ignore_rules import DockerIgnore

_NAME = re.compile(r"(?:Dockerfile|Containerfile).*|.+\.(?:[Dd]ockerfile|[Cc]ontainerfile)|dockerfile(?:[._-].+)?")
_NOTES = re.compile(
    r".*\.(?:dockerignore|md|rst|txt|html|j2|jinja2?|tmpl|tpl|template|erb|json|ya?ml|toml|lock|sha256)", re.IGNORECASE
)
# Programs about such files; `Dockerfile.py` is one for Python.
_TOOLS = re.compile(r"(?:dockerfile|Dockerfile\w|Containerfile\w).*\.(?:py|sh|go|js|ts|rs|rb|java|cs|php)")
_DEVELOPMENT = re.compile(
    r"(?:^|[._/-])(?:dev|develop|development|test|tests|ci|debug|local|example)(?:[._/-]|$)", re.I
)
_PRODUCTION = re.compile(r"(?:^|[._-])(?:prod|production|release)(?:[._-]|$)", re.IGNORECASE)


def dockerfiles(codebase: Codebase) -> tuple[str, ...]:
    """Paths, the likeliest first: nearest to the root, the plain name before others, those for development last."""
    hidden = DockerIgnore(codebase.text(".dockerignore") or "")
    found = [path for path in codebase.paths if is_dockerfile(path) and not hidden.hides_folder_of(path)]
    return tuple(sorted(found, key=_order))


def is_dockerfile(path: str) -> bool:
    name = path.rpartition("/")[2]
    return _NAME.fullmatch(name) is not None and not (_NOTES.fullmatch(name) or _TOOLS.fullmatch(name))


def for_development(path: str) -> bool:
    """By its name or its folder's, nobody runs what it makes."""
    return _DEVELOPMENT.search(path) is not None


def _order(path: str) -> tuple[int, bool, bool, bool, str]:
    name = path.rpartition("/")[2]
    plain = name in ("Dockerfile", "Containerfile")
    return (path.count("/"), _DEVELOPMENT.search(path) is not None, not plain, _PRODUCTION.search(name) is None, path)


def context_of(dockerfile: str, paths: Iterable[str]) -> str:
    """The folder that such a Dockerfile is usually built from.

    One in a folder for such files (`docker/`, `deploy/api/`, `build/`) that holds no code is for the folder above.
    """
    folder = dockerfile.rpartition("/")[0]
    if _holds_code(folder, paths):
        return folder
    parts = folder.split("/")
    first = next((number for number, part in enumerate(parts) if part.lower() in _OF_BUILDING), len(parts))
    return "/".join(parts[:first])


_OF_BUILDING = frozenset(
    {
        "docker",
        "dockerfiles",
        "deploy",
        "deployment",
        "build",
        "container",
        "containers",
        "ops",
        ".docker",
        "infra",
        "script",
        "scripts",
        "hack",
        "packaging",
    }
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
