"""What a rule file allows and forbids, and how it is read."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.admission.file import read_rules
from desired.admission.judge import judge
from desired.admission.rules import Denied, PolicySpec
from desired.app import AppKey
from desired.errors import InvalidDesired
from desired.job.hcl_places import locate
from desired.job.hcl_read import LocalParser
from desired.job_file import FileKind, source_of
from desired.objection import Objection
from desired.state import HclSource, JobBody, JsonSource

SHOP = AppKey.parse("default/shop")
HEAD = "apiVersion: nomad-operator/v1\nkind: Policy\nspec:\n"
JOB = """
job "shop" {
  datacenters = ["dc1"]
  group "web" {
    count = 3
    network {
      port "http" { static = 8080 }
    }
    volume "data" {
      type   = "host"
      source = "data"
    }
    service {
      name = "shop"
      port = "http"
      tags = ["team=blue"]
    }
    task "app" {
      driver = "docker"
      user   = "root"
      config {
        image        = "shop"
        privileged   = true
        network_mode = "host"
        pid_mode     = "host"
        cap_add      = ["net_admin"]
        volumes      = ["/etc:/host", "local/x:/x"]
      }
      resources {
        cpu    = 500
        memory = 512
      }
    }
  }
}
"""


STRICT = read_rules(
    HEAD + "  images: {allowed: [a], tagRequired: true, latest: false}\n  drivers: [x]\n  datacenters: [x]\n"
    "  resources: {cpu: 1, cores: 1, memory: 1, memoryMax: 1, disk: 1, count: 1, limitsRequired: true}\n"
    "  services: {tagsRequired: [x], checkRequired: true}\n  metaRequired: [x]\n"
    f"  deny: [{', '.join(one.value for one in Denied)}]\n",
    "rules.yaml",
)


async def body(text: str = JOB) -> JobBody:
    return await LocalParser().parse(HclSource(text))


def rules(text: str) -> PolicySpec:
    return read_rules(HEAD + text, "rules.yaml")


async def broken(text: str, job: str = JOB) -> list[Objection]:
    return list(judge(SHOP, await body(job), rules(text)))


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("  images: {allowed: [registry.example.org/*]}", "images.allowed", 22),
        ("  images: {tagRequired: true}", "images.tagRequired", 22),
        ("  images: {latest: false}", "images.latest", 22),
        ("  images: {digestRequired: true}", "images.digestRequired", 22),
        ("  drivers: [exec, raw_*]", "drivers", 19),
        ("  namespaces: [team-*]", "namespaces", 0),
        ("  datacenters: [dc2]", "datacenters", 3),
        ("  nodePools: [gpu]", "nodePools", 0),
        ("  resources: {cpu: 400}", "resources.cpu", 30),
        ("  resources: {memory: 256}", "resources.memory", 31),
        ("  resources: {count: 2}", "resources.count", 5),
        ("  services: {tagsRequired: ['owner=*']}", "services.tagsRequired", 16),
        ("  services: {checkRequired: true}", "services.checkRequired", 13),
        ("  metaRequired: [owner]", "metaRequired", 0),
        ("  deny: [privileged]", "deny.privileged", 23),
        ("  deny: [hostNetwork]", "deny.hostNetwork", 24),
        ("  deny: [hostProcesses]", "deny.hostProcesses", 25),
        ("  deny: [capabilities]", "deny.capabilities", 26),
        ("  deny: [hostPaths]", "deny.hostPaths", 27),
        ("  deny: [hostVolumes]", "deny.hostVolumes", 9),
        ("  deny: [staticPorts]", "deny.staticPorts", 7),
        ("  deny: [root]", "deny.root", 20),
    ],
)
async def test_a_rule_names_what_breaks_it_and_where(text: str, rule: str, line: int) -> None:
    (found,) = await broken(text)
    assert found.rule == rule
    place = locate(JOB, found.at)
    assert (place.line if place else 0) == line
    assert not found.warning


@pytest.mark.parametrize(
    "text",
    [
        "  images: {allowed: [shop]}",
        "  images: {allowed: ['*']}",
        "  drivers: [docker]",
        "  namespaces: [def*]",
        "  datacenters: [dc1]",
        "  resources: {cpu: 500, memory: 512, count: 3, limitsRequired: true}",
        "  services: {tagsRequired: ['team=*']}",
        "  deny: [devices, hostTemplates]",
        "  {}",
    ],
)
async def test_what_keeps_to_the_rules_is_not_spoken_of(text: str) -> None:
    assert await broken(text) == []


@pytest.mark.parametrize(
    ("image", "broken_rules"),
    [
        ("registry.example.org:5000/team/shop:1.2", set()),
        ("registry.example.org:5000/team/shop", {"images.tagRequired", "images.latest"}),
        ("registry.example.org:5000/team/shop:latest", {"images.latest"}),
        ("registry.example.org:5000/team/shop@sha256:" + "0" * 64, set()),
        ("registry.example.org.evil/team/shop:1", {"images.allowed"}),
    ],
)
async def test_an_image_is_its_registry_its_name_and_its_tag(image: str, broken_rules: set[str]) -> None:
    text = "  images: {allowed: ['registry.example.org:5000/*'], tagRequired: true, latest: false}"
    found = await broken(text, JOB.replace('"shop"\n        priv', f'"{image}"\n        priv'))
    assert {one.rule for one in found} == broken_rules


async def test_some_rules_only_warn_and_some_apps_are_exempt() -> None:
    text = "  deny: [root, privileged, capabilities]\n  warn: [deny.root]\n  exempt: {default/sh*: [deny.cap*]}"
    found = {one.rule: one.warning for one in await broken(text)}
    assert found == {"deny.root": True, "deny.privileged": False}


async def test_a_task_without_isolation_is_privileged_whatever_it_says() -> None:
    found = await broken("  deny: [privileged]", JOB.replace('driver = "docker"', 'driver = "raw_exec"'))
    assert {one.at[-1] for one in found} == {"driver", "privileged"}


def test_everything_wrong_with_a_rule_file_is_told_at_its_place() -> None:
    with pytest.raises(InvalidDesired) as error:
        rules("  image: {allowed: [a]}\n  resources: {cpu: much}\n  deny: [priviledged]\n")
    told = [(one.line, one.hint) for one in error.value.problems]
    assert [line for line, _ in told] == [4, 5, 6]
    assert told[0][1] == "did you mean `images`?"
    assert told[2][1] == "did you mean `privileged`?"


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", HEAD + "  {}\n---\n" + HEAD + "  {}\n", "kind: Policy\n"])
def test_half_understood_rules_are_none(text: str) -> None:
    with pytest.raises(InvalidDesired):
        read_rules(text, "rules.yaml")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    config=st.dictionaries(
        st.sampled_from(
            [
                "image",
                "volumes",
                "mounts",
                "mount",
                "cap_add",
                "privileged",
                "security_opt",
                "runtime",
                "network_mode",
                "load",
            ]
        ),
        _JSON,
    )
)
async def test_a_config_of_any_shape_is_judged(config: dict[str, Any]) -> None:
    """A driver's config is not typed: whatever stands in it, the judgement is one."""
    job = {"TaskGroups": [{"Name": "web", "Tasks": [{"Name": "app", "Driver": "docker", "Config": config}]}]}
    strict = rules(f"  images: {{allowed: [a]}}\n  deny: [{', '.join(one.value for one in Denied)}]")
    assert all(dataclasses.is_dataclass(one) for one in judge(SHOP, job, strict))


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        ({"privileged": "1"}, "deny.privileged"),
        ({"privileged": "${meta.mode}"}, "deny.privileged"),
        ({"network_mode": "${meta.mode}"}, "deny.hostNetwork"),
        ({"pid_mode": "${meta.mode}"}, "deny.hostProcesses"),
        ({"volumes": ["${meta.folder}:/data"]}, "deny.hostPaths"),
        ({"mount": [{"type": "bind", "source": "${FOLDER}", "target": "/data"}]}, "deny.hostPaths"),
        ({"volumes": ["${NOMAD_TASK_DIR}/../..:/data"]}, "deny.hostPaths"),
        ({"network_mode": "container:web-1"}, "deny.hostNetwork"),
        ({"ipc_mode": "container:web-1"}, "deny.hostProcesses"),
        ({"cgroupns": "host"}, "deny.hostProcesses"),
        ({"security_opt": ["seccomp=unconfined"]}, "deny.securityOptions"),
        ({"security_opt": "apparmor=unconfined"}, "deny.securityOptions"),
        ({"runtime": "runc-of-mine"}, "deny.runtime"),
        ({"devices": [{"host_path": "/dev/mem"}]}, "deny.devices"),
        (
            {"mount": [{"type": "volume", "volume_options": {"driver_config": {"options": [{"device": "/etc"}]}}}]},
            "deny.hostPaths",
        ),
        ({"mount": {"volume_options": [{"driver_config": [{"options": {"device": "../.."}}]}]}}, "deny.hostPaths"),
        ({"cgroupns": "private", "network_mode": "bridge", "security_opt": [], "runtime": ""}, None),
        (
            {"mount": [{"type": "volume", "volume_options": {"driver_config": {"options": [{"device": "tmpfs"}]}}}]},
            None,
        ),
        ({"privileged": "0", "pid_mode": "private", "volumes": ["${NOMAD_TASK_DIR}/data:/data"]}, None),
    ],
)
def test_every_way_to_the_node_is_seen_and_what_only_the_node_knows_is_taken_as_asked_for(
    config: dict[str, Any], rule: str | None
) -> None:
    body = {"TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Driver": "docker", "Config": config}]}]}
    strict = rules(f"  deny: [{', '.join(one.value for one in Denied)}]")
    assert [one.rule for one in judge(AppKey("default", "web"), body, strict)] == ([] if rule is None else [rule])


