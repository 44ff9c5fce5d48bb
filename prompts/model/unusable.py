"""What came back from the model, and is no answer to what was asked.

It differs from a model that is away: another try, with what was wrong told to it, may bring a good answer.
"""

from __future__ import annotations

from enum import StrEnum

from desired.errors import TransientError


class Fault(StrEnum):
    """In one word; they are labels of metrics. They only grow."""

    MALFORMED = "malformed"  # no JSON object, or more than one
    MISFIT = "misfit"  # JSON, and not what the schema asks for
    CUT_OFF = "cut_off"
    REFUSED = "refused"  # the model would not, or a filter took it away
    EMPTY = "empty"
    TOOL = "tool"  # it called a tool, of which it has none


class UnusableAnswer(TransientError):
    """The endpoint answered, and the answer cannot be used; `wrong` is what is wrong with it, one by one.

    `wrong` names places and rules of the schema, and may be told to the model. Nothing of the answer is in it.
    """

    def __init__(self, message: str, *, fault: Fault, wrong: tuple[str, ...], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fault = fault
        self.wrong = wrong
