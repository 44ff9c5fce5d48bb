"""The job that a manifest makes: what people mean by its fields, in Nomad's words."""

from __future__ import annotations

import json
import os
import unicodedata
import uuid
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.generate import service_name
from desired.job.hcl_read import read_job
from desired.job.lint import lint_job
from desired.manifest_file import read_manifests
from desired.policy import OnFailure, Policy
from desired.state import JsonSource
from tests.e2e.waiting import until


def source(spec: dict[str, Any], *, name: str = "web", defaults: Policy | None = None) -> JsonSource:
    """The job of a spec. Numbers and texts are as JSON writes them, and JSON is YAML."""
    metadata = {"name": name, "namespace": "prod"}
    document = {
        "apiVersion": "nomad-operator/v1",
        "kind": "App",
        "metadata": metadata,
        "spec": {"image": "a:1", **spec},
    }
    read = read_manifests(json.dumps(document), "a.json", defaults=defaults or Policy(), namespace="default")
    assert not read.unreadable, [str(problem) for bad in read.unreadable for problem in bad.problems]
    made = read.manifests[0].source
    assert made is not None
    return made


def body(spec: dict[str, Any], **more: Any) -> Any:
    return source(spec, **more).body


def group(spec: dict[str, Any], **more: Any) -> Any:
    [only] = body(spec, **more)["TaskGroups"]
    return only


def task(spec: dict[str, Any]) -> Any:
    [only] = group(spec)["Tasks"]
    return only


def set_in(block: dict[str, Any]) -> dict[str, Any]:
    """What a block says, without all that is not set."""
    return {key: value for key, value in block.items() if value not in (None, "", 0, False)}


def test_the_smallest_app_is_one_docker_task() -> None:
    made = body({})
    assert set_in(made).keys() == {"ID", "Name", "Namespace", "Type", "Update", "TaskGroups"}
    assert (made["ID"], made["Name"], made["Namespace"], made["Type"]) == ("web", "web", "prod", "service")
    assert set_in(group({})).keys() == {"Name", "Tasks"}
    assert set_in(task({})) == {"Name": "app", "Driver": "docker", "Config": {"image": "a:1"}}


def test_ports_make_a_network_a_docker_mapping_and_a_service_with_a_check() -> None:
    ports = {"admin": {"to": 9000, "static": 9001}, "http": {"to": 8080}}
    made = group({"ports": ports})
    [network] = made["Networks"]
    assert [(port["Label"], port["Value"], port["To"]) for port in network["DynamicPorts"]] == [("http", 0, 8080)]
    assert [(port["Label"], port["Value"], port["To"]) for port in network["ReservedPorts"]] == [("admin", 9001, 9000)]
    assert made["Tasks"][0]["Config"]["ports"] == ["admin", "http"]
    [service] = made["Services"]
    assert (service["Name"], service["Provider"], service["PortLabel"]) == ("web", "nomad", "http")
    [check] = service["Checks"]
    assert set_in(check) == {
        "Type": "tcp",
        "PortLabel": "http",
        "Interval": 10_000_000_000,
        "Timeout": 2_000_000_000,
    }


def test_a_check_with_a_path_asks_over_http_on_its_port() -> None:
    made = group({"ports": {"a": {"to": 1}, "b": {"to": 2}}, "check": {"path": "/up", "port": "b", "interval": "1m"}})
    [service] = made["Services"]
    assert service["PortLabel"] == "b"
    assert set_in(service["Checks"][0]) == {
        "Type": "http",
        "Path": "/up",
        "PortLabel": "b",
        "Interval": 60_000_000_000,
        "Timeout": 2_000_000_000,
    }


def test_without_a_port_labelled_http_the_first_is_the_services() -> None:
    assert group({"ports": {"z": {"to": 1}, "a": {"to": 2}}})["Services"][0]["PortLabel"] == "z"


def test_a_path_may_be_asked_for_over_tls() -> None:
    made = group({"ports": {"a": {"to": 1}}, "check": {"path": "/up", "protocol": "https"}})
    (check,) = made["Services"][0]["Checks"]
    assert (check["Type"], check["Path"], check["Protocol"]) == ("http", "/up", "https")


def test_a_check_that_is_disabled_leaves_the_service_on_its_port() -> None:
    ports = {"a": {"to": 1}, "b": {"to": 2}}
    for check, port in (({"disable": True}, "a"), ({"disable": True, "port": "b"}, "b")):
        [service] = group({"ports": ports, "check": check})["Services"]
        assert (service["Name"], service["PortLabel"], service["Checks"]) == ("web", port, None)
    assert group({"check": {"disable": True}})["Services"] is None


