"""What an untrusted rung may do to templates: other names where the failure asks for them, another syntax, no more.

A template says which variable gets which secret; that is said by nothing but the order of its words. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.operations.operation import Kind, Operation
from desired.secret_reads import secret_reads
from desired.state import JobBody
from reconcilers.repair.invariants import Violation
from reconcilers.repair.origins import template_words, texts
from reconcilers.repair.proposal import Case, Proposal

# A piece of a template that is a name and nothing else: no action begins or ends in it, nothing is assigned.
_NAME = re.compile(r"[^{}=|$\n]{1,300}")
_ACTION = re.compile(r"[{\[<(%]{1,2}[^{}=\n]{1,300}[}\]>)%]{1,2}")
_WORD = re.compile(r"\w+")


def only_a_name(case: Case, one: Operation) -> Iterator[str]:
    old, new = str(one.old or ""), str(one.new or "")
    if _NAME.fullmatch(old) and _NAME.fullmatch(new):
        return
    if not _ACTION.fullmatch(old) or len(_exchanged(old, new) or ()) != 1:
        yield "only a name is replaced, not what stands around it"


def same_words(case: Case, one: Operation) -> Iterator[str]:
    """What a template says stays in its order: which variable gets which secret is said by nothing else."""
    old, new = str(one.old or ""), str(one.new or "")
    exchanged = _exchanged(old, new)
    if exchanged and {word for _, word in exchanged} <= template_words():
        return
    if _own_words(old) != _own_words(new):
        yield "it would say something else, not only in another way"


def _exchanged(old: str, new: str) -> set[tuple[str, str]] | None:
    """Which words took the place of which, None where what stands around them differs."""
    if _WORD.sub("w", old) != _WORD.sub("w", new):
        return None
    return {pair for pair in zip(_WORD.findall(old), _WORD.findall(new), strict=True) if pair[0] != pair[1]}


def _own_words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word not in template_words()]


# Kinds that are there to change what is read; each needs a person's approval, or changes nothing but the shape.
_READING = frozenset({Kind.TEMPLATE_KEY, Kind.SECRET_PATH, Kind.KV_SHAPE, Kind.ENV})


def new_reads(case: Case, after: JobBody, proposal: Proposal) -> Iterator[Violation]:
    """No secret is read, in whatever guise, that was not read before."""
    if any(one.kind in _READING for one in proposal.operations):
        return
    before = {(one.source, one.path, one.group, one.task) for one in secret_reads(case.body)}
    for one in secret_reads(after):
        # What stood in a text that could not be read stood there, too.
        stood = any(one.path in text for text in texts(case.body))
        if (one.source, one.path, one.group, one.task) not in before and not stood:
            yield Violation("template", f"task {one.where} would read {one.path}")
