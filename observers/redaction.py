"""Takes secrets out of text before it is stored, logged, shown or handed on: each becomes a placeholder.

Three ways to know one: it stands in the job (its environment, templates, credentials), it has a form that only secrets
have, or it is a long word with no order in it. Image digests, commit ids, allocation ids, addresses and paths stay:
they are what evidence consists of. The same secret has the same placeholder for the life of the process, and only the
process can turn it back.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from desired.secret_literals import secret_by_name, secret_kind
from desired.state import JobBody

# Longer texts are cut first: what is searched is bounded, whatever an app writes.
LONGEST = 64 * 1024
_LEAST_KNOWN = 4
_MARK = re.compile(r"«secret:(\d+)»")

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)", re.DOTALL)
# Each has one group: the secret itself; what stands around it says what it was.
_SHAPES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*)",
        r"\b((?:AKIA|ASIA|AIza)[0-9A-Za-z_-]{12,40})",
        r"\b((?:gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|soat|cbt)-|xox[abeoprs]-|xapp-|sk-|sk_live_|rk_live_|pk_live_"
        r"|npm_|pypi-|dop_v1_|shpat_)[A-Za-z0-9_-]{10,})",
        r"\b(hv[sbr]\.[A-Za-z0-9_-]{8,})",
        r"\b(s\.[A-Za-z0-9]{24})\b",
        r"(?i)\b(?:bearer|basic|token)\s+([A-Za-z0-9._~+/-]{8,}={0,2})",
        r"://[^\s/:@]{0,200}:([^\s/@]{1,200})@",
        r"(?i)\b[\w.-]{0,60}(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
        r"|credential|auth[_-]?key)[\w.-]{0,20}[\"']?\s{0,3}(?:=|:|\bis\b)\s{0,3}[\"']?([^\s\"',;&)}\]»«]{3,200})",
        r"(?i)x-(?:nomad|vault|consul)-token[\"']?\s{0,3}[:=]\s{0,3}[\"']?([0-9A-Za-z._-]{8,})",
    )
)
_WORD = re.compile(r"[A-Za-z0-9_+-]{20,}={0,2}")
_HEX = re.compile(r"[0-9a-f]+")
# A digest, a commit, a container: long hexadecimal words that are no secret.
_IDS = frozenset({40, 64})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ALLOCATION_FOLDER = re.compile(r"(?:/[\w.-]{1,100}){0,20}/alloc(?:_mounts|s)?/[0-9a-f]{8}-[0-9a-f-]{27}")
_LEAST_ENTROPY = 3.6
# What values of an environment are where they are no secret: numbers, switches, paths, addresses, plain words.
_PLAIN = re.compile(
    r"[\d.:,_-]*|true|false|yes|no|on|off|none|null|\d+(?:ms|s|m|h|[kKmMgG]i?[bB]?)?|(?:/[\w.-]*)+|[a-z]{1,24}|[A-Z]{1,24}"
    r"|(?:[a-z0-9-]+\.)*[a-z0-9-]+(?::\d+)?|[a-z][a-z0-9+.-]*://[\w.-]+(?::\d+)?(?:/[\w./-]*)?|.*\$\{.*",
    re.DOTALL,
)


class Placeholders:
    """Which secret has which number, for the life of the process. Never stored."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._secrets: list[str] = []

    def of(self, secret: str) -> str:
        number = self._numbers.get(secret)
        if number is None:
            number = self._numbers[secret] = len(self._secrets) + 1
            self._secrets.append(secret)
        return f"«secret:{number}»"

    def restore(self, text: str) -> str:
        """The text with its secrets back in place, for what is written to Nomad itself."""

        def secret(match: re.Match[str]) -> str:
            number = int(match[1])
            return self._secrets[number - 1] if 0 < number <= len(self._secrets) else match[0]

        return _MARK.sub(secret, text)