@pytest.mark.parametrize("type", ["batch", "sysbatch"])
def test_work_with_an_end_has_ports_without_a_service_unless_it_asks_for_one(type: str) -> None:
    ports = {"http": {"to": 8080}}
    made = group({"type": type, "ports": ports})
    assert made["Services"] is None
    assert made["Networks"][0]["DynamicPorts"][0]["Label"] == "http"
    assert made["Tasks"][0]["Config"]["ports"] == ["http"]
    assert group({"type": type, "ports": ports, "check": {"disable": True}})["Services"] is None
    assert group({"type": type, "ports": ports, "check": {}})["Services"][0]["Checks"][0]["Type"] == "tcp"
    assert group({"type": type, "ports": ports, "routes": [{"host": "a.b"}]})["Services"][0]["Checks"]


def test_routes_are_tags_that_fabio_reads_from_consul() -> None:
    routes = [
        {"host": "a.example.org"},
        {"host": "b.example.org", "path": "/api", "strip": True},
        {"host": "b.example.org", "path": "/", "strip": True},
    ]
    [service] = group({"ports": {"http": {"to": 80}}, "routes": routes})["Services"]
    assert service["Provider"] == "consul"
    assert service["Tags"] == [
        "urlprefix-a.example.org/",
        "urlprefix-b.example.org/api strip=/api",
        "urlprefix-b.example.org/",
    ]


def test_the_environment_is_fixed_or_looked_up_by_one_template() -> None:
    env = {
        "FIXED": {"fixed": "x y"},
        "NUMBER": {"fixed": 1},
        "SWITCH": {"fixed": True},
        "REDIS": {"consul": "app/redis"},
        "V2": {"vault": "secret/data/app#pass"},
        "V1": {"vault": "kv/app#my-field"},
        "VAR": {"nomad": "nomad/jobs/web#token"},
        "ODD": {"nomad": "nomad/jobs/web#a.b"},
        "METHOD": {"nomad": "nomad/jobs/web#Keys"},
    }
    made = task({"env": env})
    assert made["Env"] == {"FIXED": "x y", "NUMBER": "1", "SWITCH": "true"}
    [template] = made["Templates"]
    assert template["EmbeddedTmpl"].splitlines() == [
        'REDIS={{ key "app/redis" | toJSON }}',
        'V2={{ with secret "secret/data/app" }}{{ .Data.data.pass | toJSON }}{{ end }}',
        'V1={{ with secret "kv/app" }}{{ if not (sprig_hasKey .Data "my-field") }}'
        '{{ sprig_fail "kv/app has no my-field" }}{{ end }}{{ index .Data "my-field" | toJSON }}{{ end }}',
        'VAR={{ with nomadVar "nomad/jobs/web" }}{{ .token.Value | toJSON }}{{ end }}',
        *(
            f'{env}={{{{ with nomadVar "nomad/jobs/web" }}}}{{{{ with index . "{name}" }}}}{{{{ if not .Key }}}}'
            f'{{{{ sprig_fail "nomad/jobs/web has no {name}" }}}}{{{{ end }}}}'
            "{{ .Value | toJSON }}{{ end }}{{ end }}"
            for env, name in (("ODD", "a.b"), ("METHOD", "Keys"))
        ),
    ]
    assert template["DestPath"] == "${NOMAD_SECRETS_DIR}/app.env"
    assert template["Envvars"] is True
    assert template["ErrMissingKey"] is True
    assert made["Vault"] is not None


def test_vault_is_asked_for_only_where_it_is_used() -> None:
    assert task({"env": {"A": {"consul": "a"}}})["Vault"] is None
    assert task({"env": {"A": {"fixed": "a"}}})["Templates"] is None


def test_the_parts_of_a_template_cannot_be_left_by_what_a_path_holds() -> None:
    [template] = task({"env": {"A": {"consul": 'a" }}{{ env "B'}}})["Templates"]
    assert template["EmbeddedTmpl"] == 'A={{ key "a\\" }}{{ env \\"B" | toJSON }}\n'


