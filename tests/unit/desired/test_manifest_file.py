"""Files of manifests: what they say, and everything that is wrong with them at once, at its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.job.hcl_read import read_job
from desired.manifest_file import Manifest, ManifestFile, holds_manifest, read_manifests
from desired.policy import Drift, OnFailure, Policy, Repair, RepairMode, Verify

HEAD = "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: web}\n"


def read(text: str, defaults: Policy | None = None) -> ManifestFile:
    return read_manifests(text, "apps/web.yaml", defaults=defaults or Policy(), namespace="default")


def one(text: str, defaults: Policy | None = None) -> Manifest:
    file = read(text, defaults)
    assert not file.unreadable, [str(problem) for bad in file.unreadable for problem in bad.problems]
    [manifest] = file.manifests
    return manifest


def told(spec: str) -> list[str]:
    """Problems of a manifest whose spec has the given lines, which begin in line 5."""
    body = "".join(f"  {line}\n" for line in spec.strip("\n").split("\n"))
    file = read(f"{HEAD}spec:\n{body}")
    assert not file.manifests
    [bad] = file.unreadable
    assert bad.key == AppKey("default", "web")
    return [str(problem).removeprefix("apps/web.yaml:") for problem in bad.problems]


def test_a_manifest_overrides_the_defaults_where_it_says_something() -> None:
    defaults = Policy(
        prune=False,
        drift=Drift.WARN,
        on_failure=OnFailure.HOLD,
        repair=Repair(RepairMode.PROPOSE, 5, (("cpu", 1),)),
        verify=Verify(timedelta(seconds=1), timedelta(seconds=2)),
    )
    assert one(f"{HEAD}spec: {{image: a}}", defaults).policy == defaults
    text = (
        "spec:\n  image: a\n  dependsOn: [db, other/queue]\n  suspend: true\n  prune: true\n"
        "  drift: {mode: correct, ignore: [count]}\n  onFailure: rollback\n"
        "  repair: {limits: {memory: 2048, cpu: 9}}\n  verify: {soak: 1m30s}\n"
    )
    assert one(HEAD + text, defaults).policy == replace(
        defaults,
        depends_on=(AppKey("default", "db"), AppKey("other", "queue")),
        suspend=True,
        prune=True,
        drift=Drift.CORRECT,
        drift_ignore=("count",),
        on_failure=OnFailure.ROLLBACK,
        repair=Repair(RepairMode.PROPOSE, 5, (("cpu", 9), ("memory", 2048))),
        verify=Verify(timedelta(seconds=90), timedelta(seconds=2)),
    )


def test_the_short_form_of_drift_is_its_mode() -> None:
    assert one(f"{HEAD}spec: {{image: a, drift: warn}}").policy.drift is Drift.WARN


def test_the_namespace_is_the_manifests_or_the_given_one() -> None:
    text = HEAD.replace("{name: web}", "{name: team/web, namespace: prod}")
    assert one(f"{text}spec: {{image: a}}").key == AppKey("prod", "team/web")
    file = read_manifests(f"{HEAD}spec: {{image: a}}", "a.yaml", defaults=Policy(), namespace="dev")
    assert [manifest.key for manifest in file.manifests] == [AppKey("dev", "web")]


def test_fixed_numbers_and_switches_are_the_texts_that_were_written() -> None:
    source = one(f"{HEAD}spec: {{image: a, env: {{A: {{fixed: 1.50}}, B: {{fixed: 0x1F}}, C: {{fixed: on}}}}}}").source
    assert source is not None
    assert source.body["TaskGroups"][0]["Tasks"][0]["Env"] == {"A": "1.50", "B": "0x1F", "C": "on"}


def test_everything_that_is_wrong_is_told_at_once_with_its_place() -> None:
    assert told(
        """
imge: x
type: servce
count: two
ports: {"ht tp": {to: 99999}, b: 1}
env:
  A: 1
  B: {fixed: x, consul: y}
