"""The structures of a job: every field that Nomad's HTTP API and its servers know, and what stands in an unset one.

One table serves the canonicalization and the diff. It holds no defaults and no rules: those are `canonical` and `diff`.

Source: api/jobs.go, api/tasks.go, api/services.go, api/resources.go; nomad/structs/structs.go, services.go, volumes.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# One structure a line: its name, then `Field:kind`. Kinds: `str`, `int`, `bool`; the name of a structure; `[kind]`;
# `{kind}` (an object with free keys); `any`. Before a kind: `*` may be unset in the API and is the zero value on the
# server, `?` may be unset in both. After a field's name: `-` only the API has it, `+` only the server has it.
_TABLE = """
Job: Stop:*bool Region:*str Namespace:*str ID:*str ParentID:*str Name:*str Type:*str Priority:*int AllAtOnce:*bool \
Datacenters:[str] NodePool:*str Constraints:[Constraint] Affinities:[Affinity] Spreads:[Spread] \
TaskGroups:[TaskGroup] Update:UpdateStrategy Multiregion:any Periodic:PeriodicConfig \
ParameterizedJob:ParameterizedJobConfig Reschedule-:any Migrate-:any Dispatched:bool DispatchIdempotencyToken:*str \
Payload:any Meta:{str} ConsulNamespace:*str VaultNamespace:*str NomadTokenID:*str Status:*str StatusDescription:*str \
Stable:*bool Version:*int SubmitTime:*int CreateIndex:*int ModifyIndex:*int JobModifyIndex:*int UI:JobUIConfig \
VersionTag:any
TaskGroup: Name:*str Count:*int Update:UpdateStrategy Migrate:MigrateStrategy Constraints:[Constraint] \
Scaling:ScalingPolicy RestartPolicy:RestartPolicy Disconnect:DisconnectStrategy Tasks:[Task] \
EphemeralDisk:EphemeralDisk Meta:{str} ReschedulePolicy:ReschedulePolicy Affinities:[Affinity] Spreads:[Spread] \
Networks:[NetworkResource] Consul:Consul Services:[Service] Volumes:{VolumeRequest} ShutdownDelay:?int \
MaxRunDuration:?int StopAfterClientDisconnect:?int MaxClientDisconnect:?int PreventRescheduleOnLost:*bool
Task: Name:str Driver:str User:str Config:{any} Env:{str} Services:[Service] Vault:Vault Secrets:[Secret] \
Consul:Consul Templates:[Template] Constraints:[Constraint] Affinities:[Affinity] Resources:Resources \
RestartPolicy:RestartPolicy DispatchPayload:DispatchPayloadConfig Lifecycle:TaskLifecycle Meta:{str} \
KillTimeout:*int LogConfig:LogConfig Artifacts:[TaskArtifact] Leader:bool ShutdownDelay:int \
VolumeMounts:[VolumeMount] ScalingPolicies:[ScalingPolicy] KillSignal:str Kind:str CSIPluginConfig:TaskCSIPluginConfig \
Identity:WorkloadIdentity Identities:[WorkloadIdentity] Actions:[Action] Schedule:any
Resources: CPU:*int Cores:*int MemoryMB:*int MemoryMaxMB:*int DiskMB:*int IOPS:*int Networks:[NetworkResource] \
Devices:[RequestedDevice] NUMA:NUMA SecretsMB:*int
NetworkResource: Mode:str Device:str CIDR:str IP:str Hostname:str MBits:*int DNS:DNSConfig ReservedPorts:[Port] \
DynamicPorts:[Port] CNI:CNIConfig
Port: Label:str Value:int To:int HostNetwork:str IgnoreCollision:bool
DNSConfig: Servers:[str] Searches:[str] Options:[str]
CNIConfig: Args:{str}
RequestedDevice: Name:str Count:*int Constraints:[Constraint] Affinities:[Affinity]
NUMA: Affinity:str Devices:[str]
Service: Name:str TaskName:str PortLabel:str AddressMode:str Address:str EnableTagOverride:bool Tags:[str] \
CanaryTags:[str] Checks:[ServiceCheck] CheckRestart-:CheckRestart Connect:any Meta:{str} CanaryMeta:{str} \
Weights:ServiceWeights TaggedAddresses:{str} Namespace+:str OnUpdate:str Provider:str Cluster:str \
Identity:WorkloadIdentity Kind:str
ServiceCheck: Name:str Type:str Command:str Args:[str] Path:str Protocol:str PortLabel:str Expose:bool AddressMode:str \
Advertise-:str Interval:int Timeout:int InitialStatus:str Notes:str TLSServerName:str TLSSkipVerify:bool Method:str \
Header:{[str]} CheckRestart:CheckRestart GRPCService:str GRPCUseTLS:bool TaskName:str SuccessBeforePassing:int \
FailuresBeforeCritical:int FailuresBeforeWarning:int Body:str OnUpdate:str
CheckRestart: Limit:int Grace:*int IgnoreWarnings:bool
ServiceWeights: Passing:int Warning:int
Template: SourcePath:*str DestPath:*str EmbeddedTmpl:*str ChangeMode:*str ChangeSignal:*str ChangeScript:ChangeScript \
Once:*bool Splay:*int Perms:*str Uid:?int Gid:?int LeftDelim:*str RightDelim:*str Envvars:*bool VaultGrace:*int \
Wait:WaitConfig ErrMissingKey:*bool
ChangeScript: Command:*str Args:[str] Timeout:*int FailOnError:*bool RunOnFirstRender:*bool
WaitConfig: Min:?int Max:?int
Vault: Policies-:[str] Role:str Namespace:*str Cluster:str Env:*bool DisableFile:*bool ChangeMode:*str \
ChangeSignal:*str AllowTokenExpiration:*bool
Secret: Name:str Provider:str Path:str Config:{any} Env:{str}
TaskArtifact: GetterSource:*str GetterOptions:{str} GetterHeaders:{str} GetterMode:*str GetterInsecure:*bool \
RelativeDest:*str Chown:bool
WorkloadIdentity: Name:str Audience:[str] ChangeMode:str ChangeSignal:str Env:bool File:bool Filepath:str \
ServiceName:str TTL:int ExtraClaims:[str]
VolumeRequest: Name:str Type:str Source:str ReadOnly:bool Sticky:bool AccessMode:str AttachmentMode:str \
MountOptions:CSIMountOptions PerAlloc:bool
CSIMountOptions: FSType:str MountFlags:[str]
VolumeMount: Volume:*str Destination:*str ReadOnly:*bool PropagationMode:*str SELinuxLabel:*str
ScalingPolicy: ID:str Type:str Namespace-:str Target:{str} Policy:{any} Min:*int Max:*int Enabled:*bool \
CreateIndex:int ModifyIndex:int
PeriodicConfig: Enabled:*bool Spec:*str Specs:[str] SpecType:*str ProhibitOverlap:*bool TimeZone:*str
ParameterizedJobConfig: Payload:str MetaRequired:[str] MetaOptional:[str]
DisconnectStrategy: LostAfter:*int StopOnClientAfter:?int Replace:?bool Reconcile:*str
MigrateStrategy: MaxParallel:*int HealthCheck:*str MinHealthyTime:*int HealthyDeadline:*int
UpdateStrategy: Stagger:*int MaxParallel:*int HealthCheck:*str MinHealthyTime:*int HealthyDeadline:*int \
ProgressDeadline:*int AutoRevert:*bool AutoPromote:*bool Canary:*int
RestartPolicy: Attempts:*int Interval:*int Delay:*int Mode:*str RenderTemplates:*bool
ReschedulePolicy: Attempts:*int Interval:*int Delay:*int DelayFunction:*str MaxDelay:*int Unlimited:*bool
EphemeralDisk: Sticky:*bool SizeMB:*int Migrate:*bool
LogConfig: MaxFiles:*int MaxFileSizeMB:*int Enabled-:*bool Disabled:*bool
Constraint: LTarget:str RTarget:str Operand:str
Affinity: LTarget:str RTarget:str Operand:str Weight:*int
Spread: Attribute:str Weight:*int SpreadTarget:[SpreadTarget]
SpreadTarget: Value:str Percent:int
Consul: Namespace:str Cluster:str Partition:str
TaskLifecycle: Hook:str Sidecar:bool
DispatchPayloadConfig: File:str
Action: Name:str Command:str Args:[str]
TaskCSIPluginConfig: ID:str Type:str MountDir:str StagePublishBaseDir:str HealthTimeout:int
JobUIConfig: Description:str Links:[JobUILink]
JobUILink: Label:str URL-:str Url+:str
"""

ZERO: Mapping[str, Any] = {"str": "", "int": 0, "bool": False}

# Structures of which a server shows only the fields that are set, and one such field of the API.
_TERSE_ON_SERVER = frozenset({"NetworkResource", "Port"})
_TERSE_IN_API = frozenset({"CSIPluginConfig"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` is without its marks; `pointer` is `*`, `?` or empty."""

    name: str
    kind: str
    pointer: str
    api: bool
    server: bool

    @property
    def primitive(self) -> bool:
        """Whether the server holds a plain value here: only such fields stand by themselves in a diff."""
        return self.kind in ZERO and self.pointer != "?"

    def unset(self, *, server: bool) -> Any:
        """What stands in the field when nobody set it; always a new value."""
        if self.kind not in ZERO or self.pointer == "?" or (self.pointer and not server):
            return None
        return ZERO[self.kind]