def test_volumes_are_asked_for_once_and_mounted_where_they_are_named() -> None:
    volumes = [
        {"csi": "pg", "mount": "/a"},
        {"csi": "pg", "mount": "/b", "readOnly": True},
        {"host": "certs", "mount": "/c", "readOnly": True},
        {"csi": "logs", "mount": "/d", "readOnly": True},
    ]
    made = group({"volumes": volumes})
    assert {name: set_in(volume) for name, volume in made["Volumes"].items()} == {
        "pg": {
            "Name": "pg",
            "Type": "csi",
            "Source": "pg",
            "AccessMode": "single-node-writer",
            "AttachmentMode": "file-system",
        },
        "certs": {"Name": "certs", "Type": "host", "Source": "certs", "ReadOnly": True},
        "logs": {
            "Name": "logs",
            "Type": "csi",
            "Source": "logs",
            "ReadOnly": True,
            "AccessMode": "single-node-reader-only",
            "AttachmentMode": "file-system",
        },
    }
    mounts = made["Tasks"][0]["VolumeMounts"]
    assert [(mount["Volume"], mount["Destination"], mount["ReadOnly"]) for mount in mounts] == [
        ("pg", "/a", None),
        ("pg", "/b", True),
        ("certs", "/c", True),
        ("logs", "/d", True),
    ]


def test_a_csi_and_a_host_volume_of_the_same_name_are_two() -> None:
    made = group({"volumes": [{"csi": "x", "mount": "/a"}, {"host": "x", "mount": "/b"}]})
    assert sorted(made["Volumes"]) == ["csi-x", "host-x"]
    assert [mount["Volume"] for mount in made["Tasks"][0]["VolumeMounts"]] == ["csi-x", "host-x"]


def test_a_volume_that_is_to_be_owned_is_given_away_before_the_app_starts() -> None:
    volumes = [{"csi": "pg", "mount": "/it's", "owner": "999:998"}, {"host": "x", "mount": "/b"}]
    before, app = group({"volumes": volumes})["Tasks"]
    assert before["Lifecycle"] == {"Hook": "prestart", "Sidecar": False}
    assert (before["User"], before["Config"]["image"]) == ("root", "a:1")
    assert before["Config"]["args"] == ["chown -R 999:998 '/it'\"'\"'s'"]
    assert [mount["Destination"] for mount in before["VolumeMounts"]] == ["/it's"]
    assert len(app["VolumeMounts"]) == 2


def test_files_are_templates_that_are_mounted_and_secrets_stay_in_memory() -> None:
    files = {
        "/etc/app.conf": {"content": "plain"},
        "/etc/go.tmpl": {"content": "{{ range }} [[ x ]]"},
        "/etc/redis": {"consul": "app/redis", "mode": "0640"},
        "/run/cert": {"vault": "secret/data/app#cert"},
        "/run/own": {"template": '{{ env "A" }}'},
    }
    made = task({"files": files})
    assert made["Config"]["volumes"] == [
        "local/files/etc/app.conf:/etc/app.conf:ro",
        "local/files/etc/go.tmpl:/etc/go.tmpl:ro",
        "local/files/etc/redis:/etc/redis:ro",
        "secrets/files/run/cert:/run/cert:ro",
        "local/files/run/own:/run/own:ro",
    ]
    assert [(one["EmbeddedTmpl"], one["LeftDelim"], one["Perms"]) for one in made["Templates"]] == [
        ("plain", None, "0644"),
        ("{{ range }} [[ x ]]", "<<<", "0644"),
        ('{{ key "app/redis" }}', None, "0640"),
        ('{{ with secret "secret/data/app" }}{{ .Data.data.cert }}{{ end }}', None, "0644"),
        ('{{ env "A" }}', None, "0644"),
    ]
    assert made["Vault"] is not None
    assert made["Consul"] is not None


def test_a_text_that_names_services_is_written_with_the_address_of_one_instance_of_each() -> None:
    env = {"URL": {"service": "redis://{redis}/0?{db.port}%s{db.host}"}}
    [template] = task({"env": env})["Templates"]
    assert template["EmbeddedTmpl"] == (
        '{{ with nomadService 1 (env "NOMAD_ALLOC_ID") "redis" }}{{ $s0 := index . 0 }}'
        '{{ with nomadService 1 (env "NOMAD_ALLOC_ID") "db" }}{{ $s1 := index . 0 }}'
        'URL={{ printf "redis://%s:%d/0?%d%%s%s" $s0.Address $s0.Port $s1.Port $s1.Address | toJSON }}\n'
        "{{ end }}{{ end }}"
    )


