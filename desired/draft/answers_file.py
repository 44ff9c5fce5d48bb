"""Answers as a file: lines of `id = answer`, in sections by app where there are several. Pure.

    # a comment
    dockerfile = docker/Dockerfile

    [shop]
    image = registry.example.org/shop:1.2
    env.DB_PASSWORD = vault: secret/data/shop/db#password

`init` keeps what was answered in such a file while it is not done, and `--answers` reads one that people wrote. Lines
before the first section are for every app.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from desired.draft.answers import NONE, YES, read_answer
from desired.errors import InvalidDesired, UsageError
from desired.problem import Problem

# Which Dockerfile is gone by; `all` is every app of a compose file.
DOCKERFILE, ALL = "dockerfile", "all"
# What became of an app: `written` or `skipped`. Only `init` itself writes that.
STATE = "state"
_OWN = frozenset({DOCKERFILE, STATE})
_SECTION = re.compile(r"\[\s*([^\[\]\s]+)\s*\]")

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answers:
    """Texts as people write them, by ids; `apps` by the names of apps, `common` for all of them."""

    common: Texts = field(default_factory=lambda: MappingProxyType({}))
    apps: Mapping[str, Texts] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, app: str) -> dict[str, str]:
        """What was answered about one app, without what is about the codebase."""
        told = {**self.common, **self.apps.get(app, {})}
        return {at: text for at, text in told.items() if at not in _OWN}

    def state(self, app: str) -> str:
        return self.apps.get(app, {}).get(STATE, "")


def read_answers(text: str, path: str) -> Answers:
    """Raises InvalidDesired with every line that is no answer, by its number and never by its words: a line may hold
    what nobody is to see."""
    common: dict[str, str] = {}
    apps: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    section = common
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if named := _SECTION.fullmatch(line):
            section = apps.setdefault(named[1], {})
            continue
        at, equals, answer = (part.strip() for part in line.partition("="))
        if not equals or not at:
            problems.append(Problem(path, number, message="is no answer", hint="a line is `id = answer`"))
        elif at in section:
            problems.append(Problem(path, number, message=f"answers {at} once more", hint="leave out one of them"))
        else:
            section[at] = answer
            problems += _wrong(at, answer, path, number)
    if problems:
        raise InvalidDesired(tuple(problems))
    return Answers(MappingProxyType(common), MappingProxyType(apps))


def answers_text(answers: Answers, head: str) -> str:
    """What `read_answers` reads as these answers; `head` is a comment. Equal answers give equal bytes."""
    lines = [f"# {line}" for line in head.splitlines()]
    lines += [f"{at} = {text}" for at, text in answers.common.items()]
    for app, told in answers.apps.items():
        if told:
            lines += ["", f"[{app}]", *(f"{at} = {text}" for at, text in told.items())]
    return "\n".join(lines) + "\n"


def _wrong(at: str, text: str, path: str, number: int) -> Iterator[Problem]:
    if at in _OWN or text == YES or (at.startswith("job.") and text == NONE):
        return
    try:
        read_answer(at, text)
    except UsageError as error:
        yield Problem(path, number, message=error.message, hint=error.hint)
