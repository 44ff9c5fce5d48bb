"""A `docker build`, `push` or `run` as a command line says it: podman and nerdctl read the same. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

_PROGRAMS = frozenset({"docker", "podman", "nerdctl", "$(DOCKER)"})
_ENDS = frozenset({"&&", "||", ";", "|", "&"})
_SHORT = {
    "t": "tag",
    "f": "file",
    "p": "publish",
    "e": "env",
    "v": "volume",
    "m": "memory",
    "u": "user",
    "c": "cpu-shares",
    "w": "workdir",
    "l": "label",
    "h": "hostname",
}
# Of `run`, what stands alone; all others have a value.
_SWITCHES = frozenset(
    {
        "rm", "detach", "interactive", "tty", "init", "privileged", "read-only", "publish-all", "no-healthcheck",
        "d", "i", "P", "q", "quiet", "no-cache", "push", "load", "squash", "oom-kill-disable", "sig-proxy", "compress",
        "force-rm", "disable-content-trust", "all-tags",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContainerCommand:
    """`does` is build, push or run; `options` are by their long name; `image` is what it is about, "" if not named.

    `words` are what the container runs, `folder` is what is built.
    """

    does: str
    image: str = ""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    folder: str = ""

    def first(self, name: str) -> str:
        return next(iter(self.options.get(name, ())), "")


def container_commands(line: str) -> Iterator[ContainerCommand]:
    """Those that a line of a shell runs; nothing for what no shell would understand."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        words = list(lexer)
    except ValueError:
        return
    while words:
        one = list(takewhile(lambda word: word not in _ENDS, words))
        words = words[len(one) + 1 :]
        yield from _command(one)


def _command(words: Sequence[str]) -> Iterator[ContainerCommand]:
    at = next((number for number, word in enumerate(words) if word in _PROGRAMS), None)
    if at is None:
        return
    rest = list(words[at + 1 :])
    while rest and (rest[0].startswith("-") or rest[0] in ("image", "container", "buildx")):
        rest = rest[1:]
    if not rest or rest[0] not in ("build", "push", "run", "create"):
        return
    does = "run" if rest[0] == "create" else rest[0]
    options, plain = _parsed(rest[1:], to_the_end=does != "run")
    if does == "build":
        folder = plain[0] if plain else ""
        yield ContainerCommand(does, next(iter(options.get("tag", ())), ""), options, folder=folder)
    elif plain:
        yield ContainerCommand(does, plain[0], options, tuple(plain[1:]))


def _parsed(words: Sequence[str], *, to_the_end: bool) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Options, and the words that are none; of `run` what follows the first such word belongs to the container."""
    options: dict[str, tuple[str, ...]] = {}
    plain: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            plain.append(word)
            if not to_the_end:
                break
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("--") and len(name) > 1 and not equals:
            if re.fullmatch(r"[dirtqPa]+", name):
                continue  # several switches in one
            name, value, equals = name[0], name[1:], "="
        name = _SHORT.get(name, name) if not word.startswith("--") else name
        # `docker run --pull always`, but `docker build --pull`.
        switch = name in _SWITCHES or (name == "pull" and to_the_end)
        if not equals and not switch and left:
            value = left.pop(0)
        options[name] = (*options.get(name, ()), value)
    return options, [*plain, *left]
