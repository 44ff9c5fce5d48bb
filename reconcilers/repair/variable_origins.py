"""Where the value of an environment variable is from within its own job: names, never what they hold. Pure.

What another variable holds may be a secret: its name is what is remembered, and the job at hand says the value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from desired.state import JobBody
from reconcilers.repair.rules import job_parts

# Source: Nomad, "Runtime environment settings"; the label of a port ends the name.
_REFERENCE = re.compile(r"\$\{NOMAD_(PORT|ADDR|IP|HOST_PORT)_([\w-]+)\}")


def twin(body: JobBody, at: Sequence[str], text: str) -> str | None:
    """The one other variable of the task that holds the same; None where none does, or several do."""
    names = [name for name, held in _held(body, at).items() if held == text and name != at[2]]
    return names[0] if len(names) == 1 and text else None


def held(body: JobBody, at: Sequence[str], name: str) -> str | None:
    """What another variable of the same task holds."""
    return _held(body, at).get(name) if name != at[2] else None


def reference(text: str, labels: Sequence[str]) -> str | None:
    """What is asked of the group's only port, by Nomad's word; None for any other text."""
    found = _REFERENCE.fullmatch(text)
    return found[1] if found is not None and list(labels) == [found[2]] else None


def referring(word: str, labels: Sequence[str]) -> str | None:
    """The reference to the group's only port; None where it has several, or none."""
    text = f"${{NOMAD_{word}_{labels[0]}}}" if len(labels) == 1 else ""
    return text if _REFERENCE.fullmatch(text) else None


def target(body: JobBody, at: Sequence[str]) -> str | None:
    """The number that the group's only port leads to inside; None where there is no such number."""
    group = next((one for one in job_parts.groups(body) if job_parts.name(one) == at[0]), None)
    ports = job_parts.ports(group) if group is not None else []
    return str(ports[0].to) if len(ports) == 1 and ports[0].to > 0 else None


def _held(body: JobBody, at: Sequence[str]) -> dict[str, str]:
    for group in job_parts.groups(body):
        for task in job_parts.tasks(group) if job_parts.name(group) == at[0] else ():
            if job_parts.name(task) == at[1]:
                return job_parts.environment(task)
    return {}
