"""The projects of a component, and the one that it is: by its image's base, what its Dockerfile names, its depth."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.frameworks import Work, framework_of
from desired.facts.app_code.seen import DependencySeen, LocalSeen, NameSeen, Seen, Sign, SignSeen
from desired.facts.app_code.sources import Sources
from desired.facts.codebase import Codebase, Component

# The manifests of more projects than these are not looked at, deep ones left out first.
_MOST = 60
_FROM = re.compile(
    r"^[ \t]*FROM[ \t]+(?:--\S{1,80}[ \t]+){0,4}(?P<image>[^\s:@]{1,200})(?:[:@]\S{0,200})?"
    r"(?:[ \t]+AS[ \t]+(?P<stage>[\w.-]{1,100}))?",
    re.IGNORECASE | re.MULTILINE,
)
_STARTS = re.compile(r"^[ \t]*(?:CMD|ENTRYPOINT|WORKDIR)\b.*$", re.IGNORECASE | re.MULTILINE)
_COPIES = re.compile(r"^[ \t]*(?:COPY|ADD|RUN|ARG)\b.*$", re.IGNORECASE | re.MULTILINE)


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
        # A package of Node that has no manifest of its own is none.
        if not folders and component.root and code and ecosystem.name != "npm":
            folders = _above(codebase, component, ecosystem)
        if not folders and any(path.endswith(ecosystem.suffixes[0]) for path in code):
            folders = {component.root: []}
        owned = {next(iter(folders)): code} if len(folders) == 1 else _owned(code, folders)
        for folder, manifests in list(folders.items())[:_MOST]:
            project = Project(folder, tuple(manifests), tuple(owned.get(folder, ())))
            seen = tuple(ecosystem.manifests(sources, project))
            found.append(Candidate(ecosystem, replace(project, known=_known(seen)), seen))
    return found


def _owned(code: Iterable[str], folders: Collection[str]) -> dict[str, list[str]]:
    """The code of each project: every file is that of the nearest folder with a manifest."""
    found: dict[str, list[str]] = {}
    for path in code:
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in folders:
                found.setdefault(folder, []).append(path)
                break
    return found


def _known(seen: Iterable[Seen]) -> frozenset[str]:
    """The names that the table of frameworks is asked by."""
    names = {item.dependency.name for item in seen if isinstance(item, DependencySeen)}
    return frozenset(names | {item.sign.value for item in seen if isinstance(item, SignSeen)})


def choose(candidates: list[Candidate], component: Component, dockerfile: str) -> Candidate | None:
    """The project that the component most likely is; the first of the table where nothing tells them apart.

    With it comes the code of those projects of the same codebase that it is built with.
    """
    candidates = [one for one in candidates if one.project.manifests or one.project.code]
    if not candidates:
        return None
    images = _images(dockerfile)
    starts = "\n".join(_STARTS.findall(dockerfile))
    copies = "\n".join(_COPIES.findall(dockerfile))
    weights = [_weight(candidate, images, starts, copies, component) for candidate in candidates]
    return _with_siblings(candidates[weights.index(max(weights))], candidates)


def _images(dockerfile: str) -> list[str]:
    """What each stage is built on in the end: one that is built on another stage is built on that one's image."""
    found: list[str] = []
    stages: dict[str, str] = {}
    for match in _FROM.finditer(dockerfile):
        image = stages.get(match["image"].lower(), match["image"].lower())
        found.append(image)
        if match["stage"]:
            stages[match["stage"].lower()] = image
    return found


def _with_siblings(chosen: Candidate, candidates: list[Candidate]) -> Candidate:
    """The project with the dependencies and the code of those that it names, and that these name."""
    others = [one for one in candidates if one.ecosystem is chosen.ecosystem]
    folders = {one.project.folder: one for one in others}
    names = {item.name: one for one in others for item in one.seen if isinstance(item, NameSeen)}
    taken, waiting = [chosen], [chosen]
    while waiting:
        for item in waiting.pop().seen:
            sibling: Candidate | None = None
            if isinstance(item, LocalSeen):
                sibling = folders.get(item.folder)
            elif isinstance(item, DependencySeen):
                sibling = names.get(item.dependency.name)
            if sibling is not None and sibling not in taken:
                taken.append(sibling)
                waiting.append(sibling)
    if len(taken) == 1:
        return chosen
    seen = [*chosen.seen]
    for one in taken[1:]:
        seen += [item for item in one.seen if isinstance(item, DependencySeen)]
    code = tuple(dict.fromkeys(path for one in taken for path in one.project.code))
    project = replace(chosen.project, code=code, known=_known(seen))
    return Candidate(chosen.ecosystem, project, tuple(seen))


def _weight(candidate: Candidate, images: list[str], starts: str, copies: str, component: Component) -> int:
    matching = [number for number, image in enumerate(images) if candidate.ecosystem.image.fullmatch(image)]
    weight = 0
    if matching:
        weight += 10 if matching[-1] == len(images) - 1 else 7
    folder = candidate.project.folder
    inside = folder[len(component.root) :].strip("/")
    if inside:
        weight += 6 if _names(starts, inside) else 2 if _names(copies, inside) else 0
        weight -= min(inside.count("/") + 1, 4)
        weight += 6 if component.dockerfile and component.dockerfile.rpartition("/")[0] == folder else 0
        weight += 3 if folder.rpartition("/")[2] in (component.name, component.service) else 0
    framework = framework_of(candidate.ecosystem.name, candidate.project.known)
    if framework is not None:
        weight += 1 if framework[0].work is Work.STATIC else 4
    if candidate.project.known:
        weight += 2
    if candidate.project.manifests:
        weight += 1
    if any(isinstance(item, SignSeen) and item.sign is Sign.NO_APP for item in candidate.seen):
        weight -= 6
    return weight * 2 + min(len(candidate.project.code), 1)


def _names(text: str, folder: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(folder)}(?![\w-])", text) is not None


def _folders(paths: Iterable[str], ecosystem: Ecosystem) -> dict[str, list[str]]:
    """Folders with manifests, shallow ones first; `requirements/*.txt` belongs to the folder above."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        above, _, last = folder.rpartition("/")
        if ecosystem.name == "pypi" and last in ("requirements", "reqs") and name.endswith((".txt", ".in")):
            folder = above
        elif ecosystem.manifest.fullmatch(name) is None:
            continue
        found.setdefault(folder, []).append(path)
    return found


def _above(codebase: Codebase, component: Component, ecosystem: Ecosystem) -> dict[str, list[str]]:
    """The manifests of the nearest folder above that has any: a service of a repository with one go.mod."""
    folder = component.root
    there = set(codebase.paths)
    while folder:
        folder = folder.rpartition("/")[0]
        names = {path for path in there if path.rpartition("/")[0] == folder}
        manifests = sorted(p for p in names if ecosystem.manifest.fullmatch(p.rpartition("/")[2]))
        if manifests:
            return {folder: manifests}
    return {}
