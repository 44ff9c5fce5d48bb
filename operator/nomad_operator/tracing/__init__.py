"""Traces of what the operator does, for Langfuse and for any OpenTelemetry collector; without secrets, and bounded."""
