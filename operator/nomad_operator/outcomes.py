"""How what a rung proposed went, in the words of scores and metrics; they only grow."""

from __future__ import annotations

VALIDATED = "validated"  # the guard let it through
HEALTHY = "healthy"  # it was put in force, and the app became healthy and stayed so
DURABLE = "durable"  # nothing undid it within half an hour
OUTCOMES = (VALIDATED, HEALTHY, DURABLE)
