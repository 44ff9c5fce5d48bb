"""Which request is answered by what, and what a token needs for it: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nomad_operator.embedded import api_allocations, api_cluster, api_jobs, api_progress, api_variables

_READ, _WRITE = ("GET",), ("PUT", "POST")


@dataclass(frozen=True, slots=True)
class Route:
    """`prefix` and `suffix` around an id, or the whole path where `whole`. Capabilities as in `tokens`."""

    methods: tuple[str, ...]
    prefix: str
    handler: Callable[..., Any]
    capability: str
    suffix: str = ""
    whole: bool = False

    def id_in(self, path: str) -> str | None:
        """The id that the path names, None if it is another's path."""
        if self.whole:
            return "" if path == self.prefix else None
        rest = path.removeprefix(self.prefix)
        # A job may be called `scale`: what ends a path is only looked for behind the id.
        if rest == path or not rest.endswith(self.suffix):
            return None
        return rest[: len(rest) - len(self.suffix)]


def _whole(methods: tuple[str, ...], path: str, handler: Callable[..., Any], capability: str) -> Route:
    return Route(methods, path, handler, capability, whole=True)


def _job(suffix: str, methods: tuple[str, ...], handler: Callable[..., Any], capability: str) -> Route:
    return Route(methods, "/v1/job/", handler, capability, f"/{suffix}" if suffix else "")


# The first that fits a path and method; a path that fits with other methods only is 405.
ROUTES = (
    _whole(_READ, "/v1/jobs", api_jobs.list_jobs, "list-jobs"),
    _whole(_WRITE, "/v1/jobs", api_jobs.register, "submit-job"),
    _whole(_WRITE, "/v1/jobs/parse", api_jobs.parse, "parse-job"),
    _whole((*_READ, *_WRITE), "/v1/jobs/statuses", api_jobs.statuses, "read-job"),
    _whole(_WRITE, "/v1/validate/job", api_jobs.validate, "read-job"),
    _job("plan", _WRITE, api_jobs.plan, "submit-job"),
    _job("allocations", _READ, api_jobs.allocations, "read-job"),
    _job("evaluations", _READ, api_jobs.evaluations, "read-job"),
    _job("deployments", _READ, api_jobs.deployments, "read-job"),
    _job("deployment", _READ, api_jobs.latest_deployment, "read-job"),
    _job("summary", _READ, api_jobs.summary, "read-job"),
    _job("versions", _READ, api_jobs.versions, "read-job"),
    _job("submission", _READ, api_jobs.submission, "read-job"),
    _job("evaluate", _WRITE, api_jobs.evaluate, "submit-job"),
    _job("revert", _WRITE, api_jobs.revert, "submit-job"),
    _job("stable", _WRITE, api_jobs.mark_stable, "submit-job"),
    _job("scale", _READ, api_jobs.scale_status, "read-job-scaling"),
    _job("scale", _WRITE, api_jobs.scale, "scale-job"),
    _job("dispatch", _WRITE, api_jobs.dispatch, "dispatch-job"),
    _job("periodic/force", _WRITE, api_jobs.force_launch, "submit-job"),
    _job("", _READ, api_jobs.read_one, "read-job"),
    _job("", _WRITE, api_jobs.register, "submit-job"),
    _job("", ("DELETE",), api_jobs.stop, "submit-job"),
    _whole(_READ, "/v1/evaluations", api_progress.list_evaluations, "read-job"),
    Route(_READ, "/v1/evaluation/", api_progress.evaluation_allocations, "read-job", "/allocations"),
    Route(_READ, "/v1/evaluation/", api_progress.read_evaluation, "read-job"),
    _whole(_READ, "/v1/allocations", api_allocations.list_allocations, "read-job"),
    Route(_WRITE, "/v1/allocation/", api_allocations.stop_allocation, "alloc-lifecycle", "/stop"),
    Route(_READ, "/v1/allocation/", api_allocations.read_allocation, "read-job"),
    Route(_READ, "/v1/client/allocation/", api_allocations.checks, "read-job", "/checks"),
    Route(_READ, "/v1/client/allocation/", api_allocations.stats, "read-job", "/stats"),
    Route(_WRITE, "/v1/client/allocation/", api_allocations.restart, "alloc-lifecycle", "/restart"),
    Route(_READ, "/v1/client/fs/logs/", api_allocations.logs, "read-logs"),
    _whole(_WRITE, "/v1/client/metadata", api_cluster.change_meta, "node:write"),
    _whole(_READ, "/v1/deployments", api_progress.list_deployments, "read-job"),
    Route(_READ, "/v1/deployment/allocations/", api_progress.deployment_allocations, "read-job"),
    Route(_WRITE, "/v1/deployment/promote/", api_progress.promote, "submit-job"),
    Route(_WRITE, "/v1/deployment/fail/", api_progress.fail, "submit-job"),
    Route(_WRITE, "/v1/deployment/pause/", api_progress.pause, "submit-job"),
    Route(_READ, "/v1/deployment/", api_progress.read_deployment, "read-job"),
    _whole(_READ, "/v1/nodes", api_cluster.list_nodes, "node:read"),
    _whole(_READ, "/v1/node/pools", api_cluster.list_node_pools, "any"),
    Route(_READ, "/v1/node/", api_cluster.read_node, "node:read"),
    _whole(_READ, "/v1/namespaces", api_cluster.list_namespaces, "any"),
    _whole(_WRITE, "/v1/namespace", api_cluster.put_namespace, "management"),
    Route(_READ, "/v1/namespace/", api_cluster.read_namespace, "any"),
    Route(_WRITE, "/v1/namespace/", api_cluster.put_namespace, "management"),
    Route(("DELETE",), "/v1/namespace/", api_cluster.delete_namespace, "management"),
    _whole(_READ, "/v1/vars", api_variables.list_variables, "variables"),
    Route(_READ, "/v1/var/", api_variables.read_variable, "variables"),
    Route(_WRITE, "/v1/var/", api_variables.put_variable, "variables"),
    Route(("DELETE",), "/v1/var/", api_variables.delete_variable, "variables"),
    _whole(_READ, "/v1/agent/self", api_cluster.agent_self, "agent:read"),
    _whole(_READ, "/v1/agent/members", api_cluster.members, "node:read"),
    _whole(_READ, "/v1/status/leader", api_cluster.leader, ""),
    _whole(_READ, "/v1/regions", api_cluster.regions, ""),
)

# Real endpoints that are not here: everything else below /v1/ does not exist in Nomad either.
LEFT_OUT = (
    "/v1/acl", "/v1/agent/", "/v1/allocation/", "/v1/client/", "/v1/deployment/", "/v1/evaluations/", "/v1/metrics",
    "/v1/node/", "/v1/operator", "/v1/plugins", "/v1/quota", "/v1/recommendation", "/v1/scaling", "/v1/search",
    "/v1/sentinel", "/v1/service", "/v1/status/", "/v1/system", "/v1/volume", "/v1/job/",
)  # fmt: skip
# What of a job the real API has and this one has not; any other suffix is part of the id.
JOB_LEFT_OUT = ("/services", "/tag", "/actions")
