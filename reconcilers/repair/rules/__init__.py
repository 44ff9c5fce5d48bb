"""The first rung: repairs that evidence, image facts or cluster data determine. Deterministic, and without I/O."""