@pytest.mark.parametrize(
    ("ports", "mode"),
    [
        ({"http": {"static": 80}}, "host"),
        ({"http": {"static": 80, "to": 80}, "tls": {"static": 443}}, "host"),
        ({"http": {"static": 80, "to": 8080}}, ""),
        ({"http": {"static": 8080}}, ""),
        ({"http": {"static": 80}, "metrics": {"to": 9090}}, ""),
    ],
)
def test_low_ports_that_the_app_listens_on_itself_are_the_nodes(ports: dict[str, Any], mode: str) -> None:
    made = group({"ports": ports})
    assert (made["Networks"][0]["Mode"] or "") == mode
    assert made["Tasks"][0]["Config"].get("network_mode", "") == mode


def test_resources_command_count_and_places_are_nomads() -> None:
    spec = {
        "count": 0,
        "datacenters": ["dc1"],
        "command": "sh",
        "args": ["-c", "true"],
        "resources": {"cpu": 5, "memory": 6, "memoryMax": 7, "disk": 8},
    }
    made = body(spec)
    [only] = made["TaskGroups"]
    assert (made["Datacenters"], only["Count"], only["EphemeralDisk"]["SizeMB"]) == (["dc1"], 0, 8)
    assert only["Tasks"][0]["Config"] == {"image": "a:1", "command": "sh", "args": ["-c", "true"]}
    assert set_in(only["Tasks"][0]["Resources"]) == {"CPU": 5, "MemoryMB": 6, "MemoryMaxMB": 7}


@pytest.mark.parametrize(
    ("spec", "default", "reverts"),
    [
        ({}, OnFailure.ROLLBACK, True),
        ({"type": "system"}, OnFailure.ROLLBACK, True),
        ({"type": "batch"}, OnFailure.ROLLBACK, False),
        ({"type": "sysbatch"}, OnFailure.ROLLBACK, False),
        ({"onFailure": "hold"}, OnFailure.ROLLBACK, False),
        ({}, OnFailure.HOLD, False),
        ({"onFailure": "rollback"}, OnFailure.HOLD, True),
    ],
)
def test_nomad_reverts_by_itself_unless_a_failure_is_to_be_held(spec: Any, default: OnFailure, reverts: bool) -> None:
    update = body(spec, defaults=Policy(on_failure=default))["Update"]
    assert (update is not None and update["AutoRevert"]) == reverts


@pytest.mark.parametrize(
    ("name", "service"),
    [("web", "web"), ("team/web.v2", "team-web-v2"), ("_x_", "x"), ("é", "app"), ("a" * 99, "a" * 63)],
)
def test_a_services_name_is_the_nearest_that_nomad_allows(name: str, service: str) -> None:
    assert service_name(name) == service


# -- what is merged in


def test_attributes_are_set_and_single_blocks_merged_into() -> None:
    made = body({"job": {"priority": 80, "all_at_once": True, "update": {"canary": 1, "progress_deadline": "20m"}}})
    assert (made["Priority"], made["AllAtOnce"]) == (80, True)
    assert set_in(made["Update"]) == {"AutoRevert": True, "Canary": 1, "ProgressDeadline": 1_200_000_000_000}


def test_blocks_with_a_label_are_merged_by_it_or_added() -> None:
    merged = {
        "group": {
            "app": {
                "network": {"mode": "bridge", "port": {"http": {"static": 80}, "metrics": {"to": 9100}}},
                "task": {"app": {"kill_timeout": "30s", "config": {"labels": {"a": 1}}}, "log": {"driver": "docker"}},
            },
            "other": {"count": 2},
        }
    }
    made = body({"ports": {"http": {"to": 8080}}, "job": merged})
    first, second = made["TaskGroups"]
    assert (second["Name"], second["Count"]) == ("other", 2)
    [network] = first["Networks"]
    assert network["Mode"] == "bridge"
    assert [(port["Label"], port["Value"], port["To"]) for port in network["ReservedPorts"]] == [("http", 80, 8080)]
    assert [(port["Label"], port["Value"], port["To"]) for port in network["DynamicPorts"]] == [("metrics", 0, 9100)]
    assert [each["Name"] for each in first["Tasks"]] == ["app", "log"]
    assert first["Tasks"][0]["KillTimeout"] == 30_000_000_000
    assert first["Tasks"][0]["Config"] == {"image": "a:1", "ports": ["http"], "labels": {"a": 1}}


