"""Family A: the image, its registry, and creating a container from it.

Source: nomad/drivers/docker/coordinator.go and driver.go wrap what the Docker daemon and the registry say; recorded in
scenarios image-*. The registries' words are theirs, so they are matched loosely.
"""

from __future__ import annotations

from datetime import timedelta

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Lasting, Proof, Row, Where, said

_PULL = r"^Failed to pull `(?P<image>[^`]+)`: .*?"
_IMAGE = {"image": "the reference as the job says it", "registry": "the registry's host, docker.io where none is named"}

ROWS = (
    Row(
        failure=FailureClass.IMAGE_PLATFORM_WRONG,
        family=Family.IMAGE,
        cause=Cause.SPEC,
        advice="build {image} for {platform}, or keep the job off such nodes",
        facts={**_IMAGE, "platform": "what the node is, such as linux/arm64"},
        may_help=(Kind.IMAGE, Kind.CONSTRAINT_VALUE),
        words=(
            *said(Where.DRIVER, _PULL + r"no matching manifest for (?P<platform>[\w./-]+)"),
            *said(Where.DRIVER, r"(?P<platform>)exec format error"),
            *said(Where.LOG, r"(?m)^(?P<platform>)(?:standard_init_linux\.go.*|exec \S+): exec format error$"),
        ),
        seen="the log line only where the task ended by itself with a code other than 0",
    ),
    Row(
        failure=FailureClass.IMAGE_RATE_LIMITED,
        family=Family.IMAGE,
        cause=Cause.TIME,
        advice="{registry} limits pulls: wait, log in to it, or use a mirror",
        facts=_IMAGE,
        words=said(Where.DRIVER, _PULL + r"(?:toomanyrequests|429 Too Many Requests)"),
        lasting=Lasting(timedelta(hours=6), Cause.EXTERNAL),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.IMAGE_TAG_MISSING,
        family=Family.IMAGE,
        cause=Cause.SPEC,
        advice="push {image} to {registry}, or name a tag that is there",
        facts={
            **_IMAGE,
            "repository": "the image without tag or digest",
            "tag": "the tag or digest that is not there; `latest` where none is written",
        },
        may_help=(Kind.IMAGE,),
        words=said(Where.DRIVER, _PULL + r"(?:manifest unknown|manifest for \S+ not found|manifest not found)"),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.IMAGE_UNAUTHORIZED,
        family=Family.IMAGE,
        cause=Cause.EXTERNAL,
        advice="{registry} refuses the credentials for {image}: whoever keeps them must mend them, or the helper",
        facts=_IMAGE,
        words=said(
            Where.DRIVER,
            _PULL + r"(?:unauthorized|no basic auth credentials)",
            r'Failed to find docker auth for repo "(?P<image>[^"]+)"',
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.IMAGE_REPOSITORY_MISSING,
        family=Family.IMAGE,
        cause=Cause.EXTERNAL,
        advice="{repository} is not on {registry} or may not be read: check its spelling, push it, or give access",
        facts={**_IMAGE, "repository": "the image without tag or digest"},
        words=said(
            Where.DRIVER,
            _PULL + r"(?:name unknown|pull access denied|repository \S+ not found|insufficient_scope|denied)",
        ),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.REGISTRY_UNKNOWN,
        family=Family.IMAGE,
        cause=Cause.EXTERNAL,
        advice="the node cannot resolve {registry}: check the spelling in {image}, or the node's DNS",
        facts=_IMAGE,
        words=said(Where.DRIVER, _PULL + r"lookup \S+.*no such host"),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.NODE_DISK_FULL,
        family=Family.IMAGE,
        cause=Cause.CLUSTER,
        advice="the disk of node {node} is full: whoever runs the node must make room",
        facts={"node": "the node's name"},
        words=said(Where.DRIVER, r"no space left on device"),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.DRIVER_DOWN,
        family=Family.IMAGE,
        cause=Cause.TIME,
        advice="the driver {driver} of node {node} does not answer: whoever runs the node must start it",
        facts={"driver": "the task's driver", "node": "the node's name"},
        words=said(
            Where.DRIVER,
            r"Cannot connect to the Docker daemon",
            r"failed to fetch docker daemon info",
            r"Failed to create docker client",
            r"(?i)plugin (?:is shut down|shut down)",
        ),
        lasting=Lasting(timedelta(minutes=3), Cause.CLUSTER),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.IMAGE_PULL_SLOW,
        family=Family.IMAGE,
        cause=Cause.TIME,
        advice="pulling {image} takes longer than its image_pull_timeout: raise it, or use a nearer registry",
        facts={**_IMAGE, "timeout": "the job's image_pull_timeout, 5m where it says none"},
        may_help=(Kind.DRIVER_VALUE, Kind.PROGRESS_DEADLINE, Kind.HEALTHY_DEADLINE),
        words=said(Where.DRIVER, _PULL + r"(?:context deadline exceeded(?! \(Client)|[Pp]ull.*timed out|inactiv)"),
        # The second timeout of the default five minutes.
        lasting=Lasting(timedelta(minutes=10), Cause.SPEC),
        proof=Proof.SECOND,
    ),
    Row(
        failure=FailureClass.REGISTRY_UNREACHABLE,
        family=Family.IMAGE,
        cause=Cause.TIME,
        advice="{registry} cannot be reached from the nodes ({problem}): whoever runs it, or the network, must act",
        facts={**_IMAGE, "problem": "what the daemon met, such as `connection refused`"},
        words=said(
            Where.DRIVER,
            _PULL + r"(?P<problem>connection refused|i/o timeout|x509: [^\n]{0,120}|Client\.Timeout exceeded"
            r"|TLS handshake timeout|server gave HTTP response to HTTPS client|no route to host"
            r"|network is unreachable|connection reset by peer|received unexpected HTTP status: \d+[\w ]*"
            r"|Temporary failure in name resolution|unexpected EOF|EOF)",
        ),
        lasting=Lasting(timedelta(minutes=5), Cause.EXTERNAL),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.IMAGE_REFERENCE_BAD,
        family=Family.IMAGE,
        cause=Cause.SPEC,
        advice="{image} is no image reference: correct it",
        facts=_IMAGE,
        may_help=(Kind.IMAGE,),
        words=said(
            Where.DRIVER,
            r'unable to create local docker image "(?P<image>[^"]*)": does not match registry specification',
            r"image name required for docker driver",
            _PULL + r"invalid reference format",
            r"invalid reference format",
        ),
    ),
)
