"""Java's and Kotlin's build files: pom.xml, and Gradle's by patterns, with its version catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Project
from desired.facts.app_code.json_text import inner
from desired.facts.app_code.paths import joined_path
from desired.facts.app_code.seen import DependencySeen, LocalSeen, NameSeen, Seen, Sign, SignSeen
from desired.facts.app_code.source_text import SourceText, Style
from desired.facts.app_code.sources import Sources
from desired.facts.app_code.toml_text import read_toml
from desired.facts.app_code.xml_text import children, place_of, read_xml, text_of
from desired.facts.fact import Place
from desired.facts.facts import Dependency
from desired.problem import Problem

MANIFEST = bounded(r"pom\.xml|build\.gradle(?:\.kts)?")
_SCOPES = frozenset(("", "compile", "runtime"))
_KEPT = r"(?:implementation|api|runtimeOnly|compile|runtime|developmentOnlyNot)"
_GRADLE = bounded(
    rf"\b{_KEPT}\s*\(?\s*[\"'](?P<group>[\w.-]+):(?P<name>[\w.-]+)(?::(?P<version>[^\"':@]*))?[^\"']*[\"']"
)
_CATALOG = bounded(rf"\b{_KEPT}\s*\(?\s*libs\.(?P<alias>[\w.]+)")
_KOTLIN_KTOR = bounded(r"\b(?P<kept>implementation)\(\s*ktorLibs\.server\.(?P<engine>\w+)")
_SIBLING = bounded(rf"\b{_KEPT}\s*\(?\s*project\(\s*(?:path\s*[:=]\s*)?[\"']:(?P<path>[\w:.-]+)[\"']")
_ARTIFACT = re.compile(r"<dependency>(?:(?!</?dependency>)[\s\S]){0,400}?<artifactId>\s{0,80}(?P<name>[\w.-]{1,200})")
_MOST = 2_000


def read_manifests(sources: Sources, project: Project) -> Iterator[Seen]:
    """The dependencies of a module; those only for tests or for compiling are left out."""
    for path in project.manifests:
        if path.endswith("pom.xml"):
            source = sources.read(path)
            if source is not None:
                yield from _pom(source)
        else:
            source = sources.read(path, Style.CURLY)
            if source is not None:
                yield from _gradle(sources, source, project)


def _pom(source: SourceText) -> Iterator[Seen]:
    root = read_xml(source)
    if isinstance(root, Problem):
        yield root
        return
    own = text_of(root, "groupId") or next((text_of(p, "groupId") for p in children(root, "parent")), "")
    yield NameSeen(f"{own}/{text_of(root, 'artifactId')}")
    if text_of(root, "packaging") == "pom":
        yield SignSeen(Sign.NO_APP, place_of(source, "<packaging>"))
    managed = re.search(r"<dependencyManagement>[\s\S]*?</dependencyManagement>", source.text)
    start, end = managed.span() if managed is not None else (0, 0)
    offsets = {
        match["name"]: match.start() for match in _ARTIFACT.finditer(source.text) if not start <= match.start() < end
    }
    for number, element in enumerate(children(root, "dependencies", "dependency")):
        if number < _MOST and text_of(element, "scope") in _SCOPES and text_of(element, "optional") != "true":
            yield from _dependency(source, element, own, offsets)


def _dependency(
    source: SourceText, element: ElementTree.Element, own: str, offsets: dict[str, int]
) -> Iterator[DependencySeen]:
    name = text_of(element, "artifactId")
    group = text_of(element, "groupId").replace("${project.groupId}", own)
    if name and group:
        place = source.place(offsets[name]) if name in offsets else Place(source.path)
        yield DependencySeen(Dependency("maven", f"{group}/{name}", text_of(element, "version")), place)


def _gradle(sources: Sources, source: SourceText, project: Project) -> Iterator[Seen]:
    for match in source.found(_GRADLE, limit=_MOST):
        version = match["version"] or ""
        found = Dependency("maven", f"{match['group']}/{match['name']}", version)
        yield DependencySeen(found, source.place(match.start()))
    aliases = list(source.found(_CATALOG, limit=_MOST))
    if aliases:
        catalog = _catalog(sources, project.folder)
        if isinstance(catalog, Problem):
            yield catalog
            return
        for match in aliases:
            entry = catalog.get(match["alias"].removesuffix(".get"))
            for name, version in entry or ():
                yield DependencySeen(Dependency("maven", name, version), source.place(match.start()))
    for match in source.found(_SIBLING, limit=100):
        # From the folder of the build, which is the one above every module's as a rule.
        sibling = match["path"].replace(":", "/")
        for start in _upwards(project.folder):
            target = joined_path(start, sibling)
            if target is not None and any(sources.has(f"{target}/build.gradle{end}") for end in ("", ".kts")):
                yield LocalSeen(target)
                break


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _catalog(sources: Sources, folder: str) -> dict[str, list[tuple[str, str]]] | Problem:
    """`libs.versions.toml` of the nearest build: aliases as build files write them, with what they stand for."""
    for start in _upwards(folder):
        path = f"{start}/gradle/libs.versions.toml" if start else "gradle/libs.versions.toml"
        source = sources.read(path) if sources.has(path) else None
        if source is None:
            continue
        data = read_toml(source)
        if isinstance(data, Problem):
            return data
        versions = inner(data, "versions")
        found: dict[str, list[tuple[str, str]]] = {}
        for alias, value in list(inner(data, "libraries").items())[:_MOST]:
            entry = _library(value, versions)
            if entry is not None:
                found[re.sub(r"[-_]", ".", alias)] = [entry]
        for bundle, members in inner(data, "bundles").items():
            names = [m for m in members if isinstance(m, str)] if isinstance(members, list) else []
            entries = [entry for name in names for entry in found.get(re.sub(r"[-_]", ".", name), [])]
            found["bundles." + re.sub(r"[-_]", ".", bundle)] = entries
        return found
    return {}


def _library(value: object, versions: dict[str, object]) -> tuple[str, str] | None:
    if isinstance(value, str):
        module, _, version = value.rpartition(":")
    elif isinstance(value, dict):
        given = value.get("version", "")
        named = (
            versions.get(given.get("ref", ""), "")
            if isinstance(given, dict) and isinstance(given.get("ref"), str)
            else given
        )
        version = named if isinstance(named, str) else ""
        module = value.get("module") or f"{value.get('group', '')}:{value.get('name', '')}"
    else:
        return None
    if not isinstance(module, str) or module.count(":") != 1:
        return None
    return module.replace(":", "/"), version
