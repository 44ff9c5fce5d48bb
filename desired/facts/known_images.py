"""The extractor `known_image`: what well-known images listen on, which nobody says because all of them do."""

from __future__ import annotations

from dataclasses import dataclass

from desired.facts.codebase import Codebase, Component
from desired.facts.compose_file import compose
from desired.facts.extractor import Extraction, Extractor
from desired.facts.facts import Facts, HealthFact, PortFact
from desired.facts.image_name import image_parts
from desired.facts.substitution import interpolated

NAME = "known_image"
PRIORITY = 0.55


@dataclass(frozen=True, slots=True)
class KnownImage:
    """Ports inside the container, the main one first; the path that tells its health, "" where a connection does."""

    ports: tuple[int, ...]
    path: str = ""


# By the last part of the name, which those who repackage an image keep.
# Source: EXPOSE of the images at Docker Hub, and their documentation of health endpoints.
IMAGES: dict[str, KnownImage] = {
    **dict.fromkeys(("postgres", "postgresql", "postgis", "timescaledb", "pgvector"), KnownImage((5432,))),
    **dict.fromkeys(("mysql", "mariadb", "percona"), KnownImage((3306,))),
    **dict.fromkeys(("redis", "valkey", "redis-stack-server", "keydb", "dragonfly"), KnownImage((6379,))),
    **dict.fromkeys(("nginx", "httpd", "caddy", "traefik", "wordpress", "pgadmin4"), KnownImage((80,))),
    "mongo": KnownImage((27017,)),
    "mongodb": KnownImage((27017,)),
    "memcached": KnownImage((11211,)),
    "rabbitmq": KnownImage((5672,)),
    "nats": KnownImage((4222,)),
    "eclipse-mosquitto": KnownImage((1883,)),
    "kafka": KnownImage((9092,)),
    "cp-kafka": KnownImage((9092,)),
    "redpanda": KnownImage((9092,)),
    "zookeeper": KnownImage((2181,)),
    "etcd": KnownImage((2379,)),
    "cassandra": KnownImage((9042,)),
    "elasticsearch": KnownImage((9200,), "/_cluster/health"),
    "opensearch": KnownImage((9200,), "/_cluster/health"),
    "clickhouse-server": KnownImage((8123,), "/ping"),
    "influxdb": KnownImage((8086,), "/health"),
    "neo4j": KnownImage((7474, 7687)),
    "solr": KnownImage((8983,)),
    "meilisearch": KnownImage((7700,), "/health"),
    "qdrant": KnownImage((6333,), "/healthz"),
    "minio": KnownImage((9000,), "/minio/health/live"),
    "grafana": KnownImage((3000,), "/api/health"),
    "prometheus": KnownImage((9090,), "/-/healthy"),
    "registry": KnownImage((5000,), "/v2/"),
    "vault": KnownImage((8200,)),
    "consul": KnownImage((8500,)),
    "keycloak": KnownImage((8080,)),
    "adminer": KnownImage((8080,)),
    "mailhog": KnownImage((8025, 1025)),
    "mailpit": KnownImage((8025, 1025), "/livez"),
    "localstack": KnownImage((4566,), "/_localstack/health"),
    "ollama": KnownImage((11434,), "/"),
    "vllm-openai": KnownImage((8000,), "/health"),
}


def extract(codebase: Codebase, component: Component) -> Extraction:
    """Of a component whose image comes from elsewhere, by its service in the compose file."""
    service = compose(codebase).services.get(component.service) if component.service and not component.code else None
    image = service.last("image") if service is not None else None
    parts = image_parts(interpolated(image.text).strip("/").rstrip(":@")) if image is not None else None
    if image is None or parts is None:
        return Extraction()
    name = parts[1].rpartition("/")[2]
    known = known_image(parts[1], parts[2])
    if known is None:
        return Extraction()
    reason = f"what {name} listens on"
    ports = {port: image.fact(PortFact(port), NAME, PRIORITY, reason) for port in known.ports}
    health = image.fact(HealthFact(path=known.path, port=known.ports[0]), NAME, PRIORITY) if known.path else None
    return Extraction(Facts(ports=ports, health=health))


def known_image(name: str, tag: str) -> KnownImage | None:
    """By an image's name without its registry. Of PHP the tag tells what serves it."""
    last = name.rpartition("/")[2]
    if last == "php":
        return KnownImage((80,)) if "apache" in tag else KnownImage((9000,)) if "fpm" in tag else None
    return IMAGES.get(last)


extractor = Extractor(NAME, PRIORITY, extract)