def test_blocks_without_a_label_are_added_unless_they_name_one_that_is_there() -> None:
    services = [{"name": "web", "tags": ["x"]}, {"name": "second", "port": "http"}]
    made = group({"ports": {"http": {"to": 1}}, "job": {"group": {"app": {"service": services}}}})
    assert [(each["Name"], each["Tags"], each["Provider"]) for each in made["Services"]] == [
        ("web", ["x"], "nomad"),
        ("second", None, ""),
    ]
    template = {"data": "x", "destination": "local/x"}
    env = {"A": {"consul": "a"}}
    made = task({"env": env, "job": {"group": {"app": {"task": {"app": {"template": template}}}}}})
    assert [each["DestPath"] for each in made["Templates"]] == ["${NOMAD_SECRETS_DIR}/app.env", "local/x"]


def test_constraints_may_be_written_short_as_in_the_job_language() -> None:
    constraints = [
        {"attribute": "${attr.kernel.name}", "value": "linux"},
        {"attribute": "${a}", "regexp": "x.*"},
        {"distinct_hosts": True},
        {"distinct_property": "${meta.rack}", "value": "2"},
        {"attribute": "${a}", "operator": "is_set"},
    ]
    made = body({"job": {"constraint": constraints, "affinity": {"attribute": "${b}", "version": "> 1", "weight": 50}}})
    assert [(each["LTarget"], each["Operand"], each["RTarget"]) for each in made["Constraints"]] == [
        ("${attr.kernel.name}", "=", "linux"),
        ("${a}", "regexp", "x.*"),
        ("", "distinct_hosts", "true"),
        ("${meta.rack}", "distinct_property", "2"),
        ("${a}", "is_set", ""),
    ]
    assert [set_in(each) for each in made["Affinities"]] == [
        {"LTarget": "${b}", "Operand": "version", "RTarget": "> 1", "Weight": 50}
    ]


SPECS: list[dict[str, Any]] = [
    {},
    {"type": "batch", "count": 2, "job": {"periodic": {"crons": ["@daily"], "prohibit_overlap": True}}},
    {"type": "batch", "ports": {"debug": {"to": 5678}}},
    {"ports": {"dns": {"to": 53}}, "check": {"disable": True}},
    {"type": "system", "ports": {"http": {"static": 80}}},
    {
        "ports": {"http": {"to": 80}, "x-y": {"to": 1, "static": 2}},
        "routes": [{"host": "*.example.org", "path": "/a", "strip": True}],
        "check": {"path": "/up"},
        "volumes": [{"csi": "a", "mount": "/a"}, {"host": "b", "mount": "/b"}],
        "env": {"A": {"fixed": "${NOMAD_PORT_http} $${x} %{if}\n\"'"}, "B": {"vault": "a/data/b#c"}},
        "resources": {"cpu": 100, "memory": 64},
    },
    {"files": {"/etc/a": {"content": "a {{ b }} [[ c\n"}, "/x": {"nomad": "nomad/jobs/web#t", "mode": "0440"}}},
    {"env": {"A": {"service": "redis://{redis}/{db.port}?50%"}, "B": {"fixed": "x"}}},
    {"ports": {"http": {"static": 80}, "tls": {"static": 443, "to": 443}}},
    {"volumes": [{"host": "data", "mount": "/it's", "owner": "999:999"}, {"csi": "b", "mount": "/b"}]},
    {"job": {"group": {"app": {"restart": {"attempts": 1}, "scaling": {"max": 3, "policy": {"a": {"b": [1, 2.5]}}}}}}},
    {"job": {"meta": {"a.b": "c", "n": 1.5}, "constraint": {"distinct_hosts": True}, "ui": {"description": "x"}}},
    {"job": {"group": {"app": {"task": {"app": {"config": {"mount": [{"type": "bind"}], "x": None}, "user": "1"}}}}}},
    {"job": {"group": {"app": {"task": {"app": {"identity": {"name": "default", "env": True}, "vault": {}}}}}}},
    {
        "secretForm": "block",
        "env": {"A": {"vault": "secret/data/web/db#a"}, "B": {"vault": "kv/db#b"}, "C": {"nomad": "nomad/jobs/web#c"}},
    },
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=json.dumps)
def test_the_hcl_that_people_read_is_the_job_that_is_registered(spec: dict[str, Any]) -> None:
    made = source(spec, name="team/web")
    assert read_job(made.text) == made.body
    assert not lint_job(made.body)


