"""What a port is called: one table of what usually listens on which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_WELL_KNOWN: Mapping[int, str] = {
    21: "ftp",
    22: "ssh",
    25: "smtp",
    53: "dns",
    443: "https",
    1883: "mqtt",
    3306: "mysql",
    4222: "nats",
    5432: "postgres",
    5672: "amqp",
    6333: "qdrant",
    6379: "redis",
    8443: "https",
    9042: "cassandra",
    9090: "metrics",
    9092: "kafka",
    9100: "metrics",
    9200: "elasticsearch",
    11211: "memcached",
    15672: "management",
    27017: "mongodb",
    50051: "grpc",
}


def port_labels(ports: Iterable[int], main: int | None) -> dict[int, str]:
    """A label for each port, the main one first; `http` for a main port that nothing says otherwise of."""
    labels: dict[int, str] = {}
    for port in sorted(ports, key=lambda one: (one != main, one)):
        label = _WELL_KNOWN.get(port) or ("http" if port == main or (main is None and not labels) else f"port-{port}")
        labels[port] = label if label not in labels.values() else f"{label}-{port}"
    return labels


def speaks_http(port: int) -> bool:
    """Whether nothing says that it speaks something else."""
    return port not in _WELL_KNOWN


def usual_port(kind: str) -> int | None:
    """Where a datastore or queue of this kind usually listens."""
    return next((port for port, label in _WELL_KNOWN.items() if label == kind), None)