@pytest.mark.parametrize(
    ("driver", "network", "shared"),
    [
        ("exec", "", True),
        ("java", 'network {\n port "http" {}\n }', True),
        ("exec", 'network {\n mode = "host"\n }', True),
        ("exec", 'network {\n mode = "bridge"\n }', False),
        ("exec", 'network {\n mode = "cni/own"\n }', False),
        ("docker", "", False),
        ("docker", 'network {\n port "http" {}\n }', False),
        ("docker", 'network {\n mode = "host"\n }', True),
    ],
)
async def test_without_a_network_of_its_own_a_task_is_in_the_hosts(driver: str, network: str, shared: bool) -> None:
    job = f'job "shop" {{\n group "g" {{\n {network}\n task "t" {{\n driver = "{driver}"\n }}\n }}\n}}\n'
    found = {one.rule for one in await broken("  deny: [hostNetwork]", job)}
    assert found == ({"deny.hostNetwork"} if shared else set())


async def test_an_image_out_of_a_file_is_from_no_registry() -> None:
    job = JOB.replace('image        = "shop"', 'image        = "registry.example.org/shop:1"\n load = "local/x.tar"')
    (found,) = await broken("  images: {allowed: [registry.example.org/*]}", job)
    assert (found.rule, found.at[-1]) == ("images.allowed", "load")
    assert await broken("  images: {latest: false}", job) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"Job": {"ID": "shop", "taskgroups": [{"name": "g", "TASKS": [{"name": "t", "driver": "raw_exec"}]}]}}',
        '{"ID": "shop", "TaskGroups": [null, {"Name": "g", "Tasks": [null, {"Name": "t", "driver": "raw_exec"}]}]}',
    ],
)
def test_a_job_in_json_is_judged_as_nomad_reads_it(text: str) -> None:
    """Without regard to the case of its keys, and with nothing where null stands."""
    source = source_of(text, "", "shop.json", FileKind.JSON)
    assert isinstance(source, JsonSource)
    assert [one.rule for one in judge(SHOP, source.body, rules("  deny: [privileged]"))] == ["deny.privileged"]


