"""What a key that Docker's driver does not know was meant to be. A table of habits, then likeness. Pure.

Source: the keys of `docker run`, of compose files and of Kubernetes, against drivers/docker/config.go.
"""

from __future__ import annotations

from desired.docker_config import KNOWN_KEYS
from observers.failures.near import near

# Habits of people who come from Docker, compose or Kubernetes: a key of the driver's config...
_MEANT = {
    "cmd": "command",
    "entry_point": "entrypoint",
    "workdir": "work_dir",
    "working_dir": "work_dir",
    "working_directory": "work_dir",
    "network": "network_mode",
    "net": "network_mode",
    "volume": "volumes",
    "binds": "volumes",
    "dns": "dns_servers",
    "dns_search": "dns_search_domains",
    "dns_opt": "dns_options",
    "port": "ports",
    "hosts": "extra_hosts",
    "add_host": "extra_hosts",
    "host_name": "hostname",
    "capabilities": "cap_add",
    "sysctls": "sysctl",
    "ulimits": "ulimit",
    "read_only": "readonly_rootfs",
    "readonly": "readonly_rootfs",
    "log": "logging",
    "log_driver": "logging",
    "label": "labels",
    "device": "devices",
    "pid": "pid_mode",
    "ipc": "ipc_mode",
    "userns": "userns_mode",
    "pull_timeout": "image_pull_timeout",
    "image_name": "image",
    "group": "group_add",
}
# ... or something that stands outside the config in Nomad.
_ELSEWHERE = {
    "env": "task/env",
    "environment": "task/env",
    "env_vars": "task/env",
    "memory": "resources/memory",
    "memory_limit": "resources/memory",
    "mem_limit": "resources/memory",
    "mem": "resources/memory",
    "cpu": "resources/cpu",
    "cpus": "resources/cpu",
    "cpu_limit": "resources/cpu",
    "user": "task/user",
    "restart": "group/restart",
    "restart_policy": "group/restart",
    "healthcheck": "service/check",
    "resources": "task/resources",
    "template": "task/template",
    "service": "task/service",
}


def suggestion(key: str) -> str:
    """The one key it was meant to be; empty where nothing is known or two are as likely."""
    if key in _MEANT:
        return _MEANT[key]
    if key in _ELSEWHERE:
        return ""
    found = near(key, KNOWN_KEYS)
    return found[0] if len(found) == 1 else ""


def elsewhere(key: str) -> str:
    """Where Nomad has such a thing outside the driver's config, as `resources/memory`; empty where it does not."""
    return _ELSEWHERE.get(key, "")
