"""Secrets of many shapes, and ways in which they are spelled: for properties that search what was written for them.

Every secret is made up here, so that no scanner of repositories takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import strategies as st

_ALNUM = string.ascii_letters + string.digits
_URL_SAFE = _ALNUM + "-_"
_BASE64 = _ALNUM + "+/"


@dataclass(frozen=True)
class Shaped:
    """One secret: `text` is how it stands in a line, `secret` the part that must never be read again."""

    shape: str
    text: str
    secret: str


def _word(rng: random.Random, alphabet: str, size: int) -> str:
    """Of every kind of character: a word without digits may be a word."""
    while True:
        made = "".join(rng.choice(alphabet) for _ in range(size))
        if any(map(str.islower, made)) and any(map(str.isupper, made)) and sum(map(str.isdigit, made)) > 1:
            return made


def _key_block(rng: random.Random) -> str:
    lines = "\n".join(_word(rng, _BASE64, 64) for _ in range(4))
    return f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{lines}\n-----END RSA PRIVATE {'KEY'}-----"


def _signed(rng: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    return f"{head}.eyJ{_word(rng, _URL_SAFE, 40)}.{_word(rng, _URL_SAFE, 43)}"


def _password(rng: random.Random) -> str:
    return _word(rng, _ALNUM, rng.randint(8, 14))


def _uuid(rng: random.Random) -> str:
    digits = "".join(rng.choice("0123456789abcdef") for _ in range(32))
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _alone(make: Callable[[random.Random], str]) -> Callable[[random.Random], tuple[str, str]]:
    def made(rng: random.Random) -> tuple[str, str]:
        secret = make(rng)
        return secret, secret

    return made


def _within(form: str, make: Callable[[random.Random], str]) -> Callable[[random.Random], tuple[str, str]]:
    def made(rng: random.Random) -> tuple[str, str]:
        secret = make(rng)
        return form.replace("@@", secret), secret

    return made


# What shows by itself, wherever it stands.
BY_FORM: Mapping[str, Callable[[random.Random], tuple[str, str]]] = {
    "jwt": _alone(_signed),
    "pem": _alone(_key_block),
    "aws key id": _alone(lambda rng: "AKIA" + "".join(rng.choice(string.ascii_uppercase) for _ in range(16))),
    "aws secret": _alone(lambda rng: _word(rng, _BASE64, 40)),
    "google key": _alone(lambda rng: "AIza" + _word(rng, _URL_SAFE, 35)),
    "github token": _alone(lambda rng: "ghp_" + _word(rng, _ALNUM, 36)),
    "github fine": _alone(lambda rng: "github_pat_" + _word(rng, _ALNUM + "_", 60)),
    "gitlab token": _alone(lambda rng: "glpat-" + _word(rng, _URL_SAFE, 20)),
    "slack token": _alone(lambda rng: "xoxb-" + _word(rng, _ALNUM + "-", 30)),
    "model key": _alone(lambda rng: "sk-" + _word(rng, _ALNUM, 40)),
    "vault token": _alone(lambda rng: "hvs." + _word(rng, _URL_SAFE, 24)),
    "old vault token": _alone(lambda rng: "s." + _word(rng, _ALNUM, 24)),
    "bearer": _within("Authorization: Bearer @@", lambda rng: _word(rng, _ALNUM, 30)),
    "basic": _within(
        "authorization: basic @@", lambda rng: base64.b64encode(f"app:{_password(rng)}".encode()).decode()
    ),
    "address": _within("postgres://app:@@@db.internal:5432/shop", _password),
    "broker": _within("amqp://guest:@@@10.0.0.3:5672", _password),
    "password=": _within("password=@@", _password),
    "PASSWORD:": _within("DB_PASSWORD_2: @@", _password),
    "json": _within('{"user": "app", "api_key": "@@"}', _password),
    "escaped json": _within('{\\"secret\\": \\"@@\\"}', _password),
    "connection string": _within("Server=db;User Id=app;Password=@@;Encrypt=true", _password),
    "password is": _within("the password is @@ now", _password),
    "flag": _within("mysqld --admin-password @@ --port 3306", _password),
    "nomad token": _within("X-Nomad-Token: @@", _uuid),
    "consul token": _within("x-consul-token=@@", _uuid),
    "signed address": _within("GET https://s3/x?sig=@@&se=1", lambda rng: _word(rng, _ALNUM, 30)),
    "base64 word": _alone(lambda rng: _word(rng, _BASE64, 44)),
    "url-safe word": _alone(lambda rng: _word(rng, _URL_SAFE, 32)),
    "alphanumeric word": _alone(lambda rng: _word(rng, _ALNUM, 32)),
    "hexadecimal word": _alone(lambda rng: "".join(rng.choice("0123456789abcdef") for _ in range(48)) + "0a"),
}
# What is secret because of where it stands in the job: `spelled` differently, it is the same secret.
SPELLED: Mapping[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "quoted": lambda secret: f"'{secret}'",
    "json": lambda secret: json.dumps({"value": secret}),
    "json in json": lambda secret: json.dumps({"body": json.dumps({"value": secret})}),
    "url": lambda secret: f"GET /login?x={quote(secret, safe='')} 401",
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 of more": lambda secret: base64.b64encode(f"x:{secret}:yz".encode()).decode(),
    "url-safe base64": lambda secret: base64.urlsafe_b64encode(f"ab{secret}".encode()).decode(),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "glued": lambda secret: f"x{secret}y",
}


def shaped() -> st.SearchStrategy[Shaped]:
    """A secret that shows by its form."""
    return st.builds(
        lambda shape, seed: Shaped(shape, *BY_FORM[shape](random.Random(seed))),
        st.sampled_from(sorted(BY_FORM)),
        st.integers(0, 2**32),
    )


def passwords() -> st.SearchStrategy[str]:
    """Values such as people choose: nothing in their form says what they are."""
    odd = st.text(st.sampled_from(_ALNUM + "!#$%&*+-./:;<=>?@^_~ äß\"'\\"), min_size=10, max_size=30)
    return st.one_of(
        odd.map(lambda text: f"k{text.strip()}Z9"),
        st.integers(0, 2**32).map(lambda seed: _password(random.Random(seed))),
        st.integers(0, 2**32).map(lambda seed: "Tr0ub4dor " + _password(random.Random(seed))),
        st.integers(0, 2**32).map(
            lambda seed: "\n".join(_word(random.Random(seed + line), _ALNUM, 16) for line in range(3))
        ),
    )


def readable(secret: str, text: str) -> bool:
    """Does the secret stand in the text, as it is or in one of the ways in which texts are encoded?"""
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= 8]
    for part in lines or [secret]:
        raw = part.encode()
        forms = {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], quote(part, safe="")}
        forms |= {raw.hex(), base64.b64encode(raw).decode().rstrip("=")}
        if any(form in text for form in forms):
            return True
    return False