_JOB: dict[str, Any] = {
    "ID": "x", "Datacenters": ["dc1"], "Meta": {"a": "b"}, "TaskGroups": [{
        "Name": "g", "Count": 2, "EphemeralDisk": {"SizeMB": 3}, "Volumes": {"a": {"Type": "host", "Sticky": True}},
        "Networks": [{"Mode": "host", "ReservedPorts": [{"Label": "http", "Value": 3}]}],
        "Services": [{"Name": "s", "Tags": ["a"], "Checks": [{"Type": "tcp"}]}],
        "Tasks": [{
            "Name": "t", "Driver": "docker", "User": "root", "Resources": {"CPU": 2, "MemoryMB": 3},
            "Services": [{"Name": "s"}], "Templates": [{"SourcePath": "/x"}], "Config": {"image": "x"},
        }],
    }],
}  # fmt: skip


@given(data=st.data())
def test_a_job_in_json_of_any_shape_that_may_be_registered_is_judged(data: st.DataObject) -> None:
    """Somewhere in it stands something else than what belongs there."""
    body = copy.deepcopy(_JOB)
    around: Any = body
    while True:
        steps = sorted(around, key=str) if isinstance(around, dict) else range(len(around))
        step = data.draw(st.sampled_from(list(steps)))
        if isinstance(around[step], dict | list) and around[step] and data.draw(st.booleans()):
            around = around[step]
            continue
        around[step] = data.draw(_JSON | st.lists(st.none(), min_size=1, max_size=2))
        break
    with contextlib.suppress(InvalidDesired):
        source = source_of(json.dumps(body), "", "x.json", FileKind.JSON)
        if isinstance(source, JsonSource):
            judge(SHOP, source.body, STRICT)


