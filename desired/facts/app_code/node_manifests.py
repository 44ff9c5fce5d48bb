"""Node's package.json: what the package runs with, and how it is started."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.command_line import port_in
from desired.facts.app_code.ecosystem import Project
from desired.facts.app_code.json_text import inner, read_object, strings
from desired.facts.app_code.line_search import first_line, section
from desired.facts.app_code.seen import LIKELY, LITERAL, USUAL, DependencySeen, NameSeen, PortSeen, Seen, StartSeen
from desired.facts.app_code.source_text import SourceText
from desired.facts.app_code.sources import Sources
from desired.facts.facts import Dependency
from desired.problem import Problem

MANIFEST = bounded(r"package\.json")
# What is built with them is what runs, though they are only installed to build it.
_BUILDER_NAMES = """
next nuxt @sveltejs/adapter-node @sveltejs/kit astro @angular/core gatsby vitepress vuepress @docusaurus/core
@11ty/eleventy svelte
"""
_BUILDERS = frozenset(_BUILDER_NAMES.split())
_STARTS = ("start:prod", "start:production", "start", "serve")
_DEVELOPMENT = bounded(
    r"\b(?:nodemon|ts-node-dev|tsx watch|--watch|react-scripts start|ng serve|vite(?! preview)|webpack-dev-server"
    r"|webpack serve|next dev|nuxt dev|nuxi dev|astro dev|gatsby develop|vue-cli-service serve|parcel)\b"
)


def read_manifests(sources: Sources, project: Project) -> Iterator[Seen]:
    """The package of the project's own folder."""
    for path in project.manifests:
        source = sources.read(path)
        data = read_object(source) if source is not None else None
        if isinstance(data, Problem):
            yield data
        elif source is not None and data is not None:
            name = data.get("name")
            if isinstance(name, str):
                yield NameSeen(name)
            yield from _dependencies(source, data)
            yield from _starts(source, data)


def _dependencies(source: SourceText, data: dict[str, Any]) -> Iterator[DependencySeen]:
    for key in ("dependencies", "devDependencies"):
        after = section(source, key)
        for name, version in strings(inner(data, key)).items():
            if key == "dependencies" or name in _BUILDERS:
                place = first_line(source, name, key=True, after=after)
                yield DependencySeen(Dependency("npm", name, version), place)


def _starts(source: SourceText, data: dict[str, Any]) -> Iterator[Seen]:
    scripts = strings(inner(data, "scripts"))
    after = section(source, "scripts")
    chosen = next((name for name in _STARTS if name in scripts and not _DEVELOPMENT.search(scripts[name])), None)
    main = data.get("main")
    if chosen is not None:
        place = first_line(source, chosen, key=True, after=after)
        command = ("npm", "start") if chosen == "start" else ("npm", "run", chosen)
        yield StartSeen(command, place, "web", LITERAL, f"the script `{chosen}`")
        port = port_in(scripts[chosen])
        if port is not None:
            yield PortSeen(port, place, f"the script `{chosen}`", LIKELY)
    elif isinstance(main, str) and re.fullmatch(r"[\w./-]{1,200}\.[cm]?js", main):
        yield StartSeen(("node", main), first_line(source, "main", key=True), "guess", USUAL, "the package's `main`")
