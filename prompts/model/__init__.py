"""The model client: one question, one answer that satisfies its schema."""
