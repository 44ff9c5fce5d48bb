"""What a Dockerfile leads to: its stages, with ARG and ENV put in, and what the last one inherits. Pure.

The text is parsed by BuildKit's own parser (`dockerfile`); evaluating it is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dockerfile

_VARIABLE = re.compile(r"\\\$|\$(?:\{(?P<braced>\w+)(?::(?P<how>[-+])(?P<word>[^}]*))?\}|(?P<bare>\w+))")
_SHELL = ("/bin/sh", "-c")
# More stages than anybody writes; more ports than a range should name.
_MOST = 100


class DockerfileError(ValueError):
    """The text is no Dockerfile. `line` counts from 1, 0 where it is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


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

    `ports` are (number, protocol); None stands for what nothing says.
    """

    name: str
    base: At
    platform: At | None = None
    env: Mapping[str, At] = field(default_factory=dict)
    args: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[tuple[int, str, int], ...] = ()
    volumes: tuple[At, ...] = ()
    entrypoint: At | None = None
    command: At | None = None
    user: At | None = None
    working_dir: At | None = None
    health: At | None = None


def stages(text: str, given: Mapping[str, str] | None = None) -> tuple[Stage, ...]:
    """Every stage in order; the image is the last one, or the one that a build names. Raises DockerfileError.

    `given` are build arguments.
    """
    try:
        parsed = dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        raise DockerfileError(str(error), _line_of(str(error))) from error
    return _Reading(given or {}).read(parsed)


def _line_of(message: str) -> int:
    found = re.search(r"\bline (\d+)", message)
    return int(found[1]) if found else 0


class _Reading:
    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self._global: dict[str, str] = {}
        self._done: list[Stage] = []
        self._now: Stage | None = None

    def read(self, parsed: Sequence[Any]) -> tuple[Stage, ...]:
        for one in parsed:
            kind, words = one.cmd.upper(), [_unquoted(word) for word in one.value]
            if kind == "ARG":
                self._arg(words)
            elif kind == "FROM":
                self._from(one, words)
            elif self._now is None:
                raise DockerfileError(f"{kind} stands before FROM", one.start_line)
            else:
                self._now = _after(self._now, kind, words, one)
        if self._now is None:
            raise DockerfileError("it has no FROM")
        return (*self._done, self._now)

    def _arg(self, words: Sequence[str]) -> None:
        for word in words:
            name, equals, default = word.partition("=")
            if self._now is None:
                self._global[name] = self._given.get(name, substituted(default, self._global))
            else:
                known = _known(self._now)
                default = substituted(default, known) if equals else self._global.get(name, "")
                args = {**self._now.args, name: self._given.get(name, default)}
                self._now = replace(self._now, args=args)

    def _from(self, one: Any, words: Sequence[str]) -> None:
        if self._now is not None:
            self._done.append(self._now)
        if len(self._done) >= _MOST or not words:
            raise DockerfileError("it has too many stages, or a FROM without an image", one.start_line)
        name = words[2].lower() if len(words) > 2 and words[1].upper() == "AS" else ""
        image = substituted(words[0], self._global)
        platform = next((flag[11:] for flag in one.flags if flag.startswith("--platform=")), "")
        parent = next((stage for stage in self._done if stage.name and stage.name == image.lower()), None)
        told = At(substituted(platform, self._global), one.start_line) if platform else None
        if parent is not None:
            self._now = replace(parent, name=name, args={}, platform=told or parent.platform)
        else:
            self._now = Stage(name=name, base=At(image, one.start_line), platform=told)


def _after(stage: Stage, kind: str, words: Sequence[str], one: Any) -> Stage:
    known, line = _known(stage), one.start_line
    match kind:
        case "ENV":
            pairs = zip(words[::2], words[1::2], strict=False)
            added = {name: At(substituted(text, known), line) for name, text in pairs}
            return replace(stage, env={**stage.env, **added})
        case "EXPOSE":
            found = [port for word in words for port in _ports(substituted(word, known), line)]
            return replace(stage, ports=tuple(dict.fromkeys((*stage.ports, *found)))[:_MOST])
        case "CMD":
            return replace(stage, command=At(_process(words, as_list=one.json), line))
        case "ENTRYPOINT":
            # Docker forgets an inherited command with a new entrypoint.
            return replace(stage, entrypoint=At(_process(words, as_list=one.json), line), command=None)
        case "USER":
            return replace(stage, user=At(substituted(words[0], known), line)) if words else stage
        case "WORKDIR":
            return _moved(stage, substituted(words[0], known), line) if words else stage
        case "VOLUME":
            found_volumes = tuple(At(substituted(word, known), line) for word in words)
            return replace(stage, volumes=(*stage.volumes, *found_volumes))
        case "HEALTHCHECK":
            return replace(stage, health=_health(words, one))
    return stage


def _moved(stage: Stage, folder: str, line: int) -> Stage:
    if folder.startswith("/"):
        return replace(stage, working_dir=At(folder, line))
    before = stage.working_dir.value if stage.working_dir is not None else "/"
    return replace(stage, working_dir=At(f"{str(before).rstrip('/')}/{folder}", line))


def _process(words: Sequence[str], *, as_list: bool) -> tuple[str, ...]:
    return tuple(words) if as_list else (*_SHELL, " ".join(words))


def _health(words: Sequence[str], one: Any) -> At | None:
    if not words or words[0].upper() == "NONE":
        return None
    flags = dict(flag[2:].partition("=")[::2] for flag in one.flags if flag.startswith("--"))
    command = tuple(words[1:])
    return At(HealthCheck(command, shell=words[0].upper() == "CMD-SHELL" or not one.json, flags=flags), one.start_line)


def _ports(word: str, line: int) -> Iterator[tuple[int, str, int]]:
    numbers, _, protocol = word.partition("/")
    first, _, last = numbers.partition("-")
    if first.isdigit() and (last.isdigit() or not last):
        for port in range(int(first), min(int(last or first), int(first) + _MOST) + 1):
            if 0 < port < 65536:
                yield port, protocol.lower() or "tcp", line


def _known(stage: Stage) -> dict[str, str]:
    return {**stage.args, **{name: str(at.value) for name, at in stage.env.items()}}


def substituted(text: str, known: Mapping[str, str]) -> str:
    """Docker's own substitution; what is not known is empty, as it is there."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "\\$":
            return "$"
        found = known.get(match["braced"] or match["bare"], "")
        if match["how"] == "-":
            return found or match["word"]
        if match["how"] == "+":
            return str(match["word"]) if found else ""
        return found

    return _VARIABLE.sub(value, text)


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word
