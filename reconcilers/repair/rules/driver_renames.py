"""What people who come from Docker and Compose write into a task's `config`, and what Nomad calls it. Data only.

Source: the Compose specification (services), `docker run --help`, nomad/drivers/docker/config.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Another name for the same thing: the value stays.
RENAMED: Mapping[str, str] = {
    "image_name": "image",
    "imagename": "image",
    "container_image": "image",
    "docker_image": "image",
    "cmd": "command",
    "arg": "args",
    "arguments": "args",
    "command_args": "args",
    "entry_point": "entrypoint",
    "workdir": "work_dir",
    "working_dir": "work_dir",
    "working_directory": "work_dir",
    "workingdir": "work_dir",
    "cwd": "work_dir",
    "volume": "volumes",
    "port": "ports",
    "dns": "dns_servers",
    "dns_server": "dns_servers",
    "dns_search": "dns_search_domains",
    "dns_opt": "dns_options",
    "dns_opts": "dns_options",
    "extra_host": "extra_hosts",
    "add_host": "extra_hosts",
    "host_name": "hostname",
    "label": "labels",
    "sysctls": "sysctl",
    "ulimits": "ulimit",
    "aliases": "network_aliases",
    "network_alias": "network_aliases",
    "read_only": "readonly_rootfs",
    "readonly": "readonly_rootfs",
    "read_only_rootfs": "readonly_rootfs",
    "stdin_open": "interactive",
    "always_pull": "force_pull",
    "pull_timeout": "image_pull_timeout",
    "network": "network_mode",
    "net": "network_mode",
    "storage_opts": "storage_opt",
    "mac_addr": "mac_address",
    "ip": "ipv4_address",
    "ip_address": "ipv4_address",
}

# Another name for what opens the host to the container: it is named to a person, never granted.
# The keys that open it under their own names are listed too, for what is only misspelt.
PRIVILEGED = frozenset(
    re.findall(
        r"[\w-]+",
        "privileged cap_add security_opt devices pid_mode ipc_mode userns_mode uts_mode cgroupns runtime "
        "group_add sysctl oom_score_adj",
    )
)
PRIVILEGE_NAMES: Mapping[str, str] = {
    "pid": "pid_mode",
    "ipc": "ipc_mode",
    "uts": "uts_mode",
    "userns": "userns_mode",
    "capabilities": "cap_add",
    "caps": "cap_add",
    "device": "devices",
    "security_opts": "security_opt",
}

# Without any effect on what runs: Nomad names containers, restarts them, and removes them by itself.
WITHOUT_EFFECT = frozenset(re.findall(r"[\w-]+", "container_name detach detached rm auto_remove autoremove expose"))
# The same, but only for these values (of a service or system job, which Nomad restarts as its policy says).
WITHOUT_EFFECT_AS: Mapping[str, frozenset[str]] = {
    "restart": frozenset({"always", "unless-stopped", "on-failure"}),
    "restart_policy": frozenset({"always", "unless-stopped", "on-failure"}),
    "pull_policy": frozenset({"missing", "if_not_present", "IfNotPresent"}),
    "image_pull_policy": frozenset({"missing", "if_not_present", "IfNotPresent"}),
}
ALWAYS_PULLED = frozenset({"always", "Always"})

# Belongs to the task, not to its driver.
ENVIRONMENT = frozenset({"environment", "env", "envs", "env_vars", "environments", "environment_variables"})
MEMORY = frozenset({"memory", "mem", "mem_limit", "memory_limit", "memory_mb", "memlimit"})
CPU = frozenset({"cpu", "cpu_shares", "cpu_mhz"})
PORT_MAPS = frozenset({"port_mapping", "port_mappings", "portmap", "port_maps", "ports_map"})

# Where it belongs, for a person: it has an effect, and no operation moves it.
ELSEWHERE: Mapping[str, str] = {
    "user": "the task's `user`",
    "healthcheck": "a `check` of the service, or `healthchecks { disable = true }`",
    "health_check": "a `check` of the service, or `healthchecks { disable = true }`",
    "stop_signal": "the task's `kill_signal`",
    "stop_grace_period": "the task's `kill_timeout`",
    "stop_timeout": "the task's `kill_timeout`",
    "env_file": "a `template` with `env = true`",
    "depends_on": "a prestart task, or a template that waits for the service",
    "links": "a service, and a template that looks it up",
    "secrets": "a `template` or `secret` block of the task",
    "configs": "a `template` of the task",
    "networks": "the group's `network` block",
    "deploy": "the group's `count`, `update` and `resources`",
    "build": "an image that is built before",
    "platform": "a constraint on ${attr.cpu.arch}",
    "cpus": "the task's `resources`, in MHz or cores",
    "cpu_limit": "the task's `resources`, in MHz or cores",
    "log_driver": "`logging { type = … }`",
    "log_opt": "`logging { config { … } }`",
    "log_opts": "`logging { config { … } }`",
    "memory_reservation": "the task's `memory`, with `memory_max` for the limit",
    "memswap_limit": "nothing of Nomad's",
    "tmpfs": '`mount { type = "tmpfs" … }`',
    "bind": '`mount { type = "bind" … }`',
    "service": "the group's `service` block",
    "resources": "the task's `resources` block",
    "template": "the task's `template` block",
    "constraint": "the task's `constraint` block",
    "vault": "the task's `vault` block",
    "logs": "the task's `logs` block",
    "kill_timeout": "the task's `kill_timeout`",
    "kill_signal": "the task's `kill_signal`",
    "memory_max": "the task's `resources`",
    "cores": "the task's `resources`",
    "count": "the group's `count`",
    "scale": "the group's `count`",
    "replicas": "the group's `count`",
}

# Source: nomad/drivers/{exec,rawexec,java,qemu}: the keys that are not the Docker driver's.
DRIVER_KEYS: Mapping[str, frozenset[str]] = {
    "raw_exec": frozenset(
        re.findall(
            r"[\w-]+", "command args cgroup_v1_override cgroup_v2_override work_dir oom_score_adj denied_envvars"
        )
    ),
    "exec": frozenset(re.findall(r"[\w-]+", "command args pid_mode ipc_mode cap_add cap_drop work_dir")),
    "java": frozenset(
        re.findall(r"[\w-]+", "class class_path jar_path jvm_options args pid_mode ipc_mode cap_add cap_drop work_dir")
    ),
}
