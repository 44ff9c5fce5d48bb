"""A named fault: what it does to a healthy job or its world, what it is called, and what a repair of it may touch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from desired.job.hcl_write import to_hcl
from desired.policy import Policy
from observers.failures.failure_class import FailureClass
from tests.repair.case import Case, End, Event, Part
from tests.repair.shapes import TEXTS, Broken

F = FailureClass


@dataclass(frozen=True, slots=True)
class Fault:
    """`breaks` changes a copy. `says` are the right verdicts, `may_change` the leaves that a repair may touch.

    `shapes` are the jobs that it is done to. `text` changes the written file, for what no job's JSON can say.
    `of_world`: the world is what is wrong, so there is no good version before. `most` bounds values that may be set.
    """

    name: str
    breaks: Callable[[Broken], None]
    says: tuple[FailureClass, ...]
    shapes: tuple[str, ...]
    may_change: tuple[str, ...] = ()
    ends: End = End.FIXED
    text: Callable[[str], str] | None = None
    of_world: bool = False
    events: tuple[Event, ...] = ()
    policy: Policy = field(default_factory=Policy)
    most: tuple[tuple[str, int], ...] = ()
    part: Part = Part.BROKEN


_PLACES = frozenset({"Datacenters", "NodePool", "*Constraints/*"})


def nothing(one: Broken) -> None:
    """The fault is in the world, in the text, or in what happens."""


def _ends(fault: Fault, also: tuple[Fault, ...], *, runs: bool) -> End:
    """Where a job may run is changed only with a person's approval while a version of it runs."""
    if fault.ends is End.FIXED and runs and any(one in _PLACES for each in (fault, *also) for one in each.may_change):
        return End.APPROVED
    return fault.ends if all(each.ends is End.FIXED for each in also) else End.APPROVED


def case_of(fault: Fault, shape: str, *, after_good: bool, also: tuple[Fault, ...] = ()) -> Case:
    """The fault done to one shape; with `also`, further ones on top."""
    one = Broken(shape)
    faults = (fault, *also)
    for each in faults:
        each.breaks(one)
    text = to_hcl(one.job)
    for each in faults:
        if each.text is not None:
            before, text = text, each.text(text)
            assert text != before, f"{each.name} changes nothing of {shape}"
    good = after_good and not any(each.of_world for each in faults)
    names = "+".join(each.name for each in faults)
    return Case(
        name=f"{names}:{shape}" + (":new-version" if good else ""),
        part=fault.part,
        fault=names,
        app=shape,
        world=one.world,
        text=text,
        good=TEXTS[shape] if good else "",
        others=tuple(one.others),
        ends=_ends(fault, also, runs=good and '"batch"' not in TEXTS[shape]),
        says=frozenset(said for each in faults for said in each.says),
        may_change=tuple(pattern for each in faults for pattern in each.may_change),
        events=tuple(event for each in faults for event in each.events),
        policy=fault.policy,
        most=tuple(bound for each in faults for bound in each.most),
        faults=len(faults),
    )
