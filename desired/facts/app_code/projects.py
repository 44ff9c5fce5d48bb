"""The projects of a component, and the one that it is: by its image's base, what its Dockerfile names, its depth."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.frameworks import Work, framework_of
from desired.facts.app_code.seen import DependencySeen, Seen
from desired.facts.app_code.sources import Sources
from desired.facts.codebase import Codebase, Component

# The manifests of more projects than these are not looked at, deep ones left out first.
_MOST = 60
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(?P<image>[^\s:@]+)", re.IGNORECASE | re.MULTILINE)
_STARTS = re.compile(r"^\s*(?:CMD|ENTRYPOINT|WORKDIR)\b.*$", re.IGNORECASE | re.MULTILINE)
_COPIES = re.compile(r"^\s*(?:COPY|ADD|RUN|ARG)\b.*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A project with what its manifests say."""

    ecosystem: Ecosystem
    project: Project
    seen: tuple[Seen, ...]


def find_projects(
    codebase: Codebase, component: Component, sources: Sources, ecosystems: tuple[Ecosystem, ...]
) -> list[Candidate]:
    """Every project below the component's root, or the nearest above it, or the folder's code alone."""
    found: list[Candidate] = []
    for ecosystem in ecosystems:
        folders = _folders(sources.paths, ecosystem)
        code = [path for path in sources.paths if path.endswith(ecosystem.suffixes)]
        if not folders and component.root and code:
            folders = _above(codebase, component, ecosystem)
        if not folders and code:
            folders = {component.root: ()}
        for folder, manifests in list(folders.items())[:_MOST]:
            others = [other for other in folders if other != folder and (not folder or other.startswith(folder + "/"))]
            if len(folders) == 1:
                inside = tuple(code)
            else:
                inside = tuple(path for path in sources.under(folder, others) if path.endswith(ecosystem.suffixes))
            project = Project(folder, manifests, inside)
            seen = tuple(ecosystem.manifests(sources, project))
            known = frozenset(item.dependency.name for item in seen if isinstance(item, DependencySeen))
            found.append(Candidate(ecosystem, replace(project, known=known), seen))
    return found


def choose(candidates: list[Candidate], dockerfile: str, root: str) -> Candidate | None:
    """The project that the component most likely is; the first of the table where nothing tells them apart."""
    if not candidates:
        return None
    images = [match["image"].lower() for match in _FROM.finditer(dockerfile)]
    starts = "\n".join(_STARTS.findall(dockerfile))
    copies = "\n".join(_COPIES.findall(dockerfile))
    weights = [_weight(candidate, images, starts, copies, root) for candidate in candidates]
    return candidates[weights.index(max(weights))]


def _weight(candidate: Candidate, images: list[str], starts: str, copies: str, root: str) -> int:
    matching = [number for number, image in enumerate(images) if candidate.ecosystem.image.fullmatch(image)]
    weight = 0
    if matching:
        weight += 10 if matching[-1] == len(images) - 1 else 7
    folder = candidate.project.folder
    inside = folder[len(root) :].strip("/")
    if inside:
        weight += 6 if _names(starts, inside) else 2 if _names(copies, inside) else 0
        weight -= min(inside.count("/") + 1, 4)
    framework = framework_of(candidate.ecosystem.name, candidate.project.known)
    if framework is not None:
        weight += 1 if framework[0].work is Work.STATIC else 4
    if candidate.project.known:
        weight += 2
    if candidate.project.manifests:
        weight += 1
    return weight * 2 + min(len(candidate.project.code), 1)


def _names(text: str, folder: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(folder)}(?![\w-])", text) is not None


def _folders(paths: Iterable[str], ecosystem: Ecosystem) -> dict[str, tuple[str, ...]]:
    """Folders with manifests, shallow ones first; `requirements/*.txt` belongs to the folder above."""
    found: dict[str, tuple[str, ...]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        above, _, last = folder.rpartition("/")
        if ecosystem.name == "pypi" and last in ("requirements", "reqs") and name.endswith((".txt", ".in")):
            folder = above
        elif ecosystem.manifest.fullmatch(name) is None:
            continue
        found[folder] = (*found.get(folder, ()), path)
    return found


def _above(codebase: Codebase, component: Component, ecosystem: Ecosystem) -> dict[str, tuple[str, ...]]:
    """The manifests of the nearest folder above that has any: a service of a repository with one go.mod."""
    folder = component.root
    there = set(codebase.paths)
    while folder:
        folder = folder.rpartition("/")[0]
        names = {path for path in there if path.rpartition("/")[0] == folder}
        manifests = tuple(sorted(p for p in names if ecosystem.manifest.fullmatch(p.rpartition("/")[2])))
        if manifests:
            return {folder: manifests}
    return {}