def _field(word: str) -> Field:
    name, _, kind = word.partition(":")
    pointer = kind[0] if kind[0] in "*?" else ""
    return Field(
        name=name.rstrip("+-"),
        kind=kind[len(pointer) :],
        pointer=pointer,
        api=not name.endswith("+"),
        server=not name.endswith("-"),
    )


def _table() -> dict[str, tuple[Field, ...]]:
    lines = (line.partition(":") for line in _TABLE.strip().splitlines())
    return {name: tuple(_field(word) for word in words.split()) for name, _, words in lines}


SHAPES: Mapping[str, tuple[Field, ...]] = _table()


def shaped(kind: str, value: Any, *, server: bool) -> Any:
    """A copy of `value` with exactly the fields of its kind, as the API or as a server holds it.

    Unknown fields vanish: Nomad decodes job bodies without looking for them. Networks and ports of a server hold only
    what is set: read them with `get`.
    """
    if value is None:
        return ZERO.get(kind) if server else None
    if kind.startswith("["):
        return [shaped(kind[1:-1], item, server=server) for item in value]
    if kind.startswith("{"):
        return {key: shaped(kind[1:-1], item, server=server) for key, item in value.items()}
    if kind not in SHAPES:
        return _copied(value)
    found = {
        field.name: field.unset(server=server)
        if value.get(field.name) is None
        else shaped(field.kind, value[field.name], server=server)
        for field in SHAPES[kind]
        if (field.server if server else field.api)
    }
    if server and kind in _TERSE_ON_SERVER:
        return {name: inner for name, inner in found.items() if inner}
    return {name: inner for name, inner in found.items() if server or name not in _TERSE_IN_API or inner is not None}


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list | tuple) else value