@pytest.mark.real
@pytest.mark.parametrize("spec", SPECS, ids=json.dumps)
def test_a_real_server_reads_and_accepts_a_generated_job(spec: dict[str, Any]) -> None:
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("NOMAD_TEST_ADDR is not set: no real Nomad to ask")
    made = source(spec, name="b2-generated")
    answer = httpx.post(f"{address}/v1/jobs/parse", json={"JobHCL": made.text, "Canonicalize": False}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.json() == made.body
    checked = httpx.post(
        f"{address}/v1/validate/job", json={"Job": {**made.body, "Namespace": "default"}}, timeout=30
    ).json()
    # Not every server has Vault; everything else has to be right.
    wrong = [each for each in checked["ValidationErrors"] or [] if "Vault" not in each]
    assert not wrong, checked


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("plain", ""),
        ("my-field", ""),
        ("a.b", ""),
        ("Keys", ""),
        ("gone", "no entry for key"),
        ("no-field", "has no no-field"),
    ],
)
def test_a_real_agent_fails_loudly_where_a_field_of_a_nomad_variable_is_missing(name: str, missing: str) -> None:
    """The template of the generated job, in a task that needs nothing of the machine."""
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("NOMAD_TEST_ADDR is not set: no real Nomad to ask")
    job = f"gaps-{uuid.uuid4().hex[:8]}"
    place = f"nomad/jobs/{job}"
    [template] = task({"env": {"X": {"nomad": f"{place}#{name}"}}})["Templates"]
    # Long values: Nomad takes whatever they are out of its messages.
    items = dict.fromkeys(("plain", "my-field", "a.b", "Keys"), "a-value-long-enough")
    tried = {
        "Name": "app",
        "Driver": "mock_driver",
        "Config": {"run_for": "1ms"},
        "Resources": {"CPU": 10, "MemoryMB": 10},
        "Templates": [template],
    }
    never = {"RestartPolicy": {"Attempts": 0, "Mode": "fail"}, "ReschedulePolicy": {"Attempts": 0, "Unlimited": False}}
    group = {"Name": "app", "Count": 1, "Tasks": [tried], **never}
    with httpx.Client(base_url=address, timeout=30) as nomad:
        try:
            nomad.put(f"/v1/var/{place}", json={"Path": place, "Items": items}).raise_for_status()
            registered = {"Job": {"ID": job, "Name": job, "Type": "batch", "TaskGroups": [group]}}
            nomad.put("/v1/jobs", json=registered).raise_for_status()

            def ended() -> str | None:
                found = nomad.get(f"/v1/job/{job}/allocations").json()
                return str(found) if found and found[0]["ClientStatus"] in ("complete", "failed") else None

            told = until(ended, within=60, what="the allocation ends") or ""
            assert missing in told
            assert ("'Type': 'Started'" in told) == (not missing)
        finally:
            nomad.delete(f"/v1/job/{job}", params={"purge": "true"})
            nomad.delete(f"/v1/var/{place}")


names = st.text("abc-_./", min_size=1, max_size=8)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "args": st.lists(words, max_size=3),
            "count": st.integers(0, 9),
            "ports": st.dictionaries(
                st.text("abAB09_-", min_size=1, max_size=5),
                st.fixed_dictionaries({"to": st.integers(1, 65535)}, optional={"static": st.integers(1, 65535)}),
                max_size=3,
            ),
            "env": st.dictionaries(
                st.text("ABC_", min_size=1, max_size=4),
                st.one_of(
                    st.fixed_dictionaries({"fixed": words.filter(lambda text: "://" not in text)}),
                    st.fixed_dictionaries({"consul": words.filter(lambda text: "#" not in text)}),
                ),
                max_size=3,
            ),
            "job": st.fixed_dictionaries(
                {},
                optional={
                    "meta": st.dictionaries(names, words, max_size=2),
                    "priority": st.integers(1, 99),
                    "constraint": st.lists(st.fixed_dictionaries({"attribute": words, "value": words}), max_size=2),
                },
            ),
        },
    )
)
def test_the_same_manifest_makes_the_same_job_and_its_hcl_says_just_that(spec: dict[str, Any]) -> None:
    first, second = source(spec), source(spec)
    assert (first.text, json.dumps(first.body)) == (second.text, json.dumps(second.body))
    assert normal(read_job(first.text)) == normal(first.body)


def normal(value: Any) -> str:
    """HCL reads text in Unicode's composed form."""
    return unicodedata.normalize("NFC", json.dumps(value, ensure_ascii=False))
