"""Every case of the corpus, by name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tests.repair import (
    adversarial,
    faults_health,
    faults_network,
    faults_resources,
    faults_secrets,
    faults_start,
    faults_submission,
    leave,
    manifests,
    read,
    several,
)
from tests.repair.case import Case
from tests.repair.fault import Fault, case_of

FAULTS: tuple[Fault, ...] = (
    *faults_resources.FAULTS,
    *faults_network.FAULTS,
    *faults_health.FAULTS,
    *faults_start.FAULTS,
    *faults_secrets.FAULTS,
    *faults_submission.FAULTS,
)


def _single() -> Iterator[Case]:
    """Each fault on each of its shapes; every second one as the new version of an app that was good."""
    count = 0
    for fault in FAULTS:
        for shape in fault.shapes:
            count += 1
            yield case_of(fault, shape, after_good=count % 2 == 0)


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for case in chain(
        _single(),
        several.cases(FAULTS),
        manifests.cases(),
        leave.cases(),
        adversarial.cases(),
        read.cases(),
    ):
        assert case.name not in found, case.name
        found[case.name] = case
    return found
