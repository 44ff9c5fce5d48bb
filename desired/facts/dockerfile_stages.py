"""What a Dockerfile leads to: its stages, with ARG and ENV put in, and what the last one inherits. Pure.

The text is parsed by BuildKit's own parser (`dockerfile`, see `dockerfile_text`); evaluating it is ours.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from desired.facts.amounts import duration
from desired.facts.dockerfile_text import DockerfileError, Instruction, instructions
from desired.facts.substitution import TooLong, docker_word

_SHELL = ("/bin/sh", "-c")
# More stages than anybody writes; more ports than a range should name.
_MOST = 100
_LAST_PORT = 65535
_SHOWN = 40
_PORT = re.compile(r"(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?(?:/(?P<kind>tcp|udp|sctp))?", re.IGNORECASE)
# Source: BuildKit, instructions/parse.go: without a word these are mistakes; CMD and ENTRYPOINT are not.
_NEEDS_WORDS = frozenset({"ENV", "EXPOSE", "USER", "VOLUME", "WORKDIR"})
_TIMES = frozenset({"interval", "timeout", "start-period", "start-interval"})
# Source: the reference of Dockerfiles. What docker itself does not know is told, for it would not be built.
_KNOWN = frozenset(
    {
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class At:
    """A value and the line of the instruction that set it."""

    value: Any
    line: int


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`command` as it is run: words, or one text for a shell. `flags` as written, without the dashes."""

    command: tuple[str, ...]
    shell: bool
    flags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage, with everything it has from the stage it is built on. `base` is the image at the bottom of all.

    `ports` are (number, protocol, line); None stands for what nothing says. `triggers` run in what is built on it.
    """

    name: str
    base: At
    platform: At | None = None
    shell: tuple[str, ...] = _SHELL
    env: Mapping[str, At] = field(default_factory=dict)
    args: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[tuple[int, str, int], ...] = ()
    volumes: tuple[At, ...] = ()
    entrypoint: At | None = None
    command: At | None = None
    own_command: bool = False
    user: At | None = None
    working_dir: At | None = None
    health: At | None = None
    triggers: tuple[Instruction, ...] = ()


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The stages in order, and what of the file could not be understood: line (0: not known) and what is wrong."""

    stages: tuple[Stage, ...]
    problems: tuple[tuple[int, str], ...] = ()

    def stage(self, target: str = "") -> Stage:
        """The one that a build names, else the last."""
        named = [stage for stage in self.stages if target and stage.name == target.lower()]
        if not named and target.isdigit() and len(target) < 5 and int(target) < len(self.stages):
            return self.stages[int(target)]
        return named[-1] if named else self.stages[-1]


def read_dockerfile(text: str, given: Mapping[str, str] | None = None) -> Dockerfile:
    """Raises DockerfileError for what is no Dockerfile at all. `given` are build arguments."""
    parsed, problems = instructions(text)
    reading = _Reading(given or {}, list(problems))
    return reading.read(parsed)


class _Reading:
    def __init__(self, given: Mapping[str, str], problems: list[tuple[int, str]]) -> None:
        self._given = given
        self._problems = problems
        self._global: dict[str, str] = {}
        self._done: list[Stage] = []
        self._now: Stage | None = None

    def read(self, parsed: Sequence[Instruction]) -> Dockerfile:
        for one in parsed:
            try:
                self._take(one)
            except TooLong:
                self._problems.append((one.line, f"{one.kind}: its variables make more text than anybody means"))
        if self._now is None:
            line, message = self._problems[0] if self._problems else (0, "it has no FROM")
            raise DockerfileError(message, line)
        return Dockerfile((*self._done, self._now), tuple(dict.fromkeys(self._problems)))

    def _take(self, one: Instruction) -> None:
        if one.kind not in _KNOWN:
            # What stands there in its place may be anything, even a secret.
            self._problems.append((one.line, "an instruction that Docker does not know"))
        elif one.kind == "ARG":
            self._arg(one.words)
        elif one.kind == "FROM":
            self._from(one)
        elif self._now is None:
            self._problems.append((one.line, f"{one.kind} stands before FROM"))
        elif one.kind == "HEALTHCHECK" and (not one.words or one.words[0].upper() not in ("CMD", "NONE")):
            self._problems.append((one.line, "HEALTHCHECK says neither CMD nor NONE"))
        elif one.kind in _NEEDS_WORDS and not one.words:
            self._problems.append((one.line, f"{one.kind} says nothing"))
        elif one.kind == "HEALTHCHECK" and (wrong := _no_times(one)):
            self._problems.append((one.line, f"HEALTHCHECK: {wrong}"))
            self._now = _after(self._now, one)
        elif one.kind == "EXPOSE" and (wrong := _no_ports(self._now, one)):
            self._problems.append((one.line, f"EXPOSE: {wrong} is no port from 1 to 65535"))
            self._now = _after(self._now, one)
        else:
            self._now = _after(self._now, one)

    def _arg(self, words: Sequence[str]) -> None:
        for word in words:
            name, equals, default = word.partition("=")
            if self._now is None:
                self._global[name] = self._given.get(name, docker_word(default, self._global))
            else:
                known = _known(self._now)
                default = docker_word(default, known) if equals else self._global.get(name, "")
                args = {**self._now.args, name: self._given.get(name, default)}
                self._now = replace(self._now, args=args)

    def _from(self, one: Instruction) -> None:
        if not one.words:
            self._problems.append((one.line, "FROM names no image"))
            return
        if len(self._done) >= _MOST:
            raise DockerfileError(f"it has more than {_MOST} stages", one.line)
        if self._now is not None:
            self._done.append(self._now)
        name = one.words[2].lower() if len(one.words) > 2 and one.words[1].upper() == "AS" else ""
        image = docker_word(one.words[0], self._global)
        platform = next((flag[11:] for flag in one.flags if flag.startswith("--platform=")), "")
        told = At(docker_word(platform, self._global), one.line) if platform else None
        parent = next((stage for stage in reversed(self._done) if stage.name and stage.name == image.lower()), None)
        if parent is None:
            self._now = Stage(name=name, base=At(image, one.line), platform=told)
            return
        self._now = replace(
            parent, name=name, args={}, platform=told or parent.platform, own_command=False, triggers=()
        )
        for trigger in parent.triggers:
            self._now = _after(self._now, trigger)


