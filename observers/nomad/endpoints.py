"""The calls that the operator makes, one line each: how it is counted, what may be done again, what a token needs.

A path is `/v1/<group>/<arguments>`. `template` is that path without its ids; with the method it is what is counted, so
the count stays bounded.
Source of the capabilities: nomad/acl/policy.go.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`group` is python-nomad's endpoint object. `judges_job` marks the calls that carry a job to be judged."""

    template: str
    group: str
    method: str = "get"
    write: bool = False
    judges_job: bool = False
    capability: str = "read-job"


AGENT_SELF = Endpoint("agent/self", "agent", capability="agent:read")
LEADER = Endpoint("status/leader", "status", capability="")
AGENT_MEMBERS = Endpoint("agent/members", "agent", capability="node:read")
JOBS = Endpoint("jobs", "jobs", capability="list-jobs")
JOBS_STATUSES = Endpoint("jobs/statuses", "jobs", "post")
JOBS_PARSE = Endpoint("jobs/parse", "jobs", "post", judges_job=True, capability="parse-job")
VALIDATE = Endpoint("validate/job", "validate", "post", judges_job=True)
PLAN = Endpoint("job/plan", "job", "post", judges_job=True, capability="submit-job")
REGISTER = Endpoint("jobs", "jobs", "post", write=True, judges_job=True, capability="submit-job")
STOP = Endpoint("job", "job", "delete", write=True, capability="submit-job")
EVALUATE = Endpoint("job/evaluate", "job", "post", write=True, capability="submit-job")
JOB = Endpoint("job", "job")
ALLOCATIONS = Endpoint("job/allocations", "job")
DEPLOYMENT = Endpoint("job/deployment", "job")
DEPLOYMENTS = Endpoint("job/deployments", "job")
EVALUATIONS = Endpoint("job/evaluations", "job")
CHECKS = Endpoint("client/allocation/checks", "allocation_checks")
LOGS = Endpoint("client/fs/logs", "logs", capability="read-logs")
NODES = Endpoint("nodes", "nodes", capability="node:read")
NODE = Endpoint("node", "node", capability="node:read")
NODE_POOLS = Endpoint("node/pools", "node", capability="read in a node pool")
ALL_ALLOCATIONS = Endpoint("allocations", "allocations", capability="read-job")
STATS = Endpoint("client/allocation/stats", "allocation_checks")
VARIABLES = Endpoint("vars", "variables", capability="variables:list")
VARIABLE = Endpoint("var", "variable", capability="variables:read")
VARIABLE_WRITE = Endpoint("var", "variable", "put", write=True, capability="variables:write")
VARIABLE_DELETE = Endpoint("var", "variable", "delete", write=True, capability="variables:destroy")
# They hold the right to write: no fence stands before them.
LOCK = Endpoint("var/lock", "variable", "put", capability="variables:write")
NAMESPACES = Endpoint("namespaces", "namespaces", capability="any capability in a namespace")
SERVICES = Endpoint("services", "services", capability="read-job")
EVENT_STREAM = Endpoint("event/stream", "event")
