"""The answers of an interview that is not over, in a file beside the manifest to be: whoever stops loses nothing.

Written after every answer, removed at the end. No secret is in it: none is ever asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from desired.draft.answers_file import STATE, Answers, answers_text, read_answers
from desired.errors import UsageError
from nomad_operator.interview.output import write

_HEAD = """What was answered so far. `nomad-operator init` on the same folder goes on from here,
and takes the file away at its end; `--answers` reads it as well."""


@dataclass(slots=True)
class Kept:
    """`given` are the answers of the file that a person named: the kept ones come before them."""

    place: Path
    given: Answers = field(default_factory=Answers)
    common: dict[str, str] = field(default_factory=dict)
    apps: dict[str, dict[str, str]] = field(default_factory=dict)

    def read(self) -> int:
        """How many answers were kept. Raises UsageError, and InvalidDesired where somebody broke the file."""
        try:
            text = self.place.read_text(encoding="utf-8")
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{self.place} cannot be read", hint="remove it to begin anew") from None
        found = read_answers(text, str(self.place))
        self.common = dict(found.common)
        self.apps = {app: dict(told) for app, told in found.apps.items()}
        return len(self.common) + sum(len(told) for told in self.apps.values())

    def about_all(self, at: str) -> str:
        return self.common.get(at) or self.given.common.get(at, "")

    def of(self, app: str) -> Mapping[str, str]:
        return {**self.given.of(app), **Answers({}, self.apps).of(app)}

    def state(self, app: str) -> str:
        return self.apps.get(app, {}).get(STATE, "")

    def keep(self, app: str, answers: Mapping[str, str], state: str = "") -> None:
        """What differs from the file that was given; nothing is written where nothing was answered."""
        given = self.given.of(app)
        told = {at: text for at, text in answers.items() if given.get(at) != text}
        made = {**told, **({STATE: state} if state else {})}
        if made != self.apps.get(app, {}):
            self.apps[app] = made
            self._write()

    def keep_about_all(self, at: str, text: str) -> None:
        if self.common.get(at) != text:
            self.common[at] = text
            self._write()

    def forget(self) -> None:
        with suppress(FileNotFoundError):
            self.place.unlink()

    @property
    def there(self) -> bool:
        return self.place.exists()

    def _write(self) -> None:
        write(self.place, answers_text(Answers(self.common, self.apps), _HEAD))
