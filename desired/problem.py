"""What is wrong with a file, and where: the value that people see as `file:line:column: message`."""

from __future__ import annotations

from dataclasses import dataclass, field

from desired.question import Question


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong. `line` and `column` count from 1; 0 means that the place is not known.

    With a `question` nothing is wrong with what stands there: an answer is missing. What `hides` may hold any number of
    files that cannot be looked at. `rule` names what was broken, where a rule was.
    """

    path: str
    line: int = 0
    column: int = 0
    message: str = ""
    hint: str = ""
    question: Question | None = field(default=None, compare=False)
    hides: bool = field(default=False, compare=False)
    rule: str = ""

    def __str__(self) -> str:
        place = self.path
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        return (
            f"{place}: {self.message}"
            + (f" ({self.hint})" if self.hint else "")
            + (f" [{self.rule}]" if self.rule else "")
        )
