"""What only all facts together can tell: those that do not fit what runs are taken out again. Pure.

Works on merged facts. A worker that is started from the image of a web app serves nothing, whatever that image says.
"""

from __future__ import annotations

import re
from dataclasses import replace

from desired.facts.facts import Facts

# What code alone suggests counts where nothing says it outright.
_CODE = "app_code"
_SERVERS = re.compile(
    r"(?<![\w-])(?:gunicorn|uvicorn|hypercorn|daphne|waitress-serve|puma|unicorn|runserver|httpd|nginx|apache2?(?:ctl)?"
    r"|php-fpm|serve|server|start)(?![\w-])"
)
_WORKERS = re.compile(
    r"(?<![\w-])(?:celery|sidekiq|resque|rqworker|rq|dramatiq|huey|arq|taskiq|queue:(?:work|listen)|schedule:(?:work|run)"
    r"|horizon|workers?(?:\.[a-z]{1,4})?|consumers?(?:\.[a-z]{1,4})?|beat|scheduler|(?:db:)?migrate|migrations?)(?![\w-])"
)
_LONGEST = 4_000


def fitting(facts: Facts) -> Facts:
    """Doing it again changes nothing."""
    words = (facts.command or facts.entrypoint) and " ".join(
        (*(facts.entrypoint.value if facts.entrypoint else ()), *(facts.command.value if facts.command else ()))
    )
    process = (words or "")[:_LONGEST]
    said = {port: fact for port, fact in facts.ports.items() if fact.extractor != _CODE}
    ports = said or facts.ports
    health = facts.health
    runs = facts.command or facts.entrypoint
    if runs is not None and _WORKERS.search(process) and not _SERVERS.search(process):
        # Its own source may say that it serves all the same.
        ports = {port: fact for port, fact in ports.items() if fact.extractor == runs.extractor}
        health = health if health is not None and health.extractor == runs.extractor else None
    if health is not None and health.value.path and health.extractor == _CODE and "php-fpm" in process:
        health = None  # FastCGI is no HTTP.
    return replace(facts, ports=ports, health=health)