verify: {soak: 60, timeout: 1x}
suspend: yes
volumes: [{mount: /x}]
job: {constraints: [], group: {app: {task: {app: {kil_timeout: 1}}}}}
dependsOn: a
"""
    ) == [
        "4:1: spec: neither `image` nor `jobFile` says what runs (give one of them)",
        "5:3: spec.imge: this key is not known here (did you mean `image`?)",
        "6:9: spec.type: expected one of service, batch, system, sysbatch (did you mean `service`?)",
        "7:10: spec.count: expected a whole number, found a text",
        "8:11: spec.ports.ht tp: a port's label holds letters, digits, `_` and `-`",
        "8:25: spec.ports.ht tp.to: must be at most 65535",
        "8:36: spec.ports.b: expected a mapping (`key: value`), found a number "
        "(write {to: …}, with the port inside the container)",
        "10:8: spec.env.A: expected a mapping (`key: value`), found a number "
        "(write {fixed: …}, or name a place: {consul: …}, {vault: …}, {nomad: …})",
        "11:19: spec.env.B.consul: a variable of the environment has fixed and consul "
        "(give one of fixed, consul, vault, nomad and service)",
        "12:18: spec.verify.soak: expected a duration with its unit, such as 60s or 5m",
        "12:31: spec.verify.timeout: expected a duration such as 60s, 5m or 1h30m",
        "13:12: spec.suspend: expected true or false, found a text (write true or false)",
        "14:13: spec.volumes[0]: a volume needs one of csi and host (give exactly one)",
        "15:9: spec.job.constraints: Nomad knows no such name here (did you mean `constraint`?)",
        "15:53: spec.job.group.app.task.app.kil_timeout: Nomad knows no such name here (did you mean `kill_timeout`?)",
        "16:14: spec.dependsOn: expected a list (`- item`), found a text",
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("count: 1", "4:1: spec: neither `image` nor `jobFile` says what runs"),
        ("source: {path: .}", "4:1: spec: the image of this source is not known (build and push it"),
        ("image: a\nvariables: {a: 1}", "6:3: spec.variables: `variables` without `jobFile`"),
        ("image: a\nroutes: [{host: a.b}]", "6:3: spec.routes: `routes` needs a port"),
        ("image: a\ncheck: {path: /}", "6:3: spec.check: `check` needs a port"),
        ("image: a\nports: {x: {to: 1}}\ncheck: {port: y}", "7:17: spec.check.port: `ports` has no such label (it"),
        ("image: a\nports: {x: {to: 1}}\ncheck: {disable: true, path: /}", "7:26: spec.check.path: `path` beside `dis"),
        ("image: a\nports: {x: {to: 1}}\ncheck: {protocol: https}", "7:11: spec.check.protocol: `protocol` needs a"),
        ("image: a\nports: {x: {to: 1}}\ncheck: {disable: true}\nroutes: [{host: a.b}]", "7:11: spec.check.disable: "),
        ("image: a\nports: {x: {}}", "6:14: spec.ports.x: a port needs `to`"),
        ("image: a\ntype: system\ncount: 2", "7:10: spec.count: a system job has no count"),
        ("image: a\ndependsOn: [web]", "6:15: spec.dependsOn[0]: an app cannot depend on itself"),
        ("image: a\njob: {id: b}", "6:9: spec.job.id: the manifest says this in another place (metadata.name"),
        ("image: a\nmetadata: {}", "6:3: spec.metadata: this key is not known here"),
        ("image: a\njob: {meta: {a.b: 1, c: [1]}}", "6:27: spec.job.meta.c: expected a text"),
        ("image: a\njob: {group: {app: {ephemeral_disk: 3}}}", "6:39: spec.job.group.app.ephemeral_disk: expected a m"),
        ("image: a\nenv: {A: {vault: no-field}}", "6:20: spec.env.A.vault: expected a path and a field"),
        ('image: a\ncommand: "a\\nb"', "6:12: spec.command: a control character or line break cannot stand here"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_problem(spec: str, expected: str) -> None:
    [problem] = told(spec)
    assert problem.startswith(expected)


def test_what_the_job_file_says_cannot_stand_beside_it() -> None:
    assert told("jobFile: web.nomad.hcl\nimage: a\nenv: {A: {fixed: b}}") == [
        "6:3: spec.image: `image` cannot stand beside `jobFile` (change the job file, or leave out jobFile)",
        "7:3: spec.env: `env` cannot stand beside `jobFile` (change the job file, or leave out jobFile)",
    ]


def test_a_key_in_the_wrong_place_is_told_where_it_belongs() -> None:
    [bad] = read(f"{HEAD}image: a\nspec: {{image: a}}").unreadable
    assert [str(problem) for problem in bad.problems] == [
        "apps/web.yaml:4:1: image: this key is not known here (it belongs in `spec`)"
    ]


# Written in pieces, so that no scanner of secrets takes this file for one.
SECRETS = [
    ("A", "-----BEGIN RSA PRIVATE" + " KEY-----"),
    ("A", "AKIA" + "ABCDEFGHIJKLMNOP"),
    ("A", "ghp_" + "a1" * 18),
    ("A", "glpat-" + "a1b2c3d4e5f6g7h8i9j0"),
    ("A", "xoxb-" + "1234567890-abc"),
    ("A", "eyJhbGciOiJI" + ".eyJzdWIiOiIx" + ".c2lnbmF0dXJl"),
    ("A", "postgres://me:" + "hunter2@db/x"),
    ("DB_PASSWORD", "hunter2"),
    ("password", "hunter2"),
    ("app.secret", "hunter2"),
    ("API_KEY", "hunter2"),
    ("TOKEN", "hunter2"),
    ("DB_PASSWORD", "12345678"),
]


@pytest.mark.parametrize(("name", "text"), SECRETS)
def test_a_literal_secret_is_refused_and_never_shown(name: str, text: str) -> None:
    [problem] = told(f'image: a\nenv:\n  {name}: {{fixed: "{text}"}}')
    assert problem.startswith(f"7:{len(name) + 15}: spec.env.{name}.fixed: ")
    assert "must not stand in a file" in problem
    assert text not in problem and "hunter2" not in problem


def test_secrets_are_found_in_job_variables_and_arguments_too() -> None:
    assert len(told("image: a\njob: {group: {app: {task: {app: {env: {DB_PASSWORD: hunter2}}}}}}")) == 1
    assert len(told(f"image: a\nargs: [--url, '{SECRETS[6][1]}']")) == 1
    assert len(told("jobFile: a.nomad.hcl\nvariables: {db_password: hunter2}")) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", "${NOMAD_META_password}"),
        ("DB_PASSWORD", "/run/secrets/db"),
        ("DB_PASSWORD_FILE", "db"),
        ("USE_TOKEN", "true"),
        ("PUBLIC_KEY", "abc"),
        ("MONKEY", "banana"),
        ("KEYS", "abc"),
        ("URL", "https://user@host:80/path"),
        ("URL", "https://host/a:b@c"),
        ("URL", "postgres://me:$PASSWORD@db/x"),
    ],
)
def test_what_only_resembles_a_secret_is_let_through(name: str, text: str) -> None:
    assert one(f'{HEAD}spec: {{image: a, env: {{{name}: {{fixed: "{text}"}}}}}}')


def test_no_wrong_value_is_ever_shown() -> None:
    for spec in ("image: [hunter2]", "image: a\ntype: hunter2", "image: a\nverify: {soak: hunter2}", "count: hunter2"):
        assert "hunter2" not in " ".join(told(spec))


def test_several_documents_are_several_manifests_and_the_broken_ones_hold_back_no_other() -> None:
    text = (
        f"{HEAD}spec: {{image: a}}\n---\n"
        "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: b}\nspec: {image: [}\n---\n"
        "apiVersion: nomad-operator/v1\nkind: App\nspec: {image: a}\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: other}\n---\n"
        "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: c}\nspec: {image: c}\n"
    )
    file = read(text)
    assert [(manifest.key.name, manifest.line) for manifest in file.manifests] == [("web", 1), ("c", 19)]
    assert [(bad.key, bad.problems[0].line) for bad in file.unreadable] == [(AppKey("default", "b"), 9), (None, 11)]


def test_the_same_key_twice_in_a_file_is_left_to_the_catalog() -> None:
    file = read(f"{HEAD}spec: {{image: a}}\n---\n{HEAD}spec: {{image: b}}\n")
    assert [manifest.line for manifest in file.manifests] == [1, 6]
    assert len({manifest.key for manifest in file.manifests}) == 1


def test_a_file_of_other_peoples_documents_holds_no_manifest() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\ndata: {x: 'image of nomad-operator/v1'}\n"
    assert holds_manifest(text)
    assert not read(text).holds_any
    assert not holds_manifest("apiVersion: apps/v1\nkind: Deployment\n")


@pytest.mark.parametrize("version", ["", "apiversion: nomad-operator/v1\n"])
def test_an_app_without_its_version_is_told_and_not_passed_over(version: str) -> None:
    text = f"{version}kind: App\nmetadata: {{name: x}}\nspec: {{image: b}}\n"
    assert holds_manifest(text)
    found = read(text)
    assert found.holds_any and not found.manifests
    assert "apiVersion" in str(found.unreadable[0].problems)
    assert not read("apiVersion: other.example/v1\nkind: App\n").holds_any


@pytest.mark.parametrize("version", ["nomad-operatr/v1", "nomad_operator/v1", "nomad-operator", "nomad-operator/v2"])
def test_a_mistyped_version_does_not_make_an_app_vanish(version: str) -> None:
    text = HEAD.replace("nomad-operator/v1", version) + "spec: {image: a}\n"
    assert holds_manifest(text)
    [bad] = read(text).unreadable
    assert bad.key == AppKey("default", "web")
    assert bad.problems[0].line == 1


def test_a_missing_version_does_not_make_an_app_vanish() -> None:
    text = "kind: App\nmetadata: {name: web}\nspec: {image: a} # nomad-operator/v1, apiVersion\n"
    [bad] = read(text).unreadable
    assert "`apiVersion` is missing" in bad.problems[0].message


def test_a_document_that_is_no_mapping_is_told() -> None:
    [bad] = read("- apiVersion: nomad-operator/v1\n").unreadable
    assert bad.key is None
    assert bad.problems[0].message == "a manifest is a mapping"


def test_a_job_file_gets_its_variables_as_hcl_that_evaluates_to_them() -> None:
    manifest = one(
        f"{HEAD}spec:\n  jobFile: ../x.nomad.hcl\n  variables:\n"
        '    text: "a${b}%{c}\\"\\n"\n    number: 1.50\n    list: [1, x, {for: true}]\n    nothing:\n'
    )
    assert manifest.job_file == "../x.nomad.hcl"
    assert manifest.source is None
    job = (
        'variable "text" {}\nvariable "number" {}\nvariable "list" {}\nvariable "nothing" { default = 1 }\n'
        'job "x" {\n group "g" {\n task "t" {\n config {\n'
        ' v = [var.text, var.number, var.list[2]["for"]]\n }\n }\n }\n }\n'
    )
    body = read_job(job, manifest.variables)
    assert body["TaskGroups"][0]["Tasks"][0]["Config"]["v"] == ['a${b}%{c}"\n', 1.5, True]


PIECES = st.sampled_from([
    "apiVersion: nomad-operator/v1\n", "kind: App\n", "metadata: {name: web}\n", "metadata:\n  name: a b\n", "spec:\n",
    "  image: a\n", "  image: [a\n", "  env: {A: {fixed: 1}}\n", "  env: 1\n", "  job: {group: 1}\n", "  job: [1]\n",
    "  job: {group: {app: {task: {app: {config: {a.b: 1}}}}}}\n", "  ports: {a: {to: 1}}\n", "  type: x\n", "---\n",
    "  volumes: [{csi: a, mount: /x}, 3]\n", "  drift: {mode: [x]}\n", "  verify: {soak: 1s}\n", "\t", "x: &a [*a]\n",
    "  job: {datacenters: [1.50, [x]]}\n", "  routes: [{host: a.b}]\n", "  variables: {a: {b: [~]}}\n", "spec: 1\n",
    "  jobFile: x\n", "  job: {constraint: {regexp: a}, update: {canary: 1.5}}\n", "- 1\n", '{"a": "\\ud800"}\n',
    "  job: {group: {app: {service: [{name: web, port: 1}, 2], network: {port: {x: ~}}}}}\n", "  prompt: |\n    x\n",
    '  job: {group: {"\\u0000": {"\\ud83d\\ude00": 1}}}\n', "  job: {multiregion: {region: {a: {count: 1}}}}\n",
])  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_no_file_makes_the_reader_fail_and_nothing_is_passed_over(text: str) -> None:
    text = f"# nomad-operator/v1\n{text}"
    file = read(text)
    assert file.holds_any == bool(file.manifests or file.unreadable)
    for bad in file.unreadable:
        assert bad.problems
        for problem in bad.problems:
            assert problem.path == "apps/web.yaml"
            assert 1 <= problem.line <= text.count("\n") + 1
    for manifest in file.manifests:
        assert (manifest.source is None) != (manifest.job_file is None)
        if manifest.source is not None:
            assert read_job(manifest.source.text) == manifest.source.body


def test_drift_ignore_alone_leaves_the_mode_to_the_setting() -> None:
    """Else naming a field to ignore would make the operator act more boldly than it was told."""
    text = (
        "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: web}\nspec: {image: a, drift: {ignore: [count]}}\n"
    )
    defaults = Policy(drift=Drift.WARN)
    [manifest] = read_manifests(text, "web.yaml", defaults=defaults, namespace="default").manifests
    assert (manifest.policy.drift, manifest.policy.drift_ignore) == (Drift.WARN, ("count",))


def test_a_looked_up_variable_has_a_name_that_nomads_env_file_takes() -> None:
    text = (
        "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: web}\nspec: {image: a, env: {a.b: {consul: x}}}\n"
    )
    [file] = read_manifests(text, "web.yaml", defaults=Policy(), namespace="default").unreadable
    assert "letters, digits and _" in str(file.problems[0])
