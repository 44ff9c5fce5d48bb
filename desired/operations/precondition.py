"""What is raised where a job does not say what an operation expects of it."""

from __future__ import annotations

from desired.errors import TerminalError
from desired.operations import shown
from desired.operations.operation import Operation
from desired.reasons import Reason


class PreconditionGone(TerminalError):
    """The job does not say what the operation was made for. `found` is what it says instead, without secrets."""

    reason = Reason.CONFLICT

    def __init__(self, operation: Operation, found: str) -> None:
        where = f"{operation.kind.value} of {operation.path or 'the job'}"
        super().__init__(
            f"cannot change {where} from {shown.value(operation, operation.old)} to "
            f"{shown.value(operation, operation.new)}: found {found}",
            hint="The job has changed since, or names something else: look at it again and decide anew.",
        )
        self.operation = operation
        self.found = found
