"""What in a job may be secret: values of environment and templates, credentials, whatever a name or form says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from desired.secret_literals import secret_by_name, secret_kind
from desired.state import JobBody
from observers.failures import job_words
from observers.secret_shapes import KEY_BLOCK, NO_SECRET, SHAPES, WORD, disorderly

# Shorter ones stand in any text by chance.
LEAST = 4
_LEAST_PIECE = 8

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_WORDS = frozenset(
    re.findall(
        r"\w+",
        "password passwd pass passphrase passcode pwd pw secret secrets token tokens credential credentials cookie dsn "
        "salt authorization apikey sshkey secretkey privatekey accesskey",
    )
)
# Behind such a word they leave it what it is.
_LEFT_OUT = re.compile(r"v?\d{1,4}|base|value|raw|prod|dev|test|old|new|main|primary|default")
_KEYS = frozenset(
    re.findall(r"\w+", "api access private secret account auth encryption signing shared session master license ssh")
)

_LABEL = r"(?:[a-z]{0,24}\d{0,4}-){0,6}[a-z]{0,24}\d{0,4}"
# A number, a switch, a span, an amount, a path: no secret under whatever name.
_STRUCTURE = re.compile(
    r"[\d.:,_-]{0,40}|(?i:true|false|yes|no|on|off|none|null|enabled|disabled)|\d{1,12}(?:ms|s|m|h|d|[kKmMgG]i?[bB]?)?"
    r"|(?:/[\w.-]{0,100}){1,20}"
)
# What values of an environment are where they are no secret: an address, a host, a level, one word or two (with three
# it may be a passphrase).
_PLAIN = re.compile(
    rf"[A-Za-z][a-z]{{1,24}}(?: [a-z']{{1,24}})?|[A-Z]{{1,24}}|(?:{_LABEL}\.){{0,8}}{_LABEL}(?::\d{{1,5}})?"
    rf"|[a-z][a-z0-9+.-]{{1,12}}://(?:{_LABEL}\.){{0,8}}{_LABEL}(?::\d{{1,5}})?(?:/[\w.-]{{0,100}}){{0,20}}"
)
_FILLED_IN = re.compile(r"\{\{[^}]{0,2000}\}\}|\$\{[^}]{0,400}\}")
_SETTING = re.compile(
    r"^[ \t]{0,80}(?:export[ \t]{1,4})?(?:-[ \t])?[\"']?([A-Za-z_][\w.-]{0,100})[\"']?[ \t]{0,40}(?:=>|:=|=|:|[ \t])"
    r"[ \t]{0,40}(.{1,4000}?)[ \t,;]{0,8}$",
    re.MULTILINE,
)
_FLAG = re.compile(r"--?([\w.-]{1,100})(?:=(.*))?", re.DOTALL)


def known_in(body: JobBody) -> set[str]:
    """Every value in a job that may be secret, or be what a secret is made of; at least four characters each."""
    return {one for one in _found(body) if len(one) >= LEAST}


def known_in_text(text: str) -> set[str]:
    """The same of a job file, or of its variables, that cannot be read as a job."""
    named = {
        value
        for found in _SETTING.finditer(text)
        if names_a_secret(found[1]) and is_secret(found[1], value := found[2].strip().strip("\"'`"))
    }
    return {one for one in (*named, *_by_form(text)) if len(one) >= LEAST}


def names_a_secret(name: str) -> bool:
    """Does a value of this name hold a secret, unless it has the form of something else?"""
    parts = [part.lower() for part in re.split(r"[^A-Za-z0-9]+", _CAMEL.sub("_", name)) if part]
    while len(parts) > 1 and _LEFT_OUT.fullmatch(parts[-1]):
        parts.pop()
    if not parts:
        return False
    return bool(_SECRET_WORDS & set(parts)) or (parts[-1] == "key" and (len(parts) == 1 or parts[-2] in _KEYS))


def is_secret(name: str, text: str) -> bool:
    """Is the value of a setting of this name to be hidden?"""
    if not text or text.startswith("file:"):
        return False
    if secret_by_name(name, text) or secret_kind(text):
        return True
    if text.startswith("/") and disorderly(text):
        # A key in base64 may look like a path.
        return True
    if _STRUCTURE.fullmatch(text):
        # Who has a number for a password has one all the same.
        return names_a_secret(name) and _ends_as_secret(name) and text.isdigit() and len(text) >= LEAST
    return names_a_secret(name) or not _PLAIN.fullmatch(text)


def _ends_as_secret(name: str) -> bool:
    last = re.split(r"[^A-Za-z0-9]+", _CAMEL.sub("_", name))[-1].lower()
    return last in ("pass", "password", "passwd", "pwd", "pw", "pin", "secret")


def _found(body: JobBody) -> Iterator[str]:
    for _, task in job_words.tasks(body):
        for name, value in job_words.block(task, "Env").items():
            yield from _setting(str(name), str(value))
        for template in job_words.parts(task, "Templates"):
            yield from _of_template(job_words.text(template, "EmbeddedTmpl"))
        for name in ("args", "entrypoint", "command"):
            yield from _of_words(job_words.block(task, "Config").get(name))
    yield from _anywhere(body, "")


def _setting(name: str, text: str) -> Iterator[str]:
    """The value whole, and what is secret of it where Nomad or a template fills in the rest."""
    pieces = _FILLED_IN.split(text)
    if len(pieces) == 1:
        if is_secret(name, text):
            yield text
    else:
        for piece in pieces:
            bare = piece.strip(" \"'")
            if len(bare) >= _LEAST_PIECE and (names_a_secret(name) or _unlike_an_address(bare)):
                yield bare
    yield from _by_form(text)


def _unlike_an_address(text: str) -> bool:
    return not (
        _STRUCTURE.fullmatch(text) or _PLAIN.fullmatch(text) or re.fullmatch(r"[a-z+]{1,12}://|[:/@.\w-]{0,20}", text)
    )


def _of_template(text: str) -> Iterator[str]:
    """Settings whose value is written out; what is rendered is not known here."""
    for found in _SETTING.finditer(text):
        value = found[2].strip().strip("\"'`")
        if "{{" in value or (value and not value.startswith(("{", "["))):
            yield from _setting(found[1], value)
    yield from _by_form(text)


def _of_words(words: Any) -> Iterator[str]:
    """A command line: `--password=x`, `--password x`, `PASSWORD=x`."""
    told = [str(word) for word in words] if isinstance(words, list | tuple) else [str(words)] if words else []
    before = ""
    for word in told:
        flag = _FLAG.fullmatch(word)
        name, equals, value = word.partition("=")
        if flag is not None and flag[2]:
            if names_a_secret(flag[1]) and is_secret(flag[1], flag[2]):
                yield flag[2]
        elif flag is None and before and names_a_secret(before) and is_secret(before, word):
            yield word
        elif flag is None and equals and re.fullmatch(r"\w{1,100}", name) and names_a_secret(name):
            yield value
        yield from _by_form(word)
        before = flag[1] if flag is not None and not flag[2] else ""


def _anywhere(value: Any, name: str) -> Iterator[str]:
    """Texts whose own name says what they are, or whose form does."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key not in ("EmbeddedTmpl", "Env"):
                yield from _anywhere(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _anywhere(item, name)
    elif isinstance(value, str) and value:
        if names_a_secret(name) and is_secret(name, value) and not _FILLED_IN.search(value):
            yield value
            # Behind its scheme, as in a header.
            yield value.partition(" ")[2]
        yield from _by_form(value)


def _by_form(text: str) -> Iterator[str]:
    """What is in a text that has a secret's form: a password within an address is printed without the address, too."""
    for block in KEY_BLOCK.finditer(text):
        yield block[0]
    for shape in SHAPES:
        for found in shape.finditer(text):
            if (
                not NO_SECRET.fullmatch(found[1])
                and not _FILLED_IN.search(found[1])
                and not _STRUCTURE.fullmatch(found[1])
            ):
                yield found[1]
    for word in WORD.finditer(text):
        if disorderly(word[0]):
            yield word[0]
