"""Which service a value means: by an address's scheme, or by the driver that it names."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What an address of Symfony leads to that leads nowhere.
NOTHING = "nothing"
# The scheme of an address that is a default says which service it means.
_SCHEMES: Mapping[str, str] = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "jdbc:postgresql": "postgres",
    "mysql": "mysql",
    "jdbc:mysql": "mysql",
    "mariadb": "mysql",
    "mongodb": "mongodb",
    "mongodb+srv": "mongodb",
    "redis": "redis",
    "rediss": "redis",
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    "nats": "nats",
    "memcached": "memcached",
    "kafka": "kafka",
    "mqtt": "mqtt",
    "clickhouse": "clickhouse",
    "bolt": "neo4j",
    "neo4j": "neo4j",
}


def scheme_kind(address: str | None) -> str | None:
    """The service that an address means by its scheme: `postgresql+asyncpg://…` is postgres."""
    scheme, colon, _ = (address or "").partition("://")
    if colon and scheme == "null":
        return NOTHING
    return _SCHEMES.get(scheme.lower().partition("+")[0] if scheme != "mongodb+srv" else scheme) if colon else None


# Variables that choose between services, and what their values mean.
_CHOOSES = re.compile(
    r"(?:DB|DATABASE)_(?:CONNECTION|DRIVER|TYPE|ENGINE|CLIENT|DIALECT)|(?:CACHE|SESSION|QUEUE|BROADCAST|MAIL|FILESYSTEM)_"
    r"(?:DRIVER|STORE|CONNECTION|MAILER|DISK)|MAIL_MAILER|FILESYSTEM_DISK|TYPEORM_CONNECTION"
)
_DRIVERS: Mapping[str, str] = {
    "pgsql": "postgres",
    "pg": "postgres",
    "postgres": "postgres",
    "postgresql": "postgres",
    "django.db.backends.postgresql": "postgres",
    "mysql": "mysql",
    "mysql2": "mysql",
    "mariadb": "mysql",
    "django.db.backends.mysql": "mysql",
    "sqlsrv": "mssql",
    "mssql": "mssql",
    "mongodb": "mongodb",
    "redis": "redis",
    "memcached": "memcached",
    "rabbitmq": "rabbitmq",
    "s3": "s3",
    "smtp": "smtp",
}


def driver_kind(name: str) -> str | None:
    """The service that a driver of this name talks to."""
    return _DRIVERS.get(name.lower())


def value_kind(name: str, value: str | None) -> str | None:
    """The service that a variable's value means: by its scheme, or as the driver that the variable chooses."""
    kind = scheme_kind(value)
    if kind is None and value and _CHOOSES.fullmatch(name):
        return driver_kind(value)
    return kind
