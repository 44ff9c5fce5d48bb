"""Texts that look like secrets: what no file may hold. Few patterns, each exact: a wrong alarm costs a person more than
it saves. Whatever is told here is hidden wherever something is shown, too (`observers.job_secrets` hides more).

Nothing here ever returns the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# What stands for itself: no variable, no placeholder, no path, no call; and the whole of it.
_VALUE = (
    r"[\"']?(?!(?:true|false|yes|no|none|null|required|optional|prompt|ask)\b)(?![$<{*%/(\[])"
    r"[^\s\"'`,;&<>(){}\[\]$]{3,400}+(?![({\[$])"
)
_SAID = r"(?:password|passwd|passphrase|pwd)"
_FLAGGED = rf"--(?:[a-z0-9]{{1,20}}-){{0,3}}(?:{_SAID}|token|secret|api-?key)"

_PATTERNS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50})")),
    ("a GitLab token", re.compile(r"\bgl(?:pat|dt|rt|ptt|soat|cbt)-[A-Za-z0-9_-]{20}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10}|\bxapp-[0-9]-[A-Za-z0-9-]{10}")),
    ("a Vault token", re.compile(r"\bhv[sbr]\.[A-Za-z0-9_-]{24}")),
    ("a model provider's key", re.compile(r"\bsk-(?:proj-|ant-|lf-)?[A-Za-z0-9_-]{32}")),
    (
        "a service's key",
        re.compile(
            r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{10}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{32}|AIza[A-Za-z0-9_-]{35}"
            r"|SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16}|whsec_[A-Za-z0-9+/]{20})"
        ),
    ),
    ("a signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8}")),
    (
        "an address with a password",
        re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@]{0,200}:(?![$<{*])[^\s/@]{1,200}@"),
    ),
    (
        "the value of an Authorization header",
        re.compile(r"(?i)(?<![a-z])(?:bearer|basic)[ \t]{1,3}(?=[a-z._~+/-]{0,100}[0-9])[a-z0-9._~+/-]{12,4000}"),
    ),
    ("a text with a password in it", re.compile(rf"(?i)(?<![a-z]){_SAID}[ \t]{{0,2}}=[ \t]{{0,2}}{_VALUE}")),
    (
        "a command line with a secret in it",
        re.compile(rf"(?i)(?<![\w-]){_FLAGGED}(?:={_VALUE}|[ \t]{{1,3}}(?=[^\s]{{0,100}}[0-9])(?!-){_VALUE})"),
    ),
)
_NAME = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|APIKEY)(?:_?\d{1,2})?$|(?:^|[_.-])(?:SECRET|TOKEN|PASS|PWD|CREDENTIALS?)(?:_?\d{1,2})?$"
    r"|^PGPASS$|[_.-]KEY$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PUBLIC = re.compile(r"PUBLIC[_.-]?KEY$", re.IGNORECASE)
# Said by a name that ends so: a switch, a file, what Nomad or a template fills in; no secret itself.
_HARMLESS = re.compile(
    r"true|false|yes|no|on|off|none|null|\s*|(?:/[\w.-]+)+/?|file:.*"
    r"|[\w./-]{1,200}\.(?:key|pem|crt|cert|p12|pfx|jks|json|ya?ml|toml|txt|conf|env)",
    re.IGNORECASE | re.DOTALL,
)
_BEGINS_REFERENCE = re.compile(r"\$\{[^}]")
_FLAG = re.compile(r"--?([A-Za-z][\w.-]{0,100})(?:=(.*))?", re.DOTALL)
_SETTING = re.compile(
    r"^[ \t]{0,80}(?:export[ \t]{1,4}|-[ \t])?[\"']?([A-Za-z_][\w.-]{0,100})[\"']?"
    r"[ \t]{0,20}[=:][ \t]{0,20}(\S.{0,4000})$",
    re.MULTILINE,
)


def secret_kind(text: str) -> str | None:
    """What a text looks like by its form alone; None if nothing."""
    return next((kind for kind, pattern in _PATTERNS if pattern.search(text)), None)


def secret_by_name(name: str, text: str) -> bool:
    """Does a variable of this name hold its secret as it is, instead of where to find it?"""
    snake = _CAMEL.sub("_", name)
    named = (_NAME.search(snake) or _NAME.search(name)) and not _PUBLIC.search(snake)
    return bool(named) and not _filled_in(text) and _HARMLESS.fullmatch(text) is None


def _filled_in(text: str) -> bool:
    """Something of it is put in by a template, or by Nomad. In one go, however long the text is."""
    begun = _BEGINS_REFERENCE.search(text)
    return "{{" in text or (begun is not None and text.find("}", begun.end()) >= 0)


def is_secret(name: str, text: str) -> bool:
    """Whether a variable's literal value is one, by its form or by the variable's name."""
    return secret_kind(text) is not None or secret_by_name(name, text)


def secret_words(words: Sequence[object]) -> Iterator[tuple[int, str]]:
    """Of a command line, which words are secrets by the flag that they belong to: their places, and that flag."""
    before = ""
    for place, word in enumerate(words):
        flag = _FLAG.fullmatch(word) if isinstance(word, str) else None
        if flag is not None and flag[2] is not None:
            if secret_by_name(flag[1], flag[2]):
                yield place, flag[1]
        elif flag is None and before and secret_by_name(before, str(word)) and not str(word).startswith("$"):
            yield place, before
        before = flag[1] if flag is not None and flag[2] is None else ""


def secret_settings(text: str) -> Iterator[str]:
    """Of a file of settings, the names of those that are secrets: `password: x`, `api_key = "x"`."""
    for found in _SETTING.finditer(text):
        value = found[2].strip().rstrip(",;").strip("\"' ")
        if not value.startswith(("#", "$", "{", "[", "|", ">", "<")) and secret_by_name(found[1], value):
            yield found[1]
