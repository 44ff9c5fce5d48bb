"""A trace without secrets: every text of every span goes through the process's placeholders. Runs beside the loop.

What is known to be secret are the process's own settings and whatever may be secret in the jobs of the trace; forms
that only secrets have are found in any text.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from desired.spans import as_text
from nomad_operator.tracing.recorder import Recorded
from observers.known_secrets import KnownSecrets
from observers.redaction import Placeholders, Redactor

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


class Redaction:
    """Called from any thread, one at a time."""

    def __init__(self, *, secrets: Collection[str], placeholders: Placeholders) -> None:
        self._secrets = frozenset(secrets)
        self._placeholders = placeholders
        self._known = KnownSecrets()
        self._lock = threading.Lock()

    def redacted(self, recorded: Recorded) -> list[ReadableSpan]:
        """Spans as they may leave the process, each with the session, the name and the tags of its trace."""
        with self._lock:
            known = set(self._secrets).union(*(self._known.of(job) for job in recorded.jobs))
            redactor = Redactor(known=known, placeholders=self._placeholders)
            of_all = {
                "session.id": recorded.session,
                "langfuse.trace.name": recorded.name,
                "langfuse.trace.tags": tuple(redactor.redact(tag) for tag in recorded.tags),
            }
            return [_redacted(span, redactor, of_all) for span in recorded.spans]


def _redacted(span: Any, redactor: Redactor, of_all: Mapping[str, Any]) -> ReadableSpan:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    status = span.status
    words = redactor.redact(status.description) if status.description else None
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: _hidden(value, redactor) for name, value in (span.attributes or {}).items()} | dict(of_all),
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(status.status_code, words),
        start_time=span.start_time,
        end_time=span.end_time,
    )


def _hidden(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return as_text(redactor.redact(value), longest=_LONGEST)
    if isinstance(value, Sequence):
        return tuple(_hidden(one, redactor) for one in value)
    return value


# What stands for a secret may be longer than the secret.
_LONGEST = 64 * 1024