@pytest.mark.parametrize(
    ("group", "task", "broken_rules"),
    [
        ({}, {}, {"resources.memory", "resources.cpu", "resources.disk"}),
        ({}, {"MemoryMB": None, "CPU": None}, {"resources.memory", "resources.cpu", "resources.disk"}),
        ({"EphemeralDisk": {"SizeMB": 50}}, {"MemoryMB": 50, "CPU": 50}, set()),
        ({"EphemeralDisk": {"SizeMB": 50}}, {"MemoryMB": 50, "Cores": 2}, set()),
        ({"EphemeralDisk": {"SizeMB": 50}}, {"MemoryMB": 50, "CPU": 50, "MemoryMaxMB": -1}, {"resources.memoryMax"}),
        ({"EphemeralDisk": {"SizeMB": 50}, "Scaling": {"Max": 9}}, {"MemoryMB": 1, "CPU": 1}, {"resources.count"}),
    ],
)
def test_what_a_job_does_not_say_is_what_nomad_makes_of_it(
    group: dict[str, Any], task: dict[str, Any], broken_rules: set[str]
) -> None:
    limits = rules("  resources: {memory: 60, cpu: 60, disk: 60, memoryMax: 60, count: 3}")
    body = {"TaskGroups": [{"Name": "g", **group, "Tasks": [{"Name": "t", "Driver": "docker", "Resources": task}]}]}
    assert {one.rule for one in judge(SHOP, body, limits)} == broken_rules


@pytest.mark.parametrize("image", ["a/x:${TAG}", "a/x@${DIGEST}", "a/x:1@sha256:${DIGEST}"])
def test_a_tag_that_only_the_node_knows_may_be_the_one_that_is_forbidden(image: str) -> None:
    body = {"TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Driver": "docker", "Config": {"image": image}}]}]}
    for text, rule in (("latest: false", "images.latest"), ("digestRequired: true", "images.digestRequired")):
        assert [one.rule for one in judge(SHOP, body, rules(f"  images: {{{text}}}"))] == [rule]


def test_a_proxy_that_the_job_has_its_own_way_with_is_judged_as_a_task() -> None:
    proxy = {"Driver": "raw_exec", "User": "root", "Config": {"command": "sh", "image": "x"}, "Name": ""}
    service = {"Name": "api", "Connect": {"SidecarService": {}, "SidecarTask": proxy}}
    body = {"TaskGroups": [{"Name": "g", "Networks": [{"Mode": "bridge"}], "Services": [service], "Tasks": []}]}
    strict = rules(
        "  images: {allowed: [a]}\n  drivers: [docker]\n  deny: [privileged, root]\n  resources: {memory: 128}"
    )
    found = judge(SHOP, body, strict)
    assert {one.rule for one in found} == {"images.allowed", "drivers", "deny.privileged", "deny.root"}
    assert all("connect-proxy-api" in one.message for one in found)
    body["TaskGroups"][0]["Services"] = [{"Name": "api", "Connect": {"SidecarService": {}, "SidecarTask": None}}]
    assert judge(SHOP, body, strict) == ()
