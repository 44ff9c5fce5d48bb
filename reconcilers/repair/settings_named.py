"""Names of settings in an app's own words: what it may be that it lacks. Untrusted, as all that apps say. Pure."""

from __future__ import annotations

import re

from observers.evidence import Evidence

_SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b[A-Z]{4,24}\b")
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "ERROR WARN WARNING INFO DEBUG FATAL TRACE PANIC EOF HTTP HTTPS JSON TRUE FALSE NULL NONE SIGTERM "
        "SIGKILL SIGSEGV NOTICE CRITICAL ALERT UTC GET POST PUT DELETE ECONNREFUSED ENOENT EACCES",
    )
)
_LONGEST = 4_000
_MOST = 12


def settings_named(evidence: Evidence) -> tuple[str, ...]:
    """In the order of the app's words, the first few."""
    found = dict.fromkeys(name for tail in evidence.logs for name in _SETTING.findall(tail.text[-_LONGEST:]))
    return tuple(name for name in found if name not in _WORDS)[:_MOST]
