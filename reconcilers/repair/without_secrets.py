"""What the rungs answered, as it may be remembered and told. Pure.

A rung sees the job as it is, with whatever secrets stand in it. Its words are redacted. Operations are remembered by
value, in a record that people may read, so one whose value is or holds a secret is never put in force: it becomes a
choice, told without the value, that a person commits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from desired.operations.operation import Operation
from desired.operations.words import line
from observers.redaction import holds_a_placeholder
from reconcilers.repair.guard import Verdict
from reconcilers.repair.ladder import Climbed, TurnedDown
from reconcilers.repair.proposal import Candidates, Proposal

Hide = Callable[[str], str]


def without_secrets(result: Climbed, hide: Hide) -> Climbed:
    candidates = tuple(_candidates(one, hide) for one in result.candidates)
    proposal = result.proposal and _worded(result.proposal, hide)
    verdict = result.verdict and _verdict(result.verdict, hide)
    if proposal is not None and any(holds_a_secret(one, hide) for one in proposal.operations):
        candidates = (*candidates, _offered(proposal, hide))
        proposal = verdict = None
    return replace(
        result,
        proposal=proposal,
        verdict=verdict,
        turned_down=tuple(_turned_down(one, hide) for one in result.turned_down),
        candidates=candidates,
        silent=tuple(hide(one) for one in result.silent),
    )


def holds_a_secret(operation: Operation, hide: Hide) -> bool:
    """A list is looked at as a whole, too: what a word is says the one before it."""
    for value in (operation.old, operation.new):
        words = value if isinstance(value, tuple) else (value,)
        texts = [word for word in words if isinstance(word, str)]
        # What was read out of redacted evidence may hold what stands for a secret: Nomad would take it for the value.
        if any(holds_a_placeholder(text) or hide(text) != text for text in (*texts, " ".join(texts))):
            return True
    return False


def _offered(proposal: Proposal, hide: Hide) -> Candidates:
    told = "; ".join(hide(line(one)) for one in proposal.operations)
    reason = f"{proposal.reason}; a value of it is or holds a secret, so it is left to a person to commit it"
    return Candidates(source=proposal.source, reason=reason, choices=(told,))


def _worded(proposal: Proposal, hide: Hide) -> Proposal:
    grounds = {path: hide(ground) for path, ground in proposal.grounds.items()}
    return replace(proposal, reason=hide(proposal.reason), source=hide(proposal.source), grounds=grounds)


def _turned_down(one: TurnedDown, hide: Hide) -> TurnedDown:
    proposal = _worded(one.proposal, hide)
    if any(holds_a_secret(operation, hide) for operation in proposal.operations):
        # Nobody applies it: that it was there, and why it was turned down, is all that is worth remembering.
        proposal = replace(proposal, operations=())
    return replace(one, proposal=proposal, verdict=_verdict(one.verdict, hide))


def _verdict(verdict: Verdict, hide: Hide) -> Verdict:
    violations = tuple(replace(one, words=hide(one.words)) for one in verdict.violations)
    return replace(verdict, violations=violations, approval=hide(verdict.approval))


def _candidates(one: Candidates, hide: Hide) -> Candidates:
    return replace(one, reason=hide(one.reason), choices=tuple(hide(choice) for choice in one.choices))
