"""The extractor `service_backends`: what an app talks to, by the images of the services that its own depends on.

It weighs less than the code itself, which knows the variables better.
"""

from __future__ import annotations

from collections.abc import Iterator

from desired.facts.app_code.address_kinds import NOTHING, scheme_kind
from desired.facts.codebase import Codebase, Component
from desired.facts.compose_file import Compose, Service, compose
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact
from desired.facts.facts import Backend, Facts
from desired.facts.image_name import image_parts
from desired.facts.located import Located
from desired.facts.substitution import interpolated

NAME = "service_backends"
PRIORITY = 0.45
# By the last part of an image's name.
KINDS: dict[str, str] = {
    **dict.fromkeys(("postgres", "postgresql", "postgis", "timescaledb", "pgvector"), "postgres"),
    **dict.fromkeys(("mysql", "mariadb", "percona"), "mysql"),
    **dict.fromkeys(("redis", "valkey", "keydb", "dragonfly", "redis-stack-server", "redis-stack"), "redis"),
    **dict.fromkeys(("mongo", "mongodb"), "mongodb"),
    **dict.fromkeys(("kafka", "cp-kafka", "redpanda"), "kafka"),
    **dict.fromkeys(("mailhog", "mailpit"), "smtp"),
    **{name: name for name in ("rabbitmq", "nats", "memcached", "elasticsearch", "opensearch", "neo4j", "cassandra")},
    **{name: name for name in ("influxdb", "qdrant", "weaviate", "milvus", "chroma", "meilisearch", "vault", "consul")},
    "clickhouse-server": "clickhouse",
    "eclipse-mosquitto": "mqtt",
    "minio": "s3",
}


def extract(codebase: Codebase, component: Component) -> Extraction:
    file = compose(codebase)
    service = file.services.get(component.service) if component.code else None
    if service is None:
        return Extraction()
    found: dict[str, Fact[Backend]] = {}
    for kind, part, reason in (*_needed(file, service), *_addressed(service)):
        found.setdefault(kind, part.fact(Backend(kind), NAME, PRIORITY, reason))
    return Extraction(Facts(backends=found))


def _needed(file: Compose, service: Service) -> Iterator[tuple[str, Located, str]]:
    for listed in (*service.all("depends_on"), *service.all("links")):
        for key, part in listed.items():
            name = part.text.partition(":")[0] if isinstance(listed.value, list) else key
            image = file.services[name].last("image") if name in file.services else None
            parts = image_parts(interpolated(image.text)) if image is not None else None
            kind = KINDS.get(parts[1].rpartition("/")[2]) if parts is not None else None
            if kind is not None:
                yield kind, part, f"it depends on {name}"


def _addressed(service: Service) -> Iterator[tuple[str, Located, str]]:
    for block in service.all("environment"):
        for name, part in block.items():
            listed = isinstance(block.value, list)
            variable, text = part.text.partition("=")[::2] if listed else (name, part.text)
            kind = scheme_kind(text) if len(text) < 1_000 else None
            if kind is not None and kind != NOTHING:
                yield kind, part, f"{variable} leads there"


extractor = Extractor(NAME, PRIORITY, extract)
