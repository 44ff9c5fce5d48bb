"""What of a codebase runs as jobs of their own: the services of its compose file, what its Dockerfile makes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from desired.facts.codebase import Codebase, Component
from desired.facts.compose_file import Compose, Service, beside
from desired.facts.dockerfiles import context_of, dockerfiles, for_development
from desired.facts.facts import Facts
from desired.facts.image_name import image_parts
from desired.facts.located import Located
from desired.facts.processes import WEB, processes
from desired.facts.read_once import path_set
from desired.facts.substitution import interpolated

# What people call the one service of a codebase, and folders of code: names that say nothing.
_ANY = frozenset({"app", "application", "web", "server", "service", "main", "backend", "api", "default"})
_FOLDERS = frozenset({"code", "src", "source", "repo", "project", "workspace", "checkout", "build", "work", "tmp"})
_LONGEST = 63
# More of them are examples, or what an image is tested with.
_MOST_FOLDERS = 20


def components(codebase: Codebase, file: Compose, dockerfile: str | None, *, chosen: bool) -> tuple[Component, ...]:
    """Of a compose file every service that it starts by itself; else the one app that `dockerfile` or the code is.

    `chosen`: a person asked for this Dockerfile, so that it alone counts.
    """
    found = [_of_service(codebase, service) for service in file.started]
    if chosen:
        built = [one for one in found if one.dockerfile == dockerfile]
        return tuple(_named(built or [_of_code(codebase, dockerfile)], codebase))
    if not any(one.code for one in found) and (dockerfile is not None or _has_project(codebase)):
        # The file starts only what the app needs besides.
        found = [*_of_folders(codebase, dockerfile), *found]
    return tuple(_named(found or [_of_code(codebase, dockerfile)], codebase))


def slug(name: str) -> str:
    """The name as an app can have it: small letters, digits and dashes; "app" where nothing is left."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return plain[:_LONGEST].rstrip("-") or "app"


def called(component: Component, facts: Facts) -> Component:
    """With the name that its own build file gives it, or that of its image where the folder's says nothing."""
    if component.process:
        return component
    said = facts.name if not component.service else None
    if said is None and component.code and component.name in _ANY | _FOLDERS:
        said = facts.image_name
    if said is None or not component.code:
        return component
    return replace(component, name=slug(said.value.rpartition("/")[2]))


def _of_code(codebase: Codebase, dockerfile: str | None) -> Component:
    if dockerfile is None:
        return Component(slug(codebase.name))
    root = context_of(dockerfile, codebase.paths)
    # `cart/src/Dockerfile` is cart's.
    said = next((part for part in reversed(root.split("/")) if part and part.lower() not in _FOLDERS), codebase.name)
    return Component(slug(said), root, dockerfile)


def _of_folders(codebase: Codebase, dockerfile: str | None) -> list[Component]:
    """Folders beside each other that each have a Dockerfile are apps of their own, where none is for all of them."""
    files = [one for one in dockerfiles(codebase) if not for_development(one)]
    by_root: dict[str, Component] = {}
    for one in [_of_code(codebase, file) for file in files]:
        by_root.setdefault(one.root, one)
    beside_each_other = (
        all(not other.startswith(f"{root}/") for root in by_root for other in by_root if other != root)
        and "" not in by_root
    )
    if len(by_root) < 2 or not beside_each_other or len(by_root) > _MOST_FOLDERS or _has_project(codebase):
        return _with_processes(_of_code(codebase, dockerfile), codebase)
    return list(by_root.values())


def _with_processes(one: Component, codebase: Codebase) -> list[Component]:
    """Beside the web process whatever else its Procfile keeps running, from the same image."""
    found = processes(codebase, one.root)
    others = [name for name in found if name != WEB] if WEB in found else []
    return [one, *(replace(one, name=slug(f"{one.name}-{name}"), process=name) for name in others)]


def _of_service(codebase: Codebase, service: Service) -> Component:
    name = slug(service.name)
    builds = service.all("build")
    if not builds:
        image = service.last("image")
        parts = image_parts(interpolated(image.text).strip("/").rstrip(":@")) if image is not None else None
        ours = parts is not None and slug(parts[1].rpartition("/")[2]) == slug(codebase.name)
        if not ours or "Dockerfile" not in path_set(codebase):
            return Component(name, service=service.name, code=False)
        return Component(name, "", "Dockerfile", service.name)
    # A text alone is the context; what a file further up says of the rest stays.
    context = builds[-1] if builds[-1].text else service.last("build", "context")
    given = interpolated(context.text) if context is not None else "."
    root = None if "://" in given or given.startswith("git@") else service.beside(context or builds[-1], given)
    if root is None:
        return Component(name, service=service.name, code=False)
    file, target = service.last("build", "dockerfile"), service.last("build", "target")
    wanted = [interpolated(file.text)] if file is not None else ["Dockerfile", "Containerfile"]
    below = f"{root}/" if root else ""
    # A Dockerfile is named from its context, and may lie beside it.
    places = [place for one in wanted if (place := beside(f"{below}x", one)) is not None]
    there = next((place for place in places if place in path_set(codebase)), None)
    stage = interpolated(target.text) if target is not None else ""
    return Component(name, root, there, service.name, target=stage, build_args=tuple(_build_args(service)))


def _build_args(service: Service) -> Iterator[tuple[str, str]]:
    """Those with a value: others come from whoever builds."""
    for build in service.all("build"):
        block: Located | None = build.get("args")
        for name, part in block.items() if block is not None else ():
            if block is not None and isinstance(block.value, list):
                name, equals, text = part.text.partition("=")
                if equals:
                    yield name, interpolated(text)
            elif part.value is not None:
                yield name, interpolated(part.text)


_PROJECTS = frozenset(
    {
        "package.json", "pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "go.mod", "Cargo.toml", "pom.xml",
        "build.gradle", "build.gradle.kts", "Gemfile", "composer.json", "index.html", "index.php",
    }
)  # fmt: skip


def _has_project(codebase: Codebase) -> bool:
    top = {path for path in codebase.paths if "/" not in path}
    return bool(top & _PROJECTS) or any(path.endswith((".csproj", ".fsproj")) for path in top)


def _named(found: Sequence[Component], codebase: Codebase) -> Iterator[Component]:
    """Names that are there once. The only component with code has the codebase's name, where its own says nothing."""
    coded = [one for one in found if one.code and not one.process]
    taken: set[str] = set()
    for one in found:
        name = slug(codebase.name) if [one] == coded and one.name in _ANY else one.name
        base, number = name, 2
        while name in taken:
            name, number = f"{base[: _LONGEST - 4]}-{number}", number + 1
        taken.add(name)
        yield replace(one, name=name)
