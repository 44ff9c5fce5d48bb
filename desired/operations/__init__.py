"""Typed edits of a job: the only thing a repair may consist of."""
