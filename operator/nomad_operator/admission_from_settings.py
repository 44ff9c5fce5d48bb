"""Who may object to a job before it is registered, as the settings say."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from desired.admission.examiner import PolicyExaminer
from desired.admission.rule_file import RuleFile
from desired.state import DesiredState
from nomad_operator.rules_in_force import RulesInForce
from nomad_operator.settings import Settings
from observers.nomad.feature_examiner import Agents, FeatureExaminer
from reconcilers.admission import Admission, Examiner


class Desired(Protocol):
    """What the revision in force asks for; None before it was read."""

    @property
    def state(self) -> DesiredState | None: ...


def rules_in_force(settings: Settings, desired: Desired, *more: Path) -> RulesInForce:
    """One for all who judge by them: it keeps what it has read. `more` are files beside that of the settings."""
    paths = (*((settings.policy_file,) if settings.policy_file is not None else ()), *more)
    return RulesInForce(files=[RuleFile(path=path) for path in dict.fromkeys(paths)], state=lambda: desired.state)


def admission(settings: Settings, *, nomad: Agents, desired: Desired, rules: RulesInForce) -> Admission:
    """The same for the daemon, `once`, `plan` and `validate --server`."""
    examiners = offline(settings, desired=desired, rules=rules)
    examiners.append(FeatureExaminer(nomad=nomad, clock=time.monotonic))
    return Admission(examiners=examiners)


def offline(settings: Settings, *, desired: Desired, rules: RulesInForce) -> list[Examiner]:
    """Who asks nobody: `validate` has these without a server."""
    return [PolicyExaminer(rules=rules)]
