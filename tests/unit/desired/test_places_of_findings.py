"""What is found about a job is told where people wrote it: in a manifest, in a job file, and by the words of Nomad."""

from __future__ import annotations

import pytest

from desired.admission.examiner import judged
from desired.admission.rule_set import RuleSet
from desired.admission.rules import PolicySpec
from desired.app import AppKey
from desired.catalog import Catalog
from desired.file_tree import FileEntry, FileTree
from desired.job.hcl_places import locate
from desired.job.hcl_read import LocalParser, read_job
from desired.job.part_named import part_named
from desired.objection import problems_of
from desired.policy import Policy
from desired.state import DesiredState, JsonSource

MANIFEST = """apiVersion: nomad-operator/v1
kind: App
metadata: {name: first}
spec:
  image: example/first:1
---
apiVersion: nomad-operator/v1
kind: App
metadata: {name: web}
spec:
  image: other/web:1
  resources:
    cpu: 100
    memory: 9000
  volumes:
    - {host: data, mount: /data}
"""
RULES = PolicySpec.model_validate(
    {"images": {"allowed": ["example/*"]}, "resources": {"memory": 512}, "deny": ["hostVolumes"]}
)


async def _read(text: str) -> DesiredState:
    class Source:
        async def contents(self, blobs: set[str]) -> dict[str, bytes]:
            return dict.fromkeys(blobs, text.encode())

    catalog = Catalog(parser=LocalParser(), defaults=Policy(), namespace="default", namespaces=("default",))
    tree = FileTree("r", {"apps.yaml": FileEntry("apps.yaml", "b", len(text))})
    return await catalog.read(tree, Source(), {})


async def test_a_finding_stands_at_its_line_in_the_manifest_also_of_a_later_document() -> None:
    app = (await _read(MANIFEST)).apps[AppKey("default", "web")]
    assert isinstance(app.source, JsonSource)
    found = problems_of(judged(app.key, app.source.body, [RuleSet("rules.yaml", RULES)]), app)
    lines = MANIFEST.splitlines()
    assert {one.rule: lines[one.line - 1].strip() for one in found} == {
        "images.allowed": "image: other/web:1",
        "resources.memory": "memory: 9000",
        "deny.hostVolumes": "- {host: data, mount: /data}",
    }
    assert all(one.hint and one.path == "apps.yaml" for one in found)


JOB = """job "web" {
  group "api" {
    service {
      name = "api-http"
      port = "80"
    }
    task "app" {
      driver = "docker"
      template {
        data        = "x"
        destination = "local/x"
      }
    }
    task "app-2" {
      driver = "docker"
    }
  }
  group "db" {
    task "main" {
      driver = "docker"
      resources {
        memory = 1
      }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ('Task group api validation failed: Task app validation failed: Template 0 validation failed', 'template {'),
        ('Task app-2 validation failed: missing', 'task "app-2" {'),
        ('Group "db" has warnings: 1 warning: * Task "main" has warnings: resources are small', 'resources {'),
        ('group "api": service "api-http" has no check', 'name = "api-http"'),
        ("job has no datacenters", 'job "web" {'),
        ("Task apple is not there", 'job "web" {'),
    ],
)  # fmt: skip
def test_what_nomad_says_is_told_at_the_part_that_it_names(words: str, line: str) -> None:
    at = part_named(words, read_job(JOB))
    place = locate(JOB, at)
    assert place is not None
    shown = JOB.splitlines()[place.line - 1].strip()
    assert shown == line or (line.startswith("name") and shown == "service {")
