"""What of a codebase runs as jobs of their own: the services of its compose file, what its Dockerfile makes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from desired.facts.codebase import Codebase, Component
from desired.facts.compose_file import Compose, Service, beside, interpolated
from desired.facts.dockerfiles import context_of
from desired.facts.facts import Facts
from desired.facts.image_name import image_parts

# What people call the one service of a codebase, and folders of code: names that say nothing.
_ANY = frozenset({"app", "application", "web", "server", "service", "main", "backend", "api", "default"})
_FOLDERS = frozenset({"code", "src", "source", "repo", "project", "workspace", "checkout", "build", "work", "tmp"})
_LONGEST = 63


def components(codebase: Codebase, file: Compose, dockerfile: str | None, *, chosen: bool) -> tuple[Component, ...]:
    """Of a compose file every service that it starts by itself; else the one app that `dockerfile` or the code is.

    `chosen`: a person asked for this Dockerfile, so that it alone counts.
    """
    started = [service for service in file.services.values() if not service.all("profiles")]
    found = [_of_service(codebase, service) for service in started]
    if chosen:
        built = [one for one in found if one.dockerfile == dockerfile]
        return tuple(_named(built or [_of_code(codebase, dockerfile)], codebase))
    if not any(one.code for one in found) and (dockerfile is not None or _has_project(codebase)):
        # The file starts only what the app needs besides.
        found = [_of_code(codebase, dockerfile), *found]
    return tuple(_named(found or [_of_code(codebase, dockerfile)], codebase))


def slug(name: str) -> str:
    """The name as an app can have it: small letters, digits and dashes; "app" where nothing is left."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return plain[:_LONGEST].rstrip("-") or "app"


def called(component: Component, facts: Facts) -> Component:
    """With the name that its own build file gives it, or that of its image where the folder's says nothing."""
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
    return Component(slug(root.rpartition("/")[2] or codebase.name), root, dockerfile)


def _of_service(codebase: Codebase, service: Service) -> Component:
    build = service.last("build")
    name = slug(service.name)
    if build is None:
        image = service.last("image")
        parts = image_parts(interpolated(image.text)) if image is not None else None
        ours = parts is not None and slug(parts[1].rpartition("/")[2]) == slug(codebase.name)
        if not ours or "Dockerfile" not in codebase.paths:
            return Component(name, service=service.name, code=False)
        return Component(name, "", "Dockerfile", service.name)
    context = build.get("context") if not build.text else build
    given = interpolated(context.text) if context is not None else "."
    root = beside(build.path, given)
    if root is None:
        return Component(name, service=service.name, code=False)
    file = build.get("dockerfile")
    wanted = [interpolated(file.text)] if file is not None else ["Dockerfile", "Containerfile"]
    below = f"{root}/" if root else ""
    # A Dockerfile is named from its context, and may lie beside it.
    places = [place for one in wanted if (place := beside(f"{below}x", one)) is not None]
    paths = set(codebase.paths)
    return Component(name, root, next((place for place in places if place in paths), None), service.name)


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
    coded = [one for one in found if one.code]
    taken: set[str] = set()
    for one in found:
        name = slug(codebase.name) if [one] == coded and one.name in _ANY else one.name
        base, number = name, 2
        while name in taken:
            name, number = f"{base[: _LONGEST - 4]}-{number}", number + 1
        taken.add(name)
        yield Component(name, one.root, one.dockerfile, one.service, one.code)
