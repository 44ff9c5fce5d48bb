"""Texts that look like secrets. Few patterns, each exact: a wrong alarm costs a person more than it saves.

Nothing here ever returns the text.
"""

from __future__ import annotations

import re

_PATTERNS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50})")),
    ("a GitLab token", re.compile(r"\bgl(?:pat|dt|rt|ptt|soat|cbt)-[A-Za-z0-9_-]{20}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10}|\bxapp-[0-9]-[A-Za-z0-9-]{10}")),
    ("a Vault token", re.compile(r"\bhv[sbr]\.[A-Za-z0-9_-]{24}")),
    ("a model provider's key", re.compile(r"\bsk-(?:proj-|ant-|lf-)?[A-Za-z0-9_-]{32}")),
    ("a signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8}")),
    (
        "an address with a password",
        re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@]{0,200}:(?![$<{*])[^\s/@]{1,200}@"),
    ),
)
_NAME = re.compile(r"(?:^|[_.-])(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN)$|[_.-]KEY$", re.IGNORECASE)
_PUBLIC = re.compile(r"PUBLIC[_.-]?KEY$", re.IGNORECASE)
# Said by a name that ends so: a switch, a file, what Nomad fills in; no secret itself.
_HARMLESS = re.compile(
    r"true|false|yes|no|on|off|none|null|\s*|(?:/[\w.-]+)+/?|file:.*|.*\$\{[^}]+\}.*", re.IGNORECASE | re.DOTALL
)


def secret_kind(text: str) -> str | None:
    """What a text looks like by its form alone; None if nothing."""
    return next((kind for kind, pattern in _PATTERNS if pattern.search(text)), None)


def secret_by_name(name: str, text: str) -> bool:
    """Does a variable of this name hold its secret as it is, instead of where to find it?"""
    named = _NAME.search(name) is not None and _PUBLIC.search(name) is None
    return named and _HARMLESS.fullmatch(text) is None
