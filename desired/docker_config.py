"""Checks the keys of a Docker task's `config`: no Nomad server does, so a typo first shows when the task fails.

A warning, not a problem: a newer driver may know more keys than this table.

Source: drivers/docker/config.go of Nomad 2.0; recorded: scenario `config-unknown-key`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from desired.objection import Objection
from desired.state import JobBody

RULE = "docker-config"

# One text, because sixty names in quotes are harder to compare with the source.
KNOWN_KEYS = frozenset(
    re.findall(
        r"\w+",
        "image advertise_ipv6_address args auth auth_soft_fail cap_add cap_drop cgroupns command cpuset_cpus "
        "cpu_hard_limit cpu_cfs_period container_exists_attempts devices dns_search_domains dns_options dns_servers "
        "entrypoint extra_hosts force_pull group_add healthchecks hostname init interactive ipc_mode ipv4_address "
        "ipv6_address isolation labels load logging mac_address memory_hard_limit mount mounts network_aliases "
        "network_mode oom_score_adj runtime pids_limit pid_mode ports port_map privileged image_pull_timeout "
        "readonly_rootfs security_opt shm_size storage_opt sysctl tty ulimit uts_mode userns_mode volumes "
        "volume_driver work_dir",
    )
)
_LISTS = frozenset({"args", "cap_add", "cap_drop", "ports", "volumes", "entrypoint", "dns_servers", "extra_hosts"})


def docker_warnings(body: JobBody) -> Iterator[Objection]:
    """What Nomad's Docker driver would refuse in the `config` of a job's tasks; each names group and task."""
    for group in body.get("TaskGroups") or ():
        for task in group.get("Tasks") or ():
            if task.get("Driver") == "docker":
                names = str(group.get("Name") or ""), str(task.get("Name") or "")
                at = ("group", names[0], "task", names[1], "config")
                for key, message in _of(task.get("Config") or {}, "/".join((*names, "config"))):
                    yield Objection(RULE, message, at=(*at, key) if key else at, warning=True)


def _of(config: JobBody, where: str) -> Iterator[tuple[str, str]]:
    """Key and message; without a key where one is missing."""
    if not config.get("image"):
        yield "", f"{where}: the Docker driver needs `image`"
    for key, value in config.items():
        if key not in KNOWN_KEYS:
            near = difflib.get_close_matches(key, KNOWN_KEYS, n=1)
            yield key, f"{where}: the Docker driver knows no `{key}`" + (f"; did you mean `{near[0]}`?" if near else "")
        elif key in _LISTS and isinstance(value, str):
            yield key, f"{where}: `{key}` is a list of texts, and one text was given"
