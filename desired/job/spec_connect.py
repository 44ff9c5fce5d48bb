"""Consul's service mesh as Nomad's jobs write it: carried faithfully, never interpreted here."""

# Every call in a class body makes a dataclass field.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from desired.job.fields import (
    Kind,
    api_block,
    api_only,
    block,
    block_map,
    blocks,
    duration,
    flag,
    integer,
    integers,
    label,
    map_block,
    text,
    texts,
)
from desired.job.spec_network import VolumeMount
from desired.job.spec_resources import Identity, LogConfig, Resources

_UINT16 = (0, 2**16 - 1)
_UINT32 = (0, 2**32 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshGateway:
    mode: str = text("Mode", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    destination_name: str = text("DestinationName", "")
    destination_namespace: str = text("DestinationNamespace", "")
    destination_peer: str = text("DestinationPeer", "")
    destination_partition: str = text("DestinationPartition", "")
    destination_type: str = text("DestinationType", "")
    local_bind_port: int = integer("LocalBindPort", 0)
    datacenter: str = text("Datacenter", "")
    local_bind_address: str = text("LocalBindAddress", "")
    local_bind_socket_path: str = text("LocalBindSocketPath", "")
    local_bind_socket_mode: str = text("LocalBindSocketMode", "")
    mesh_gateway: MeshGateway | None = block("MeshGateway", "MeshGateway")
    config: Mapping[str, Any] | None = map_block("Config", Kind.FREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposePath:
    path: str = text("Path", "")
    protocol: str = text("Protocol", "")
    local_path_port: int = integer("LocalPathPort", 0)
    listener_port: str = text("ListenerPort", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose:
    paths: tuple[ExposePath, ...] = blocks("Paths", "ExposePath", hcl="path")
    old_path: Any = api_only("Path")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransparentProxy:
    uid: str = text("UID", "")
    outbound_port: int = integer("OutboundPort", 0, limits=_UINT16)
    exclude_inbound_ports: tuple[str, ...] = texts("ExcludeInboundPorts")
    exclude_outbound_ports: tuple[int, ...] = integers("ExcludeOutboundPorts", limits=_UINT16)
    exclude_outbound_cidrs: tuple[str, ...] = texts("ExcludeOutboundCIDRs")
    exclude_uids: tuple[str, ...] = texts("ExcludeUIDs")
    no_dns: bool = flag("NoDNS", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    local_service_address: str = text("LocalServiceAddress", "")
    local_service_port: int = integer("LocalServicePort", 0)
    upstreams: tuple[Upstream, ...] = blocks("Upstreams", "Upstream", hcl="upstreams")
    expose: Expose | None = block("Expose", "Expose")
    transparent_proxy: TransparentProxy | None = block("TransparentProxy", "TransparentProxy")
    config: Mapping[str, Any] | None = map_block("Config", Kind.FREE)
    old_expose: Expose | None = api_block("ExposeConfig", "Expose")


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarService:
    tags: tuple[str, ...] = texts("Tags")
    port: str = text("Port", "")
    disable_default_tcp_check: bool = flag("DisableDefaultTCPCheck", False)
    proxy: Proxy | None = block("Proxy", "Proxy")
    meta: Mapping[str, str] | None = map_block("Meta")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayBindAddress:
    name: str = label("Name")
    address: str = text("Address", "")
    port: int = integer("Port", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayProxy:
    connect_timeout: timedelta | None = duration("ConnectTimeout")
    envoy_gateway_bind_tagged_addresses: bool = flag("EnvoyGatewayBindTaggedAddresses", False)
    envoy_gateway_no_default_bind: bool = flag("EnvoyGatewayNoDefaultBind", False)
    envoy_dns_discovery_type: str = text("EnvoyDNSDiscoveryType", "")
    envoy_gateway_bind_addresses: tuple[GatewayBindAddress, ...] = block_map(
        "EnvoyGatewayBindAddresses", "GatewayBindAddress", hcl="envoy_gateway_bind_addresses"
    )
    config: Mapping[str, Any] | None = map_block("Config", Kind.FREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSds:
    cluster_name: str = text("ClusterName", "")
    cert_resource: str = text("CertResource", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayTls:
    enabled: bool = flag("Enabled", False)
    tls_min_version: str = text("TLSMinVersion", "")
    tls_max_version: str = text("TLSMaxVersion", "")
    cipher_suites: tuple[str, ...] = texts("CipherSuites")
    sds: TlsSds | None = block("SDS", "TlsSds")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderModifiers:
    remove: tuple[str, ...] = texts("Remove")
    add: Mapping[str, str] | None = map_block("Add")
    set: Mapping[str, str] | None = map_block("Set")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressService:
    name: str = text("Name", "")
    hosts: tuple[str, ...] = texts("Hosts")
    max_connections: int | None = integer("MaxConnections", limits=_UINT32)
    max_pending_requests: int | None = integer("MaxPendingRequests", limits=_UINT32)
    max_concurrent_requests: int | None = integer("MaxConcurrentRequests", limits=_UINT32)
    tls: GatewayTls | None = block("TLS", "GatewayTls")
    request_headers: HeaderModifiers | None = block("RequestHeaders", "HeaderModifiers")
    response_headers: HeaderModifiers | None = block("ResponseHeaders", "HeaderModifiers")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressListener:
    port: int = integer("Port", 0)
    protocol: str = text("Protocol", "")
    services: tuple[IngressService, ...] = blocks("Services", "IngressService", hcl="service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    tls: GatewayTls | None = block("TLS", "GatewayTls")
    listeners: tuple[IngressListener, ...] = blocks("Listeners", "IngressListener", hcl="listener")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedService:
    name: str = text("Name", "")
    ca_file: str = text("CAFile", "")
    cert_file: str = text("CertFile", "")
    key_file: str = text("KeyFile", "")
    sni: str = text("SNI", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminating:
    services: tuple[LinkedService, ...] = blocks("Services", "LinkedService", hcl="service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    proxy: GatewayProxy | None = block("Proxy", "GatewayProxy")
    ingress: Ingress | None = block("Ingress", "Ingress")
    terminating: Terminating | None = block("Terminating", "Terminating")
    mesh: Mesh | None = block("Mesh", "Mesh")


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarTask:
    name: str = text("Name", "")
    driver: str = text("Driver", "")
    user: str = text("User", "")
    kill_timeout: timedelta | None = duration("KillTimeout")
    kill_signal: str = text("KillSignal", "")
    shutdown_delay: timedelta | None = duration("ShutdownDelay")
    config: Mapping[str, Any] | None = map_block("Config", Kind.FREE)
    env: Mapping[str, str] | None = map_block("Env")
    meta: Mapping[str, str] | None = map_block("Meta")
    resources: Resources | None = block("Resources", "Resources")
    logs: LogConfig | None = block("LogConfig", "LogConfig")
    volume_mounts: tuple[VolumeMount, ...] = blocks("VolumeMounts", "VolumeMount", hcl="volume_mount")
    identities: tuple[Identity, ...] = blocks("Identities", "Identity", hcl="identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    native: bool = flag("Native", False)
    sidecar_service: SidecarService | None = block("SidecarService", "SidecarService")
    sidecar_task: SidecarTask | None = block("SidecarTask", "SidecarTask")
    gateway: Gateway | None = block("Gateway", "Gateway")
