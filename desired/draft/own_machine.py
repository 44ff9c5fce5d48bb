"""Defaults that hold on the machine of whoever wrote the code, and not in a container. Pure."""

from __future__ import annotations

import re

EVERYWHERE = "0.0.0.0"

_HERE = r"(?:localhost|127\.[0-9.]+|\[?::1\]?)"
_ADDRESS = re.compile(
    rf"(?:[a-z][a-z0-9+.-]{{1,20}}://(?:[^@/]{{0,200}}@)?{_HERE}(?:[:/?]|$)|{_HERE}:[0-9])", re.IGNORECASE
)
_HOST = re.compile(_HERE, re.IGNORECASE)
_ANOTHER = re.compile(
    r"(?:.*_)?(?:DB|DATABASE|PG|POSTGRES(?:QL)?|MYSQL|MARIADB|REDIS|MONGO(?:DB)?|RABBIT(?:MQ)?|AMQP|KAFKA|NATS|ELASTIC\w*"
    r"|OPENSEARCH|MEMCACHED?|SMTP|MAIL|CACHE|QUEUE|BROKER)_?(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)"
)
_ITSELF = re.compile(
    r"(?:(?:APP|SERVER|WEB|HTTP|API|LISTEN|BIND|UVICORN|FLASK_RUN)_)?(?:HOST|BIND|LISTEN|ADDR|ADDRESS)"
)


def of_this_machine(name: str, default: str | None) -> bool:
    """Whether a default names something else that would have to run in the same container: a database at localhost."""
    if default is None:
        return False
    return _ADDRESS.match(default) is not None or (
        _HOST.fullmatch(default) is not None and _ANOTHER.fullmatch(name.upper()) is not None
    )


def listens_on_itself(name: str, default: str | None) -> bool:
    """Whether an app that goes by its default can be reached by nobody but itself."""
    return default is not None and _HOST.fullmatch(default) is not None and _ITSELF.fullmatch(name.upper()) is not None
