"""Langfuse over its public API: prompts by label, scores, and what was traced."""
