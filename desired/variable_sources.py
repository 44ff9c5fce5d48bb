"""Where the value of an environment variable comes from, guessed by its name: one table, first row that fits.

A guess is shown with its confidence and can be changed by anybody: by the cluster's conventions, by the manifest, by
the person who is asked. It is never a value of a secret, only where one would be.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from enum import StrEnum

from desired.conventions import Conventions

DEFAULT_PORT = 8080


class Source(StrEnum):
    """The four places that a manifest's `env` knows."""

    FIXED = "fixed"
    CONSUL = "consul"
    VAULT = "vault"
    NOMAD = "nomad"


@dataclass(frozen=True, slots=True)
class Row:
    """`value` may hold `{app}`, `{port}`, `{name}` (the variable in small letters), `{group}` and `{field}`.

    Group and field are the two halves of a secret's name: `DB_PASSWORD` is the field `password` of the group `db`.
    """

    patterns: tuple[str, ...]
    source: Source
    value: str
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Guess:
    """Where the value of a variable probably comes from. `value` is the text itself, a key, or path#field."""

    source: Source
    value: str
    confidence: float
    reason: str


_OF_ITS_OWN = "secret/data/{app}/{group}#{field}"

TABLE = (
    Row(("APP_HOST", "HOST"), Source.FIXED, "0.0.0.0", 0.8, "in a container it has to listen on every address"),
    Row(("APP_PORT", "PORT"), Source.FIXED, "{port}", 0.6, "the port that the app listens on"),
    Row(("*PUBLIC_KEY",), Source.CONSUL, "{app}/config/{name}", 0.4, "a public key is no secret"),
    Row(("AWS_*",), Source.VAULT, "secret/data/aws/{app}#{field}", 0.5, "credentials of AWS are kept together"),
    Row(
        ("CONSUL_HOST", "CONSUL_HTTP_ADDR"),
        Source.FIXED,
        "http://consul.service.consul:8500",
        0.6,
        "the name that Consul has for itself",
    ),
    Row(
        (
            "DATABASE_URL",
            "DB_URL",
            "*_DATABASE_URL",
            "*_DSN",
            "*MONGO*_UR[IL]",
            "AMQP_URL",
            "*_AMQP_URL",
            "RABBITMQ_URL",
        ),
        Source.VAULT,
        _OF_ITS_OWN,
        0.5,
        "such an address mostly holds a password",
    ),
    Row(("*_PASSWORD", "*_PASSWD", "PASSWORD"), Source.VAULT, _OF_ITS_OWN, 0.7, "named like a secret"),
    Row(("*_SECRET", "*_TOKEN", "SECRET", "TOKEN"), Source.VAULT, _OF_ITS_OWN, 0.6, "named like a secret"),
    Row(("*_KEY",), Source.VAULT, _OF_ITS_OWN, 0.5, "a key is mostly a secret"),
    Row(("*_URL", "*_ADDR"), Source.CONSUL, "{app}/config/{name}", 0.4, "an address that differs from place to place"),
)

# Ends of names that say what a secret is; what stands before says whose it is.
_FIELDS = re.compile(
    r"(?:^|_)(PASSWORD|PASSWD|ACCESS_KEY|API_KEY|SECRET_KEY|PRIVATE_KEY|SECRET|TOKEN|KEY|URL|URI|DSN)$"
)
_GROUP_OF_NOBODY = "config"


def guess(name: str, *, app: str, port: int | None, conventions: Conventions) -> Guess | None:
    """The first row that the name fits, what the cluster agreed on before all others; None where nothing can be said.

    `port` is the app's own, None where it is not known.
    """
    agreed = conventions.secret(name, app)
    if agreed is not None:
        return Guess(Source.VAULT, agreed, 0.9, "the cluster's conventions name it")
    for rule in conventions.rules:
        if fnmatch.fnmatchcase(name, rule.pattern):
            value = rule.value.replace("{app_name}", app).replace("{name}", name.lower())
            return Guess(Source(rule.source), value, 0.8, f"the cluster's conventions for {rule.pattern}")
    for row in TABLE:
        if any(fnmatch.fnmatchcase(name.upper(), pattern) for pattern in row.patterns):
            group, kept = _halves(name)
            value = row.value.format(app=app, port=port or DEFAULT_PORT, name=name.lower(), group=group, field=kept)
            return Guess(row.source, value, row.confidence, row.reason)
    return None


def _halves(name: str) -> tuple[str, str]:
    """`DB_PASSWORD` → db, password; `SECRET_KEY` belongs to nobody in particular: config, secret_key."""
    upper = name.upper()
    if upper.startswith("AWS_"):
        return "aws", name[4:].lower()
    found = _FIELDS.search(upper)
    if found is None or found.start() == 0:
        return _GROUP_OF_NOBODY, name.lower()
    return name[: found.start()].lower(), found[1].lower()
