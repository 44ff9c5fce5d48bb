"""One typed edit of a job: which value, addressed by names, from what to what.

The old value is the precondition: an operation never applies to a job that says something else by now. Values are those
of Nomad's API JSON (durations in nanoseconds, memory in MB, cpu in MHz); None means that the value is not there.
"""

# Names of failures and of edits, not passwords.
# ruff: noqa: S105

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Value = bool | int | str | tuple[str, ...] | None


class Kind(StrEnum):
    """What an operation changes. The names stand in records, in git and in `REPAIR_AUTO`: the list only grows.

    The comment after each is its address. `-` is the job itself; a group's own name comes first everywhere else.
    A task part in brackets is there only where the thing belongs to a task (a task-level service, constraint, ...).
    """

    # what is asked of a node
    MEMORY = "memory"  # group/task, MB
    MEMORY_MAX = "memory_max"  # group/task, MB
    CPU = "cpu"  # group/task, MHz
    CORES = "cores"  # group/task
    DISK = "disk"  # group, MB
    LOG_FILES = "log_files"  # group/task
    LOG_FILE_SIZE = "log_file_size"  # group/task, MB
    # where it may run
    DATACENTERS = "datacenters"  # -
    NODE_POOL = "node_pool"  # -
    CONSTRAINT_VALUE = "constraint_value"  # [group/[task/]]attribute (the left side as written), the right side
    CONSTRAINT_REMOVAL = "constraint_removal"  # [group/[task/]]attribute, "operator value" to None
    DRIVER = "driver"  # group/task
    # network
    STATIC_PORT = "static_port"  # group/label, the static port or None for a dynamic one
    PORT_TO = "port_to"  # group/label, the port inside; None or 0 for the same
    PORT_LABEL = "port_label"  # group/label, the label itself: declared anew under another name
    PORT_ADDED = "port_added"  # group/label, None to the port inside: declares a label that is used and missing
    NETWORK_MODE = "network_mode"  # group
    # services and checks
    SERVICE_PORT = "service_port"  # group/[task/]service, the port label
    SERVICE_PROVIDER = "service_provider"  # group/[task/]service
    CHECK_PORT = "check_port"  # group/[task/]service/check, the port label
    CHECK_PATH = "check_path"  # group/[task/]service/check
    CHECK_TYPE = "check_type"  # group/[task/]service/check
    CHECK_PROTOCOL = "check_protocol"  # group/[task/]service/check: http or https
    CHECK_METHOD = "check_method"  # group/[task/]service/check
    CHECK_NAME = "check_name"  # group/[task/]service/check
    CHECK_INTERVAL = "check_interval"  # group/[task/]service/check, ns
    CHECK_TIMEOUT = "check_timeout"  # group/[task/]service/check, ns
    CHECK_GRACE = "check_grace"  # group/[task/]service/check, ns: check_restart
    # time
    MIN_HEALTHY_TIME = "min_healthy_time"  # group, ns
    HEALTHY_DEADLINE = "healthy_deadline"  # group, ns
    PROGRESS_DEADLINE = "progress_deadline"  # group, ns
    RESTART_ATTEMPTS = "restart_attempts"  # group
    RESTART_DELAY = "restart_delay"  # group, ns
    RESTART_INTERVAL = "restart_interval"  # group, ns
    RESTART_MODE = "restart_mode"  # group
    RESCHEDULE_ATTEMPTS = "reschedule_attempts"  # group
    RESCHEDULE_INTERVAL = "reschedule_interval"  # group, ns
    RESCHEDULE_DELAY = "reschedule_delay"  # group, ns
    RESCHEDULE_MAX_DELAY = "reschedule_max_delay"  # group, ns
    RESCHEDULE_UNLIMITED = "reschedule_unlimited"  # group
    # what runs
    IMAGE = "image"  # group/task
    COMMAND = "command"  # group/task
    ARGS = "args"  # group/task, a list
    ENTRYPOINT = "entrypoint"  # group/task, a list
    WORK_DIR = "work_dir"  # group/task
    DRIVER_KEY = "driver_key"  # group/task/key, the key's own name; None removes it
    DRIVER_VALUE = "driver_value"  # group/task/key, a value of the driver's config that has no kind of its own
    DRIVER_PORTS = "driver_ports"  # group/task, the labels that the driver publishes, a list
    ENV = "env"  # group/task/NAME
    # templates and secrets: `old` and `new` are fragments of the template, which `old` must occur in
    TEMPLATE_SYNTAX = "template_syntax"  # group/task/destination
    TEMPLATE_KEY = "template_key"  # group/task/destination: the name of a Consul key, a variable or a field
    KV_SHAPE = "kv_shape"  # group/task/destination: `/data/` put into or taken out of a KV path, nothing else
    SECRET_PATH = "secret_path"  # group/task/destination
    TEMPLATE_DELIMITERS = "template_delimiters"  # group/task/destination, "left right"
    TEMPLATE_ENV = "template_env"  # group/task/destination, the flag `env`
    SECRET_ENGINE = "secret_engine"  # group/task/secret: the engine of a `secret` block, kv or kv_v2
    VAULT_ROLE = "vault_role"  # group/task
    VAULT_ADDED = "vault_added"  # group/task, None to "": a `vault {}` block where a secret needs one


@dataclass(frozen=True, slots=True)
class Operation:
    """`at` addresses by name, outermost first; see `Kind` for the shape of each. `()` is the job itself."""

    kind: Kind
    at: tuple[str, ...]
    old: Value
    new: Value

    @property
    def path(self) -> str:
        """The address as people and JSON see it; a `/` inside a name is written `~1`, a `~` is written `~0`."""
        return "/".join(part.replace("~", "~0").replace("/", "~1") for part in self.at)
