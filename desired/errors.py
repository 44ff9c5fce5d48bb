"""The tree of everything that can go wrong on purpose.

    OperatorError                     a message, a hint, an exit code
    ├── TransientError                back off and try again
    │   ├── Unavailable               refused, reset, no leader, a 5xx without meaning, a cut answer
    │   │   ├── StillReading          the code of an app is being read, which is told elsewhere when it is over
    │   │   └── PartlyExamined        not everybody could be asked; carries what was found (desired.objection)
    │   ├── RateLimited               too many connections or requests; may carry `retry_after`
    │   ├── Conflict                  a compare-and-set was lost: read again, decide again
    │   ├── DeadlineExceeded          no answer in time; a write may or may not have happened
    │   ├── StateUnavailable          the state store cannot be written just now: its disk is full, or it is locked
    │   ├── LeaseLost                 another copy may act by now: nothing is written any more
    │   └── UnusableAnswer            the model answered, and what it said is no answer (prompts.model)
    ├── TerminalError                 stalled until something changes; carries a `Reason`
    │   ├── InvalidDesired            a manifest or job file; carries every `Problem`
    │   ├── Rejected                  Nomad refuses the job
    │   ├── Forbidden                 the token may not do this
    │   ├── Unsupported               this server or this version cannot do it
    │   ├── PreconditionGone          an operation's old value is not there (desired.operations)
    │   ├── NotLiteral                an operation has no literal to change in what a person wrote (desired.operations)
    │   ├── PromptUnusable            a version of a prompt cannot be asked with (prompts)
    │   ├── OperationUnreadable       what should be an operation is none (desired.operations)
    │   └── StateUnusable             the state store cannot be read or written as it is
    └── UsageError                    wrong arguments or settings: exit code 2

Anything else that is raised is a bug. A message says what was attempted, on what, and what was found; `hint` says
what to do. Nothing secret may enter either: whoever raises knows what is secret.
"""

from __future__ import annotations

from datetime import timedelta

from desired.problem import Problem
from desired.reasons import Reason


class OperatorError(Exception):
    """Root of the tree. `exit_code` is what a command ends with when nobody handles the error."""

    exit_code = 1
    reason: Reason = Reason.INTERNAL_ERROR

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class TransientError(OperatorError):
    """It may work later without anybody doing anything."""

    reason = Reason.UNAVAILABLE


class Unavailable(TransientError):
    """The other side cannot be reached or cannot answer."""


class StillReading(Unavailable):
    """What an app's manifest leaves to its code is being read: nothing is done about the app until that is over."""


class RateLimited(TransientError):
    """The other side asks us to slow down; `retry_after` is what it named, None if it named nothing."""

    reason = Reason.RATE_LIMITED

    def __init__(self, message: str, *, hint: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class Conflict(TransientError):
    """Somebody else wrote first."""

    reason = Reason.CONFLICT


class DeadlineExceeded(TransientError):
    """No complete answer in time. After a write: read before trying again."""

    reason = Reason.DEADLINE_EXCEEDED


class StateUnavailable(TransientError):
    """The operator's own state cannot be used just now. Nothing is changed in Nomad that could not be remembered."""

    reason = Reason.STATE_UNAVAILABLE


class LeaseLost(TransientError):
    """This copy may not act: its lease is over, or about to be. The write was not sent."""


class TerminalError(OperatorError):
    """Trying again changes nothing until somebody changes something."""

    def __init__(self, message: str, *, reason: Reason | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        if reason is not None:
            self.reason = reason


class InvalidDesired(TerminalError):
    """A file that people wrote is wrong; `problems` holds all of them, never only the first."""

    reason = Reason.DESIRED_INVALID

    def __init__(self, problems: tuple[Problem, ...], *, hint: str = "") -> None:
        super().__init__("; ".join(str(problem) for problem in problems), hint=hint)
        self.problems = problems


class Rejected(TerminalError):
    """Nomad refuses the job as it is; `mistakes` are its words one by one, as the message holds them together."""

    reason = Reason.VALIDATION_FAILED

    def __init__(
        self, message: str, *, reason: Reason | None = None, hint: str = "", mistakes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, reason=reason, hint=hint)
        self.mistakes = mistakes or (message,)


class Forbidden(TerminalError):
    """Credentials are missing, wrong, or not allowed to do this."""

    reason = Reason.FORBIDDEN


class Unsupported(TerminalError):
    """The other side cannot do this at all."""

    reason = Reason.UNSUPPORTED


class StateUnusable(TerminalError):
    """The operator's own state cannot be used; it refuses to guess."""

    reason = Reason.STATE_UNUSABLE


class UsageError(OperatorError):
    """Wrong arguments or settings; `message` may hold several lines, one a problem."""

    exit_code = 2
