"""Which files of a component are looked at, and within which bounds.

Folders of tests, docs and examples weigh nothing: a variable of a test is no variable of the app. Paths are judged
from the component's root down, so an app that lives in `examples/` is an app like any other.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from desired.facts.app_code.source_text import SourceText, Style
from desired.facts.codebase import Codebase, Component
from desired.facts.read_once import path_set
from desired.problem import Problem

_NOTHING_NAMES = """
    .cache .circleci .devcontainer .git .github .gitlab .gradle .husky .idea .mvn .next .nuxt .storybook .svelte-kit
    .terraform .tox .venv .vscode .yarn
    __mocks__ __pycache__ __snapshots__ __tests__ acceptance androidtest bench benches benchmark benchmarks
    bower_components ci cypress demo demos dist doc docs e2e example examples fixtures integration-tests
    integration_tests integrationtest integrationtests load-tests loadtest mock mocks node_modules out playground
    playwright sample samples site-packages spec specs stories target terraform test test-utils test_utils testdata
    testing testlib tests testutil testutils third_party third-party tutorials vendor venv
"""
_NOTHING = frozenset(_NOTHING_NAMES.split())
# At the root, run by people beside the app: what they need is nothing that the app needs.
_ASIDE = frozenset(
    ("bin", "contrib", "dev", "devtools", "extra", "hack", "infra", "scripts", "script", "tool", "tooling", "tools")
)
_TEST_FILE = re.compile(
    r"test_.*\.py|.*_test\.(?:py|go|rb|exs?)|tests?\.(?:py|rs)|conftest\.py|noxfile\.py|fabfile\.py|setup\.py"
    r"|.*\.(?:test|tests|spec|e2e-spec|stories|cy|mock|d)\.[cm]?[jt]sx?|.*_spec\.rb|.*(?:Test|Tests|IT|TestCase)\.\w+"
    r"|(?:jest|vite|vitest|webpack|rollup|babel|karma|cypress|playwright|tailwind|postcss|eslint|prettier|commitlint"
    r"|svelte|astro|gatsby|nuxt|vue|quasar|craco|metro|tsup|esbuild|rspack|snowpack|stencil|angular|drizzle|codegen"
    r"|lint-staged|wdio|protractor|release|semantic-release)[\w.-]*\.config\.[cm]?[jt]s"
    r"|(?:jest|test|vitest)[\w.-]*[.-]setup\.[cm]?[jt]s|setupTests?\.[jt]sx?|gulpfile\.[cm]?[jt]s|Gruntfile\.[cm]?js"
    r"|\.[\w-]*rc\.[cm]?js|.*\.min\.js|.*\.pb\.go|.*_pb2(?:_grpc)?\.py|build\.rs"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of one component at most; a larger file is generated or data, and is passed over."""

    file_chars: int = 400_000
    files: int = 4_000
    total_chars: int = 24_000_000


class Sources:
    """The files of one component. Reading is counted: what goes beyond the limits is left out and told once."""

    def __init__(self, codebase: Codebase, component: Component, *, limits: Limits | None = None) -> None:
        self._codebase = codebase
        self._limits = limits or Limits()
        self._files = 0
        self._chars = 0
        self.root = component.root
        self.cut: Problem | None = None
        self._all = path_set(codebase)
        start = len(component.root) + 1 if component.root else 0
        self.paths: tuple[str, ...] = tuple(
            sorted(
                (path for path in _held(codebase, component) if _weighs(path[start:])),
                key=lambda path: (path.count("/"), path),
            )
        )

    def read(self, path: str, style: Style | None = None) -> SourceText | None:
        """A file that is there, is text, and is within the limits."""
        if self._files >= self._limits.files or self._chars >= self._limits.total_chars:
            self.cut = self.cut or Problem(path, message="this and later code files were not read: there are too many")
            return None
        text = self._codebase.text(path)
        if text is None or len(text) > self._limits.file_chars or (style is not None and _is_packed(text)):
            return None
        self._files += 1
        self._chars += len(text)
        return SourceText(path, text.removeprefix("\ufeff"), style)

    def has(self, path: str) -> bool:
        """Whether the codebase holds the file, in the component or beside it."""
        return path in self._all

    def under(self, folder: str) -> tuple[str, ...]:
        """The paths below a folder, shallow ones first."""
        return tuple(path for path in self.paths if not folder or path.startswith(f"{folder}/"))

    def all_texts(self, paths: Iterable[str], style: Style | None = None) -> Iterator[SourceText]:
        for path in paths:
            source = self.read(path, style)
            if source is not None:
                yield source


def _held(codebase: Codebase, component: Component) -> tuple[str, ...]:
    """The component's own files: of sorted paths those below one folder stand together."""
    if not component.code or not component.root:
        return codebase.paths if component.code else ()
    # "0" is the character behind "/".
    first, last = (bisect_left(codebase.paths, component.root + mark) for mark in "/0")
    return codebase.paths[first:last]


def _is_packed(text: str) -> bool:
    """Whether code was made small for a browser, or is data: nobody writes such lines."""
    return len(text) > 20_000 and len(text) > 400 * (text.count("\n") + 1)


def is_aside(path: str, root: str) -> bool:
    """Whether the file is for the people who work on the app, and does not run with it."""
    start = len(root) + 1 if root else 0
    first, slash, _ = path[start:].partition("/")
    return bool(slash) and first.lower() in _ASIDE


def _weighs(path: str) -> bool:
    *folders, name = path.split("/")
    if any(folder in _NOTHING or folder.lower() in _NOTHING for folder in folders):
        return False
    if any(folder.endswith((".Tests", ".Test", ".UnitTests", ".IntegrationTests", "-tests")) for folder in folders):
        return False
    return _TEST_FILE.fullmatch(name) is None
