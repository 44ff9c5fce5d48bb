"""What is raised where an operation has nothing to change in the text that a person wrote."""

from __future__ import annotations

from desired.errors import TerminalError
from desired.operations.operation import Operation
from desired.reasons import Reason


class NotLiteral(TerminalError):
    """The value does not stand there as a literal. `line` and `column` count from 1, 0 where there is no one place.

    `expression` says what stands there instead, without any text of it that may be a secret; `variable` is the HCL
    variable that the value comes from, empty where it is none.
    """

    reason = Reason.UNSUPPORTED

    def __init__(
        self,
        operation: Operation,
        why: str,
        *,
        line: int = 0,
        column: int = 0,
        expression: str = "",
        variable: str = "",
    ) -> None:
        where = f" in line {line}" if line else ""
        what = f" (`{expression}`)" if expression else ""
        message = f"cannot write {operation.kind.value} of {operation.path or 'the job'}{where}: {why}{what}"
        hint = (
            f"Change the variable `{variable}` by hand."
            if variable
            else "Make the change by hand; the diff of the job shows what it comes to."
        )
        super().__init__(message, hint=hint)
        self.operation = operation
        self.line = line
        self.column = column
        self.expression = expression
        self.variable = variable
