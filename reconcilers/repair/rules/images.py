"""What is known of the image that a task runs."""

from __future__ import annotations

from observers.evidence import ImageFacts
from reconcilers.repair.proposal import Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import Part


def image_of(case: Case, task: Part) -> ImageFacts | None:
    """What is known of a task's image, None where nobody could be asked."""
    return case.evidence.images.get(str(job_parts.config(task).get("image") or ""))
