"""Where traces are sent: Langfuse, and the collector that OpenTelemetry's own environment variables name.

The only module that needs OpenTelemetry's SDK and exporter, the extra `tracing`; both are imported when there is
somewhere to send to.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import requests
import urllib3.exceptions

from desired.errors import Forbidden, Unavailable, Unsupported
from nomad_operator import __version__
from observers.reach.address import Reach
from observers.reach.breaks import broken
from observers.reach.session import BoundedSession

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"


class LangfusePlace:
    """Langfuse's OTLP endpoint. Source: langfuse.com, "OpenTelemetry"; the headers are those of its own library."""

    name = "langfuse"

    def __init__(self, *, reach: Reach, public_key: str, secret_key: str) -> None:
        self._reach = reach
        self._session = BoundedSession(reach=reach, gate=lambda _request: None)
        self._session.auth = (public_key, secret_key)
        self._session.headers.update({
            "User-Agent": f"nomad-operator/{__version__}", "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip", "x-langfuse-public-key": public_key, "x-langfuse-ingestion-version": "4",
        })  # fmt: skip

    def send(self, spans: list[ReadableSpan]) -> None:
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

        body = gzip.compress(encode_spans(spans).SerializeToString(), compresslevel=3)
        what = "send traces"
        try:
            response = self._session.post(f"{self._reach.base_url}/api/public/otel/v1/traces", data=body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise broken(self._reach, what, error) from error
        if response.status_code in (401, 403):
            raise Forbidden(
                f"Langfuse at {self._reach.shown}, to {what}: answered {response.status_code}",
                hint="are LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY of one project of this Langfuse?",
            )
        if not 200 <= response.status_code < 300:
            raise Unavailable(
                f"Langfuse at {self._reach.shown}, to {what}: answered {response.status_code}",
                hint="look at Langfuse's own log, and at what stands before it",
            )


class CollectorPlace:
    """Any OTLP collector, as OpenTelemetry's exporter takes its address, headers and certificates from variables."""

    name = "otlp"

    def __init__(self) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        self._exporter = OTLPSpanExporter()

    def send(self, spans: list[ReadableSpan]) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise Unavailable(
                "the OpenTelemetry collector did not take the traces",
                hint="check OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS and what stands between",
            )


def collector_named(environ: Mapping[str, str]) -> bool:
    """Whether the usual variables ask for a collector. Unsupported where they ask for what is not spoken."""
    if environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() != "otlp" or not any(
        environ.get(name) for name in _ENDPOINTS
    ):
        return False
    spoken = next((environ[name] for name in _PROTOCOLS if environ.get(name)), _SPOKEN)
    if spoken.strip().lower() != _SPOKEN:
        raise Unsupported(
            f"traces cannot be sent by {spoken}", hint=f"set OTEL_EXPORTER_OTLP_PROTOCOL={_SPOKEN} (port 4318, mostly)"
        )
    return True


def tracer(environ: Mapping[str, str]) -> Tracer:
    """A tracer of a provider of our own: the process's global one is left as it is. ImportError without the extra."""
    import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    about: dict[str, Any] = {"service.version": __version__}
    if not environ.get("OTEL_SERVICE_NAME") and "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        about["service.name"] = "nomad-operator"
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    return provider.get_tracer("nomad_operator", __version__)
