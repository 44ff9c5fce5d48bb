"""The extractor `makefile`: the image that a Makefile builds and pushes, and how it runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from desired.facts.amounts import megabytes, megahertz
from desired.facts.codebase import Codebase, Component
from desired.facts.container_command import ContainerCommand, container_commands
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact, Place
from desired.facts.facts import Facts, PortFact, VolumeFact
from desired.facts.image_name import image_parts
from desired.facts.makefile_text import Makefile, Unknown, read_makefile
from desired.facts.possible_secret import may_be_secret
from desired.facts.read_once import path_set
from desired.problem import Problem

T = TypeVar("T")
NAME = "makefile"
PRIORITY = 0.7
_FILES = ("GNUmakefile", "Makefile", "makefile")
_REGISTRY = re.compile(r"(?:DOCKER_|CONTAINER_|IMAGE_)?REGISTRY(?:_URL|_HOST)?", re.IGNORECASE)
_IMAGE = re.compile(r"(?:DOCKER_|CONTAINER_|FULL_)?IMAGE(?:_NAME|_REPO|_REPOSITORY)?|DOCKER_REPO", re.IGNORECASE)
_TAG = re.compile(r"(?:DOCKER_|CONTAINER_|IMAGE_)TAG|TAG|VERSION", re.IGNORECASE)
_PLATFORM = re.compile(r"linux/(amd64|arm64|386|arm)(?:/v\d)?")
_PUBLISHED = re.compile(r"(?:(?:\d{1,3}\.){3}\d{1,3}:)?(?:(?P<host>\d{1,5}):)?(?P<to>\d{1,5})(?:/(?P<kind>tcp|udp))?")


def extract(codebase: Codebase, component: Component) -> Extraction:
    if not component.code:
        return Extraction()
    paths = path_set(codebase)
    below = f"{component.root}/" if component.root else ""
    path = next((below + name for name in _FILES if below + name in paths), None)
    if path is None:
        return Extraction()
    text = codebase.text(path)
    if text is None:
        return Extraction(warnings=(Problem(path, message="cannot be read as text"),))
    return Extraction(_Reading(path, component, read_makefile(text)).facts())


class _Reading:
    def __init__(self, path: str, component: Component, makefile: Makefile) -> None:
        self._path = path
        self._component = component
        self._makefile = makefile
        self._commands = list(self._understood())

    def facts(self) -> Facts:
        image = self._image()
        made = image["image"].value if "image" in image else ""
        last = made.rpartition("/")[2]
        run = next(
            ((one, line) for one, line in self._commands if one.does == "run" and _named(one.image) == last), None
        )
        facts: dict[str, Any] = {} if run is None or not made else dict(self._run(*run))
        return Facts(
            registry=image.get("registry"),
            image_name=image.get("image"),
            image_tag=image.get("tag"),
            architecture=self._architecture(),
            **facts,
        )

    def _architecture(self) -> Fact[str] | None:
        """One that it is built for alone."""
        for one, line in self._commands:
            found = _PLATFORM.fullmatch(one.first("platform"))
            if found is not None and (one.does == "run" or self._is_ours(one)):
                return self._fact(found[1], line)
        return None

    def _understood(self) -> Iterator[tuple[ContainerCommand, int]]:
        for text, line in self._makefile.commands:
            yield from ((one, line) for one in container_commands(self._makefile.partly(text)))

    def _fact(self, value: T, line: int, reason: str = "", confidence: float = PRIORITY) -> Fact[T]:
        return Fact(value, NAME, confidence, Place(self._path, line), reason)

    # -- the image

    def _image(self) -> dict[str, Fact[str]]:
        """What is pushed, else what is built from this component's Dockerfile, else what the variables call it."""
        built = [(one, line) for one, line in self._commands if one.does == "build" and self._is_ours(one)]
        others = {one.image for one, _ in self._commands if one.does == "build"} - {one.image for one, _ in built}
        pushed = [(one, line) for one, line in self._commands if one.does == "push" and one.image not in others]
        for one, line in (*pushed, *built):
            found = self._parts(one.image, line)
            if found:
                return self._with_variables(found)
        name = self._variable(_IMAGE)
        return self._with_variables(self._parts(*name)) if name is not None and not others else {}

    def _is_ours(self, one: ContainerCommand) -> bool:
        file = one.first("file")
        dockerfile = self._component.dockerfile
        if not file or dockerfile is None:
            return True
        folder = self._path.rpartition("/")[0]
        return "/".join(part for part in (folder, file.removeprefix("./")) if part) == dockerfile

    def _parts(self, text: str, line: int) -> dict[str, Fact[str]]:
        """The parts of a name, without a tag that only make can tell."""
        tagless = re.sub(r":[^:/]*\$.*", "", text)
        parts = None if "$" in tagless else image_parts(tagless)
        if parts is None:
            return {}
        registry, name, tag = parts
        found = {"image": self._fact(name, line)}
        if registry:
            found["registry"] = self._fact(registry, line)
        if tag:
            found["tag"] = self._fact(tag, line)
        return found

    def _with_variables(self, found: dict[str, Fact[str]]) -> dict[str, Fact[str]]:
        """A registry or tag that the name itself does not have."""
        if found and "registry" not in found:
            named = self._variable(_REGISTRY)
            if named is not None and named[0].strip("/"):
                host = re.sub(r"^https?://", "", named[0]).strip("/")
                found["registry"] = self._fact(host, named[1])
        if found and "tag" not in found:
            named = self._variable(_TAG)
            if named is not None and re.fullmatch(r"[\w][\w.-]{0,127}", named[0]):
                found["tag"] = self._fact(named[0], named[1])
        return found

    def _variable(self, pattern: re.Pattern[str]) -> tuple[str, int] | None:
        for name, (text, line) in self._makefile.variables.items():
            if pattern.fullmatch(name):
                try:
                    value = self._makefile.known(text).strip()
                except Unknown:
                    continue
                if value:
                    return value, line
        return None

    # -- how it is run

    def _run(self, one: ContainerCommand, line: int) -> Iterator[tuple[str, Any]]:
        ports = [found for text in one.options.get("publish", ()) if (found := _PUBLISHED.fullmatch(text))]
        listed = [PortFact(int(p["to"]), int(p["host"]) if p["host"] else None, p["kind"] or "tcp") for p in ports]
        yield "ports", {port.to: self._fact(port, line) for port in listed if 0 < port.to < 65536}
        yield from self._environment(one, line)
        kept = [_volume(text) for text in one.options.get("volume", ())]
        kept += [_mount(text) for text in one.options.get("mount", ())]
        yield "volumes", {volume.mount: self._fact(volume, line) for volume in kept if volume is not None}
        memory, cpu = megabytes(one.first("memory")), megahertz(one.first("cpus"))
        if memory is not None:
            yield "memory", self._fact(memory, line)
        if cpu is not None:
            yield "cpu", self._fact(cpu, line, f"{one.first('cpus')} of a core")
        if one.first("gpus"):
            count = re.sub(r"\D", "", one.first("gpus"))
            yield "gpu", self._fact(int(count) if count and int(count) < 65 else 1, line)
        if one.first("user") and "$" not in one.first("user"):
            yield "user", self._fact(one.first("user"), line)
        entrypoint = one.first("entrypoint")
        if entrypoint and "$" not in entrypoint:
            yield "entrypoint", self._fact((entrypoint,), line, confidence=0.4)
        if one.words and not any("$" in word for word in one.words):
            yield "command", self._fact(one.words, line, confidence=0.4)

    def _environment(self, one: ContainerCommand, line: int) -> Iterator[tuple[str, Any]]:
        pairs = [text.partition("=") for text in one.options.get("env", ())]
        given = {name: text for name, equals, text in pairs if equals and "$" not in text and name.isidentifier()}
        hidden = [name for name, text in given.items() if may_be_secret(name, text)]
        yield "env", {name: self._fact(text, line) for name, text in given.items() if name not in hidden}
        yield "secret_literals", {name: self._fact(name, line) for name in hidden}


def _named(image: str) -> str:
    parts = image_parts(re.sub(r":[^:/]*\$.*", "", image))
    return parts[1].rpartition("/")[2] if parts is not None else ""


def _volume(text: str) -> VolumeFact | None:
    """A named volume; a folder of the machine that builds is nothing to be kept."""
    source, _, rest = text.partition(":")
    target, _, options = rest.partition(":")
    if not target.startswith("/") or source.startswith((".", "/", "~", "$")) or not source:
        return None
    return VolumeFact(target, source, "ro" in options.split(","))


def _mount(text: str) -> VolumeFact | None:
    """`type=volume,source=data,target=/data,readonly`."""
    said = dict(part.partition("=")[::2] for part in text.split(","))
    source = said.get("source") or said.get("src") or ""
    target = said.get("target") or said.get("dst") or said.get("destination") or ""
    if said.get("type", "volume") != "volume" or not source or not target.startswith("/"):
        return None
    return VolumeFact(target, source, "readonly" in said or "ro" in said)


extractor = Extractor(NAME, PRIORITY, extract)
