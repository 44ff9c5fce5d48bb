""".NET's project files, with the versions that a repository keeps in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.ecosystem import Project
from desired.facts.app_code.paths import joined_path
from desired.facts.app_code.seen import USUAL, DependencySeen, LocalSeen, PortSeen, Seen, Sign, SignSeen
from desired.facts.app_code.source_text import SourceText
from desired.facts.app_code.sources import Sources
from desired.facts.app_code.xml_text import children, place_of, read_xml, text_of
from desired.facts.fact import Place
from desired.facts.facts import Dependency
from desired.problem import Problem

MANIFEST = bounded(r"[\w.-]+\.(?:cs|fs|vb)proj")
_TESTS = bounded(r"Microsoft\.NET\.Test\.Sdk|xunit.*|NUnit.*|MSTest.*")


def read_manifests(sources: Sources, project: Project) -> Iterator[Seen]:
    """The packages of a project, what it is, and the projects that it is built with."""
    for path in project.manifests:
        source = sources.read(path)
        root = read_xml(source) if source is not None else None
        if isinstance(root, Problem):
            yield root
        elif source is not None and root is not None:
            yield from _project(sources, source, root, project.folder)


def _project(sources: Sources, source: SourceText, root: ElementTree.Element, folder: str) -> Iterator[Seen]:
    sdk = root.get("Sdk", "").partition("/")[0]
    place = Place(source.path, 1)
    web = sdk == Sign.DOTNET_WEB.value
    packages = list(children(root, "ItemGroup", "PackageReference"))
    if any(_TESTS.fullmatch(package.get("Include", "")) for package in packages):
        yield SignSeen(Sign.NO_APP, place)
        return
    if web:
        yield SignSeen(Sign.DOTNET_WEB, place)
        yield from _usual_port(source, root)
    elif sdk == Sign.DOTNET_WORKER.value:
        yield SignSeen(Sign.DOTNET_WORKER, place)
    elif not any(text_of(group, "OutputType").lower() == "exe" for group in children(root, "PropertyGroup")):
        yield SignSeen(Sign.NO_APP, place)
    central = _central(sources, folder)
    for package in packages[:2_000]:
        name = package.get("Include", "")
        if re.fullmatch(r"[\w.-]{1,200}", name) and package.get("PrivateAssets", "").lower() != "all":
            version = package.get("Version") or text_of(package, "Version") or central.get(name.lower(), "")
            where = place_of(source, rf"Include\s*=\s*[\"']{re.escape(name)}[\"']")
            yield DependencySeen(Dependency("nuget", name, version), where)
    for framework in children(root, "ItemGroup", "FrameworkReference"):
        if framework.get("Include") == "Microsoft.AspNetCore.App":
            where = place_of(source, r"Include\s*=\s*[\"']Microsoft\.AspNetCore\.App[\"']")
            yield DependencySeen(Dependency("nuget", "Microsoft.AspNetCore.App", ""), where)
    for reference in children(root, "ItemGroup", "ProjectReference"):
        target = joined_path(folder, reference.get("Include", "").replace("\\", "/"))
        if target is not None:
            yield LocalSeen(target.rpartition("/")[0])


def _usual_port(source: SourceText, root: ElementTree.Element) -> Iterator[PortSeen]:
    """What Microsoft's images let ASP.NET listen on.

    Source: learn.microsoft.com, ".NET 8: default ASP.NET Core port changed to 8080"
    """
    for group in children(root, "PropertyGroup"):
        target = re.match(r"net(\d+)\.\d+", text_of(group, "TargetFramework"))
        if target is not None:
            port = 8080 if int(target[1]) >= 8 else 80
            reason = f"what ASP.NET's images listen on since .NET {8 if port == 8080 else 5}"
            yield PortSeen(port, place_of(source, "<TargetFramework>"), reason, USUAL, usual=True)


def _central(sources: Sources, folder: str) -> dict[str, str]:
    """`Directory.Packages.props` of the nearest folder above, or the older `packages.props`: versions by name."""
    while True:
        for name in ("Directory.Packages.props", "packages.props"):
            path = f"{folder}/{name}" if folder else name
            source = sources.read(path) if sources.has(path) else None
            root = read_xml(source) if source is not None else None
            if root is not None and not isinstance(root, Problem):
                found: dict[str, str] = {}
                for kind in ("PackageVersion", "PackageReference"):
                    for package in children(root, "ItemGroup", kind):
                        named = package.get("Include") or package.get("Update") or ""
                        found[named.lower()] = package.get("Version") or text_of(package, "Version")
                return found
        if not folder:
            return {}
        folder = folder.rpartition("/")[0]