class Redactor:
    """For one job: `known` are secrets of this process and of the job, at least four characters long."""

    def __init__(self, *, known: Iterable[str], placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        spelled = {form: secret for secret in known if len(secret) >= _LEAST_KNOWN for form in _forms(secret)}
        self._secrets = spelled
        longest_first = sorted(spelled, key=lambda one: (-len(one), one))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def redact(self, text: str) -> str:
        """Twice is the same as once."""
        text = text[-LONGEST:]
        if self._known is not None:
            text = self._known.sub(lambda match: self._placeholders.of(self._secrets[match[0]]), text)
        text = _PEM.sub(lambda match: self._placeholders.of(match[0]), text)
        for shape in _SHAPES:
            text = shape.sub(self._hidden, text)
        text = _WORD.sub(self._disorderly, text)
        return _ALLOCATION_FOLDER.sub("<alloc>", text)

    def _hidden(self, match: re.Match[str]) -> str:
        secret = match[1]
        if _MARK.search(secret) or _PLAIN_NOT_SECRET.fullmatch(secret):
            return match[0]
        start, end = match.start(1) - match.start(), match.end(1) - match.start()
        return match[0][:start] + self._placeholders.of(secret) + match[0][end:]

    def _disorderly(self, match: re.Match[str]) -> str:
        return self._placeholders.of(match[0]) if _has_no_order(match[0]) else match[0]


# What follows `token:` or `password is` in ordinary sentences.
_PLAIN_NOT_SECRET = re.compile(
    r"(?i)(?:not|missing|required|invalid|empty|unset|set|expired|wrong|incorrect|unknown|none|null|true|false|must|for|in"
    r"|of|to|and|or|from|the|a|an|no|is|was|file|env|unexpected|\$\{.*|<.*|\{\{.*|\*+|\.+)[.:]?"
)


def known_in(body: JobBody) -> set[str]:
    """Every value in a job that may be secret, or be what a secret is made of."""
    found: set[str] = set()
    for group in body.get("TaskGroups") or ():
        for task in group.get("Tasks") or ():
            found |= set(_of_environment(task.get("Env") or {}))
            for template in task.get("Templates") or ():
                found |= set(_of_template(str(template.get("EmbeddedTmpl") or "")))
    found |= set(_by_name(body))
    return {one for one in found if len(one) >= _LEAST_KNOWN and "${" not in one}


def _of_environment(environment: Mapping[str, Any]) -> Iterator[str]:
    for name, value in environment.items():
        text = str(value)
        if secret_by_name(str(name), text) or secret_kind(text) or not _PLAIN.fullmatch(text):
            yield text


def _of_template(text: str) -> Iterator[str]:
    """Lines of an environment file whose value is written out; what is rendered is not known here."""
    for line in text.splitlines():
        name, found, value = line.partition("=")
        value = value.strip().strip("\"'")
        named = found and re.fullmatch(r"\s*(?:export\s+)?[A-Za-z_][\w.]*\s*", name)
        if named and "{{" not in value and (secret_by_name(name.strip(), value) or not _PLAIN.fullmatch(value)):
            yield value


def _by_name(value: Any, name: str = "") -> Iterator[str]:
    """Texts anywhere whose own name says what they are, or whose form does."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _by_name(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _by_name(item, name)
    elif isinstance(value, str) and name != "EmbeddedTmpl" and (secret_by_name(name, value) or name == "password"):
        yield value


def _forms(secret: str) -> Iterator[str]:
    """How a secret looks where it is quoted, escaped or encoded."""
    yield secret
    yield secret.strip()
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="")
    if len(secret) >= 8:
        yield base64.b64encode(secret.encode()).decode().rstrip("=")
    for line in secret.splitlines():
        if len(line.strip()) >= 8:
            yield line.strip()


def _has_no_order(word: str) -> bool:
    """Long, of mixed kinds of characters, and about as surprising as chance."""
    bare = word.rstrip("=")
    if _UUID.fullmatch(bare) or (_HEX.fullmatch(bare) and (len(bare) in _IDS or len(bare) < 32)):
        return False
    kinds = sum(any(test(char) for char in bare) for test in (str.islower, str.isupper, str.isdigit))
    counted = Counter(bare)
    entropy = -sum(count / len(bare) * math.log2(count / len(bare)) for count in counted.values())
    if _HEX.fullmatch(bare):
        return kinds == 2 and entropy > 3.0
    if "-" in bare and all(part.isalpha() or part.isdigit() for part in bare.split("-")):
        return False
    if "_" in bare and all(part.isalpha() or part.isdigit() or not part for part in bare.split("_")):
        return False
    return kinds == 3 and entropy >= _LEAST_ENTROPY