def _after(stage: Stage, one: Instruction) -> Stage:
    known, line, words = _known(stage), one.line, one.words
    match one.kind:
        case "ENV":
            pairs = zip(words[::2], words[1::2], strict=False)
            added = {docker_word(name, known): At(docker_word(text, known), line) for name, text in pairs}
            return replace(stage, env={**stage.env, **added})
        case "EXPOSE":
            exposed = [docker_word(word, known) for word in words]
            found = [port for text in exposed for word in text.split() for port in _ports(word, line)]
            return replace(stage, ports=_once((*stage.ports, *found)))
        case "CMD":
            return replace(stage, command=At(_process(stage, one), line), own_command=True)
        case "ENTRYPOINT":
            # A new entrypoint makes Docker forget the command that was inherited, not one of the same stage.
            kept = stage.command if stage.own_command else None
            return replace(stage, entrypoint=At(_process(stage, one), line), command=kept)
        case "SHELL":
            return replace(stage, shell=words or stage.shell)
        case "USER":
            return replace(stage, user=At(docker_word(words[0], known), line)) if words else stage
        case "WORKDIR":
            return _moved(stage, docker_word(words[0], known), line) if words else stage
        case "VOLUME":
            added_volumes = tuple(At(docker_word(word, known), line) for word in words)
            return replace(stage, volumes=(*stage.volumes, *added_volumes))
        case "HEALTHCHECK":
            return replace(stage, health=_health(one))
        case "ONBUILD" if one.inner is not None:
            return replace(stage, triggers=(*stage.triggers, one.inner)[:_MOST])
    return stage


def _moved(stage: Stage, folder: str, line: int) -> Stage:
    before = str(stage.working_dir.value) if stage.working_dir is not None else "/"
    return replace(stage, working_dir=At(posixpath.normpath(posixpath.join(before, folder)), line))


def _process(stage: Stage, one: Instruction) -> tuple[str, ...]:
    return one.words if one.json or not one.words else (*stage.shell, " ".join(one.words))


def _health(one: Instruction) -> At | None:
    if one.words[0].upper() == "NONE":
        return None
    flags = dict(flag[2:].partition("=")[::2] for flag in one.flags if flag.startswith("--"))
    return At(HealthCheck(one.words[1:], shell=not one.json, flags=flags), one.line)


def _no_times(one: Instruction) -> str:
    """What is wrong with its options; never what they say."""
    for flag in one.flags:
        name, _, text = flag.removeprefix("--").partition("=")
        if name in _TIMES and duration(text) is None and "$" not in text:
            return f"--{name} is no span of time, such as 30s"
        if name not in _TIMES and name != "retries":
            return "an option that Docker does not know"
    return ""


def _ports(word: str, line: int) -> Iterator[tuple[int, str, int]]:
    found = _PORT.fullmatch(word)
    if found is not None and 0 < int(found["first"]) <= _LAST_PORT:
        first = int(found["first"])
        last = min(int(found["last"] or first), first + _MOST, _LAST_PORT)
        yield from ((port, (found["kind"] or "tcp").lower(), line) for port in range(first, last + 1))


def _no_ports(stage: Stage, one: Instruction) -> str:
    """The first word that stands for no port; what is filled in by who builds may be one, and may be anything."""
    known = _known(stage)
    told = [word for text in one.words if "$" not in text for word in docker_word(text, known).split()]
    return next((repr(word[:_SHOWN]) for word in told if next(_ports(word, 0), None) is None), "")


def _once(ports: Sequence[tuple[int, str, int]]) -> tuple[tuple[int, str, int], ...]:
    """Each port and protocol where it was first named."""
    first: dict[tuple[int, str], int] = {}
    for number, protocol, line in ports:
        first.setdefault((number, protocol), line)
    return tuple((*port, line) for port, line in first.items())[:_MOST]


def _known(stage: Stage) -> dict[str, str]:
    return {**stage.args, **{name: str(at.value) for name, at in stage.env.items()}}
