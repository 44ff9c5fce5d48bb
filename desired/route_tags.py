"""Objects to tags that would stop Fabio for every service, and tells of those that are not what they seem. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from desired.app import AppKey
from desired.fabio_tag import Severity
from desired.job_routes import RoutedService, route_problems
from desired.objection import Objection
from desired.reasons import Reason
from desired.state import JobBody

RULE = "routes.tag"


class RouteTags:
    """An examiner that asks nobody: a tag is read as Fabio would read it, whether there is a Fabio or not."""

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        return [
            Objection(
                RULE,
                f"service {service.name}: the tag {problem.tag!r}: {problem.message}",
                problem.hint,
                place(service),
                warning=problem.severity is Severity.WARNING,
                reason=Reason.DESIRED_INVALID,
            )
            for service, problem in route_problems(body)
        ]


def place(service: RoutedService) -> tuple[str, ...]:
    """Where a service's tags stand in a job file, as `desired.job.hcl_places` has it."""
    group, _, task = service.where.partition("/")
    within = ("group", group, "task", task) if task else ("group", group)
    return (*within, "service", service.name, "tags")
