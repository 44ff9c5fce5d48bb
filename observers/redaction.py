"""Takes secrets out of text before it is stored, logged, shown or handed on: each becomes a placeholder.

Three ways to know one: it stands in the job (`observers.job_secrets`), it has a form that only secrets have, or it is a
long word with no order in it (`observers.secret_shapes`). Image digests, commits, allocation ids, addresses and paths
stay: they are what evidence consists of. Where a node keeps an allocation is no secret, but nobody's business either:
it becomes `<alloc>`. The same secret has the same placeholder for the life of the process, and only
the process can turn it back.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

from observers.job_secrets import LEAST
from observers.secret_shapes import KEY_BLOCK, NO_SECRET, SHAPES, WORD, disorderly

# Longer texts are cut first: what is searched is bounded, whatever an app writes.
LONGEST = 64 * 1024
_MARK = re.compile(r"«secret:(\d{1,9})»")
# Errors of templates and mounts begin with the node's data path.
_DATA_PATH = re.compile(
    r"(?:/[\w.+@-]{1,64}){1,12}/alloc(?:_mounts)?/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])"
)
# So much of a secret at the edge of a text that was cut is still a secret.
_LEAST_EDGE = 6
# Shorter ones stand in encoded texts by chance.
_LEAST_ENCODED = 6
_MOST_SECRETS = 20_000
# What is hidden changes what stands beside it; two rounds are nearly always enough.
_ROUNDS = 6
_NUMBER = re.compile(r"\d{1,3}(?:\.\d+)?(?:ms|s|m|h)?|[\d.]{1,15}(?::\d{1,5})?")


def holds_a_placeholder(text: str) -> bool:
    """It is not what was written: nothing that is put in force may hold one."""
    return _MARK.search(text) is not None


class Placeholders:
    """Which secret has which number, for the life of the process. Never stored.

    Apps may write words without order for ever: of those, what was met longest ago is forgotten. No number is ever
    given to another secret, whichever threads ask.
    """

    def __init__(self, *, most: int = _MOST_SECRETS) -> None:
        self._most = most
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._secrets: dict[int, str] = {}
        self._last = 0
        self._lock = threading.Lock()

    def of(self, secret: str) -> str:
        with self._lock:
            number = self._numbers.get(secret)
            if number is None:
                self._last += 1
                number = self._numbers[secret] = self._last
                self._secrets[number] = secret
                if len(self._numbers) > self._most:
                    del self._secrets[self._numbers.popitem(last=False)[1]]
            self._numbers.move_to_end(secret)
            return f"«secret:{number}»"

    def restore(self, text: str, *, among: Collection[str]) -> str:
        """The text with its secrets back in place, for what is written to Nomad itself.

        Only those of `among`, the job's own: anybody can write a placeholder into a log.
        """

        def secret(match: re.Match[str]) -> str:
            found = self._secrets.get(int(match[1]))
            return found if found is not None and found in among else match[0]

        return _MARK.sub(secret, text)


class Redactor:
    """For one job: `known` are secrets of this process and of the job, at least four characters long."""

    def __init__(self, *, known: Iterable[str], placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        spelled: dict[str, str] = {}
        for secret in sorted(known):
            if len(secret) >= LEAST:
                for form in _forms(secret):
                    if len(form) >= LEAST:
                        spelled.setdefault(form, secret)
        self._spelled = spelled

    def redact(self, text: str) -> str:
        """Twice is the same as once. Of a text that is too long, the end is kept, from a whole word on."""
        if len(text) > LONGEST:
            text = text[-LONGEST:]
            text = text[_first_whole(text) :]
        text = _DATA_PATH.sub("<alloc>", text)
        for _ in range(_ROUNDS):
            before = text
            text = self._round(text)
            if text == before:
                break
        return text

    def _round(self, text: str) -> str:
        text = self._outside(text, self._known)
        text = self._edges(text)
        text = self._outside(text, lambda piece: KEY_BLOCK.sub(lambda match: self._placeholders.of(match[0]), piece))
        for shape in SHAPES:
            text = self._outside(text, lambda piece, shape=shape: shape.sub(self._hidden, piece))  # type: ignore[misc]
        return self._outside(text, lambda piece: WORD.sub(self._disorderly, piece))

    def _known(self, piece: str) -> str:
        present = sorted((form for form in self._spelled if form in piece), key=lambda form: (-len(form), form))
        if present:
            found = re.compile("|".join(map(re.escape, present)))
            piece = found.sub(lambda match: self._placeholders.of(self._spelled[match[0]]), piece)
        return piece

    def _edges(self, text: str) -> str:
        """Where a text was cut, a known secret may have been: its end at the beginning, its beginning at the end."""
        cut_off = text.endswith("…")
        bare = text.removesuffix("…")
        begins = ends = 0
        hidden_first = hidden_last = ""
        for form, secret in self._spelled.items():
            size = _end_of(form, bare)
            if size > begins:
                begins, hidden_first = size, secret
            size = _start_of(form, bare)
            if size > ends:
                ends, hidden_last = size, secret
        if begins + ends > len(bare):
            ends = 0
        first = self._placeholders.of(hidden_first) if begins else ""
        last = self._placeholders.of(hidden_last) if ends else ""
        return first + bare[begins : len(bare) - ends] + last + ("…" if cut_off else "")

    def _outside(self, text: str, work: Callable[[str], str]) -> str:
        """What is hidden already is left as it is."""
        done: list[str] = []
        at = 0
        for mark in _MARK.finditer(text):
            done += [work(text[at : mark.start()]), mark[0]]
            at = mark.end()
        return "".join([*done, work(text[at:])])

    def _hidden(self, match: re.Match[str]) -> str:
        secret = match[1]
        if NO_SECRET.fullmatch(secret) or _NUMBER.fullmatch(secret):
            return match[0]
        start, end = match.start(1) - match.start(), match.end(1) - match.start()
        return match[0][:start] + self._placeholders.of(secret) + match[0][end:]

    def _disorderly(self, match: re.Match[str]) -> str:
        return self._placeholders.of(match[0]) if disorderly(match[0]) else match[0]


def _first_whole(text: str) -> int:
    """Where the first whole line begins, or the first whole word: what was cut may have been a secret."""
    line = text.find("\n")
    word = re.search(r"\s", text)
    return line + 1 if line >= 0 else word.end() if word else len(text)


def _end_of(form: str, text: str) -> int:
    """How much of the end of `form` the text begins with."""
    start = text[:_LEAST_EDGE]
    at = form.find(start, 1) if len(start) == _LEAST_EDGE else -1
    while at > 0:
        if text.startswith(form[at:]):
            return len(form) - at
        at = form.find(start, at + 1)
    return 0


def _start_of(form: str, text: str) -> int:
    """How much of the beginning of `form` the text ends with."""
    end = text[-_LEAST_EDGE:]
    at = form.find(end) if len(end) == _LEAST_EDGE else -1
    while 0 <= at < len(form) - _LEAST_EDGE:
        if text.endswith(form[: at + _LEAST_EDGE]):
            return at + _LEAST_EDGE
        at = form.find(end, at + 1)
    return 0


def _forms(secret: str) -> Iterator[str]:
    """How a secret looks where it is quoted, escaped or encoded."""
    for text in {secret, secret.strip(), unquote(secret)}:
        yield text
        escaped = json.dumps(text)[1:-1]
        yield escaped
        # A JSON text within a JSON text, as in a log line that quotes an answer.
        yield json.dumps(escaped)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield text.replace("'", "''")
        yield text.replace("'", "\\'")
        yield text.replace("$", "$$")
        yield html.escape(text)
        yield quote(text, safe="")
        yield quote(text)
        yield quote_plus(text)
        if len(text) >= _LEAST_ENCODED:
            yield from _encoded(text.encode())
    for line in secret.splitlines():
        if len(line.strip()) >= _LEAST_ENCODED:
            yield line.strip()


def _encoded(secret: bytes) -> Iterator[str]:
    """In base64 and hexadecimal, also within something longer: three ways to begin in the middle of three bytes."""
    yield secret.hex()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret).decode().rstrip("=")
        core = whole[(before * 8 + 5) // 6 :]
        if (before + len(secret)) % 3:
            # The last character depends on what follows.
            core = core[:-1]
        yield core
        yield core.replace("+", "-").replace("/", "_")
